/** @file Runs in the trash: moved there, brought back, deleted for good. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.js";
import { parseAge } from "../storage/query/time.js";
import type { RunStore } from "../storage/run-store.js";
import { namedRuns } from "../storage/named-runs.js";
import { type ListedRun, listed } from "./list-runs.js";

/**
 * Moves runs, or all runs of a group, to the trash, all or none. Their folders stay where they are, so that whatever refers to a file of a run
 * still finds it once the run is restored.
 * @throws UnknownNameError, and StoreError for a run that is being trained
 */
export function removeRuns(store: RunStore, references: readonly string[]): ListedRun[] {
  const ids = new Set(references.flatMap((reference) => liveRuns(store, reference)));
  return store.atomically(() => [...ids].map((id) => listed(store, store.trashRun(id))));
}

export function restoreRuns(store: RunStore, references: readonly string[]): ListedRun[] {
  const ids = new Set(references.flatMap((reference) => removedRuns(store, reference)));
  return store.atomically(() => [...ids].map((id) => listed(store, store.restoreRun(id))));
}

/** Of a group those that are not in the trash yet, if there are any. */
function liveRuns(store: RunStore, reference: string): readonly string[] {
  const ids = namedRuns(store, reference);
  const live = ids.filter((id) => store.getRun(id).deletedAt === null);
  return live.length === 0 ? ids : live;
}

/** Of a group those that are in the trash. */
function removedRuns(store: RunStore, reference: string): readonly string[] {
  const group = store.findGroup(reference);
  const removed = group?.runs.flatMap(({ id }) => (store.getRun(id).deletedAt === null ? [] : [id])) ?? [];
  return removed.length > 0 ? removed : [findInTrash(store, reference)];
}

/** A name may belong to a live run, too: here the removed one is meant. */
function findInTrash(store: RunStore, reference: string): string {
  const [removed] = store
    .queryRuns({ trash: "only" })
    .filter(({ run }) => run.name === reference || run.id === reference);
  return (removed?.run ?? store.findRun(reference)).id;
}

export interface CollectedGarbage {
  /** Deleted for good, or with `dryRun` what would be. */
  readonly runs: readonly ListedRun[];
  readonly bytes: number;
}

/** Folder of the store for runs on their way out. */
const DELETED = "deleted";

/**
 * Deletes runs that have been in the trash for some time: their rows and their folders.
 * @param olderThan an age such as `30d`
 * @throws UsageError for what is no age
 */
export function collectGarbage(
  store: RunStore,
  olderThan: string,
  options: { readonly dryRun?: boolean; readonly now?: Date } = {},
): CollectedGarbage {
  const age = parseAge(olderThan);
  if (age === null) {
    throw new UsageError(`--older-than ${olderThan} is no length of time. Write e.g. 30d, "2 weeks" or 0d for all.`, {
      olderThan,
    });
  }
  const limit = (options.now ?? new Date()).getTime() - age;
  const old = store
    .queryRuns({ trash: "only" })
    .map(({ run }) => run)
    .filter(({ deletedAt }) => deletedAt !== null && Date.parse(deletedAt) <= limit);
  const runs = old.map((run) => listed(store, run));
  const bytes = runs.reduce((sum, { dir }) => sum + folderBytes(dir), 0);
  if (options.dryRun === true) return { runs, bytes };
  const deletedDir = join(store.dir, DELETED);
  for (const { id, dir } of runs) {
    // the folder leaves runs/ in the same transaction as the row, so that no half of a run is left; what an earlier
    // collection could not delete is deleted now
    store.deleteRun(id, () => {
      if (!existsSync(dir)) return;
      mkdirSync(deletedDir, { recursive: true });
      renameSync(dir, join(deletedDir, id));
    });
  }
  rmSync(deletedDir, { recursive: true, force: true });
  return { runs, bytes };
}

/** Bytes of all files below a folder; 0 where there is none. */
export function folderBytes(dir: string): number {
  if (!existsSync(dir)) return 0;
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}
