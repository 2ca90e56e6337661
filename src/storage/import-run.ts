/** @file A run of another tracker: read first, then written in one transaction, so that others wait for a moment alone. */
import { join } from "node:path";
import { StoreError } from "../errors.js";
import type { MetricPoint } from "../tasks/evaluation.js";
import { type NewRun, newRunRow } from "./create-run.js";
import type { Database } from "./database/database.js";
import { checkedName, checkedRunName, isRunId, type WrittenRunState } from "./run-record.js";
import { StagedPoints } from "./staged-points.js";
import { addConfig, replaceEnvironment } from "./tables/config-values.js";
import { freeRunName, insertRun, insertTags, updateRunRow } from "./tables/runs.js";

/** What another tracker knows of a run. Times are ISO 8601 in UTC. */
export interface ImportedRun extends NewRun {
  readonly state: WrittenRunState;
  readonly startedAt: string;
  /** null where the source does not tell that it has ended. */
  readonly endedAt: string | null;
  /** Its last sign of life. */
  readonly heartbeatAt: string;
  readonly error: string | null;
  readonly host: string;
  readonly epochsDone: number;
}

export interface ImportTarget {
  readonly id: string;
  /** Whether the run is in the store: its rows are added to then. */
  readonly isKnown: boolean;
  /** Whether the curves that it has are left out first. */
  readonly replaceCurves: boolean;
  /** A folder that is removed later, where its points wait while the source is read. */
  readonly scratch: string;
}

/** Which run of another program a run of the store was imported from. */
export interface ImportOrigin {
  readonly kind: string;
  /** Tells the run apart from all others of its kind. */
  readonly id: string;
  /** Of what it held when it was read. */
  readonly digest: string;
  readonly path: string;
}

/** Key of the environment under which a run keeps its origin. */
export const ORIGIN_KEY = "imported";

/** No process has this number. */
const NO_PROCESS = 2 ** 31 - 1;

/** What the store then holds of a run. */
export interface ImportCounts {
  readonly points: number;
  /** How many more than before. */
  readonly newPoints: number;
}

/**
 * @param read reads the source, hands out its points, and returns what is known of the run in the end
 * @param inTransaction is called when all is written, and can still call it off by throwing
 */
export function importRun<T>(
  database: Database,
  target: ImportTarget,
  read: (put: (points: readonly MetricPoint[]) => void) => ImportedRun,
  now: () => Date,
  inTransaction: (counts: ImportCounts) => T,
): T {
  const { id, scratch } = target;
  if (!isRunId(id)) throw new StoreError(`"${id}" is not the id of a run.`, { id });
  const staged = new StagedPoints(join(scratch, "points.db"));
  try {
    const run = read((points) => staged.add(points));
    return staged.writeTo(database, (copy) => inTransaction(writeRun(database, target, run, copy, now())));
  } finally {
    staged.close();
  }
}

function writeRun(
  database: Database,
  { id, isKnown, replaceCurves }: ImportTarget,
  run: ImportedRun,
  copy: (runId: string) => void,
  now: Date,
): ImportCounts {
  // curves refer to the run
  if (!isKnown) insertRun(database, newRunRow(id, id, { project: id }, now.toISOString()));
  const before = countPoints(database, id);
  if (replaceCurves) database.run("DELETE FROM metric_series WHERE run_id = @id", { id });
  copy(id);
  const { state, startedAt, endedAt, heartbeatAt, error, host, epochsDone } = run;
  const progress = { state, startedAt, endedAt, heartbeatAt, error, host, epochsDone };
  if (!isKnown) {
    const name = freeRunName(database, checkedRunName(run.name ?? id));
    const row = newRunRow(id, name, run, startedAt);
    updateRunRow(database, id, { ...row, ...progress, pid: NO_PROCESS, processStart: null });
  } else updateRunRow(database, id, progress);
  const tags = (run.tags ?? []).map((tag) => checkedName("tag", tag));
  insertTags(database, id, tags);
  addConfig(database, id, run.config ?? {});
  replaceEnvironment(database, id, run.environment ?? {});
  const points = countPoints(database, id);
  return { points, newPoints: points - before };
}

function countPoints(database: Database, id: string): number {
  const row = database.get<{ points: number }>("SELECT count(*) AS points FROM metric_points WHERE run_id = @id", {
    id,
  });
  return row?.points ?? 0;
}

/** Where the runs that were imported are from, by their ids. */
export function importOrigins(database: Database): Map<string, ImportOrigin> {
  const rows = database.all<{ id: string; key: string; value: string }>(
    `SELECT run_id AS id, key, value FROM run_environment
     WHERE key IN ('imported.kind', 'imported.id', 'imported.digest', 'imported.path')`,
  );
  const found = new Map<string, ImportOrigin>();
  for (const { id, key, value } of rows) {
    const origin = found.get(id) ?? { kind: "", id: "", digest: "", path: "" };
    found.set(id, { ...origin, [key.slice(ORIGIN_KEY.length + 1)]: value });
  }
  return found;
}
