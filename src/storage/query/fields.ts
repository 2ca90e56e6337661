/** @file What a condition, an order or a column can name: columns of runs, settings, the environment, metrics, tags. */
import { nearestNames } from "../../errors.js";
import { EVALUATED_GATES, type EvaluatedGates, SPLITS, type Split } from "../../tasks/evaluation.js";
import type { Database } from "../database/database.js";
import { MONITOR } from "../tables/monitored.js";
import type { FieldRef } from "./ast.js";
import { queryError } from "./query-error.js";

/** How values of a column compare. */
export type ColumnType = "text" | "number" | "boolean" | "time" | "state";

export type Field =
  | { readonly kind: "column"; readonly type: ColumnType /** SQL without parameters. */; readonly sql: string }
  | { readonly kind: "tag" }
  /** A typed value of run_config or run_environment. */
  | { readonly kind: "value"; readonly table: "run_config" | "run_environment"; readonly key: string }
  | MetricField;

export interface MetricField {
  readonly kind: "metric";
  readonly split: Split;
  readonly taskPath: string;
  readonly metricName: string;
  readonly gates: EvaluatedGates;
}

const column = (type: ColumnType, sql: string): Field => ({ kind: "column", type, sql });
const started = column("time", "runs.started_at");
const ended = column("time", "runs.ended_at");
const created = column("time", "runs.created_at");

/** Seconds of training to the end, or to the last sign of life, over all sessions. */
const DURATION_S =
  "(runs.earlier_s + (julianday(coalesce(runs.ended_at, runs.heartbeat_at)) - julianday(coalesce(runs.session_at, runs.started_at))) * 86400.0)";

const COLUMNS: Readonly<Record<string, Field>> = {
  id: column("text", "runs.id"),
  name: column("text", "runs.name"),
  project: column("text", "runs.project"),
  // @crashed: JSON list of the runs whose process is gone
  group: column(
    "text",
    "(SELECT run_groups.name FROM group_runs JOIN run_groups ON run_groups.id = group_runs.group_id WHERE group_runs.run_id = runs.id)",
  ),
  state: column("state", "iif(runs.id IN (SELECT value FROM json_each(@crashed)), 'crashed', runs.state)"),
  tag: { kind: "tag" },
  tags: { kind: "tag" },
  note: column("text", "runs.note"),
  error: column("text", "runs.error"),
  starred: column("boolean", "runs.starred"),
  seed: column("number", "runs.seed"),
  epochs: column("number", "runs.epochs"),
  epochs_done: column("number", "runs.epochs_done"),
  best_epoch: column("number", "runs.best_epoch"),
  duration: column("number", DURATION_S),
  monitor: column("text", MONITOR),
  monitored: column("number", "runs.monitored"),
  backend: column("text", "runs.backend"),
  backend_version: column("text", "runs.backend_version"),
  started,
  started_at: started,
  ended,
  ended_at: ended,
  created,
  created_at: created,
  git_commit: column("text", "runs.git_commit"),
  git_branch: column("text", "runs.git_branch"),
  git_dirty: column("boolean", "runs.git_dirty"),
  data_digest: column("text", "runs.data_digest"),
  source_digest: column("text", "runs.source_digest"),
  command_line: column("text", "runs.command_line"),
  host: column("text", "runs.host"),
  pid: column("number", "runs.pid"),
  node_version: column("text", "runs.node_version"),
  package_version: column("text", "runs.package_version"),
};

const ENVIRONMENT = "env.";

/**
 * The field that a name means: a column of runs, `env.<key>`, a setting, or `split/task.path/metric[@gates]`.
 * @param text what the name stands in, for messages
 * @throws UsageError with the nearest name where no run has such a field
 */
export function resolveField(database: Database, text: string, { name, at }: FieldRef): Field {
  const known = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  if (known !== undefined) return known;
  const field = name.includes("/") && !name.includes("[") ? metricField(text, name, at) : valueField(name);
  if (isThere(database, field) || isEmpty(database)) return field;
  const nearest = nearestNames(name, knownNames(database));
  const hint =
    nearest.length > 0
      ? `Did you mean ${nearest.map((near) => `"${near}"`).join(" or ")}?`
      : `Name a setting (train.batchSize), a metric (valid/task/f1_score), env.<key> or one of: ${Object.keys(COLUMNS).join(", ")}.`;
  throw queryError(text, at, `No run has a field named "${name}". ${hint}`);
}

function valueField(name: string): Field {
  return name.startsWith(ENVIRONMENT)
    ? { kind: "value", table: "run_environment", key: name.slice(ENVIRONMENT.length) }
    : { kind: "value", table: "run_config", key: name };
}

/** `split/task.path/metric` and, after `@`, the kind of gates; a metric of one label has a slash of its own. */
function metricField(text: string, name: string, at: number): MetricField {
  const [path = "", gatesName] = name.split("@");
  const [splitName, taskPath = "", ...metric] = path.split("/");
  const split = SPLITS.find((known) => known === splitName);
  if (split === undefined) {
    throw queryError(text, at, `A metric's name starts with its split: ${SPLITS.map((s) => `${s}/`).join(", ")}.`);
  }
  if (metric.length === 0) {
    throw queryError(text, at, `A metric is named ${split}/task/metric; "${name}" has no metric.`);
  }
  const gates = gatesName === undefined ? "truth" : EVALUATED_GATES.find((known) => known === gatesName);
  if (gates === undefined) {
    throw queryError(text, at, `After @ stands the kind of gates: ${EVALUATED_GATES.map((g) => `@${g}`).join(", ")}.`);
  }
  return { kind: "metric", split, taskPath, metricName: metric.join("/"), gates };
}

function isThere(database: Database, field: Field): boolean {
  if (field.kind === "value") {
    return database.get(`SELECT 1 FROM ${field.table} WHERE key = @key LIMIT 1`, { key: field.key }) !== undefined;
  }
  if (field.kind !== "metric") return true;
  const { split, taskPath, metricName } = field;
  return ["evaluation", "metric_series"].some((table) => {
    const sql = `SELECT 1 FROM ${table} WHERE split = @split AND task_path = @taskPath AND metric_name = @metricName LIMIT 1`;
    return database.get(sql, { split, taskPath, metricName }) !== undefined;
  });
}

function isEmpty(database: Database): boolean {
  return database.get("SELECT 1 FROM runs LIMIT 1") === undefined;
}

/** Names to choose from, of the latest runs: a large store is not read for a message. */
export function knownNames(database: Database): string[] {
  const latest = "(SELECT id FROM runs ORDER BY seq DESC LIMIT 50)";
  const metric = "split || '/' || task_path || '/' || metric_name";
  const rows = database.all<{ name: string }>(
    `SELECT key AS name FROM run_config WHERE run_id IN ${latest}
     UNION SELECT '${ENVIRONMENT}' || key FROM run_environment WHERE run_id IN ${latest}
     UNION SELECT ${metric} FROM evaluation WHERE run_id IN ${latest}
     UNION SELECT ${metric} FROM metric_series WHERE run_id IN ${latest}`,
  );
  return [...Object.keys(COLUMNS), ...rows.map((row) => row.name)];
}
