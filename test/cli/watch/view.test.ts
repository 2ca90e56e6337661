/** @file Pictures of `cool watch` over a real store, at sizes of terminals. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchSnapshot } from "../../../src/cli/watch/snapshot.js";
import { initialState, type WatchState } from "../../../src/cli/watch/state.js";
import { StoreData } from "../../../src/cli/watch/store-data.js";
import { drawWatch, placesOf } from "../../../src/cli/watch/view.js";
import type { RunStore } from "../../../src/storage/run-store.js";
import type { MetricPoint } from "../../../src/tasks/evaluation.js";
import { WatchedStore } from "../../../src/watching/watched-store.js";
import { openStore, temporaryDir } from "../../storage/support.js";

const TASKS = ["camera", "house.door", "house.window"];

/** A run whose flow has three tasks; its store tells the last of them first. */
function addRun(store: RunStore, name: string, epochs = 5): string {
  const { id } = store.createRun({ project: "p", name, epochs: 9 }, (dir) => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "graph.json"), JSON.stringify({ tasks: TASKS.map((path) => ({ path })) }));
    writeFileSync(join(dir, "stdout.log"), "first line\nepoch 1 \u001b[2Jdone\rbar 50 %\rbar 100 %\n");
  });
  store.appendMetrics(id, pointsOf(1, epochs));
  store.updateRun(id, { epochsDone: epochs });
  return id;
}

function pointsOf(from: number, to: number): MetricPoint[] {
  const epochs = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return epochs.flatMap((epoch) => {
    const at = { step: 10 * epoch, epoch, wallTime: epoch };
    const tasks = [...TASKS].reverse().flatMap((taskPath): MetricPoint[] => [
      { ...at, split: "train", taskPath, metricName: "loss", value: 1 / epoch },
      { ...at, split: "train", taskPath, metricName: "active_rows", value: 100 + epoch },
    ]);
    return [
      ...tasks,
      ...(["train", "valid"] as const).map(
        (split): MetricPoint => ({ ...at, split, taskPath: "_total", metricName: "loss", value: 2 / epoch }),
      ),
      { ...at, epoch: null, split: "train" as const, taskPath: "_system", metricName: "system_cpu_percent", value: 40 },
    ];
  });
}

function watched(dir: string): WatchedStore {
  const store = new WatchedStore(dir);
  onTestFinished(() => store.close());
  return store;
}

function picture(source: StoreData, state: WatchState, columns = 80, rows = 24): string[] {
  const grid = drawWatch(state, source.at(new Date(), state.order), { columns, rows }, false);
  return Array.from({ length: rows }, (_, row) => grid.text(row));
}

describe("cool watch", () => {
  it("lists runs, with the monitored curve of the one under the cursor", () => {
    const dir = temporaryDir();
    const store = openStore(dir);
    addRun(store, "first");
    addRun(store, "second");
    const lines = picture(new StoreData(watched(dir), null), initialState(null));
    expect(lines[0]).toMatch(/2 runs, 2 running$/);
    expect(lines[1]).toMatch(/name +state +epochs +value +started/);
    expect(lines[2]).toMatch(/second +running +5\/9 +0\.4000 +now/);
    expect(lines.join("\n")).toMatch(/─ second, best 0\.4000 at epoch 5 ─/);
    expect(lines.join("\n")).toMatch(/_total\/loss .*a train 0\.4000 {2}b valid 0\.4000/);
    expect(lines.at(-1)).toContain("? help");
  });

  it("shows a run's curves in the order of its flow, active rows, load and output", () => {
    const dir = temporaryDir();
    const id = addRun(openStore(dir), "first");
    const text = picture(new StoreData(watched(dir), null), initialState(id), 120, 40).join("\n");
    expect(text).toContain("valid/_total/loss 0.4000, best 0.4000 (epoch 5)");
    expect(text).toMatch(/_total\/loss .*camera\/loss .*house\.door\/loss/);
    expect(text).toMatch(/camera +105 ▁▃▅▇█/);
    expect(text).toMatch(/system_cpu +40 % /);
    // what a terminal would have left of a progress bar
    expect(text).toMatch(/first line\nbar 100 %/);
  });

  it.each([
    [30, 8],
    [80, 24],
    [120, 40],
    [200, 50],
  ])("fills %d × %d with any state, whatever names hold", (columns, rows) => {
    const dir = temporaryDir();
    const store = openStore(dir);
    const id = addRun(store, `狐\u202e ${"long name ".repeat(15)}`);
    store.appendMetrics(id, [
      {
        split: "valid",
        taskPath: "\u001b[2J\u0007task",
        metricName: "狐/\u0000",
        step: 1,
        epoch: null,
        value: Number.NaN,
        wallTime: 1,
      },
    ]);
    const source = new StoreData(watched(dir), null);
    const base = initialState(id);
    const states = [
      initialState(null),
      base,
      { ...base, isHelp: true },
      { ...base, isTyping: true, filters: { ...base.filters, curves: "\u001b[" } },
    ];
    for (const state of states) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
      expect(picture(source, state, columns, rows).join("")).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });

  it("says that it is too small", () => {
    const dir = temporaryDir();
    openStore(dir);
    expect(picture(new StoreData(watched(dir), null), initialState(null), 20, 5)[0]).toBe("too small: 30 × 8 a…");
  });

  it("follows what others write: points, new runs, the trash, and runs that are deleted", () => {
    const dir = temporaryDir();
    const store = openStore(dir);
    const id = addRun(store, "first");
    const follower = watched(dir);
    const source = new StoreData(follower, null);
    const state = initialState(id);
    expect(picture(source, state)[1]).toContain("0.4000");
    expect(follower.poll()).toBe(false);
    store.appendMetrics(id, pointsOf(6, 8));
    expect(follower.poll()).toBe(true);
    expect(picture(source, state)[1]).toContain("0.2500");
    // a resumed run writes its last steps again
    store.appendMetrics(
      id,
      pointsOf(8, 8).map((point) => ({ ...point, value: 0.125 })),
    );
    follower.poll();
    expect(picture(source, state)[1]).toContain("best 0.1250");
    addRun(store, "second");
    store.finishRun(id, "failed", { error: "out of\nmemory" });
    follower.poll();
    expect(picture(source, initialState(null))[0]).toContain("2 runs, 1 running");
    expect(picture(source, state)[1]).toBe("out of\\nmemory");
    store.trashRun(id);
    follower.poll();
    expect(picture(source, state)[0]).toContain("failed, in the trash");
    expect(picture(source, initialState(null))[0]).toContain("1 run, 1 running");
    store.deleteRun(id);
    follower.poll();
    expect(picture(source, state)[0]).toBe("The run was deleted. escape: back to the list");
  });

  it("says that the store is gone, and goes on when it comes back", () => {
    const dir = join(temporaryDir(), "store");
    const first = openStore(dir);
    addRun(first, "first");
    const follower = watched(dir);
    const source = new StoreData(follower, null);
    expect(picture(source, initialState(null))[2]).toContain("first");
    first.close();
    rmSync(dir, { recursive: true });
    expect(follower.poll()).toBe(true);
    const gone = picture(source, initialState(null));
    expect([gone[2], gone.at(-1)]).toEqual([
      expect.stringContaining("first"),
      expect.stringContaining("THE STORE IS GONE"),
    ]);
    expect(follower.poll()).toBe(false);
    addRun(openStore(dir), "second");
    expect(follower.poll()).toBe(true);
    expect(picture(source, initialState(null))[2]).toContain("second");
  });

  it("scrolls as far as there is something to see", () => {
    const dir = temporaryDir();
    const id = addRun(openStore(dir), "first");
    const data = new StoreData(watched(dir), null).at(new Date(), "newest");
    const places = placesOf(initialState(id), data, { columns: 80, rows: 24 });
    expect(places.ids).toEqual([id]);
    // four charts, two beside each other, one row at a time
    expect(places.ends).toEqual({ curves: 1, active: 0, load: 0, log: 0 });
  });

  it("shows the last charts where a terminal becomes wider than its scroll was made for", () => {
    const dir = temporaryDir();
    const id = addRun(openStore(dir), "first");
    const base = initialState(id);
    const state = { ...base, scroll: { ...base.scroll, curves: 3, log: 9 } };
    const lines = picture(new StoreData(watched(dir), null), state, 200, 50).join("\n");
    expect(lines).toContain("curves 1–4 of 4");
    expect(lines).toContain("bar 100 %");
  });

  it("draws a run that logs several steps of an epoch over its steps", () => {
    const dir = temporaryDir();
    const store = openStore(dir);
    const { id } = store.createRun({ project: "p", name: "steps" });
    const at = { split: "train", taskPath: "_total", metricName: "loss", wallTime: 1 } as const;
    store.appendMetrics(
      id,
      Array.from({ length: 40 }, (_, step) => ({ ...at, step, epoch: Math.floor(step / 20), value: step })),
    );
    const text = picture(new StoreData(watched(dir), null), initialState(id)).join("\n");
    expect(text).toMatch(/ step\n/);
    expect(text).not.toMatch(/ epoch\n/);
  });

  it("tells loads apart where there is little room", () => {
    const dir = temporaryDir();
    const store = openStore(dir);
    const { id } = store.createRun({ project: "p", name: "first" });
    const at = { split: "train", taskPath: "_system", step: 1, epoch: null, value: 40, wallTime: 1 } as const;
    store.appendMetrics(
      id,
      ["process_cpu_percent", "system_cpu_percent"].map((metricName) => ({ ...at, metricName })),
    );
    const text = picture(new StoreData(watched(dir), null), initialState(id), 40, 24).join("\n");
    expect(text).toContain("…cess_cpu");
    expect(text).toContain("…stem_cpu");
  });

  it("follows a group whose folds begin one after another", () => {
    const dir = temporaryDir();
    const store = openStore(dir);
    const group = store.createGroup({ kind: "folds", project: "p", name: "cv", planned: 2 });
    addRun(store, "other");
    const follower = watched(dir);
    const source = new StoreData(follower, new Set([group.id]));
    const count = (): string | undefined => picture(source, initialState(null))[0];
    expect(count()).toContain("0 runs");
    for (const fold of [1, 2]) {
      store.addToGroup(group.id, addRun(store, `cv-${fold}`), fold);
      follower.poll();
      expect(count()).toMatch(new RegExp(` ${fold} runs?, ${fold} running`));
    }
  });

  it("tells the same as JSON", () => {
    const dir = temporaryDir();
    const id = addRun(openStore(dir), "first");
    const { runs } = watchSnapshot(watched(dir), new Set([id]));
    expect(runs).toMatchObject([
      {
        id,
        monitor: "_total/loss",
        last: { split: "valid", step: 50, epoch: 5, value: 0.4 },
        best: { epoch: 5, value: 0.4 },
        active_rows: { camera: 105, "house.door": 105, "house.window": 105 },
        load: { system_cpu_percent: 40 },
        output: ["first line", "bar 100 %"],
      },
    ]);
  });
});
