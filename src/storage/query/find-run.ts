/** @file The run that a person means: by id, name, start of an id, or `latest`. */
import { StoreError, UsageError } from "../../errors.js";
import type { Database } from "../database/database.js";
import type { RunRecord } from "../run-record.js";
import { selectRuns, unknownRun } from "../tables/runs.js";

/**
 * Looks a run up by its id, else its name (the most recent of several), else the start of its id; `latest` is the
 * run started last. The trash is searched only for what is found nowhere else, and never for `latest`.
 * @throws UsageError where several ids start so, or a group of runs is called so; UnknownNameError where none is
 */
export function findRun(database: Database, now: Date, reference: string): RunRecord {
  const wanted = reference.trim();
  if (wanted === "latest") return latestRun(database, now);
  const [exact] = selectRuns(database, now, { condition: "id = @wanted", parameters: { wanted } });
  const found =
    exact ??
    byNameOrPrefix(database, now, wanted, "deleted_at IS NULL") ??
    byNameOrPrefix(database, now, wanted, "deleted_at IS NOT NULL");
  if (found === undefined) throw groupNotRun(database, wanted) ?? unknownRun(database, wanted);
  return found;
}

function latestRun(database: Database, now: Date): RunRecord {
  const [latest] = selectRuns(database, now, { condition: "deleted_at IS NULL", limit: 1 });
  if (latest !== undefined) return latest;
  throw new StoreError(`${database.file} holds no run yet. Train a first one with \`cool run\`.`, {
    file: database.file,
  });
}

function byNameOrPrefix(
  database: Database,
  now: Date,
  wanted: string,
  place: "deleted_at IS NULL" | "deleted_at IS NOT NULL",
): RunRecord | undefined {
  const parameters = { wanted };
  const [named] = selectRuns(database, now, { condition: `name = @wanted AND ${place}`, parameters, limit: 1 });
  if (named !== undefined || wanted === "") return named;
  // not LIKE, for which % and _ in what was asked for would stand for anything; no id has the last character
  const condition = `id >= @wanted AND id < @wanted || char(${LAST_CHARACTER}) AND ${place}`;
  const matches = selectRuns(database, now, { condition, parameters, limit: MOST_MATCHES + 1 });
  if (matches.length > 1) {
    const sql = `SELECT count(*) AS count FROM runs WHERE ${condition}`;
    throw ambiguous(wanted, matches, database.get<{ count: number }>(sql, parameters)?.count ?? 0);
  }
  return matches[0];
}

/** Null where no group is called so. */
function groupNotRun(database: Database, reference: string): UsageError | null {
  const group = database.get<{ id: string }>(
    "SELECT id FROM run_groups WHERE id = @reference OR name = @reference ORDER BY created_at DESC LIMIT 1",
    { reference },
  );
  if (group === undefined) return null;
  const names = database.all<{ name: string }>(
    "SELECT name FROM runs JOIN group_runs ON run_id = id WHERE group_id = @id AND deleted_at IS NULL ORDER BY position",
    { id: group.id },
  );
  const own = names.map(({ name }) => name);
  const next = own.length === 0 ? "It has no runs yet." : `Name one of its runs: ${own.join(", ")}.`;
  return new UsageError(`"${reference}" is a group of runs, and a single run is asked for. ${next}`, {
    group: reference,
    runs: own,
  });
}

const LAST_CHARACTER = 0x10ffff;
/** Runs that a message names. */
const MOST_MATCHES = 8;

function ambiguous(prefix: string, matches: readonly RunRecord[], count: number): UsageError {
  const shown = matches.slice(0, MOST_MATCHES).map((run) => `${run.id} (${run.name})`);
  const more = count > shown.length ? `, … (${count} in all)` : "";
  return new UsageError(
    `${count} runs have ids that start with "${prefix}": ${shown.join(", ")}${more}. Give more of the id, or a name.`,
    { prefix, count, matches: matches.map((run) => run.id) },
  );
}
