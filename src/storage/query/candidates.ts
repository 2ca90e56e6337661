/** @file What a shell offers while a command is typed: names that the store knows, read without changing anything. */
import { join } from "node:path";
import type { Database } from "../database/database.js";
import { openDatabase } from "../database/database.js";
import { NEWEST_FIRST } from "../tables/runs.js";
import { knownNames } from "./fields.js";

export const CANDIDATE_KINDS = ["runs", "trash", "tagged", "tags", "tasks", "fields", "settings"] as const;
/** `tagged`: runs, and tags after a `+`; `settings`: keys, each with its `=`. */
export type CandidateKind = (typeof CANDIDATE_KINDS)[number];

export interface Candidate {
  readonly value: string;
  /** For shells that show one. */
  readonly description?: string;
}

/** A menu of more helps nobody. */
const MOST = 200;

/**
 * Candidates that begin with `prefix`, the likeliest first.
 * @throws StoreError where there is no store, or one that cannot be read
 */
export function candidates(storeDir: string, kind: CandidateKind, prefix: string): Candidate[] {
  const database = openDatabase(join(storeDir, "cool.db"), { readonly: true });
  try {
    return readers[kind](database, prefix)
      .filter(({ value }) => value.startsWith(prefix))
      .slice(0, MOST);
  } finally {
    database.close();
  }
}

type Reader = (database: Database, prefix: string) => Candidate[];

const readers: { readonly [K in CandidateKind]: Reader } = {
  runs: (database, prefix) => runNames(database, prefix, "deleted_at IS NULL"),
  trash: (database, prefix) => runNames(database, prefix, "deleted_at IS NOT NULL"),
  tagged: (database, prefix) =>
    prefix.startsWith("+")
      ? tags(database).map((tag) => ({ value: `+${tag}` }))
      : runNames(database, prefix, "deleted_at IS NULL"),
  tags: (database) => tags(database).map((value) => ({ value })),
  tasks: (database) =>
    values(
      database,
      `SELECT task_path AS value FROM evaluation WHERE run_id IN ${LATEST} AND substr(task_path, 1, 1) != '_'
       GROUP BY task_path ORDER BY min(seq)`,
    ).map((value) => ({ value })),
  // of a list (--columns a,b,c) the last name is being typed
  fields: (database, prefix) => {
    const before = prefix.slice(0, prefix.lastIndexOf(",") + 1);
    return knownNames(database).map((name) => ({ value: `${before}${name}` }));
  },
  settings: (database) =>
    values(
      database,
      "SELECT key AS value FROM run_config WHERE run_id = (SELECT id FROM runs ORDER BY seq DESC LIMIT 1) ORDER BY key",
    ).map((key) => ({ value: `${key}=` })),
};

const LATEST = "(SELECT id FROM runs ORDER BY seq DESC LIMIT 20)";

/** Names, and ids where one is being typed: they all look alike. */
function runNames(database: Database, prefix: string, condition: "deleted_at IS NULL" | "deleted_at IS NOT NULL") {
  // no name has the last character; of a prefix the index of the names is read, else the newest alone
  const begins = (column: string) => `${column} >= @prefix AND ${column} < @prefix || char(${0x10ffff})`;
  const chosen = prefix === "" ? condition : `(${begins("name")} OR ${begins("id")}) AND ${condition}`;
  const runs = database.all<{ id: string; name: string; startedAt: string }>(
    `SELECT id, name, started_at AS startedAt FROM runs WHERE ${chosen} ORDER BY ${NEWEST_FIRST} LIMIT ${MOST}`,
    prefix === "" ? {} : { prefix },
  );
  const named = new Map<string, Candidate>();
  for (const { id, name, startedAt } of runs) {
    const started = startedAt.slice(0, 16).replace("T", " ");
    if (!named.has(name)) named.set(name, { value: name, description: `${id}, ${started} UTC` });
  }
  const ids = runs.map(({ id, name }): Candidate => ({ value: id, description: name }));
  const latest = runs.length > 0 && condition === "deleted_at IS NULL" ? [{ value: "latest" }] : [];
  return [...named.values(), ...latest, ...(prefix === "" ? [] : ids)];
}

function tags(database: Database): string[] {
  return values(database, "SELECT DISTINCT tag AS value FROM run_tags ORDER BY tag");
}

function values(database: Database, sql: string): string[] {
  return database.all<{ value: string }>(sql).map(({ value }) => value);
}
