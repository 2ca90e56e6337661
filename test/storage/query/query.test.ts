/** @file Runs found by condition, order and columns; every expected answer follows from the five runs below. */
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import type { RunStore, RunsQuery } from "../../../src/storage/run-store.js";
import type { EvaluationRow } from "../../../src/tasks/evaluation.js";
import { openStore, temporaryDir, thrownBy, tickingClock } from "../support.js";

function evaluated(metric_name: string, metric_res: number | null, others: Partial<EvaluationRow> = {}): EvaluationRow {
  return { split: "valid", task_path: "door.lock", metric_name, metric_res, num_samples: 9, gates: "truth", ...others };
}

/** a: 16 rows a batch, f1 0.95; b: 32, 0.5; c: 64, null; d: failed, no evaluation but a curve of 0.7; e: a crash. */
function fiveRuns(): RunStore {
  const dir = temporaryDir();
  const store = openStore(dir, { now: tickingClock("2026-11-23T08:00:00.000Z") });
  const make = (name: string, batchSize: number, tags: string[] = []): string =>
    store.createRun({
      project: "p",
      name,
      tags,
      seed: batchSize,
      config: {
        train: { batchSize, clip: null, shuffle: batchSize !== 64, limit: Number.POSITIVE_INFINITY },
        kind: "x",
      },
      environment: { cpu: { model: "Fast [1]" } },
    }).id;
  const a = make("a", 16, ["good", "paper"]);
  store.replaceEvaluation(a, [evaluated("f1_score", 0.95), evaluated("f1_score", 0.25, { gates: "predicted" })]);
  store.finishRun(a, "finished");
  const b = make("b", 32, ["good"]);
  store.replaceEvaluation(b, [evaluated("f1_score", 0.5), evaluated("f1_score/red", 0.125)]);
  store.finishRun(b, "finished");
  const c = make("c", 64);
  store.replaceEvaluation(c, [evaluated("f1_score", null)]);
  store.finishRun(c, "interrupted");
  const d = make("d", 16);
  const point = { split: "valid" as const, taskPath: "door.lock", metricName: "f1_score", epoch: 1, wallTime: 1 };
  store.appendMetrics(d, [
    { ...point, step: 1, value: 0.9 },
    { ...point, step: 2, value: 0.7 },
  ]);
  store.finishRun(d, "failed", { error: "The loss is NaN." });
  make("e", 128, ["x'; DROP TABLE runs; --"]);
  const sqlite = new Sqlite(join(dir, "cool.db"));
  sqlite.exec("UPDATE runs SET pid = 999999999 WHERE name = 'e'");
  sqlite.close();
  return store;
}

function names(store: RunStore, query: RunsQuery): string[] {
  return store.queryRuns(query).map(({ run }) => run.name);
}

describe("a condition", () => {
  test.each([
    ["valid/door.lock/f1_score > 0.9", "a"],
    ["valid/door.lock/f1_score@predicted < 0.9", "a"],
    ["valid/door.lock/f1_score <= 0.7", "db"],
    ["valid/door.lock/f1_score/red = 0.125", "b"],
    ["valid/door.lock/f1_score is null", "ec"],
    ["train.batchSize in (16, 32)", "dba"],
    ["train.batchSize not in (16, 32)", "ec"],
    ["valid/door.lock/f1_score > 0.4 and train.batchSize in (16, 32)", "dba"],
    ["name = a or name = b and seed = 16", "a"],
    ["(name = a or name = b) and seed = 32", "b"],
    ["not (seed < 64)", "ec"],
    ["train.clip = null and seed >= 64", "ec"],
    ["train.shuffle = true and not train.shuffle = false", "edba"],
    ["train.limit > 1e308", "edcba"],
    ["kind = 'x' and kind != 'y'", "edcba"],
    ["kind > 5", ""],
    ["tag = good", "ba"],
    ["tag = good and tag != paper", "b"],
    ["tag in (paper, 'never')", "a"],
    ["tag ~ 'p*'", "a"],
    ["tag is null", "dc"],
    ["tag is not null", "eba"],
    ['tag = "x\'; DROP TABLE runs; --"', "e"],
    ["name ~ '[a]'", ""],
    ["env.cpu.model ~ 'Fast [1]'", "edcba"],
    ["env.cpu.model like 'FAST%'", "edcba"],
    ["state = crashed", "e"],
    ["state in (failed, interrupted)", "dc"],
    ["state != crashed", "dcba"],
    ["error is not null", "d"],
    ["error like '%nan%'", "d"],
    ["starred", ""],
    ["not starred and NAME_IS_FREE", "error"],
    ["started >= 2026", "error"],
    ["started >= '2026-11-23' and started < '2026-11-24'", "edcba"],
    ["started < '2026-11-23T08:00:00Z'", ""],
    ["duration >= 0 && git_commit == null", "edcba"],
    ["`train.batchSize` <> 16", "ecb"],
  ])("%s", (where, expected) => {
    const store = fiveRuns();
    if (expected === "error") expect(() => names(store, { where })).toThrow(UsageError);
    else expect(names(store, { where }).join("")).toBe(expected);
  });

  test.each([
    ["train.batchSiz > 3", 'No run has a field named "train.batchSiz". Did you mean "train.batchSize"?', 0],
    ["seed = 'x'", '"seed" is a number; it cannot be compared with "x"', 7],
    ["state = crashd", 'Did you mean "crashed"?', 8],
    ["seed >", "Expected a number, a text in quotes, true, false or null, found the end", 6],
    ["seed > 3 name = a", 'Expected and, or, or the end, found "name"', 9],
    ["seed 3", 'Expected =, !=, <, <=, >, >=, ~, in, like, is, and, or, or the end, found "3"', 5],
    ["(seed > 3", 'Expected ")", found the end', 9],
    ["seed in 3", 'Expected "(", found "3"', 8],
    ["seed > 3; drop table runs", "where nothing starts with it", 8],
    ["name = 'open", "is never closed", 7],
    ["a/b/c > 1", "starts with its split: train/, valid/, test/", 0],
    ["valid/door.lock > 1", "has no metric", 0],
    ["valid/door.lock/f1_score@both > 1", "@truth, @predicted", 0],
    ["valid/door.lock/f1_score ~ 'x'", "matches no pattern", 27],
    ["tag > 'a'", "Tags are compared by", 6],
    ["", "Expected the name of a field", 0],
  ])("that is wrong is shown with the place: %s", (where, message, at) => {
    const error = thrownBy(() => fiveRuns().queryRuns({ where }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
    expect(error.facts).toMatchObject({ text: where, at });
    const [, shown = "", mark = ""] = error.message.split("\n");
    expect([shown, mark.length]).toEqual([`  ${where}`, at + 3]);
  });

  test("of great length or depth is refused, not run", () => {
    const store = fiveRuns();
    expect(() => names(store, { where: "x".repeat(30_000) })).toThrow("30000 characters");
    expect(() => names(store, { where: `${"(".repeat(200)}seed = 1` })).toThrow("nested more than 100 deep");
    const long = Array.from({ length: 300 }, (_, i) => `seed = ${i}`).join(" or ");
    expect(names(store, { where: long })).toHaveLength(5);
  });

  test("finds nothing in an empty store, whatever it names", () => {
    expect(names(openStore(temporaryDir()), { where: "valid/any/thing > 1" })).toEqual([]);
  });
});

test("runs are found since a time, with tags, in states", () => {
  const store = fiveRuns();
  expect(names(store, { since: "2026-11-23" })).toHaveLength(5);
  expect(names(store, { since: "2 seconds" })).toEqual([]);
  expect(names(store, { since: "1 day" })).toHaveLength(5);
  expect(() => names(store, { since: "soon" })).toThrow('Write an age ("2 days", 90m) or a date');
  expect(names(store, { tags: ["good", "paper"] })).toEqual(["a"]);
  expect(names(store, { states: ["crashed", "finished"] })).toEqual(["e", "b", "a"]);
});

test("runs are sorted by any field, those without a value last", () => {
  const store = fiveRuns();
  expect(names(store, { sort: ["valid/door.lock/f1_score"] })).toEqual(["b", "d", "a", "e", "c"]);
  expect(names(store, { sort: ["valid/door.lock/f1_score:desc"] })).toEqual(["a", "d", "b", "e", "c"]);
  // as numbers: 128 is not before 16
  expect(names(store, { sort: ["train.batchSize", "name:desc"] })).toEqual(["d", "a", "b", "c", "e"]);
  expect(names(store, { sort: ["train.batchSize:desc"], limit: 2 })).toEqual(["e", "c"]);
  expect(() => names(store, { sort: ["nam; drop table runs"] })).toThrow("No run has a field");
});

test("columns have the values and types of the runs", () => {
  const store = fiveRuns();
  const columns = ["name", "state", "train.clip", "train.shuffle", "train.limit", "tag", "valid/door.lock/f1_score"];
  const [first, last] = ["a", "e"].map((name) => store.queryRuns({ where: `name = ${name}`, columns })[0]?.values);
  expect(first).toEqual({
    name: "a",
    state: "finished",
    "train.clip": null,
    "train.shuffle": true,
    "train.limit": Number.POSITIVE_INFINITY,
    tag: "good, paper",
    "valid/door.lock/f1_score": 0.95,
  });
  expect(last).toMatchObject({ state: "crashed", "valid/door.lock/f1_score": null });
});
