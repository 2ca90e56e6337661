/** @file Several processes, and processes that die. */
import { once } from "node:events";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openStore, runTogether, START_OF_CHILDREN, startWorker, temporaryDir } from "../storage/support.js";

/** Starts a child that trains, kills it after some transactions, and returns what it said it had committed. */
async function killedRun(storeDir: string, transactions: number): Promise<{ id: string; committed: number }> {
  const child = startWorker("train", storeDir);
  let output = "";
  const enough = new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split("\n").length > transactions) resolve();
    });
  });
  await enough;
  child.kill("SIGKILL");
  await once(child, "close");
  const lines = output.split("\n").slice(0, -1);
  return { id: lines[0] ?? "", committed: lines.length - 1 };
}

test("eight processes that write at once lose nothing", START_OF_CHILDREN, async () => {
  const store = openStore(temporaryDir());
  const { id } = store.createRun({ project: "shared" });
  const curves = Array.from({ length: 8 }, (_, i) => `curve_${i}`);
  const children = curves.map((curve) => startWorker("write", store.dir, id, curve, "150"));
  expect(await runTogether(children)).toEqual(curves.map(() => "exit 0"));
  const steps = Array.from({ length: 1500 }, (_, step) => step);
  for (const metricName of curves) {
    expect(store.readMetrics(id, { metricName }).map((point) => point.value)).toEqual(steps);
  }
  expect(store.listRuns()).toHaveLength(9);
  expect(store.problems()).toEqual([]);
});

test(
  "a process killed amid its writes leaves a sound store with all that it had committed",
  START_OF_CHILDREN,
  async () => {
    const dir = temporaryDir();
    for (const transactions of [5, 100, 300]) {
      const { id, committed } = await killedRun(dir, transactions);
      const store = openStore(dir);
      expect(store.problems()).toEqual([]);
      const steps = store.readMetrics(id).map((point) => point.step);
      expect(steps.length).toBeGreaterThanOrEqual(committed * 10);
      // no transaction is there in part
      expect(steps).toEqual(Array.from({ length: Math.round(steps.length / 10) * 10 }, (_, step) => step));
      expect(store.getRun(id)).toMatchObject({ state: "running", displayState: "crashed" });
      expect(store.listRuns({ state: "running" })).toEqual([]);
      expect(store.resumeRun(id)).toMatchObject({ displayState: "running", pid: process.pid });
      store.finishRun(id, "finished");
    }
  },
);

describe("a running run is shown as crashed", () => {
  /** A store with a run of this process whose row is then changed by hand. */
  function shownState(change: string, now = new Date("2026-01-01T00:00:00Z")) {
    const store = openStore(temporaryDir(), { now: () => now });
    const { id } = store.createRun({ project: "p" });
    const sqlite = new Sqlite(join(store.dir, "cool.db"));
    sqlite.exec(`UPDATE runs SET ${change}`);
    sqlite.close();
    return store.getRun(id).displayState;
  }

  test("never while its process lives, however old the heartbeat", () => {
    expect(shownState("heartbeat_at = '2020-01-01T00:00:00.000Z'")).toBe("running");
  });

  test.runIf(process.platform === "linux")("where its process number belongs to a later process", () => {
    expect(shownState("process_start = replace(process_start, '/', '/1')")).toBe("crashed");
  });

  test("where no process has its number", () => {
    // above the highest number that Linux gives
    expect(shownState("pid = 4194305")).toBe("crashed");
  });

  test.each(["host = 'elsewhere'", "process_start = 'pid:[1]/5'"])(
    "after a minute of silence elsewhere (%s)",
    (place) => {
      expect(shownState(`${place}, heartbeat_at = '2025-12-31T23:59:00.000Z'`)).toBe("running");
      expect(shownState(`${place}, heartbeat_at = '2025-12-31T23:58:59.999Z'`)).toBe("crashed");
    },
  );

  test("never once it has ended", () => {
    expect(shownState("pid = 4194305, state = 'finished'")).toBe("finished");
  });
});

test("a heartbeat is the time at which it was given", () => {
  let now = new Date("2026-01-01T00:00:00Z");
  const store = openStore(temporaryDir(), { now: () => now });
  const { id } = store.createRun({ project: "p" });
  now = new Date("2026-01-01T00:00:30Z");
  store.heartbeat(id);
  expect(store.getRun(id).heartbeatAt).toBe("2026-01-01T00:00:30.000Z");
});
