/** @file Opens the run store: what every run was, measured and left behind, for many processes at once. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { StoreError } from "../errors.js";
import type { RunStore } from "./contract.js";
import { copyRun } from "./copy-run.js";
import type { Database } from "./database/database.js";
import { refuseNewer } from "./database/migrations.js";
import { openMigrated, openReader } from "./database/opened-store.js";
import { storedMeasurements } from "./stored-measurements.js";
import { storedRuns } from "./stored-runs.js";
import { storedGroups } from "./tables/groups.js";
import { storedStudies } from "./tables/studies.js";
import { checkRun } from "./tables/runs.js";
import { transactionsOf } from "./transactions.js";

export type { RunStore } from "./contract.js";
export type { RunsQuery } from "./query/query-runs.js";

export interface StoreOptions {
  /** Refuse every write to the runs; default false. An older store is migrated all the same. */
  readonly readonly?: boolean;
  /** Make a store where there is none; default: unless `readonly`. */
  readonly create?: boolean;
  /** Default: the system's clock. */
  readonly now?: () => Date;
  /** Uniform numbers in [0, 1) for ids; default Math.random. */
  readonly random?: () => number;
}

/** Of open stores, for what is copied from one into another. */
const databases = new WeakMap<RunStore, Database>();

/**
 * Opens the store in a folder, which holds `cool.db` and `runs/<run id>/`.
 * @throws StoreError where the store cannot be opened, lies on a network file system, or is of a newer version
 */
export function openRunStore(storeDir: string, options: StoreOptions = {}): RunStore {
  const { readonly = false, create = true, now = () => new Date(), random = Math.random } = options;
  const dir = resolve(storeDir);
  const file = join(dir, "cool.db");
  const { database, backup } = readonly ? openReader(file) : openMigrated(file, { create });
  const transactions = transactionsOf(database, now);
  const folderOf = (id: string): string => join(dir, "runs", id);
  const store: RunStore = {
    ...storedRuns(transactions, dir, random),
    ...storedMeasurements(transactions),
    ...storedGroups(database, now, random),
    ...storedStudies(database, now, random),
    dir,
    backup,
    copyRunFrom(other, id, inTransaction = () => {}) {
      const source = databases.get(other);
      if (source === undefined) throw new StoreError(`${other.dir} is no open store.`, { dir: other.dir });
      return database.write(() => {
        const outcome = copyRun(source, database, other.getRun(id));
        if (outcome === "copied") inTransaction();
        return outcome;
      });
    },
    atomically: (change) => database.write(change),
    runDir(id) {
      checkRun(database, id);
      return folderOf(id);
    },
    isThere: () => database.isThere(),
    dataVersion: () => database.dataVersion(),
    refuseNewer: () => refuseNewer(database),
    missing: (id) => missingRun(database, dir, id, folderOf(id)),
    problems: () => database.problems(),
    close: () => database.close(),
  };
  databases.set(store, database);
  return store;
}

function missingRun(database: Database, storeDir: string, id: string, runDir: string): StoreError | null {
  const isThere = database.isThere();
  if (isThere && existsSync(runDir)) return null;
  const what = isThere ? `The folder ${runDir}` : `The run store ${storeDir}`;
  return new StoreError(
    `${what} was deleted or replaced while run ${id} was training. The run has stopped, and what it had not written elsewhere is lost; start it again.`,
    { run: id, dir: isThere ? runDir : storeDir },
  );
}
