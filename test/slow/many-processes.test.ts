/** @file Many commands at once on one store: nothing is lost, nothing is locked, and it is migrated once. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { SCHEMA_VERSIONS } from "../../src/storage/database/schema.js";
import { type CliResult, cool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const EPOCHS = 4;
const TIMEOUT = { timeoutMs: 240_000 };

interface Result {
  readonly run: { readonly id: string; readonly name: string; readonly dir: string; readonly state: string };
  readonly evaluation: readonly unknown[];
}

let project: TinyProject;
let folder: string;
beforeAll(async () => {
  project = await tinyProject();
  folder = mkdtempSync(join(tmpdir(), "cool-many-"));
});
afterAll(() => {
  project.remove();
  rmSync(folder, { recursive: true, force: true });
});

const atOnce = (count: number, args: (i: number) => string[]): Promise<CliResult[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => cool(args(i), TIMEOUT)));

const trainIn = (store: string) => ["run", project.dir, "--store", store, "--epochs", String(EPOCHS), "--json"];

function expectSound(store: string): void {
  const database = new Database(join(store, "cool.db"), { readonly: true });
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(database.pragma("foreign_key_check")).toEqual([]);
  expect(database.pragma("user_version", { simple: true })).toBe(SCHEMA_VERSIONS.length);
  database.close();
}

// four epochs on 36 rows need not beat a constant answer, and the run says so
const withoutBaselines = (stderr: string) =>
  stderr.replace(/^warning: no better on \w+ than a constant answer .*$/gm, "");

function expectNoComplaint(results: readonly CliResult[]): void {
  expect(results.map(({ code, stdout, stderr }) => (code === 0 ? 0 : stdout + stderr))).toEqual(results.map(() => 0));
  for (const { stderr } of results) expect(withoutBaselines(stderr)).not.toMatch(/locked|busy|warning/i);
}

test("eight processes that train into one new store lose nothing and never meet a lock", async () => {
  const store = join(folder, "eight");
  const results = await atOnce(8, () => trainIn(store));
  expectNoComplaint(results);
  const runs = results.map(({ json }) => json as Result);
  expect(new Set(runs.map(({ run }) => run.id)).size).toBe(8);
  // names count the project's runs, so no two may have counted at the same moment
  expect(runs.map(({ run }) => run.name).sort()).toEqual(Array.from({ length: 8 }, (_, i) => `tiny-${i + 1}`));
  const weights = runs.map(({ run }) => readFileSync(join(run.dir, "checkpoints", "last", "weights.bin")));
  expect(weights.every((one) => one.equals(weights[0] as Buffer))).toBe(true);

  const opened = openRunStore(store, { readonly: true });
  expect(opened.listRuns({ state: "finished" })).toHaveLength(8);
  const curvesOf = (id: string) =>
    opened
      .readMetrics(id)
      .filter(({ taskPath, metricName }) => taskPath !== "_system" && metricName !== "rows_per_second")
      .map(({ wallTime, ...point }) => point);
  const first = curvesOf(runs[0]?.run.id ?? "");
  expect(new Set(first.map(({ epoch }) => epoch))).toEqual(new Set([1, 2, 3, 4]));
  for (const { run, evaluation } of runs) {
    expect(curvesOf(run.id)).toEqual(first);
    expect(opened.readEvaluation(run.id)).toHaveLength(evaluation.length);
    expect(opened.readThresholds(run.id).length).toBeGreaterThan(0);
  }
  opened.close();
  expectSound(store);
});

const LONG_AGO = "2020-01-01T00:00:00.000Z";

/** A store as the first version made it, with one run. */
function oldStore(name: string): string {
  const store = join(folder, name);
  mkdirSync(join(store, "runs"), { recursive: true });
  const database = new Database(join(store, "cool.db"));
  database.pragma("journal_mode = WAL");
  database.exec(SCHEMA_VERSIONS[0] as string);
  database.exec(`
    INSERT INTO runs (id, name, project, state, heartbeat_at, pid, host, created_at, started_at, ended_at, node_version, package_version)
    VALUES ('20200101-000000-old1', 'old', 'tiny', 'finished', '${LONG_AGO}', 1, 'elsewhere', '${LONG_AGO}', '${LONG_AGO}', '${LONG_AGO}', '20.9.0', '0.0.1')`);
  database.pragma("user_version = 1");
  database.pragma("application_id = 0x636f6f6c");
  database.close();
  return store;
}

test.each([
  ["train", trainIn, 7],
  ["only read", (store: string) => ["runs", "list", "--store", store, "--json"], 1],
] as const)("six processes that %s migrate an old store once, after a backup", async (_, args, expectedRuns) => {
  const store = oldStore(`old-${expectedRuns}`);
  expectNoComplaint(await atOnce(6, () => [...args(store)]));
  expect(readdirSync(store).filter((file) => file.includes("backup"))).toEqual(["cool.db.backup-v1"]);
  const backup = new Database(join(store, "cool.db.backup-v1"), { readonly: true });
  expect(backup.pragma("user_version", { simple: true })).toBe(1);
  expect(backup.prepare("SELECT name FROM runs").pluck().all()).toEqual(["old"]);
  backup.close();
  const opened = openRunStore(store, { readonly: true });
  expect(opened.listRuns()).toHaveLength(expectedRuns);
  expect(opened.findRun("old").id).toBe("20200101-000000-old1");
  opened.close();
  expectSound(store);
});
