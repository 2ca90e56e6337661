/** @file A store's database, opened and of this package's version. */
import { type Database, type OpenOptions, openDatabase } from "./database.js";
import { isOutdated, migrate } from "./migrations.js";

export interface OpenedStore {
  readonly database: Database;
  /** Copy of the store as it was before this process migrated it. */
  readonly backup: string | null;
}

/** A reader meets an older store, too, and cannot migrate it through its own connection. */
export function openReader(file: string): OpenedStore {
  const reader = openMigrated(file, { readonly: true });
  if (!isOutdated(reader.database)) return reader;
  reader.database.close();
  const { database, backup } = openMigrated(file, { create: false });
  database.close();
  return { ...openMigrated(file, { readonly: true }), backup };
}

/** An open store of this package's version; a read-only connection to an older one is left as it is. */
export function openMigrated(file: string, options: OpenOptions = {}): OpenedStore {
  const database = openDatabase(file, options);
  try {
    const isLeft = options.readonly === true && isOutdated(database);
    return { database, backup: isLeft ? null : migrate(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}
