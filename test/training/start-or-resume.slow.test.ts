/** @file Runs by their keys: one of each, however often and by whatever it is started. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ConfigError, InterruptedError, StoreError, UsageError } from "../../src/errors.js";
import { loadProject } from "../../src/project/load-project.js";
import { openDatabase } from "../../src/storage/database/database.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainFolds } from "../../src/training/folds/train-folds.js";
import { askedSettings, assertSameSettings, untilFree } from "../../src/training/earlier/start-or-resume.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { writeNumberProject } from "../support/number-project.js";

const EPOCHS = "train.epochs=6";
let dir = "";
let store = "";
let count = 0;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "keys-"));
  writeNumberProject(dir);
});
beforeEach(() => {
  count += 1;
  store = join(dir, `store-${count}`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(options: TrainRunOptions = {}, sets: readonly string[] = [EPOCHS]) {
  return trainRun(await loadProject(dir, [...sets]), { store, backend: "cpu", key: "nightly", ...options });
}

/** Starts and is told to stop after so many steps. */
async function interrupted(steps: number, options: TrainRunOptions = {}): Promise<void> {
  const controller = new AbortController();
  let count = 0;
  const step = (): void => {
    count += 1;
    if (count === steps) controller.abort();
  };
  const started = start({ ...options, signal: controller.signal, loggers: [{ step }] });
  await expect(started).rejects.toThrow(InterruptedError);
}

const runs = () => {
  const opened = openRunStore(store, { readonly: true });
  try {
    return opened.listRuns({ includeTrash: true }).map(({ id, name, state }) => ({ id, name, state }));
  } finally {
    opened.close();
  }
};

const weights = ({ run }: { readonly run: { readonly dir: string } }) =>
  readFileSync(join(run.dir, "checkpoints", "last", "weights.bin")).toString("base64");

/** Changes the row of a run as another process, or the end of one, would have left it. */
function leave(columns: string): void {
  const database = openDatabase(join(store, "cool.db"));
  database.write(() => database.run(`UPDATE runs SET ${columns}`));
  database.close();
}

test("a key starts a run, goes on with it to the same weights, and leaves it alone once it has finished", async () => {
  const whole = await start({ key: "whole" });
  await interrupted(2);
  await interrupted(3);
  const done = await start();
  expect(done.run).toMatchObject({ name: "nightly", state: "finished", epochs: 6 });
  expect(weights(done)).toBe(weights(whole));
  const again = await start();
  expect(again.run).toEqual(done.run);
  expect(runs().map(({ name }) => name)).toEqual(["nightly", "whole"]);
});

test("a crashed run goes on, and so does one that has failed", async () => {
  await interrupted(3);
  // no process has this number: Linux counts to 4,194,304 at most
  leave("state = 'running', ended_at = NULL, pid = 99999999");
  await interrupted(3);
  leave("state = 'failed', error = 'the disk is full'");
  expect((await start()).run.state).toBe("finished");
  expect(runs()).toHaveLength(1);
});

test("more epochs train a finished run for longer, and fewer are refused", async () => {
  const short = await start({}, ["train.epochs=2"]);
  const long = await start({ epochs: 4 }, ["train.epochs=2"]);
  expect(long.run).toMatchObject({ id: short.run.id, epochs: 4 });
  await expect(start({}, ["train.epochs=3"])).rejects.toThrow(/train\.epochs is 3 and was 4/);
});

test("other settings under the same key are named", async () => {
  const { run } = await start();
  const error = await start({ seed: 9 }, [EPOCHS, "train.batchSize=5"]).catch((one) => one);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe(
    `Run ${run.id} (nightly) has the key "nightly" and other settings: train.batchSize is 5 and was 16; train.seed is 9 and was 7. Start with the same settings to go on with it, or choose another key for another run.`,
  );
  expect(runs()).toHaveLength(1);
});

test("a run that a process of this machine trains is not begun a second time", async () => {
  let second: Promise<unknown> | undefined;
  const step = (): void => {
    second ??= start().catch((error: unknown) => error);
  };
  await start({ loggers: [{ step }] });
  const error = await second;
  expect(error).toBeInstanceOf(StoreError);
  expect((error as Error).message).toMatch(/^Run \S+ \(nightly\) is being trained already, by process \d+ on /);
  expect(runs()).toHaveLength(1);
});

test("of two starts at the same moment one begins the run, and the other says so", async () => {
  const ends = await Promise.allSettled([start(), start()]);
  expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [lost] = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
  expect(lost?.message).toMatch(
    /^The key "nightly" has been taken meanwhile: another process has begun run \S+ with it\./,
  );
  expect(runs()).toMatchObject([{ name: "nightly", state: "finished" }]);
});

test("a run on another host is waited for until it ends, or a minute after its last sign of life", async () => {
  await interrupted(2);
  const alive = new Date().toISOString();
  leave(`state = 'running', host = 'elsewhere', pid = 7, heartbeat_at = '${alive}'`);
  const told: string[] = [];
  const opened = openRunStore(store, { readonly: true });
  const controller = new AbortController();
  const stop = (line: string): void => {
    told.push(line);
    controller.abort();
  };
  const waiting = untilFree(() => opened.keyedRun("numbers", "nightly"), { signal: controller.signal, tell: stop });
  await expect(waiting).rejects.toThrow(
    /^Interrupted: run \S+ \(nightly\) is still trained by process 7 on elsewhere\.$/,
  );
  expect(told).toEqual([expect.stringMatching(/is trained by process 7 on elsewhere: waiting until it ends/)]);
  opened.close();
  const later = openRunStore(store, { readonly: true, now: () => new Date(Date.parse(alive) + 61_000) });
  const free = await untilFree(() => later.keyedRun("numbers", "nightly"), { tell: () => {} });
  expect(free?.displayState).toBe("crashed");
  later.close();
});

test("a run in the trash has given its key up", async () => {
  const { run } = await start({}, ["train.epochs=1"]);
  const opened = openRunStore(store);
  opened.trashRun(run.id);
  const next = await start({}, ["train.epochs=2"]);
  expect(next.run.id).not.toBe(run.id);
  opened.deleteRun(run.id);
  expect(opened.keyedRun("numbers", "nightly")?.id).toBe(next.run.id);
  opened.close();
});

test("folds go on by their key, and the run of a fold that was stored before its group knew is the fold's", async () => {
  const folds = async (options: { readonly signal?: AbortSignal; readonly loggers?: TrainRunOptions["loggers"] }) =>
    trainFolds(await loadProject(dir, ["train.epochs=2"]), { store, backend: "cpu", key: "cv", ...options });
  const controller = new AbortController();
  const step = (): void => controller.abort();
  await expect(folds({ signal: controller.signal, loggers: [{ step }] })).rejects.toThrow(InterruptedError);
  const database = openDatabase(join(store, "cool.db"));
  database.write(() => database.run("DELETE FROM group_runs"));
  database.close();
  const done = await folds({});
  expect(done.group).toMatchObject({ name: "cv" });
  expect(done.group.runs).toHaveLength(5);
  expect(runs()).toHaveLength(5);
  await expect(start({ key: "cv" })).rejects.toThrow(UsageError);
  const changed = trainFolds(await loadProject(dir, ["train.epochs=2", "train.batchSize=9"]), {
    ...{ store, backend: "cpu", key: "cv" },
  });
  await expect(changed).rejects.toThrow(/train\.batchSize is 9 and was \d+/);
});

test("settings that a run keeps from its beginning are compared as they are stored", async () => {
  await start({}, ["train.epochs=1"]);
  const opened = openRunStore(store, { readonly: true });
  const run = opened.findRun("nightly");
  const project = await loadProject(dir, ["train.epochs=1"]);
  expect(() => assertSameSettings(opened, run, "nightly", askedSettings(project, { epochs: 9 }))).not.toThrow();
  opened.close();
});
