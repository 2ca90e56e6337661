/** @file MLflow's tracking store in SQLite (`mlflow.db`): the tables of its schema, of any version. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Database } from "../../storage/database/database.js";
import type { LeftOut, RunFacts, RunSink, Source, SourceRun } from "../shape.js";
import { tellArtifacts } from "./mlflow-artifacts.js";
import { type MlflowRun, mlflowFacts, putMetric } from "./mlflow-facts.js";
import { has, textOf } from "./tables.js";

interface RunRow {
  readonly run_uuid: string;
  readonly name: string | null;
  readonly user_id: string | null;
  readonly status: string;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly lifecycle_stage: string;
  readonly artifact_uri: string | null;
  readonly experiment_id: number | string;
  readonly experiment: string | null;
  readonly experiment_stage: string | null;
}

/** Tables whose rows belong to no run. */
const OTHERS: Readonly<Record<string, string>> = {
  registered_models: "registered models",
  model_versions: "model versions",
  datasets: "data sets",
  trace_info: "traces",
  logged_models: "logged models",
};

/** The runs of an open database, which stays open while they are read. */
export function mlflowDatabaseSource(database: Database, file: string): Source {
  const rows = database.all<RunRow>(
    `SELECT run_uuid, runs.name AS name, user_id, status, start_time, end_time, runs.lifecycle_stage AS lifecycle_stage,
       artifact_uri, runs.experiment_id AS experiment_id, experiments.name AS experiment,
       experiments.lifecycle_stage AS experiment_stage
     FROM runs LEFT JOIN experiments ON experiments.experiment_id = runs.experiment_id ORDER BY start_time, run_uuid`,
  );
  const names = new Map(rows.map(({ run_uuid, name }) => [run_uuid, name ?? run_uuid]));
  const isActive = (row: RunRow): boolean => row.lifecycle_stage !== "deleted" && row.experiment_stage !== "deleted";
  const active = rows.filter(isActive);
  const left: LeftOut[] = Object.entries(OTHERS).flatMap(([table, what]) => {
    const count = has(database, table) ? countOf(database, table) : 0;
    return count === 0 ? [] : [{ what, count, reason: "the store has no place for them" }];
  });
  const deleted = rows.length - active.length;
  if (deleted > 0) left.push({ what: "deleted runs", count: deleted, reason: "they are in MLflow's trash" });
  return {
    ...{ kind: "mlflow", path: resolve(file), left },
    runs: active.map((row) => sourceRun(database, dirname(resolve(file)), row, (id) => names.get(id) ?? id)),
    understood: [`MLflow's SQLite store with ${rows.length} runs`],
  };
}

function countOf(database: Database, table: string): number {
  return database.get<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`)?.rows ?? 0;
}

function sourceRun(database: Database, root: string, row: RunRow, nameOf: (id: string) => string): SourceRun {
  const id = textOf(row.run_uuid);
  const run = (): MlflowRun => ({
    ...{ id, name: row.name, status: row.status, startTime: row.start_time, endTime: row.end_time, user: row.user_id },
    experiment: row.experiment ?? "Default",
    params: pairs(database, "params", id),
    tags: pairs(database, "tags", id),
  });
  return {
    ...{ id, label: row.name ?? id, startedAt: row.start_time === null ? null : row.start_time / 1000 },
    digest() {
      const metrics = database.get(
        "SELECT count(*), max(timestamp), max(step), total(value) FROM metrics WHERE run_uuid = @id",
        { id },
      );
      return createHash("sha256")
        .update(JSON.stringify([run(), metrics]))
        .digest("hex");
    },
    read(sink: RunSink): RunFacts {
      readMetrics(database, id, sink);
      const places = ["mlruns", "mlartifacts"].map((folder) => `${folder}/${row.experiment_id}/${id}/artifacts`);
      tellArtifacts(sink, root, row.artifact_uri, places);
      return mlflowFacts(run(), nameOf, sink);
    },
  };
}

function pairs(database: Database, table: "params" | "tags", id: string): [string, string][] {
  return database
    .all<{ key: unknown; value: unknown }>(`SELECT key, value FROM ${table} WHERE run_uuid = @id ORDER BY key`, { id })
    .map(({ key, value }) => [textOf(key), textOf(value)]);
}

interface MetricRow {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
  readonly is_nan: number;
}

/** As the largest number there is MLflow keeps what is infinite. */
const INFINITE = Number.MAX_VALUE;

function readMetrics(database: Database, id: string, sink: RunSink): void {
  const unnumbered = unnumberedKeys(database, id);
  if (unnumbered.size > 0) {
    sink.leave("steps of curves", "all are 0: their points are numbered by time instead", unnumbered.size);
  }
  const counts = new Map<string, number>();
  const rows = database.each<MetricRow>(
    "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = @id ORDER BY timestamp, step",
    { id },
  );
  for (const { key, value, timestamp, step, is_nan } of rows) {
    const number = (counts.get(key) ?? 0) + 1;
    if (unnumbered.has(key)) counts.set(key, number);
    const known = Math.abs(value) >= INFINITE ? Math.sign(value) * Number.POSITIVE_INFINITY : Number(value);
    putMetric(sink, textOf(key), is_nan === 1 ? Number.NaN : known, {
      step: unnumbered.has(key) ? number : Number(step),
      time: timestamp / 1000,
    });
  }
}

/** Curves that were logged without steps: all of their points stand at 0. */
function unnumberedKeys(database: Database, id: string): ReadonlySet<string> {
  const rows = database.all<{ key: string }>(
    `SELECT key FROM metrics WHERE run_uuid = @id GROUP BY key HAVING count(*) > 1 AND min(step) = 0 AND max(step) = 0`,
    { id },
  );
  return new Set(rows.map(({ key }) => key));
}
