/** @file A run's rows, copied from one store into another through bound parameters. */
import { createHash } from "node:crypto";
import { StoreError } from "../errors.js";
import { copyGroup } from "./copy-group.js";
import { checkedArtifactPath, readArtifacts } from "./tables/artifacts.js";
import type { BoundValues, Database } from "./database/database.js";
import { withinConstraints } from "./database/store-errors.js";
import { eachMetric, upsertMetrics } from "./tables/metric-points.js";
import { checkedName, checkedRunName, isRunId, type RunRecord } from "./run-record.js";

/** `same`: the run was there already, with the same rows. */
export type CopyOutcome = "copied" | "same";

/** The tables of a run, the one that the others refer to first; rows in the order in which they are told apart. */
const TABLES: readonly { readonly name: string; readonly key: string; readonly order: string }[] = [
  { name: "runs", key: "id", order: "id" },
  { name: "run_tags", key: "run_id", order: "tag" },
  { name: "run_config", key: "run_id", order: "key" },
  { name: "run_environment", key: "run_id", order: "key" },
  { name: "metric_points", key: "run_id", order: "split, task_path, metric_name, step" },
  { name: "thresholds", key: "run_id", order: "task_path, label_index" },
  { name: "evaluation", key: "run_id", order: "seq" },
  { name: "calibration", key: "run_id", order: "seq" },
  { name: "samples_interpretation", key: "run_id", order: "split, task_path, side, rank" },
  { name: "artifacts", key: "run_id", order: "path" },
];

type Row = Record<string, string | number | null>;

/**
 * To be called within `write` of the target. Both stores have this package's version of the schema.
 * @throws StoreError where the target has another run of this id, or a row could not have been written by dnn-cool
 */
export function copyRun(source: Database, target: Database, run: RunRecord): CopyOutcome {
  const { id } = run;
  checkRunFromElsewhere(run);
  if (target.get("SELECT 1 FROM runs WHERE id = @id", { id }) !== undefined) {
    if (digestOf(source, id) === digestOf(target, id) && !haveOtherFiles(source, target, id)) return "same";
    throw new StoreError(
      `The store has another run ${id}, which differs from the one to be added. Remove it for good first: cool runs remove ${id}, then cool runs gc --older-than 0d`,
      { run: id },
    );
  }
  for (const table of TABLES) {
    if (table.name === "metric_points") {
      // a view: curves have other numbers in every store
      upsertMetrics(target, id, eachMetric(source, id));
      continue;
    }
    const columns = columnsOf(target, table.name);
    const values = columns.map((name) => `@${name}`).join(", ");
    withinConstraints(table.name, () =>
      target.runEach(
        `INSERT INTO ${table.name} (${columns.join(", ")}) VALUES (${values})`,
        checkedRows(table.name, rowsOf(source, table, columns, id)),
      ),
    );
  }
  copyGroup(source, target, id);
  return "copied";
}

/** A store from elsewhere may hold anything: an id names a folder, names are printed. */
function checkRunFromElsewhere({ id, name, tags }: RunRecord): void {
  if (!isRunId(id)) {
    throw new StoreError(`${JSON.stringify(id.slice(0, 60))} is not the id of a run; nothing was added.`, { id });
  }
  checkedRunName(name);
  for (const tag of tags) checkedName("tag", tag);
}

function* checkedRows(table: string, rows: Iterable<Row>): Generator<BoundValues> {
  for (const row of rows) {
    if (table === "artifacts") checkedArtifactPath(String(row.path));
    yield row;
  }
}

function rowsOf(
  database: Database,
  { name, key, order }: (typeof TABLES)[number],
  columns: readonly string[],
  id: string,
): Generator<Row> {
  return database.each<Row>(`SELECT ${columns.join(", ")} FROM ${name} WHERE ${key} = @id ORDER BY ${order}`, { id });
}

/** Every column but the number of the row, which is each store's own. */
function columnsOf(database: Database, table: string): string[] {
  return database
    .all<{ name: string }>("SELECT name FROM pragma_table_info(@table)", { table })
    .map(({ name }) => name)
    .filter((name) => name !== "seq");
}

/** Whether a file that both have on record differs. */
function haveOtherFiles(source: Database, target: Database, id: string): boolean {
  const known = new Map(readArtifacts(target, id).map(({ path, sha256 }) => [path, sha256]));
  return readArtifacts(source, id).some(({ path, sha256 }) => (known.get(path) ?? sha256) !== sha256);
}

function digestOf(database: Database, id: string): string {
  const hash = createHash("sha256");
  for (const table of TABLES) {
    // an export has digests of more files than the store that it was made from
    if (table.name === "artifacts") continue;
    hash.update(`${table.name}\n`);
    for (const row of rowsOf(database, table, columnsOf(database, table.name), id)) hash.update(JSON.stringify(row));
  }
  return hash.digest("hex");
}
