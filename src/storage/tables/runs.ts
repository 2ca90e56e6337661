/** @file The tables runs and run_tags. */
import { UnknownNameError } from "../../errors.js";
import { assignments, insertion, selection } from "./columns.js";
import type { BoundValues, Database } from "../database/database.js";
import { currentProcess, isAlive, type ProcessIdentity } from "../../platform/process.js";
import type { RunRecord, RunState } from "../run-record.js";

/** A row of the table: booleans are 0 and 1, tags a JSON list, the state as shown not yet known. */
export interface RunRow extends Omit<RunRecord, "gitDirty" | "starred" | "tags" | "displayState"> {
  readonly gitDirty: 0 | 1 | null;
  readonly starred: 0 | 1;
}

/** What may change after a run was created. */
export type RunPatch = {
  readonly [F in
    | "name"
    | "note"
    | "starred"
    | "seed"
    | "backend"
    | "backendVersion"
    | "epochs"
    | "epochsDone"
    | "bestEpoch"]?: RunRecord[F] | undefined;
};

/** Which runs, as trusted SQL with bound parameters. */
interface RunQuery {
  readonly condition: string;
  readonly parameters?: BoundValues;
  /** What follows ORDER BY; default: the most recently started or resumed first. */
  readonly order?: string;
  /** At most so many; default all. */
  readonly limit?: number | undefined;
}

const FIELDS = Object.keys({
  id: true,
  name: true,
  project: true,
  state: true,
  note: true,
  createdAt: true,
  startedAt: true,
  sessionAt: true,
  earlierS: true,
  endedAt: true,
  heartbeatAt: true,
  deletedAt: true,
  error: true,
  seed: true,
  backend: true,
  backendVersion: true,
  epochs: true,
  epochsDone: true,
  bestEpoch: true,
  pid: true,
  host: true,
  processStart: true,
  gitCommit: true,
  gitBranch: true,
  gitDirty: true,
  commandLine: true,
  starred: true,
  dataDigest: true,
  sourceDigest: true,
  nodeVersion: true,
  packageVersion: true,
} satisfies Record<keyof RunRow, true>);

/** The order of lists: a run that was resumed lately is a recent one. */
export const NEWEST_FIRST = "coalesce(session_at, started_at) DESC, seq DESC";
const TAGS = "(SELECT json_group_array(tag) FROM run_tags WHERE run_id = runs.id) AS tags";
const SELECT = `SELECT ${selection(FIELDS)}, ${TAGS} FROM runs`;
const INSERT = insertion("runs", FIELDS);

/** A run on a host that cannot be asked has crashed after this long without a heartbeat. */
export const HEARTBEAT_LIMIT_MS = 60_000;

/** Runs, the most recently started or resumed first. */
export function selectRuns(database: Database, now: Date, query: RunQuery): RunRecord[] {
  const { condition, parameters = {}, order = NEWEST_FIRST, limit } = query;
  const viewer = currentProcess();
  const rows =
    limit === undefined
      ? database.all<StoredRow>(`${SELECT} WHERE ${condition} ORDER BY ${order}`, parameters)
      : firstRows(database, { condition, parameters, order, limit });
  return rows.map((row) => {
    const shown = {
      gitDirty: row.gitDirty === null ? null : row.gitDirty === 1,
      starred: row.starred === 1,
      tags: row.tags === "[]" ? [] : (JSON.parse(row.tags) as string[]),
      displayState: displayState(row, viewer, now),
    } satisfies Partial<RunRecord>;
    // in place: copies of a thousand rows take as long as reading them
    return Object.assign(row as Omit<typeof row, keyof typeof shown>, shown);
  });
}

type StoredRow = RunRow & { tags: string };

/** The rows are read once it is known which: sorting a hundred thousand with all their columns takes five times as long. */
function firstRows(database: Database, query: Required<RunQuery>): StoredRow[] {
  const { condition, parameters, order, limit } = query;
  const sql = `SELECT seq FROM runs WHERE ${condition} ORDER BY ${order} LIMIT @limit`;
  const seqs = database.all<{ seq: number }>(sql, { ...parameters, limit }).map(({ seq }) => seq);
  const chosen =
    "(SELECT key, value FROM json_each(@seqs)) AS chosen CROSS JOIN runs ON runs.seq = chosen.value ORDER BY chosen.key";
  return database.all<StoredRow>(SELECT.replace(/FROM runs$/, `FROM ${chosen}`), { seqs: JSON.stringify(seqs) });
}

/** Ids of the runs whose process is gone although their state is `running`. */
export function crashedRuns(database: Database, now: Date): string[] {
  const viewer = currentProcess();
  return database
    .all<RunRow>(`SELECT ${selection(FIELDS)} FROM runs WHERE state = 'running'`)
    .filter((row) => displayState(row, viewer, now) === "crashed")
    .map((row) => row.id);
}

/** The run of exactly this id. */
export function requireRun(database: Database, now: Date, id: string): RunRecord {
  const [run] = selectRuns(database, now, { condition: "id = @id", parameters: { id } });
  if (run === undefined) throw unknownRun(database, id);
  return run;
}

/** @throws UnknownNameError where no run has this id */
export function checkRun(database: Database, id: string): void {
  if (database.get("SELECT 1 FROM runs WHERE id = @id", { id }) === undefined) throw unknownRun(database, id);
}

export function insertRun(database: Database, row: RunRow): void {
  database.run(INSERT, { ...row });
}

/** Sets the given fields of one run; undefined ones stay as they are. */
export function updateRunRow(
  database: Database,
  id: string,
  fields: { readonly [F in Exclude<keyof RunRow, "id">]?: RunRow[F] | undefined },
): void {
  const set = new Map(Object.entries(fields).filter(([, value]) => value !== undefined));
  const names = FIELDS.filter((field) => set.has(field));
  if (names.length === 0) return;
  database.run(`UPDATE runs SET ${assignments(names)} WHERE id = @id`, { ...fields, id });
}

/** `<project>-<n>`, where n counts the project's runs; the next number that is free. */
export function nextRunName(database: Database, project: string): string {
  const row = database.get<{ runs: number }>("SELECT count(*) AS runs FROM runs WHERE project = @project", { project });
  return numberedName(database, project, (row?.runs ?? 0) + 1);
}

/** The name or, where a run has it, the name with the next number that is free: `base`, `base-2`. */
export function freeRunName(database: Database, name: string): string {
  return isTaken(database, name) ? numberedName(database, name, 2) : name;
}

/** Runs in the trash count: they may come back. */
function isTaken(database: Database, name: string): boolean {
  return database.get("SELECT 1 FROM runs WHERE name = @name LIMIT 1", { name }) !== undefined;
}

function numberedName(database: Database, name: string, from: number): string {
  const stem = [...name].slice(0, 150).join("");
  let number = from;
  while (isTaken(database, `${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

export function insertTags(database: Database, id: string, tags: readonly string[]): void {
  const rows = tags.map((tag) => ({ id, tag }));
  database.runEach("INSERT OR IGNORE INTO run_tags (run_id, tag) VALUES (@id, @tag)", rows);
}

export function deleteTags(database: Database, id: string, tags: readonly string[]): void {
  const rows = tags.map((tag) => ({ id, tag }));
  database.runEach("DELETE FROM run_tags WHERE run_id = @id AND tag = @tag", rows);
}

/** Names that a wrong one is compared with: those of the newest runs, which people mean. */
const MOST_NAMES = 2000;

/** The error for a run that is not in the store, with the names and ids that are. */
export function unknownRun(database: Database, name: string): UnknownNameError {
  const known = database.all<{ id: string; name: string }>(
    `SELECT id, name FROM runs WHERE deleted_at IS NULL ORDER BY ${NEWEST_FIRST} LIMIT ${MOST_NAMES}`,
  );
  const names = new Set([...known.map((run) => run.name), ...known.map((run) => run.id)]);
  return new UnknownNameError("run", name, names, undefined, { exitCode: 2 });
}

function displayState(run: RunRow, viewer: ProcessIdentity, now: Date): RunState {
  if (run.state !== "running") return run.state;
  const alive = isAlive(run, viewer) ?? now.getTime() - Date.parse(run.heartbeatAt) <= HEARTBEAT_LIMIT_MS;
  return alive ? "running" : "crashed";
}
