/** @file `dnn-cool/track`: what a loop logs is in the store, in event files and in the run's folder. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import sharp from "sharp";
import { startRun, tfCallback } from "dnn-cool/track";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { compareRuns } from "../../src/comparing/compare-runs.js";
import { evaluateRun } from "../../src/asking/evaluate-run.js";
import { openStoredRun } from "../../src/asking/stored-run.js";
import { beginningOf } from "../../src/training/begin-run.js";
import { listEventFiles, readEvents } from "../../src/logging/tensorboard/index.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { findOrphans, repairOrphans } from "../../src/records/orphans.js";
import { listRuns, showRun } from "../../src/records/list-runs.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { temporaryDir } from "../storage/support.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const opened: RunStore[] = [];

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  vi.restoreAllMocks();
});

function open(dir: string): RunStore {
  const store = openRunStore(dir);
  opened.push(store);
  return store;
}

/** What is written to stderr, which stays out of the test's own output. */
function listen(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  return lines;
}

const scalarsIn = (folder: string): [string, number, number][] =>
  listEventFiles(folder).flatMap((file) =>
    readEvents(file).flatMap(({ step, content }) =>
      content.kind === "summary"
        ? content.values.flatMap(({ tag, scalar }): [string, number, number][] =>
            scalar === undefined ? [] : [[tag, step, scalar]],
          )
        : [],
    ),
  );

describe("a run that is tracked", () => {
  test("has its values, settings, files and state in the store, and TensorBoard files beside", async () => {
    const dir = temporaryDir();
    const run = startRun({
      store: dir,
      project: "mnist",
      name: "first",
      config: { lr: 0.1, net: { width: 8 } },
      tags: ["a"],
    });
    expect(open(dir).getRun(run.id).displayState).toBe("running");
    run.log({ loss: 0.5, val_loss: 0.75, "a/b/c": 3 }, { step: 1, epoch: 1 });
    run.log({ loss: Number.NaN }, { step: 2 });
    run.log({ accuracy: 0.5, skipped: undefined }, { split: "val" });
    run.log({ accuracy: 0.75 }, { split: "valid" });
    run.config({ lr: 0.2, found: [1, 2] });
    run.tag("b");
    run.table("answers", { columns: ["id", "answer"], rows: [[1, "yes"]] }, { step: 3 });
    run.histogram("weights", [0, 0.5, 1], { step: 1 });
    run.text("note", "**seen**");
    const grey = { data: new Uint8Array(16), width: 4, height: 4, channels: 1 } as const;
    await run.image("digit", grey, { step: 2, split: "valid" });
    writeFileSync(join(dir, "weights.pt"), "weights");
    run.artifact(join(dir, "weights.pt"));
    run.checkpoint(join(dir, "weights.pt"), { name: "best" });
    run.evaluate([{ split: "test", metric_name: "accuracy", metric_res: 0.9, num_samples: 10 }]);
    const summary = await run.finish();
    expect(summary).toMatchObject({ id: run.id, name: "first", state: "finished", dir: run.dir });

    const store = open(dir);
    const points = store
      .readMetrics(run.id)
      .filter(({ taskPath }) => taskPath !== "_system")
      .map(({ split, taskPath, metricName, step, value }) => [split, taskPath, metricName, step, value]);
    expect(points).toEqual([
      ["train", "_foreign", "a/b/c", 1, 3],
      ["train", "_total", "loss", 1, 0.5],
      ["train", "_total", "loss", 2, Number.NaN],
      ["valid", "_total", "accuracy", 1, 0.5],
      ["valid", "_total", "accuracy", 2, 0.75],
      ["valid", "_total", "loss", 1, 0.75],
    ]);
    expect(store.lastMetrics(run.id, { taskPath: "_system" }).length).toBeGreaterThan(3);
    expect(store.readConfig(run.id)).toEqual({ lr: 0.2, "net.width": 8, found: [1, 2] });
    const shown = showRun(store, "first");
    expect(shown).toMatchObject({ state: "finished", project: "mnist", tags: ["a", "b"], epochs_done: 1 });
    expect(shown.environment).toMatchObject({ node: process.versions.node });
    expect(shown.git_commit).toMatch(/^[0-9a-f]{40}$/);
    expect(shown.evaluation).toEqual([
      { split: "test", task_path: "_total", metric_name: "accuracy", metric_res: 0.9, num_samples: 10, gates: "truth" },
    ]);
    const kept = store.readArtifacts(run.id).map(({ path }) => path);
    expect(kept).toEqual(
      expect.arrayContaining(["artifacts/weights.pt", "checkpoints/best", "tables/answers-3.json", "tracked.json"]),
    );

    expect(scalarsIn(join(run.dir, "train"))).toEqual([
      ["_total/loss", 1, 0.5],
      ["_foreign/a/b/c", 1, 3],
      ["_total/loss", 2, Number.NaN],
    ]);
    const tags = readEvents(listEventFiles(join(run.dir, "valid"))[0] ?? "").flatMap(({ content }) =>
      content.kind === "summary" ? content.values.map(({ tag }) => tag) : [],
    );
    expect(tags).toContain("digit");
  });

  test("keeps what the program prints", async () => {
    const dir = temporaryDir();
    const seen = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const run = startRun({ store: dir, project: "p" });
    process.stdout.write("hello\n");
    await run.finish();
    seen.mockRestore();
    expect(readFileSync(join(run.dir, "stdout.log"), "utf8")).toBe("hello\n");
  });

  test("is refused where a network is needed, in one line", async () => {
    const dir = temporaryDir();
    await startRun({ store: dir, project: "p", name: "other" }).finish();
    const store = open(dir);
    const line = /^Run \S+ \(other\) was tracked, not trained by dnn-cool: it has no network/;
    await expect(openStoredRun(store, "other")).rejects.toThrow(line);
    await expect(openStoredRun(store, "latest")).rejects.toThrow(line);
    await expect(evaluateRun(store, "other")).rejects.toThrow(line);
    expect(() => beginningOf(store, { resume: "other" })).toThrow(line);
    expect(() => beginningOf(store, { again: "other" })).toThrow(line);
  });

  test("is found by its curves and compared by their last values where it has no evaluation", async () => {
    const dir = temporaryDir();
    for (const [name, loss] of [
      ["low", 0.1],
      ["high", 0.9],
    ] as const) {
      const run = startRun({ store: dir, project: "p", name, config: { lr: loss } });
      run.log({ loss: 1, val_loss: loss }, { step: 1 });
      await run.finish();
    }
    const store = open(dir);
    expect(listRuns(store, { where: "valid/_total/loss < 0.5" }).map(({ name }) => name)).toEqual(["low"]);
    const { params, metrics } = await compareRuns(store, ["low", "high"]);
    expect(params).toContainEqual(expect.objectContaining({ key: "lr", values: [0.1, 0.9] }));
    expect(metrics).toContainEqual(
      expect.objectContaining({ split: "valid", task_path: "_total", metric_name: "loss", values: [0.1, 0.9] }),
    );
    expect(metrics.some(({ task_path }) => task_path === "_system")).toBe(false);
  });

  test("goes to another store and back into a store that lost its row", async () => {
    const [dir, other] = [temporaryDir(), temporaryDir()];
    const run = startRun({ store: dir, project: "p", name: "moved", config: { lr: 1 } });
    run.log({ loss: 1 });
    await run.finish();
    const file = join(other, "moved.tar.gz");
    const store = open(dir);
    exportRun(store, "moved", file);
    const target = open(join(other, "store"));
    importRuns(target, file);
    expect(showRun(target, "moved")).toMatchObject({ id: run.id, state: "finished", config: { lr: 1 } });

    store.trashRun(run.id);
    store.deleteRun(run.id);
    const found = findOrphans(store, new Date(Date.now() + 3_600_000));
    expect(found.folders).toEqual([run.id]);
    repairOrphans(store, found);
    expect(showRun(store, run.id)).toMatchObject({
      project: "p",
      state: "interrupted",
      tags: ["recovered"],
      config: { lr: 1 },
    });
  });

  test("goes on after its end, from the last steps", async () => {
    const dir = temporaryDir();
    const first = startRun({ store: dir, project: "p", name: "long" });
    first.log({ loss: 3 });
    first.log({ loss: 2 });
    await first.finish({ state: "interrupted" });
    const second = startRun({ store: dir, resume: "long" });
    expect(second.id).toBe(first.id);
    second.log({ loss: 1 });
    await second.finish();
    const points = open(dir).readMetrics(first.id, { taskPath: "_total" });
    expect(points.map(({ step, value }) => [step, value])).toEqual([
      [1, 3],
      [2, 2],
      [3, 1],
    ]);
  });
});

describe("tfCallback", () => {
  test("logs an epoch's losses and metrics of both splits, as fit hands them over", async () => {
    const dir = temporaryDir();
    const run = startRun({ store: dir, project: "p", epochs: 2 });
    const callback = tfCallback(run);
    callback.onEpochEnd(0, { loss: 0.5, acc: 0.25, val_loss: 0.75, val_acc: 0.125 });
    callback.onEpochEnd(1, { loss: 0.25, acc: 0.5, val_loss: 0.5, val_acc: 0.25 });
    await run.finish();
    const store = open(dir);
    expect(store.getRun(run.id)).toMatchObject({ epochs: 2, epochsDone: 2 });
    expect(
      store
        .lastMetrics(run.id)
        .filter(({ taskPath }) => taskPath !== "_system")
        .map(({ split, metricName, step, epoch, value }) => [split, metricName, step, epoch, value]),
    ).toEqual([
      ["train", "acc", 2, 2, 0.5],
      ["train", "loss", 2, 2, 0.25],
      ["valid", "acc", 2, 2, 0.25],
      ["valid", "loss", 2, 2, 0.5],
    ]);
  });
});

describe("what cannot be kept is refused, and nothing of the call is kept", () => {
  test("values, steps, splits, names, tables, rows and names of files", async () => {
    const dir = temporaryDir();
    const run = startRun({ store: dir, project: "p" });
    const wrong = (value: unknown) => ({ fine: 1, loss: value }) as Record<string, number>;
    expect(() => run.log(wrong("0.5"))).toThrow('The value of "loss" is "0.5"; expected a number');
    expect(() => run.log({ loss: 1 }, { step: 0.5 })).toThrow('"step" is 0.5; expected a whole number');
    expect(() => run.log({ loss: 1 }, { step: -1 })).toThrow('"step" is -1');
    expect(() => run.log({ loss: 1 }, { split: "trian" })).toThrow('"split" is "trian"; expected train, valid or test');
    expect(() => run.log({ ["x".repeat(10_000)]: 1 })).toThrow("has 10000 characters; shorten it to 200");
    expect(() => run.table("t", { columns: ["a"], rows: [[1, 2]] })).toThrow("row 1 has other cells than columns");
    expect(() => run.artifact(join(dir, "none.bin"))).toThrow("There is no file or folder");
    expect(() => run.artifact(dir)).toThrow("holds the run itself");
    writeFileSync(join(dir, "file"), "");
    expect(() => run.artifact(join(dir, "file"), { name: "../../cool.db" })).toThrow(
      "is no name of a file within the run",
    );
    const row = { split: "test", metric_name: "a", metric_res: 1, num_samples: 1 };
    expect(() => run.evaluate([row, row])).toThrow("Row 2 of the evaluation: test/_total/a stands there twice");
    expect(() => run.evaluate([{ ...row, num_samples: -1 }])).toThrow('"num_samples" is -1');
    await run.finish();
    expect(open(dir).readMetrics(run.id, { taskPath: "_total" })).toEqual([]);
    expect(() => run.log({ loss: 1 })).toThrow("has ended");
  });

  test("names of runs and options of startRun", () => {
    const dir = temporaryDir();
    expect(() => startRun({ store: dir, name: "x".repeat(10_000) })).toThrow("has 10000 characters; shorten it to 200");
    expect(() => startRun({ stroe: dir } as object)).toThrow('there is no option "stroe". Did you mean "store"?');
    expect(existsSync(join(dir, "cool.db"))).toBe(false);
  });

  test("settings without JSON, options and fields that there are none of, and what is no object", async () => {
    const dir = temporaryDir();
    const itself: Record<string, unknown> = {};
    itself.inner = { itself };
    const given = (options: object) => () => startRun({ store: dir, ...options });
    expect(given({ config: itself })).toThrow('the setting "inner.itself" is an object that holds itself');
    expect(given({ config: [1] })).toThrow("startRun({ config }) takes settings by name");
    expect(given({ tags: [5] })).toThrow('"tags" is [5]; expected a list of texts');
    expect(given({ seed: 0.5 })).toThrow('"seed" is 0.5; expected a whole number');
    expect(given({ resume: "first", name: "second" })).toThrow("a run that goes on keeps its name");
    expect(existsSync(join(dir, "cool.db"))).toBe(false);

    const run = startRun({ store: dir, project: "p" });
    const unchecked = (value: unknown) => value as never;
    expect(() => run.log({ loss: 1 }, unchecked({ stpe: 3 }))).toThrow('no option "stpe". Did you mean "step"?');
    expect(() => run.log(unchecked(null))).toThrow("log(values) takes an object of names and values, not null");
    expect(() => run.log(unchecked(5))).toThrow("log(values) takes an object of names and values, not 5");
    expect(() => run.log({ loss: unchecked(1n) })).toThrow('The value of "loss" is 1n; expected a number');
    expect(() => run.log({ loss: 1 }, { step: Number.NaN })).toThrow('"step" is NaN; expected a whole number');
    expect(() => run.config(itself)).toThrow('config(…): the setting "inner.itself" is an object that holds itself');
    expect(() => run.tag(unchecked(5))).toThrow("A tag is a text, not 5");
    expect(() => run.histogram("h", unchecked(null))).toThrow('The histogram "h" takes a list of numbers');
    expect(() => run.table("t", unchecked(null))).toThrow("table(name, table) takes an object");
    expect(() => run.artifact(unchecked(undefined))).toThrow("Name a file or folder to be copied");
    writeFileSync(join(dir, "file"), "");
    expect(() => run.artifact(join(dir, "file"), { name: "x".repeat(300) })).toThrow("200 bytes at most");
    const row = { split: "test", metric_name: "a", metric_res: 1, num_samples: 1 };
    expect(() => run.evaluate([{ ...row, ...{ basline: 1 } }])).toThrow('no field "basline". Did you mean "baseline"');
    expect(() => run.evaluate([{ ...row, baseline: unchecked("x") }])).toThrow('"baseline" is no number');
    expect(() => run.evaluate([{ ...row, metric_name: "x".repeat(10_000) }])).toThrow("shorten it to 200");
    await expect(run.finish({ state: unchecked("happy") })).rejects.toThrow('"state" is none of finished');
    run.table("t", { columns: ["id"], rows: [[1n]] });
    expect((await run.finish()).state).toBe("finished");
    expect(open(dir).readMetrics(run.id, { taskPath: "_total" })).toEqual([]);
  });

  test("a picture that is none is told, and the run goes on", async () => {
    const lines = listen();
    const dir = temporaryDir();
    const run = startRun({ store: dir, project: "p" });
    writeFileSync(join(dir, "text.png"), "no picture");
    void run.image("digit", join(dir, "text.png"));
    const jpeg = await sharp({ create: { width: 2, height: 3, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    void run.image("photo", jpeg);
    expect((await run.finish()).state).toBe("finished");
    expect(lines.join("")).toContain('warning: The image "digit" cannot be read');
  });

  test("a step that goes back stands at its step, and is told once", async () => {
    const lines = listen();
    const dir = temporaryDir();
    const run = startRun({ store: dir, project: "p" });
    for (const [step, loss] of [
      [5, 1],
      [3, 2],
      [5, 3],
      [4, 4],
    ] as const) {
      run.log({ loss }, { step });
    }
    await run.finish();
    expect(lines.join("").match(/step 3 comes after step 5/g)).toHaveLength(1);
    expect(lines.join("")).not.toContain("step 4 comes after");
    const points = open(dir).readMetrics(run.id, { taskPath: "_total" });
    expect(points.map(({ step, value }) => [step, value])).toEqual([
      [3, 2],
      [4, 4],
      [5, 3],
    ]);
  });

  test("a second process in one run: the first one has it until it ends", async () => {
    const dir = temporaryDir();
    const run = startRun({ store: dir, project: "p", name: "shared" });
    expect(() => startRun({ store: dir, resume: "shared" })).toThrow(/is still training it\. Stop it first/);
    await run.finish();
  });
});

// packages are found from where it lies
const bundle = join(root, "node_modules", ".cache", `dnn-cool-track-${process.pid}.mjs`);
/** Packages that are loaded with the entry itself. */
let loadedAtOnce: string[] = [];

beforeAll(async () => {
  const { metafile } = await build({
    ...{ absWorkingDir: root, entryPoints: ["src/tracking/index.ts"], outfile: bundle, bundle: true, metafile: true },
    ...{ format: "esm", platform: "node", packages: "external" },
  });
  loadedAtOnce = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind, path }) => kind === "import-statement" && !path.startsWith("node:"))
    .map(({ path }) => path);
});
afterAll(() => rmSync(bundle, { force: true }));

test("the entry loads the store and nothing heavy", () => {
  expect([...new Set(loadedAtOnce)].sort()).toEqual(["better-sqlite3", "fastest-levenshtein"]);
});

describe("a process that ends by itself", () => {
  /** Runs a program that has begun a run. */
  function program(dir: string, body: string) {
    const script = `import { startRun } from ${JSON.stringify(bundle)};
      const run = startRun({ store: ${JSON.stringify(dir)}, project: "p", name: "script" });
      run.log({ loss: 0.5 });
      ${body}`;
    const file = join(dir, "script.mjs");
    writeFileSync(file, script);
    return spawnSync(process.execPath, [file], { cwd: dir, encoding: "utf8" });
  }

  test.each([
    ["", "finished", 0, null],
    ["process.exit(3);", "failed", 3, "The process ended with exit code 3."],
    ['setTimeout(() => { throw new Error("out of memory"); }, 1);', "failed", 1, "out of memory"],
    ['setTimeout(() => {}, 60_000); process.kill(process.pid, "SIGTERM");', "interrupted", null, null],
    ['process.kill(process.pid, "SIGKILL");', "crashed", null, null],
  ])("%s", (body, state, code, error) => {
    const dir = temporaryDir();
    const { status } = program(dir, body);
    expect(status).toBe(code);
    const store = open(dir);
    const run = store.findRun("script");
    expect(run).toMatchObject({ displayState: state, error });
    // what is not written yet when a process is killed is lost
    if (state === "crashed") return;
    expect(store.readMetrics(run.id, { taskPath: "_total" })).toMatchObject([{ value: 0.5 }]);
  });
});

test("of a hundred thousand points that are logged at once all are kept", async () => {
  const dir = temporaryDir();
  const run = startRun({ store: dir, project: "p" });
  for (let step = 1; step <= 50_000; step += 1) run.log({ loss: 1 / step, accuracy: step }, { step });
  await run.finish();
  expect(open(dir).readMetrics(run.id, { taskPath: "_total" })).toHaveLength(100_000);
}, 120_000);
