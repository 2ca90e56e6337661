/** @file Runs that do not end as planned: Ctrl-C, kill -9, a loss that is not finite, a full disk, a newer store. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, cool, coolJson, startCool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

interface ListedRun {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly dir: string;
  readonly epochs_done: number;
  readonly error: string | null;
}

let project: TinyProject;
beforeAll(async () => {
  project = await tinyProject();
});
afterAll(() => project.remove());

// long enough to be stopped in the middle
const EPOCHS = 60;
const train = (name: string) => ["run", project.dir, "--name", name, "--epochs", String(EPOCHS)];
const weightsIn = (dir: string): Buffer => readFileSync(join(dir, "checkpoints", "last", "weights.bin"));

async function stored(name: string): Promise<ListedRun> {
  const { runs } = await coolJson<{ runs: ListedRun[] }>(["runs", "list", "--project", project.dir]);
  const run = runs.find((one) => one.name === name);
  if (run === undefined) throw new Error(`no run ${name}`);
  return run;
}

async function resumed(name: string): Promise<ListedRun> {
  const { run } = await coolJson<{ run: ListedRun }>(["run", project.dir, "--resume", name]);
  expect(run).toMatchObject({ name, state: "finished" });
  return run;
}

describe("a run that is stopped on its way", () => {
  let whole: Buffer;
  beforeAll(async () => {
    const { run } = await coolJson<{ run: ListedRun }>(train("whole"));
    whole = weightsIn(run.dir);
  });

  it("by Ctrl-C ends with 130 at once, is interrupted, and goes on to the same weights", async () => {
    const running = startCool([...train("stopped"), "--json"]);
    await running.stderrMatches(/^epoch {1,2}3\//m);
    const signalled = performance.now();
    running.child.kill("SIGINT");
    const result = await running.ended;
    expect(performance.now() - signalled).toBeLessThan(5000);
    expect(result.code).toBe(130);
    const run = await stored("stopped");
    expect(result.json).toEqual({
      error: "InterruptedError",
      message: `Interrupted: run ${run.id} (stopped) is kept with its last checkpoint. Go on with: cool run --resume ${run.id}`,
      facts: { run: run.id },
    });
    expect(run.state).toBe("interrupted");
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8")).toMatch(/\nError: Interrupted: run .*\n$/);
    expect(run.epochs_done).toBeGreaterThanOrEqual(3);
    expect(run.epochs_done).toBeLessThan(EPOCHS);
    const finished = await resumed("stopped");
    expect(finished.id).toBe(run.id);
    expect(weightsIn(finished.dir).equals(whole)).toBe(true);
  });

  it("by kill -9 is shown as crashed, and goes on to the same weights", async () => {
    const running = startCool(train("killed"));
    await running.stderrMatches(/^epoch {1,2}3\//m);
    running.child.kill("SIGKILL");
    expect(await running.ended).toMatchObject({ code: null, signal: "SIGKILL" });
    const { state, dir } = await stored("killed");
    expect(state).toBe("crashed");
    const { stdout } = await cool(["runs", "list", "--project", project.dir]);
    expect(stdout).toMatch(/│ killed\s+│\s+[\d.]+ │ crashed/);
    await resumed("killed");
    expect(weightsIn(dir).equals(whole)).toBe(true);
  });

  it("by kill -9 before its first checkpoint begins again", async () => {
    const running = startCool(train("early"));
    await running.stderrMatches(/^run \S+ \(early\)/m);
    running.child.kill("SIGKILL");
    await running.ended;
    const { dir } = await resumed("early");
    expect(weightsIn(dir).equals(whole)).toBe(true);
  });

  it("goes on for as many epochs as are asked for then, and keeps that for the next time", async () => {
    const [five] = await Promise.all([
      coolJson<{ run: ListedRun }>([...train("five").slice(0, -1), "5"]),
      coolJson([...train("two").slice(0, -1), "2"]),
    ]);
    const running = startCool(["run", project.dir, "--resume", "two", "--epochs", "5"]);
    await running.stderrMatches(/^epoch 3\//m);
    running.child.kill("SIGKILL");
    await running.ended;
    const { run } = await coolJson<{ run: ListedRun }>(["run", project.dir, "--resume", "two"]);
    expect(weightsIn(run.dir).equals(weightsIn(five.run.dir))).toBe(true);
    const { run: shown } = await coolJson<{ run: Record<string, unknown> }>([
      ...["runs", "show", "two", "--project", project.dir],
    ]);
    expect(shown).toMatchObject({ state: "finished", epochs: 5, epochs_done: 5, config: { "train.epochs": 5 } });
  });

  it("has no results to ask for until it is finished", async () => {
    const running = startCool(train("halfway"));
    await running.stderrMatches(/^epoch {1,2}2\//m);
    running.child.kill("SIGINT");
    await running.ended;
    const { id } = await stored("halfway");
    const { code, stderr } = await cool(["evaluate", "halfway", "--project", project.dir]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Error: Run ${id} (halfway) is interrupted and has no results yet. Finish it with: cool run --resume ${id}\n`,
    );
  });
});

describe("a loss that is not finite", () => {
  // one step an epoch; by the sixth the weights are beyond what a float can hold
  const diverging = ["--set", "train.batchSize=36", "--set", "train.optimizer.learningRate=1e4", "--epochs", "9"];

  it("ends the run with its task and step, and keeps the last good checkpoint", async () => {
    const result = await cool(["run", project.dir, "--name", "diverged", ...diverging, "--json"]);
    expect(result.code).toBe(1);
    const { error, message, facts } = result.json as { error: string; message: string; facts: Record<string, unknown> };
    expect(error).toBe("TrainingError");
    expect(message).toMatch(/^The loss of task "[\w.]+" .*(NaN|Infinity|not finite).* step \d \(epoch \d/);
    expect(message).toContain("Lower train.optimizer.learningRate");
    expect(facts).toMatchObject({ task: expect.any(String), step: expect.any(Number), epoch: expect.any(Number) });
    const run = await stored("diverged");
    expect(run).toMatchObject({ state: "failed", error: message });
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8").endsWith(`\nError: ${message}\n`)).toBe(true);
    // what ended it stands on a curve, for alerts and whoever looks
    const query = `select task_path from metric_points where run_id = '${run.id}' and (is_nan = 1 or abs(value) = 9e999)`;
    const { rows } = await coolJson<{ rows: unknown[][] }>(["sql", query, "--project", project.dir]);
    expect(rows).toContainEqual(["_total"]);
    // as good as it was: validated with a finite loss
    for (const checkpoint of ["best", "last"]) {
      const bytes = readFileSync(join(run.dir, "checkpoints", checkpoint, "weights.bin"));
      const weights = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      expect(weights.length).toBeGreaterThan(0);
      expect(weights.every(Number.isFinite)).toBe(true);
    }
    const state = JSON.parse(readFileSync(join(run.dir, "checkpoints", "last", "state.json"), "utf8"));
    expect(state.schedule.best.loss).toBeGreaterThan(0);
    expect(state.position.step).toBe(run.epochs_done);
  });
});

describe("a full disk", () => {
  it("ends the run with a clear message and a sound store; with more space the run goes on", async (context) => {
    const mount = mkdtempSync(join(tmpdir(), "cool-small-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], { stdio: "pipe" });
    } catch (error) {
      rmSync(mount, { recursive: true });
      context.skip(`no small disk can be mounted: ${(error as Error).message.split("\n")[0]}`);
    }
    try {
      const store = join(mount, "store");
      const result = await cool([...train("full"), "--store", store]);
      expect(result.code).toBe(1);
      expectOneParagraph(result);
      expect(result.stderr).toMatch(/no space left|disk is full|Free some space|free space/i);
      const { runs } = await coolJson<{ runs: ListedRun[] }>(["runs", "list", "--store", store]);
      // whether there was room left to write down that it failed is chance
      expect(runs.map(({ state }) => state)).toEqual([expect.stringMatching(/^(failed|crashed)$/)]);
      const database = new Database(join(store, "cool.db"), { readonly: true });
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      database.close();
      execFileSync("mount", ["-o", "remount,size=64m", mount]);
      const { run } = await coolJson<{ run: ListedRun }>(["run", project.dir, "--resume", "full", "--store", store]);
      expect(run.state).toBe("finished");
    } finally {
      execFileSync("umount", [mount]);
      rmSync(mount, { recursive: true });
    }
  });
});

function expectOneParagraph({ stderr }: CliResult): void {
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.match(/^Error: .+$/gm)).toHaveLength(1);
  expect(stderr).toMatch(/Error: [^\n]+\n$/);
}

describe("a store of a newer version", () => {
  it("is refused and stays as it is", async () => {
    const store = mkdtempSync(join(tmpdir(), "cool-newer-store-"));
    const file = join(store, "cool.db");
    try {
      await coolJson(["run", project.dir, "--epochs", "1", "--store", store]);
      const database = new Database(file);
      database.pragma("user_version = 999");
      database.close();
      for (const args of [["runs", "list"], ["evaluate"], ["run", project.dir]]) {
        const { code, stderr } = await cool([...args, "--store", store]);
        expect(code).toBe(1);
        expect(stderr).toMatch(
          new RegExp(`^Error: ${file} was made by dnn-cool \\S+ \\(store version 999\\); this is dnn-cool \\S+,`, "m"),
        );
        expect(stderr).toContain("Update dnn-cool, or name another store with --store DIR.");
      }
      const after = new Database(file, { readonly: true });
      expect(after.pragma("user_version", { simple: true })).toBe(999);
      after.close();
    } finally {
      rmSync(store, { recursive: true });
    }
  });
});

it("a check that is told to end while it reads its table ends with 130, and says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cool-check-signal-"));
  const config = `import { binary, defineProject, defineTasks, numeric } from "dnn-cool";
const tasks = defineTasks({ features: ["f"], tasks: { a: binary() } }).flow("main", (flow, x, out) => out.add(flow.a(x.f)));
export default defineProject({ name: "p", tasks, flow: "main",
  data: { table: "rows.csv", inputs: { x: numeric({ columns: ["x"] }) }, split: { train: 0.8, valid: 0.1, test: 0.1, seed: 1 } },
  trunk: ({ x }, layers) => ({ f: layers.dense({ units: 2 }).apply(x) }) });`;
  writeFileSync(join(folder, "cool.config.mjs"), config);
  writeFileSync(join(folder, "rows.csv"), `x,a\n${"1,0\n2,1\n".repeat(200_000)}`);
  const listens = `process.on("newListener", (name) => { if (name === "SIGTERM") process.stderr.write("listens\\n"); });`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(listens)}` };
  try {
    const running = startCool(["check", folder, "--json"], { env });
    await running.stderrMatches(/listens/);
    running.child.kill("SIGTERM");
    const { code, json } = await running.ended;
    expect([code, json]).toMatchObject([130, { error: "InterruptedError" }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
