/** @file MLflow's and trackio's stores → runs; the databases stay as they are. */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { DataError } from "../../src/errors.js";
import { temporaryDir } from "../storage/support.js";
import { curvesOf, fixture, importAll, imported, leftOf } from "./support.js";

const T0 = 1_700_000_000;
const PARENT = "1".padStart(32, "0");

/** Names and digests of all files. */
function stateOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`)
    .sort();
}

test("MLflow's database: metrics, params, tags, times, states, parents; deleted runs are named", () => {
  const source = fixture("mlflow");
  const before = stateOf(source);
  const { store, result } = imported(source);
  expect(stateOf(source)).toEqual(before);
  expect(result.added.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
    ...["child failed", "killed interrupted", "live crashed", "parent finished"],
  ]);
  expect(store.findRun("parent")).toMatchObject({
    ...{ project: "digits", startedAt: "2023-11-14T22:13:20.000Z", endedAt: "2023-11-14T22:14:50.500Z" },
    ...{ note: "a note", gitCommit: "0123456789abcdef0123456789abcdef01234567", commandLine: "train.py" },
    tags: ["team=vision"],
  });
  expect(store.findRun("child").tags).toEqual(["parent=parent"]);
  expect(store.readConfig(store.findRun("parent").id)).toEqual({
    lr: 0.1,
    "model.depth": 3,
    layers: [64, 32],
    opt: "adam",
  });
  expect(curvesOf(store, "parent")).toEqual({
    "train/_total/loss": [0, 1, 2].map((step) => [step, 1 / (step + 1), T0 + step]),
    "valid/_total/acc": [0, 1, 2].map((step) => [step, step === 2 ? Number.NaN : 0, T0 + step]),
    // logged without steps: numbered
    "train/_total/unnumbered": [1, 2, 3].map((step) => [step, 9 + step, T0 + step - 1]),
    "train/_system/cpu_utilization_percentage": [0, 1, 2].map((step) => [step, 50, T0 + step]),
    "train/_total/inf": [[1, Number.POSITIVE_INFINITY, T0]],
  });
  expect(leftOf(result, "parent")).toEqual([
    "1 files: not copied without --artifacts",
    '1 points of "below": their step is no whole number, 0 or more',
    "1 steps of curves: all are 0: their points are numbered by time instead",
  ]);
  expect(result.left.map(({ count, what }) => `${count} ${what}`)).toEqual(["1 registered models", "1 deleted runs"]);
});

test("artifacts are copied from within the source alone, and links are not followed", () => {
  const source = fixture("mlflow");
  symlinkSync("/etc/passwd", join(source, "mlruns", "1", PARENT, "artifacts", "link"));
  const outside = temporaryDir();
  writeFileSync(join(outside, "secret"), "");
  const database = new Sqlite(join(source, "mlflow.db"));
  database.prepare("UPDATE runs SET artifact_uri = ? WHERE name = 'child'").run(`file://${outside}`);
  database.close();
  const { store, result } = imported(source, { artifacts: true });
  const dir = store.runDir(store.findRun("parent").id);
  expect(readdirSync(join(dir, "artifacts"))).toEqual(["model.txt"]);
  expect(leftOf(result, "parent")).toContain("1 files: links and devices are not followed");
  expect(leftOf(result, "child")).toEqual([expect.stringMatching(/^1 folder of files: it lies outside of/)]);
});

test("MLflow's folders are read as its database is", () => {
  const { store, result } = imported(fixture("mlruns"));
  expect(result.added.map(({ name, state, project }) => `${project}/${name} ${state}`).sort()).toEqual([
    ...["it's: digits/child failed", "it's: digits/parent finished"],
  ]);
  expect(curvesOf(store, "parent")).toEqual({
    "train/_total/loss": [0, 1, 2].map((step) => [step, 1 / (step + 1), T0 + step]),
    "valid/_total/acc": [
      [0, Number.NaN, T0],
      [1, Number.POSITIVE_INFINITY, T0 + 0.001],
    ],
  });
  expect(store.findRun("child").tags).toEqual(["parent=parent", "team=vision"]);
  expect(result.left).toEqual([{ what: "deleted runs", count: 1, reason: "they are in MLflow's trash" }]);
});

test("points that a live run has logged since come with the next import", () => {
  const source = fixture("mlflow");
  const { dir, store } = imported(source);
  const database = new Sqlite(join(source, "mlflow.db"));
  database.exec(`INSERT INTO metrics VALUES ('train/loss', 0.25, ${T0 * 1000 + 9000}, '${PARENT}', 3, 0)`);
  database.close();
  const second = importAll(dir, source);
  expect(second).toMatchObject({ added: [], updated: [{ name: "parent", new_points: 1 }] });
  expect(second.same).toHaveLength(3);
  expect(curvesOf(store, "parent")["train/_total/loss"]).toHaveLength(4);
});

test("trackio: a run per id, config, load of the machine, distributions; its log is not touched", () => {
  const source = fixture("trackio");
  const live = new Sqlite(join(source, "digits.db"));
  live.exec("UPDATE alerts SET title = 'still in the log'");
  const before = readdirSync(source).sort();
  const { store, result } = imported(join(source, "digits.db"));
  expect(readdirSync(source).sort()).toEqual(before);
  live.close();
  expect(result.added.map(({ name }) => name)).toEqual(["same", "same-2"]);
  const run = store.findRun("same");
  expect(run).toMatchObject({ project: "digits", startedAt: "2023-11-14T22:13:19.000Z", tags: ["group=g"] });
  expect(store.readConfig(run.id)).toEqual({ lr: 0.1, "opt.name": "adam" });
  expect(curvesOf(store, "same")).toEqual({
    "train/_total/loss": [0, 1, 2].map((step) => [step, 1 / (step + 1), T0 + step]),
    "valid/_total/acc": [0, 1, 2].map((step) => [step, step === 2 ? Number.NaN : 0.5, T0 + step]),
    "train/_system/gpu/0/utilization": [[1, 75, T0 + 1]],
  });
  expect(result.added[0]).toMatchObject({ histograms: 1 });
  expect(leftOf(result, "same")).toEqual([
    "1 alerts: the store has no place for them",
    "3 texts: in the history, where the store has numbers",
  ]);
});

test("trackio's first files, which had projects and no ids, are read", () => {
  const { store } = imported(join(fixture("trackio"), "old.db"));
  expect(store.findRun("dainty-sunset-1")).toMatchObject({ project: "first project" });
  expect(curvesOf(store, "dainty-sunset-1")["train/_total/loss"]?.[0]?.[1]).toBe(1.5);
});

test("a database that is broken, locked, or another program's is one error, and makes no store", () => {
  const [store, source] = [join(temporaryDir(), "store"), fixture("mlflow")];
  const file = join(source, "mlflow.db");
  const lock = new Sqlite(file);
  lock.exec("BEGIN EXCLUSIVE");
  expect(() => importAll(store, file)).toThrow(/another program has locked it/);
  lock.exec("ROLLBACK");
  lock.close();
  const bytes = readFileSync(file);
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 1024), Buffer.alloc(bytes.length - 1024, 7)]));
  expect(() => importAll(store, file)).toThrow(DataError);
  writeFileSync(file, "hello");
  expect(() => importAll(store, file)).toThrow(/no SQLite database/);
  rmSync(file);
  const other = new Sqlite(file);
  other.exec("CREATE TABLE notes (text)");
  other.close();
  expect(() => importAll(store, file)).toThrow(/holds no runs that are known here/);
  expect(readdirSync(dirname(store))).toEqual([]);
});

test("a run whose rows cannot be read is refused whole, and the others are imported", () => {
  const source = join(fixture("mlruns"), "1");
  rmSync(join(source, PARENT, "metrics", "val_acc"));
  mkdirSync(join(source, PARENT, "metrics", "val_acc"));
  appendFileSync(join(source, PARENT, "metrics", "train", "loss"), "no numbers at all\n");
  const { result, store } = imported(source);
  expect(result.added).toHaveLength(2);
  expect(leftOf(result, "parent")).toContain('1 lines of "train/loss": line 4 has no time and value');
  expect(curvesOf(store, "parent")["train/_total/loss"]).toHaveLength(3);
});
