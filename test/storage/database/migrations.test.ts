/** @file Stores of older and newer versions. */
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { openDatabase } from "../../../src/storage/database/database.js";
import { migrate } from "../../../src/storage/database/migrations.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { SCHEMA_VERSIONS } from "../../../src/storage/database/schema.js";
import { runTogether, START_OF_CHILDREN, startWorker, temporaryDir, thrownBy } from "../support.js";

const NEXT_VERSION = "ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'";

function storeWithRun(): string {
  const dir = temporaryDir();
  const store = openRunStore(dir);
  store.createRun({ project: "p", name: "kept" });
  store.close();
  return join(dir, "cool.db");
}

function queried(file: string, sql: string): unknown[] {
  const sqlite = new Sqlite(file, { readonly: true });
  const rows = sqlite.prepare(sql).pluck().all();
  sqlite.close();
  return rows;
}

test("six processes that make one store at the same moment migrate it once", START_OF_CHILDREN, async () => {
  const dir = temporaryDir();
  const children = Array.from({ length: 6 }, () => startWorker("open", dir));
  expect(await runTogether(children)).toEqual(children.map(() => "exit 0"));
  expect(queried(join(dir, "cool.db"), "PRAGMA user_version")).toEqual([SCHEMA_VERSIONS.length]);
  expect(readdirSync(dir).filter((file) => file.includes("backup"))).toEqual([]);
});

test("an older store is copied beside itself, then migrated", () => {
  const file = storeWithRun();
  const database = openDatabase(file);
  migrate(database, [...SCHEMA_VERSIONS, NEXT_VERSION]);
  database.close();
  const version = SCHEMA_VERSIONS.length;
  expect(queried(file, "PRAGMA user_version")).toEqual([version + 1]);
  expect(queried(file, "SELECT name || ' ' || mood FROM runs")).toEqual(["kept calm"]);
  const backup = `${file}.backup-v${version}`;
  expect(queried(backup, "PRAGMA user_version")).toEqual([version]);
  expect(queried(backup, "SELECT name FROM runs")).toEqual(["kept"]);
  expect(queried(backup, "SELECT name FROM pragma_table_info('runs') WHERE name = 'mood'")).toEqual([]);
  expect(queried(backup, "PRAGMA integrity_check")).toEqual(["ok"]);
});

test("a migration that fails changes nothing", () => {
  const file = storeWithRun();
  const database = openDatabase(file);
  expect(() => migrate(database, [...SCHEMA_VERSIONS, `${NEXT_VERSION}; SELECT no_such_function()`])).toThrow();
  expect(database.pragma("foreign_keys")).toBe(1);
  database.close();
  expect(queried(file, "PRAGMA user_version")).toEqual([SCHEMA_VERSIONS.length]);
  expect(queried(file, "SELECT name FROM pragma_table_info('runs') WHERE name = 'mood'")).toEqual([]);
});

test.each(["SIGINT", "SIGKILL"] as const)(
  "%s in the middle of a migration leaves the store as it was",
  START_OF_CHILDREN,
  async (signal) => {
    const file = storeWithRun();
    const child = startWorker("migrate", dirname(file));
    let said = "";
    for await (const chunk of child.stdout ?? []) {
      said += String(chunk);
      if (said.includes("step 1 of 1")) break;
    }
    const closed = once(child, "exit");
    child.kill(signal);
    expect(await closed).toEqual([null, signal]);
    expect(queried(file, "PRAGMA user_version")).toEqual([SCHEMA_VERSIONS.length]);
    expect(queried(file, "SELECT name FROM runs")).toEqual(["kept"]);
    const database = openDatabase(file);
    expect(database.problems()).toEqual([]);
    migrate(database, [...SCHEMA_VERSIONS, NEXT_VERSION]);
    database.close();
    expect(queried(file, "SELECT name || ' ' || mood FROM runs")).toEqual(["kept calm"]);
  },
);

test("a migration waits for another process longer than a writer does", START_OF_CHILDREN, async () => {
  const file = storeWithRun();
  const child = startWorker("hold", dirname(file));
  const closed = once(child, "close");
  await once(child.stdout ?? child, "data");
  const database = openDatabase(file);
  // as if the ten seconds of a writer were over
  database.pragma("busy_timeout = 1");
  child.stdin?.write("go\n");
  const said: string[] = [];
  migrate(database, [...SCHEMA_VERSIONS, NEXT_VERSION], (line) => said.push(line));
  expect(database.pragma("busy_timeout")).toBe(10_000);
  database.close();
  await closed;
  expect(said.map((line) => line.trim())).toEqual([
    "The run store was made by an older dnn-cool and is being migrated …",
    "copying it as it is …",
    "step 1 of 1 …",
    "checking what belongs together …",
  ]);
});

test("a migration that leaves rows without their run is refused", () => {
  const file = storeWithRun();
  const database = openDatabase(file);
  database.write(() => database.run("INSERT INTO run_tags SELECT id, 'tag' FROM runs"));
  const error = thrownBy(() => migrate(database, [...SCHEMA_VERSIONS, "DELETE FROM runs"]));
  database.close();
  expect(error.message).toContain("1 rows belong to no run. The store is unchanged");
  expect(queried(file, "SELECT name FROM runs")).toEqual(["kept"]);
});

test("a store of this version is opened without a backup", () => {
  const file = storeWithRun();
  const database = openDatabase(file);
  migrate(database);
  database.close();
  expect(existsSync(`${file}.backup-v${SCHEMA_VERSIONS.length}`)).toBe(false);
});

test("a newer store is refused with the version that made it", () => {
  const file = storeWithRun();
  const newer = new Sqlite(file);
  newer.exec("UPDATE store_info SET value = '7.1.0' WHERE key = 'migrated_by'; PRAGMA user_version = 40");
  newer.close();
  const error = thrownBy(() => openRunStore(join(file, "..")));
  expect(error.name).toBe("StoreError");
  expect(error.message).toContain("was made by dnn-cool 7.1.0 (store version 40)");
  expect(error.message).toContain("Update dnn-cool");
  expect(queried(file, "PRAGMA user_version")).toEqual([40]);
});

test("a store of version 1 keeps its runs, whose newer facts are unknown", () => {
  const dir = temporaryDir();
  const database = openDatabase(join(dir, "cool.db"));
  migrate(database, SCHEMA_VERSIONS.slice(0, 1));
  database.exec(`
    INSERT INTO runs (id, name, project, state, heartbeat_at, pid, host, created_at, started_at, node_version, package_version)
    VALUES ('20261101-000000-abcd', 'old', 'p', 'finished', '2026', 1, 'h', '2026', '2026', '20', '0.1.0');
    INSERT INTO run_config VALUES ('20261101-000000-abcd', 'train.epochs', 'number', '3');`);
  database.close();
  const store = openRunStore(dir, { readonly: true });
  expect(store.backup).toBe(join(dir, "cool.db.backup-v1"));
  const run = store.findRun("old");
  expect(run).toMatchObject({ starred: false, dataDigest: null, sourceDigest: null });
  expect(store.readConfig(run.id)).toEqual({ "train.epochs": 3 });
  expect(store.readConfigChanges(run.id)).toEqual({});
  expect(store.readEnvironment(run.id)).toEqual({});
  store.close();
  expect(queried(join(dir, "cool.db.backup-v1"), "SELECT name FROM runs")).toEqual(["old"]);
  const again = openRunStore(dir);
  expect(again.backup).toBeNull();
  again.close();
});

test("curves of a store of version 2 keep every point", () => {
  const dir = temporaryDir();
  const database = openDatabase(join(dir, "cool.db"));
  migrate(database, SCHEMA_VERSIONS.slice(0, 2));
  const points = [
    ["valid", "door", "loss", 2, 1, 0.25, 0],
    ["train", "door", "loss", 2, 1, null, 1],
    ["train", "door", "loss", 1, null, 0.5, 0],
    ["train", "door", "f1_score", 1, 1, null, 0],
  ] as const;
  for (const id of ["20261101-000000-abcd", "20261102-000000-efgh"]) {
    database.exec(`
      INSERT INTO runs (id, name, project, state, heartbeat_at, pid, host, created_at, started_at, node_version, package_version)
      VALUES ('${id}', '${id}', 'p', 'finished', '2026', 1, 'h', '2026', '2026', '20', '0.1.0')`);
    for (const [split, taskPath, metricName, step, epoch, value, isNan] of points) {
      database.run(
        `INSERT INTO metric_points (run_id, split, task_path, metric_name, step, epoch, value, is_nan, wall_time)
         VALUES (@id, @split, @taskPath, @metricName, @step, @epoch, @value, @isNan, 9.5)`,
        { id, split, taskPath, metricName, step, epoch, value, isNan },
      );
    }
  }
  database.close();
  const store = openRunStore(dir);
  const expected = [
    { split: "train", taskPath: "door", metricName: "f1_score", step: 1, epoch: 1, value: null, wallTime: 9.5 },
    { split: "train", taskPath: "door", metricName: "loss", step: 1, epoch: null, value: 0.5, wallTime: 9.5 },
    { split: "train", taskPath: "door", metricName: "loss", step: 2, epoch: 1, value: Number.NaN, wallTime: 9.5 },
    { split: "valid", taskPath: "door", metricName: "loss", step: 2, epoch: 1, value: 0.25, wallTime: 9.5 },
  ];
  expect(store.readMetrics("20261101-000000-abcd")).toEqual(expected);
  expect(store.readMetrics("20261102-000000-efgh")).toEqual(expected);
  // written on, and gone with their run
  store.appendMetrics("20261101-000000-abcd", [
    { split: "valid", taskPath: "door", metricName: "loss", step: 2, epoch: 2, value: 0.75, wallTime: 10 },
  ]);
  expect(store.readMetrics("20261101-000000-abcd", { split: "valid" }).map(({ value }) => value)).toEqual([0.75]);
  store.trashRun("20261101-000000-abcd");
  store.deleteRun("20261101-000000-abcd");
  store.close();
  expect(queried(join(dir, "cool.db"), "SELECT count(*) FROM metric_series")).toEqual([3]);
  expect(queried(join(dir, "cool.db"), "SELECT count(*) FROM series_points")).toEqual([4]);
});

test("a store of version 3 has its speeds as rows per second, and its runs begin where they last did", () => {
  const dir = temporaryDir();
  const older = openDatabase(join(dir, "cool.db"));
  migrate(older, SCHEMA_VERSIONS.slice(0, 3));
  older.exec(`
    INSERT INTO runs (id, name, project, state, heartbeat_at, pid, host, created_at, started_at, ended_at, node_version, package_version)
      VALUES ('20260101-000000-abcd', 'old', 'p', 'finished', '2026-01-01T00:00:09Z', 1, 'h',
        '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:09Z', '20.9.0', '0.1.0');
    INSERT INTO metric_series (run_id, split, task_path, metric_name)
      VALUES ('20260101-000000-abcd', 'train', '_total', 'images_per_second');
    INSERT INTO series_points (series_id, step, epoch, value, wall_time) VALUES (1, 5, 1, 250.5, 0)`);
  older.close();
  const store = openRunStore(dir);
  const [point] = store.readMetrics("20260101-000000-abcd", { metricName: "rows_per_second" });
  expect(point).toMatchObject({ taskPath: "_total", step: 5, value: 250.5 });
  expect(store.getRun("20260101-000000-abcd")).toMatchObject({ bestEpoch: null, sessionAt: null, earlierS: 0 });
  expect(store.queryRuns({ columns: ["duration"] })[0]?.values.duration).toBeCloseTo(9, 3);
  store.close();
});

test("a store of version 7 has no run that is calibrated, and takes calibrations from then on", () => {
  const dir = temporaryDir();
  const older = openDatabase(join(dir, "cool.db"));
  migrate(older, SCHEMA_VERSIONS.slice(0, 7));
  older.exec(`
    INSERT INTO runs (id, name, project, state, heartbeat_at, pid, host, created_at, started_at, node_version, package_version)
      VALUES ('20260101-000000-abcd', 'old', 'p', 'finished', '2026-01-01T00:00:09Z', 1, 'h',
        '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '20.9.0', '0.1.0')`);
  older.close();
  const store = openRunStore(dir);
  expect(store.readCalibration("20260101-000000-abcd")).toEqual([]);
  const row = { method: "isotonic", split: "test" as const, taskPath: "door", metricName: "ece", numSamples: 3 };
  store.replaceCalibration("20260101-000000-abcd", [{ ...row, raw: 0.5, calibrated: 0.25 }]);
  expect(store.readCalibration("20260101-000000-abcd")).toEqual([{ ...row, raw: 0.5, calibrated: 0.25 }]);
  store.close();
});
