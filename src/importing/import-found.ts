/** @file A source that was found → the store in a folder, which is made where there is none. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ignoreStore } from "../provenance/git.js";
import { migrationNote } from "../storage/database/migrations.js";
import { openRunStore } from "../storage/run-store.js";
import { type ImportedRuns, type ImportOptions, importSource } from "./import-source.js";
import { type FoundSource, withSource } from "./recognize.js";

/**
 * @param note says what else happens, a line each
 * @throws DataError, UsageError for a source that cannot be read; no store is made then
 */
export function importFound(
  storeDir: string,
  found: FoundSource,
  options: ImportOptions,
  note: (line: string) => void = () => {},
): ImportedRuns {
  return withSource(found, (source) => {
    // nothing is made in a dry run
    if (options.dryRun === true && !existsSync(join(storeDir, "cool.db"))) return importSource(null, source, options);
    const store = openRunStore(storeDir, options.dryRun === true ? { readonly: true } : {});
    try {
      if (store.backup !== null) note(migrationNote(store.backup));
      if (options.dryRun !== true) ignoreStore(store.dir);
      return importSource(store, source, options);
    } finally {
      store.close();
    }
  });
}
