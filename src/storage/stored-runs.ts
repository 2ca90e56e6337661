/** @file The runs of a store in SQLite: their states, names, tags and the trash. */
import { join } from "node:path";
import { StoreError, UsageError } from "../errors.js";
import { currentProcess } from "../platform/process.js";
import type { RunFilter, RunRecords } from "./contract.js";
import { type AdoptedRun, adoptRun, createRun, type NewRun } from "./create-run.js";
import { importOrigins, importRun } from "./import-run.js";
import { findRun } from "./query/find-run.js";
import { knownNames } from "./query/fields.js";
import { queryOrder, queryRuns, runsOf, type RunsQuery } from "./query/query-runs.js";
import {
  checkedName,
  checkedRunName,
  newRunId,
  type RunRecord,
  secondsUntil,
  type WrittenRunState,
} from "./run-record.js";
import { forgetArtifacts } from "./tables/artifacts.js";
import { changeSetting } from "./tables/config-values.js";
import { keyHolder } from "./tables/keys.js";
import { updateMonitored } from "./tables/monitored.js";
import { deleteTags, insertTags, type RunPatch, selectRuns, updateRunRow } from "./tables/runs.js";
import type { Transactions } from "./transactions.js";

/**
 * @param dir folder of the store
 * @param random uniform numbers in [0, 1) for ids
 */
export function storedRuns(
  { database, curveNumbers, now, getRun, write, change }: Transactions,
  dir: string,
  random: () => number,
): RunRecords {
  return {
    createRun(run: NewRun, fill: (dir: string) => void = () => {}) {
      const runsDir = join(dir, "runs");
      return getRun(createRun(database, runsDir, run, now(), random, fill));
    },
    resumeRun(id: string, epochs?: number) {
      return change(id, (run) => {
        refuseLive(run, "resumed");
        const sessionAt = now().toISOString();
        // a crashed run has lived until its last sign of life
        const earlierS = secondsUntil(run.endedAt ?? run.heartbeatAt, run);
        const times = { sessionAt, earlierS, heartbeatAt: sessionAt, endedAt: null, deletedAt: null };
        updateRunRow(database, id, { ...currentProcess(), ...times, state: "running", error: null, epochs });
        if (epochs !== undefined) changeSetting(database, id, "train.epochs", epochs);
        // its files are about to be others
        forgetArtifacts(database, id);
      });
    },
    getRun,
    keyedRun(project: string, key: string) {
      const holder = keyHolder(database, { project, key });
      if (holder === null) return null;
      if ("runId" in holder) return getRun(holder.runId);
      throw new UsageError(
        `The key "${key}" is that of a group of folds. Start it with --folds, or choose another key.`,
        {
          ...{ key, project, group: holder.groupId },
        },
      );
    },
    findRun(reference: string) {
      return findRun(database, now(), reference);
    },
    listRuns(filter: RunFilter = {}) {
      const { includeTrash = false, state, limit } = filter;
      const condition = includeTrash ? "TRUE" : "deleted_at IS NULL";
      if (state === undefined) return selectRuns(database, now(), { condition, limit });
      // that a run has crashed is written nowhere, so the state is compared after reading
      const runs = selectRuns(database, now(), { condition });
      return runs.filter((run) => run.displayState === state).slice(0, limit);
    },
    queryRuns(query: RunsQuery) {
      return queryRuns(database, now(), query);
    },
    queryOrder(query: RunsQuery) {
      return queryOrder(database, now(), query);
    },
    runsOf(ids: readonly string[], columns: readonly string[]) {
      return runsOf(database, now(), ids, columns);
    },
    fieldNames() {
      return knownNames(database);
    },
    updateRun(id: string, patch: RunPatch) {
      return change(id, () => {
        const { note, seed, backend, backendVersion, epochs, epochsDone, bestEpoch } = patch;
        const starred = patch.starred === undefined ? undefined : patch.starred ? 1 : 0;
        const name = patch.name === undefined ? undefined : checkedRunName(patch.name);
        updateRunRow(database, id, {
          name,
          note,
          seed,
          backend,
          backendVersion,
          epochs,
          epochsDone,
          bestEpoch,
          starred,
        });
        if (bestEpoch !== undefined) updateMonitored(database, id);
      });
    },
    heartbeat(id: string) {
      const heartbeatAt = now().toISOString();
      write(id, () => updateRunRow(database, id, { heartbeatAt }));
    },
    finishRun(id: string, state: Exclude<WrittenRunState, "running">, options: { readonly error?: string } = {}) {
      return change(id, () => {
        const endedAt = now().toISOString();
        updateRunRow(database, id, { state, endedAt, heartbeatAt: endedAt, error: options.error ?? null });
      });
    },
    addTags(id: string, tags: readonly string[]) {
      return change(id, () =>
        insertTags(
          database,
          id,
          tags.map((tag) => checkedName("tag", tag)),
        ),
      );
    },
    removeTags(id: string, tags: readonly string[]) {
      return change(id, () => deleteTags(database, id, tags));
    },
    trashRun(id: string) {
      return change(id, (run) => {
        refuseLive(run, "removed");
        updateRunRow(database, id, { deletedAt: run.deletedAt ?? now().toISOString() });
      });
    },
    restoreRun(id: string) {
      return change(id, () => updateRunRow(database, id, { deletedAt: null }));
    },
    deleteRun(id: string, inTransaction: () => void = () => {}) {
      write(id, () => {
        const run = getRun(id);
        if (run.deletedAt === null) {
          throw new StoreError(`Run ${id} (${run.name}) is not in the trash. Remove it first: cool runs remove ${id}`, {
            run: id,
          });
        }
        curveNumbers.forget();
        // everything else refers to the run with ON DELETE CASCADE
        const group = database.get<{ id: string }>("SELECT group_id AS id FROM group_runs WHERE run_id = @id", { id });
        database.run("DELETE FROM runs WHERE id = @id", { id });
        // a group goes with the last of its runs
        if (group !== undefined) {
          database.run("DELETE FROM run_groups WHERE id = @id AND id NOT IN (SELECT group_id FROM group_runs)", group);
        }
        inTransaction();
      });
    },
    newRunId(startedAt: Date) {
      for (;;) {
        const id = newRunId(startedAt, random);
        if (database.get("SELECT 1 FROM runs WHERE id = @id", { id }) === undefined) return id;
      }
    },
    importRun(target, read, inTransaction) {
      curveNumbers.forget();
      return importRun(database, target, read, now, (counts) => {
        inTransaction();
        return { run: getRun(target.id), ...counts };
      });
    },
    importOrigins: () => importOrigins(database),
    adoptRun(run: AdoptedRun) {
      return database.write(() => {
        adoptRun(database, run, now());
        return getRun(run.id);
      });
    },
  };
}

function refuseLive(run: RunRecord, deed: string): void {
  if (run.displayState !== "running") return;
  throw new StoreError(
    `Run ${run.id} (${run.name}) cannot be ${deed}: process ${run.pid} on ${run.host} is still training it. Stop it first.`,
    { run: run.id, pid: run.pid, host: run.host },
  );
}
