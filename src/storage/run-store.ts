/** @file The run store: what every run was, measured and left behind, for many processes at once. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { StoreError } from "../errors.js";
import type { EvaluationRow, MetricPoint, Split } from "../tasks/evaluation.js";
import { type Artifact, forgetArtifacts, readArtifacts, recordArtifacts } from "./tables/artifacts.js";
import {
  type ConfigChange,
  changeSetting,
  type FlatConfig,
  readConfig,
  readConfigChanges,
  readEnvironment,
  replaceEnvironment,
} from "./tables/config-values.js";
import { type CopyOutcome, copyRun } from "./copy-run.js";
import { type AdoptedRun, adoptRun, createRun, type NewRun } from "./create-run.js";
import type { Database } from "./database/database.js";
import { type EvaluationFilter, readEvaluation, replaceEvaluation } from "./tables/evaluation.js";
import { findRun } from "./query/find-run.js";
import {
  type InterpretationFilter,
  type InterpretedSample,
  readInterpretation,
  replaceInterpretation,
  type StoredInterpretation,
} from "./tables/interpretation.js";
import { lastMetrics, type MetricFilter, readMetrics, upsertMetrics } from "./tables/metric-points.js";
import { type OpenedStore, openMigrated, openReader } from "./database/opened-store.js";
import { currentProcess } from "../platform/process.js";
import { type QueriedRun, queryRuns, type RunsQuery } from "./query/query-runs.js";
import {
  checkedName,
  checkedRunName,
  type RunRecord,
  type RunState,
  secondsUntil,
  type WrittenRunState,
} from "./run-record.js";
import {
  checkRun,
  deleteTags,
  insertTags,
  type RunPatch,
  requireRun,
  selectRuns,
  updateRunRow,
} from "./tables/runs.js";
import { readThresholds, replaceThresholds, type StoredThreshold, type Threshold } from "./tables/thresholds.js";

export type { QueriedRun, RunsQuery } from "./query/query-runs.js";

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

export interface RunFilter {
  /** Also list runs in the trash; default false. */
  readonly includeTrash?: boolean;
  /** The state as shown. */
  readonly state?: RunState | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/**
 * Opens the store in a folder, which holds `cool.db` and `runs/<run id>/`.
 * @throws StoreError where the store cannot be opened, lies on a network file system, or is of a newer version
 */
export function openRunStore(storeDir: string, options: StoreOptions = {}): RunStore {
  const { readonly = false, create = true, now = () => new Date(), random = Math.random } = options;
  const file = join(resolve(storeDir), "cool.db");
  return new RunStore(resolve(storeDir), readonly ? openReader(file) : openMigrated(file, { create }), now, random);
}

/**
 * All runs of a project. Every method is synchronous, every change one transaction; `id` is a whole run id.
 * Methods throw UnknownNameError for an id that is not in the store and StoreError where it cannot be read or written.
 */
export class RunStore {
  readonly dir: string;
  /** Copy of an older store that was migrated when this one was opened; else null. */
  readonly backup: string | null;
  readonly #database: Database;
  readonly #now: () => Date;
  readonly #random: () => number;

  constructor(dir: string, { database, backup }: OpenedStore, now: () => Date, random: () => number) {
    this.dir = dir;
    this.backup = backup;
    this.#database = database;
    this.#now = now;
    this.#random = random;
  }

  /**
   * Makes the folder of a new run of this process and stores the run, in state `running`.
   * @param fill writes files into the folder before anyone can find the run
   */
  createRun(run: NewRun, fill: (dir: string) => void = () => {}): RunRecord {
    const runsDir = join(this.dir, "runs");
    return this.getRun(createRun(this.#database, runsDir, run, this.#now(), this.#random, fill));
  }

  /**
   * Takes over a run that no process trains any more: it is `running` again, in this process.
   * @param epochs where they are others than planned before
   */
  resumeRun(id: string, epochs?: number): RunRecord {
    return this.#change(id, (run) => {
      refuseLive(run, "resumed");
      const now = this.#now().toISOString();
      // a crashed run has lived until its last sign of life
      const earlierS = secondsUntil(run.endedAt ?? run.heartbeatAt, run);
      const times = { sessionAt: now, earlierS, heartbeatAt: now, endedAt: null, deletedAt: null };
      updateRunRow(this.#database, id, { ...currentProcess(), ...times, state: "running", error: null, epochs });
      if (epochs !== undefined) changeSetting(this.#database, id, "train.epochs", epochs);
      // its files are about to be others
      forgetArtifacts(this.#database, id);
    });
  }

  /** The run of exactly this id. */
  getRun(id: string): RunRecord {
    return requireRun(this.#database, this.#now(), id);
  }

  /** The run that a person means by an id, a name, the start of an id, or `latest`. */
  findRun(reference: string): RunRecord {
    return findRun(this.#database, this.#now(), reference);
  }

  /** Runs, the most recently started or resumed first. */
  listRuns(filter: RunFilter = {}): RunRecord[] {
    const { includeTrash = false, state, limit } = filter;
    const condition = includeTrash ? "TRUE" : "deleted_at IS NULL";
    if (state === undefined) return selectRuns(this.#database, this.#now(), { condition, limit });
    // that a run has crashed is written nowhere, so the state is compared after reading
    const runs = selectRuns(this.#database, this.#now(), { condition });
    return runs.filter((run) => run.displayState === state).slice(0, limit);
  }

  /** Runs by condition, order and columns of choice. */
  queryRuns(query: RunsQuery): QueriedRun[] {
    return queryRuns(this.#database, this.#now(), query);
  }

  updateRun(id: string, patch: RunPatch): RunRecord {
    return this.#change(id, () => {
      const { note, seed, backend, backendVersion, epochs, epochsDone, bestEpoch } = patch;
      const starred = patch.starred === undefined ? undefined : patch.starred ? 1 : 0;
      const name = patch.name === undefined ? undefined : checkedRunName(patch.name);
      updateRunRow(this.#database, id, {
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
    });
  }

  /** Tells other hosts that the run's process lives; to be called several times within `HEARTBEAT_LIMIT_MS`. */
  heartbeat(id: string): void {
    const heartbeatAt = this.#now().toISOString();
    this.#write(id, () => updateRunRow(this.#database, id, { heartbeatAt }));
  }

  /** @param options.error why the run failed, as its user reads it */
  finishRun(
    id: string,
    state: Exclude<WrittenRunState, "running">,
    options: { readonly error?: string } = {},
  ): RunRecord {
    return this.#change(id, () => {
      const endedAt = this.#now().toISOString();
      updateRunRow(this.#database, id, { state, endedAt, heartbeatAt: endedAt, error: options.error ?? null });
    });
  }

  addTags(id: string, tags: readonly string[]): RunRecord {
    return this.#change(id, () =>
      insertTags(
        this.#database,
        id,
        tags.map((tag) => checkedName("tag", tag)),
      ),
    );
  }

  /** Tags that the run does not have are passed over. */
  removeTags(id: string, tags: readonly string[]): RunRecord {
    return this.#change(id, () => deleteTags(this.#database, id, tags));
  }

  /** Moves a run to the trash: it is listed no more, and nothing of it is deleted. */
  trashRun(id: string): RunRecord {
    return this.#change(id, (run) => {
      refuseLive(run, "removed");
      updateRunRow(this.#database, id, { deletedAt: run.deletedAt ?? this.#now().toISOString() });
    });
  }

  restoreRun(id: string): RunRecord {
    return this.#change(id, () => updateRunRow(this.#database, id, { deletedAt: null }));
  }

  /**
   * Deletes a run in the trash for good.
   * @param inTransaction what belongs to the deletion and can still call it off by throwing, e.g. moving its folder
   */
  deleteRun(id: string, inTransaction: () => void = () => {}): void {
    this.#write(id, () => {
      const run = this.getRun(id);
      if (run.deletedAt === null) {
        throw new StoreError(`Run ${id} (${run.name}) is not in the trash. Remove it first: cool runs remove ${id}`, {
          run: id,
        });
      }
      // everything else refers to the run with ON DELETE CASCADE
      this.#database.run("DELETE FROM runs WHERE id = @id", { id });
      inTransaction();
    });
  }

  /** Stores a run whose folder is there and whose row is not. */
  adoptRun(run: AdoptedRun): RunRecord {
    return this.#database.write(() => {
      adoptRun(this.#database, run, this.#now());
      return this.getRun(run.id);
    });
  }

  /**
   * Copies a run's rows out of another store.
   * @param inTransaction what belongs to the copy and can still call it off by throwing, e.g. placing its folder
   * @returns `same` where this store already holds exactly these rows; nothing is done then
   * @throws StoreError where this store holds another run of this id, or the other one's rows are not valid
   */
  copyRunFrom(other: RunStore, id: string, inTransaction: () => void = () => {}): CopyOutcome {
    return this.#database.write(() => {
      const outcome = copyRun(other.#database, this.#database, other.getRun(id));
      if (outcome === "copied") inTransaction();
      return outcome;
    });
  }

  /** The settings that were not as the project has them, with what changed them. */
  readConfigChanges(id: string): Readonly<Record<string, ConfigChange>> {
    return this.#read(id, () => readConfigChanges(this.#database, id));
  }

  /** Machine, system and versions, under flat keys. */
  readEnvironment(id: string): FlatConfig {
    return this.#read(id, () => readEnvironment(this.#database, id));
  }

  replaceEnvironment(id: string, environment: Readonly<Record<string, unknown>>): void {
    this.#write(id, () => replaceEnvironment(this.#database, id, environment));
  }

  readConfig(id: string): FlatConfig {
    return this.#read(id, () => readConfig(this.#database, id));
  }

  /** Stores points of any curves; a point of the same curve and step is replaced. */
  appendMetrics(id: string, points: Iterable<MetricPoint>): void {
    this.#write(id, () => upsertMetrics(this.#database, id, points));
  }

  /** Points of one curve after another, by ascending step. */
  readMetrics(id: string, filter?: MetricFilter): MetricPoint[] {
    return this.#read(id, () => readMetrics(this.#database, id, filter));
  }

  /** The point of the highest step of each curve. */
  lastMetrics(id: string, filter?: MetricFilter): MetricPoint[] {
    return this.#read(id, () => lastMetrics(this.#database, id, filter));
  }

  /** Replaces the thresholds of the tasks that `rows` name; a task has one set of thresholds at a time. */
  replaceThresholds(id: string, metricName: string, rows: readonly Threshold[]): void {
    this.#write(id, () => replaceThresholds(this.#database, id, metricName, rows));
  }

  readThresholds(id: string): StoredThreshold[] {
    return this.#read(id, () => readThresholds(this.#database, id));
  }

  /** Replaces every frame (split and gates) of which `rows` has a row. */
  replaceEvaluation(id: string, rows: readonly EvaluationRow[]): void {
    this.#write(id, () => replaceEvaluation(this.#database, id, rows));
  }

  /** Rows by split, gates and then as they were given; a metric that was NaN is null. */
  readEvaluation(id: string, filter?: EvaluationFilter): EvaluationRow[] {
    return this.#read(id, () => readEvaluation(this.#database, id, filter));
  }

  /** Replaces the best and worst samples of one split. */
  replaceInterpretation(id: string, split: Split, samples: readonly InterpretedSample[]): void {
    this.#write(id, () => replaceInterpretation(this.#database, id, split, samples));
  }

  /** Samples by split and task, the best first, each side by rank. */
  readInterpretation(id: string, filter?: InterpretationFilter): StoredInterpretation[] {
    return this.#read(id, () => readInterpretation(this.#database, id, filter));
  }

  /** Adds files of the run's folder, or renews their digests. */
  recordArtifacts(id: string, artifacts: readonly Artifact[]): void {
    this.#write(id, () => recordArtifacts(this.#database, id, artifacts));
  }

  readArtifacts(id: string): Artifact[] {
    return this.#read(id, () => readArtifacts(this.#database, id));
  }

  /** The run's folder. Its name is the id alone: names of runs are never used in paths. */
  runDir(id: string): string {
    checkRun(this.#database, id);
    return join(this.dir, "runs", id);
  }

  /** Whether the database file is the one that was opened: not deleted, moved or replaced since. */
  isThere(): boolean {
    return this.#database.isThere();
  }

  /** Why a run of this process cannot be written any more; null where its store and its folder are there. */
  missing(id: string): StoreError | null {
    const dir = join(this.dir, "runs", id);
    const isThere = this.isThere();
    if (isThere && existsSync(dir)) return null;
    const what = isThere ? `The folder ${dir}` : `The run store ${this.dir}`;
    return new StoreError(
      `${what} was deleted or replaced while run ${id} was training. The run has stopped, and what it had not written elsewhere is lost; start it again.`,
      { run: id, dir: isThere ? dir : this.dir },
    );
  }

  /** What is wrong with the database file; empty for a sound one. Reads all of it. */
  problems(): string[] {
    return this.#database.problems();
  }

  close(): void {
    this.#database.close();
  }

  #read<T>(id: string, read: () => T): T {
    checkRun(this.#database, id);
    return read();
  }

  #write(id: string, write: () => void): void {
    this.#database.write(() => this.#read(id, write));
  }

  /** Changes a run and returns it as it is then. */
  #change(id: string, change: (run: RunRecord) => void): RunRecord {
    return this.#database.write(() => {
      change(this.getRun(id));
      return this.getRun(id);
    });
  }
}

function refuseLive(run: RunRecord, deed: string): void {
  if (run.displayState !== "running") return;
  throw new StoreError(
    `Run ${run.id} (${run.name}) cannot be ${deed}: process ${run.pid} on ${run.host} is still training it. Stop it first.`,
    { run: run.id, pid: run.pid, host: run.host },
  );
}
