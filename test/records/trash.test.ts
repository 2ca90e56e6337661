/** @file Runs removed, restored, and deleted for good. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../src/errors.js";
import { collectGarbage, removeRuns, restoreRuns } from "../../src/records/trash.js";
import { readOnlySql } from "../../src/storage/query/read-only-sql.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { FINAL_FILES, finishedRun } from "../support/folders.js";

const DAY = 86_400_000;

function rowsOf(store: RunStore, id: string): number {
  const tables = ["run_tags", "run_config", "run_environment", "metric_points", "thresholds", "evaluation"];
  const counts = [...tables, "samples_interpretation", "artifacts"].map(
    (table) => `(SELECT count(*) FROM ${table} WHERE run_id = '${id}')`,
  );
  return Number(readOnlySql(store.dir, `SELECT ${counts.join(" + ")}`).rows[0]?.[0]);
}

test("a removed run is listed no more and comes back whole", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  expect(removeRuns(store, ["a"])).toMatchObject([{ id, name: "a" }]);
  expect(store.queryRuns({})).toEqual([]);
  expect(store.queryRuns({ trash: "only" })).toHaveLength(1);
  expect(existsSync(store.runDir(id))).toBe(true);
  expect(restoreRuns(store, ["a"])).toMatchObject([{ id, deleted_at: null }]);
  expect(store.queryRuns({})).toHaveLength(1);
});

test("of two runs of one name the removed one is restored", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "same");
  removeRuns(store, [id]);
  finishedRun(store, "same");
  expect(restoreRuns(store, ["same"])).toMatchObject([{ id }]);
});

test("a name that is wrong leaves the others where they are", () => {
  const store = openStore(temporaryDir());
  finishedRun(store, "a");
  expect(() => removeRuns(store, ["a", "nonsense"])).toThrow('No run named "nonsense"');
  expect(store.queryRuns({})).toHaveLength(1);
});

test("a run that is still training leaves the others where they are", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  store.createRun({ project: "p", name: "live" });
  expect(() => removeRuns(store, ["a", "live"])).toThrow("still training");
  expect(store.getRun(id).deletedAt).toBeNull();
});

test("only what has been in the trash for long enough is deleted, rows and folder", () => {
  const store = openStore(temporaryDir());
  const [old, live] = [finishedRun(store, "old"), finishedRun(store, "live")];
  removeRuns(store, [old]);
  const rows = rowsOf(store, old);
  // a tag, a setting, a fact, two points, a threshold, two rows of evaluation, a sample, five files
  expect(rows).toBe(14);
  const later = (days: number) => new Date(Date.now() + days * DAY);
  expect(collectGarbage(store, "30d", { now: later(29) }).runs).toEqual([]);
  const dry = collectGarbage(store, "30d", { now: later(31), dryRun: true });
  expect(dry.runs.map(({ id }) => id)).toEqual([old]);
  // and "log of old\n"
  expect(dry.bytes).toBe(Buffer.byteLength(Object.values(FINAL_FILES).join("")) + 11);
  expect(rowsOf(store, old)).toBe(rows);
  const dir = store.runDir(old);
  expect(collectGarbage(store, "30d", { now: later(31) })).toEqual(dry);
  expect(rowsOf(store, old)).toBe(0);
  expect([existsSync(dir), existsSync(join(store.dir, "deleted"))]).toEqual([false, false]);
  expect(store.queryRuns({ trash: "all" }).map(({ run }) => run.id)).toEqual([live]);
  expect(rowsOf(store, live)).toBe(rows);
});

test("an age that is none deletes nothing", () => {
  const store = openStore(temporaryDir());
  finishedRun(store, "a");
  removeRuns(store, ["a"]);
  expect(() => collectGarbage(store, "30 moons")).toThrow(UsageError);
  expect(store.queryRuns({ trash: "only" })).toHaveLength(1);
});

test("a run outside of the trash is never deleted", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  expect(() => store.deleteRun(id)).toThrow("is not in the trash");
});
