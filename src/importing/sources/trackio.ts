/** @file trackio's SQLite files, one a project: the tables of its schema, of all versions. */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import type { Database } from "../../storage/database/database.js";
import { NO_FACTS, type PointPlace, type RunFacts, type RunSink, type Source, type SourceRun } from "../shape.js";
import { jsonOf, nested, numberOf } from "../texts.js";
import { columnsOf, has, textOf } from "./tables.js";
import { putHistogram, putPicture, putValue } from "./wandb-values.js";

/** Whether these are its tables. */
export function isTrackio(database: Database): boolean {
  const columns = has(database, "metrics") ? columnsOf(database, "metrics") : new Set();
  return ["timestamp", "run_name", "step", "metrics"].every((name) => columns.has(name));
}

/** How runs are told apart: by `run_id`, which old files do not have. */
interface Key {
  readonly column: "run_id" | "run_name";
  readonly value: string;
}

interface FoundRun {
  readonly key: Key;
  readonly name: string;
  readonly project: string;
}

/** The runs of an open database, which stays open while they are read. */
export function trackioSource(database: Database, file: string): Source {
  const columns = columnsOf(database, "metrics");
  const column = columns.has("run_id") ? "run_id" : "run_name";
  const project = columns.has("project_name") ? "max(project_name)" : "NULL";
  const rows = database.all<{ key: unknown; name: unknown; project: unknown }>(
    `SELECT ${column} AS key, max(run_name) AS name, ${project} AS project FROM metrics GROUP BY ${column} ORDER BY min(id)`,
  );
  const runs = rows.map(
    ({ key, name, project: own }): FoundRun => ({
      key: { column, value: textOf(key) },
      name: textOf(name),
      project: textOf(own) || basename(file).replace(/\.db$/, ""),
    }),
  );
  const artifacts = has(database, "artifact_versions")
    ? (database.get<{ count: number }>("SELECT count(*) AS count FROM artifact_versions")?.count ?? 0)
    : 0;
  return {
    ...{ kind: "trackio", path: resolve(file) },
    runs: runs.map((run) => sourceRun(database, file, run)),
    understood: [`trackio's SQLite file with ${runs.length} runs`],
    left: artifacts === 0 ? [] : [{ what: "versions of artifacts", count: artifacts, reason: "they are not read" }],
  };
}

function sourceRun(database: Database, file: string, run: FoundRun): SourceRun {
  const { column, value } = run.key;
  const [first] = database.all<{ timestamp: unknown }>(
    `SELECT timestamp FROM metrics WHERE ${column} = @value ORDER BY id LIMIT 1`,
    { value },
  );
  const startedAt = timeOf(first?.timestamp);
  return {
    // a name alone is used again and again
    id: [run.project, value, textOf(first?.timestamp)].join("/"),
    ...{ label: run.name, startedAt },
    digest() {
      const counts = database.get(
        `SELECT count(*), max(id), sum(length(metrics)) FROM metrics WHERE ${column} = @value`,
        { value },
      );
      return createHash("sha256")
        .update(JSON.stringify([run, counts, configOf(database, run.key)]))
        .digest("hex");
    },
    read: (sink) => readRun(database, file, run, sink),
  };
}

function readRun(database: Database, file: string, run: FoundRun, sink: RunSink): RunFacts {
  const { column, value } = run.key;
  const media = join(dirname(resolve(file)), "media");
  const rows = database.each<{ timestamp: unknown; step: number; metrics: unknown }>(
    `SELECT timestamp, step, metrics FROM metrics WHERE ${column} = @value ORDER BY step, id`,
    { value },
  );
  let startedAt: number | null = null;
  for (const row of rows) {
    const time: number = timeOf(row.timestamp) ?? startedAt ?? 0;
    startedAt ??= time;
    putRow(sink, row.metrics, { step: Number(row.step), time }, media);
  }
  if (has(database, "system_metrics")) putSystem(database, run.key, startedAt ?? 0, sink);
  for (const table of ["traces", "alerts"]) {
    if (!has(database, table) || !columnsOf(database, table).has(column)) continue;
    const count = database.get<{ count: number }>(`SELECT count(*) AS count FROM ${table} WHERE ${column} = @value`, {
      value,
    })?.count;
    if (count !== undefined && count > 0) sink.leave(table, "the store has no place for them", count);
  }
  const config = configOf(database, run.key);
  const own = Object.entries(config).filter(([key]) => !key.startsWith("_"));
  const { _Group: group, _Username: user, _Created: created } = config;
  return {
    ...NO_FACTS,
    ...{ name: run.name, project: run.project, startedAt: timeOf(created) ?? startedAt, config: nested(own) },
    tags: typeof group === "string" && group !== "" ? [`group=${group}`] : [],
    environment: { trackio: { run_id: value, ...(typeof user === "string" ? { user } : {}) } },
  };
}

function putRow(sink: RunSink, json: unknown, place: PointPlace, media: string): void {
  const row = jsonOf(textOf(json));
  if (typeof row !== "object" || row === null) {
    sink.leave("rows", "they hold no JSON object");
    return;
  }
  for (const [name, value] of Object.entries(row)) {
    const fields: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null ? value : {};
    if (fields._type === "trackio.histogram") putHistogram(sink, name, fields, place);
    else if (fields._type === "trackio.image") putPicture(sink, name, fields.file_path, place, media);
    else putValue(sink, name, value, place, media);
  }
}

function putSystem(database: Database, { column, value }: Key, startedAt: number, sink: RunSink): void {
  if (!columnsOf(database, "system_metrics").has(column)) return;
  const rows = database.each<{ timestamp: unknown; metrics: unknown }>(
    `SELECT timestamp, metrics FROM system_metrics WHERE ${column} = @value ORDER BY id`,
    { value },
  );
  for (const { timestamp, metrics } of rows) {
    const time = timeOf(timestamp) ?? startedAt;
    const row = jsonOf(textOf(metrics));
    for (const [name, cell] of Object.entries(typeof row === "object" && row !== null ? row : {})) {
      const number = numberOf(cell);
      if (number !== undefined) sink.system(name, number, { step: Math.max(0, Math.round(time - startedAt)), time });
    }
  }
}

function configOf(database: Database, { column, value }: Key): Readonly<Record<string, unknown>> {
  if (!has(database, "configs") || !columnsOf(database, "configs").has(column)) return {};
  const [row] = database.all<{ config: unknown }>(
    `SELECT config FROM configs WHERE ${column} = @value ORDER BY id DESC LIMIT 1`,
    { value },
  );
  const config = jsonOf(textOf(row?.config));
  return typeof config === "object" && config !== null && !Array.isArray(config) ? { ...config } : {};
}

/** ISO 8601; without a zone it is that of this machine, as Python's `datetime.now()` had it. */
function timeOf(cell: unknown): number | null {
  const time = typeof cell === "string" ? Date.parse(cell) : Number.NaN;
  return Number.isNaN(time) ? null : time / 1000;
}
