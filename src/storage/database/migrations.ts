/** @file Brings a store to this package's version of the schema: once, however many processes ask at a time. */
import { renameSync, rmSync, statSync } from "node:fs";
import { StoreError } from "../../errors.js";
import { BUSY_TIMEOUT_MS, type Database, openDatabase } from "./database.js";
import { SCHEMA_VERSIONS } from "./schema.js";
import { explained } from "./store-errors.js";
import { packageVersion } from "../../platform/version.js";

/** "cool" in ASCII: marks the file as ours (`PRAGMA application_id`). */
const APPLICATION_ID = 0x636f6f6c;

/** How long a process waits for another one that migrates the store: a minute for 100,000 runs, more on a busy machine. */
const MIGRATION_TIMEOUT_MS = 1_800_000;

/** Stores of this size are migrated in less than a second or two, of which nobody has to be told. */
const QUICK_BYTES = 50e6;

/** Takes a line for whoever waits. */
export type SayProgress = (line: string) => void;

/** Whether a store has to be migrated before it can be used. */
export function isOutdated(database: Database, versions: readonly string[] = SCHEMA_VERSIONS): boolean {
  return schemaVersion(database) < versions.length;
}

/**
 * Migrates a store in one transaction. An older store is first copied beside itself (`cool.db.backup-v1`).
 * @param versions SQL that takes a store from version `index` to `index + 1`
 * @param say is told before each step; default: lines on stderr, for stores that take long
 * @returns the copy of the older store; null where this process had nothing to migrate
 * @throws StoreError where a newer dnn-cool made the store, or another program the file
 */
export function migrate(
  database: Database,
  versions: readonly string[] = SCHEMA_VERSIONS,
  say: SayProgress = progressOf(database),
): string | null {
  refuseOtherPrograms(database);
  refuseNewer(database, versions.length);
  if (!isOutdated(database, versions)) return null;
  // a migration may rebuild a table that others refer to; the references are checked before it is committed
  database.pragma("foreign_keys = OFF");
  // another process may be migrating it right now, which takes longer than any other writer
  database.pragma(`busy_timeout = ${MIGRATION_TIMEOUT_MS}`);
  if (schemaVersion(database) > 0) say("The run store was made by an older dnn-cool and is being migrated …");
  try {
    return database.write(() => applyFrom(database, versions, say));
  } finally {
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.pragma("foreign_keys = ON");
  }
}

/** What a user is told whose store was migrated. */
export function migrationNote(backup: string): string {
  return `The run store was made by an older dnn-cool and has been migrated. As it was it is kept as ${backup}.`;
}

/** A process that is stopped while it migrates leaves the store as it was, so nobody has to fear Ctrl-C. */
function progressOf(database: Database): SayProgress {
  const { size } = statSync(database.file, { throwIfNoEntry: false }) ?? { size: 0 };
  return size < QUICK_BYTES ? () => {} : (line) => void process.stderr.write(`${line}\n`);
}

/** To be called with the write lock held, so that the version read here stays true until the commit. */
function applyFrom(database: Database, versions: readonly string[], say: SayProgress): string | null {
  const current = schemaVersion(database);
  refuseNewer(database, versions.length);
  if (current === versions.length) return null;
  if (current > 0) say("  copying it as it is …");
  const backup = current > 0 ? backUp(database.file, current) : null;
  versions.slice(current).forEach((sql, i, steps) => {
    if (current > 0) say(`  step ${i + 1} of ${steps.length} …`);
    database.exec(sql);
  });
  if (current > 0) say("  checking what belongs together …");
  const broken = database.all("PRAGMA foreign_key_check");
  if (broken.length > 0) {
    throw new StoreError(
      `${database.file} cannot be migrated: ${broken.length} rows belong to no run. The store is unchanged.`,
      { file: database.file, rows: broken },
    );
  }
  database.run("INSERT OR REPLACE INTO store_info (key, value) VALUES ('migrated_by', @version)", {
    version: packageVersion(),
  });
  database.pragma(`application_id = ${APPLICATION_ID}`);
  database.pragma(`user_version = ${versions.length}`);
  return backup;
}

/** A second connection reads what is committed, while the caller's write lock keeps others from adding to it. */
function backUp(file: string, version: number): string {
  const backup = `${file}.backup-v${version}`;
  const unfinished = `${backup}.unfinished`;
  const reader = openDatabase(file, { readonly: true });
  try {
    explained(unfinished, () => rmSync(unfinished, { force: true }));
    reader.run("VACUUM INTO @unfinished", { unfinished });
    explained(backup, () => renameSync(unfinished, backup));
    return backup;
  } finally {
    reader.close();
  }
}

/** @throws StoreError where a later version than `known` has made or migrated the store */
export function refuseNewer(database: Database, known: number = SCHEMA_VERSIONS.length): void {
  const version = schemaVersion(database);
  if (version <= known) return;
  const made = lastMigratedBy(database);
  throw new StoreError(
    `${database.file} was made by dnn-cool ${made ?? "of a later version"} (store version ${version}); this is ` +
      `dnn-cool ${packageVersion()}, which knows store versions up to ${known}. Update dnn-cool, or name another ` +
      "store with --store DIR.",
    { file: database.file, storeVersion: version, knownVersion: known, madeBy: made ?? null },
  );
}

/** The dnn-cool that migrated the store last; undefined where a later version keeps it elsewhere. */
function lastMigratedBy(database: Database): string | undefined {
  if (database.get("SELECT 1 FROM sqlite_master WHERE name = 'store_info'") === undefined) return undefined;
  return database.get<{ value: string }>("SELECT value FROM store_info WHERE key = 'migrated_by'")?.value;
}

function refuseOtherPrograms(database: Database): void {
  if (database.pragma("application_id") === APPLICATION_ID) return;
  const isEmpty = database.get("SELECT 1 FROM sqlite_master") === undefined;
  // a store that another process is making right now shows its mark and its tables in one step
  if (isEmpty || database.pragma("application_id") === APPLICATION_ID) return;
  throw new StoreError(
    `${database.file} is a database of another program. Name another store with --store DIR, or move the file away.`,
    { file: database.file },
  );
}

function schemaVersion(database: Database): number {
  // asked again and again by what lives long: a statement that is kept
  return database.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
}
