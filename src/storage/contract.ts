/** @file What a run store promises, whatever keeps it: the seam between runs and SQLite. */
import type { StoreError } from "../errors.js";
import type { EvaluationRow, MetricPoint, Split } from "../tasks/evaluation.js";
import type { CopyOutcome } from "./copy-run.js";
import type { AdoptedRun, NewRun } from "./create-run.js";
import type { ImportedRun, ImportOrigin, ImportTarget } from "./import-run.js";
import type { QueriedRun, RunsQuery } from "./query/query-runs.js";
import type { RunRecord, RunState, WrittenRunState } from "./run-record.js";
import type { Artifact } from "./tables/artifacts.js";
import type { StoredCalibration } from "./tables/calibration.js";
import type { ConfigChange, FlatConfig } from "./tables/config-values.js";
import type { EvaluationFilter } from "./tables/evaluation.js";
import type { RunGroups } from "./tables/groups.js";
import type { InterpretationFilter, InterpretedSample, StoredInterpretation } from "./tables/interpretation.js";
import type { CurveName, MetricFilter } from "./tables/metric-points.js";
import type { RunPatch } from "./tables/runs.js";
import type { Studies } from "./tables/studies.js";
import type { ThinnedCurve } from "./tables/thinned-points.js";
import type { StoredThreshold, Threshold } from "./tables/thresholds.js";

export interface RunFilter {
  /** Also list runs in the trash; default false. */
  readonly includeTrash?: boolean;
  /** The state as shown. */
  readonly state?: RunState | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/** The runs themselves: their states, names, tags and the trash. */
export interface RunRecords {
  /**
   * Makes the folder of a new run of this process and stores the run, in state `running`.
   * @param fill writes files into the folder before anyone can find the run
   */
  createRun(run: NewRun, fill?: (dir: string) => void): RunRecord;

  /**
   * Takes over a run that no process trains any more: it is `running` again, in this process.
   * @param epochs where they are others than planned before
   */
  resumeRun(id: string, epochs?: number): RunRecord;

  /** The run of exactly this id. */
  getRun(id: string): RunRecord;

  /**
   * The run that was started under a key of a project; null where there is none, or it is in the trash.
   * @throws UsageError where a group of folds has the key
   */
  keyedRun(project: string, key: string): RunRecord | null;

  /** The run that a person means by an id, a name, the start of an id, or `latest`. */
  findRun(reference: string): RunRecord;

  /** Runs, the most recently started or resumed first. */
  listRuns(filter?: RunFilter): RunRecord[];

  /** Runs by condition, order and columns of choice. */
  queryRuns(query: RunsQuery): QueriedRun[];

  /** Their ids alone, in the same order. */
  queryOrder(query: RunsQuery): string[];

  /** Runs of these ids, in their order, with columns of choice; those that are gone are left out. */
  runsOf(ids: readonly string[], columns: readonly string[]): QueriedRun[];

  /** Names of fields that the latest runs have: columns, settings, `env.<key>`, metrics. */
  fieldNames(): string[];

  updateRun(id: string, patch: RunPatch): RunRecord;

  /** Tells other hosts that the run's process lives; to be called several times within `HEARTBEAT_LIMIT_MS`. */
  heartbeat(id: string): void;

  /** @param options.error why the run failed, as its user reads it */
  finishRun(id: string, state: Exclude<WrittenRunState, "running">, options?: { readonly error?: string }): RunRecord;

  addTags(id: string, tags: readonly string[]): RunRecord;

  /** Tags that the run does not have are passed over. */
  removeTags(id: string, tags: readonly string[]): RunRecord;

  /** Moves a run to the trash: it is listed no more, and nothing of it is deleted. */
  trashRun(id: string): RunRecord;

  restoreRun(id: string): RunRecord;

  /**
   * Deletes a run in the trash for good.
   * @param inTransaction what belongs to the deletion and can still call it off by throwing, e.g. moving its folder
   */
  deleteRun(id: string, inTransaction?: () => void): void;

  /** A new id, as of a run that began then. */
  newRunId(startedAt: Date): string;

  /**
   * Writes a run of another program, or what has been added to one, in one transaction: all of it, or nothing. It
   * begins when the source was read, so that others who write wait for a moment alone.
   * @param read reads the source, hands out its points, and returns what is known of the run in the end
   * @param inTransaction what belongs to it and can still call it off by throwing, e.g. moving its folder
   */
  importRun(
    target: ImportTarget,
    read: (put: (points: readonly MetricPoint[]) => void) => ImportedRun,
    inTransaction: () => void,
  ): { readonly run: RunRecord; readonly points: number; readonly newPoints: number };

  /** Which runs of other programs are here, by their ids here. */
  importOrigins(): ReadonlyMap<string, ImportOrigin>;

  /** Stores a run whose folder is there and whose row is not. */
  adoptRun(run: AdoptedRun): RunRecord;
}

/** What a run was configured with, measured and left behind. */
export interface RunMeasurements {
  /** The settings that were not as the project has them, with what changed them. */
  readConfigChanges(id: string): Readonly<Record<string, ConfigChange>>;

  /** Machine, system and versions, under flat keys. */
  readEnvironment(id: string): FlatConfig;

  replaceEnvironment(id: string, environment: Readonly<Record<string, unknown>>): void;

  readConfig(id: string): FlatConfig;

  /** Adds values, or changes those of the same keys. */
  addConfig(id: string, config: Readonly<Record<string, unknown>>): void;

  /** Stores points of any curves; a point of the same curve and step is replaced. */
  appendMetrics(id: string, points: Iterable<MetricPoint>): void;

  /** Points of one curve after another, by ascending step. */
  readMetrics(id: string, filter?: MetricFilter): MetricPoint[];

  /**
   * A curve with as many points as a drawing of so many columns over steps can show: no spike and no gap between columns
   * is lost.
   */
  thinnedMetrics(id: string, name: CurveName, columns: number): ThinnedCurve;

  /** The names of a run's curves, in the order in which they first had a point. */
  listCurves(id: string): CurveName[];

  countPoints(id: string, name: CurveName): number;

  /** The point of the highest step of each curve. */
  lastMetrics(id: string, filter?: MetricFilter): MetricPoint[];

  /** Replaces the thresholds of the tasks that `rows` name; a task has one set of thresholds at a time. */
  replaceThresholds(id: string, metricName: string, rows: readonly Threshold[]): void;

  readThresholds(id: string): StoredThreshold[];

  /** Replaces every frame (split and gates) of which `rows` has a row. */
  replaceEvaluation(id: string, rows: readonly EvaluationRow[]): void;

  /** Rows by split, gates and then as they were given; a metric that was NaN is null. */
  readEvaluation(id: string, filter?: EvaluationFilter): EvaluationRow[];

  /** Replaces what is on record of how far scores are from what comes true. */
  replaceCalibration(id: string, rows: readonly StoredCalibration[]): void;

  /** Rows as they were given; none of a run that has not been calibrated. */
  readCalibration(id: string): StoredCalibration[];

  /** Replaces the best and worst samples of one split. */
  replaceInterpretation(id: string, split: Split, samples: readonly InterpretedSample[]): void;

  /** Samples by split and task, the best first, each side by rank. */
  readInterpretation(id: string, filter?: InterpretationFilter): StoredInterpretation[];

  /** Adds files of the run's folder, or renews their digests. */
  recordArtifacts(id: string, artifacts: readonly Artifact[]): void;

  readArtifacts(id: string): Artifact[];
}

/**
 * All runs of a project. Every method is synchronous, every change one transaction; `id` is a whole run id.
 * Methods throw UnknownNameError for an id that is not in the store and StoreError where it cannot be read or written.
 */
export interface RunStore extends RunRecords, RunMeasurements, RunGroups, Studies {
  readonly dir: string;
  /** Copy of an older store that was migrated when this one was opened; else null. */
  readonly backup: string | null;

  /**
   * Copies a run's rows out of another store.
   * @param inTransaction what belongs to the copy and can still call it off by throwing, e.g. placing its folder
   * @returns `same` where this store already holds exactly these rows; nothing is done then
   * @throws StoreError where this store holds another run of this id, or the other one's rows are not valid
   */
  copyRunFrom(other: RunStore, id: string, inTransaction?: () => void): CopyOutcome;

  /** Several changes in one transaction: all of them, or none where one throws. */
  atomically<T>(change: () => T): T;

  /** The run's folder. Its name is the id alone: names of runs are never used in paths. */
  runDir(id: string): string;

  /** Whether the database file is the one that was opened: not deleted, moved or replaced since. */
  isThere(): boolean;

  /** Another number as soon as any other connection has changed the store (SQLite's `data_version`). */
  dataVersion(): number;

  /** @throws StoreError where a newer dnn-cool has migrated the store since it was opened */
  refuseNewer(): void;

  /** Why a run of this process cannot be written any more; null where its store and its folder are there. */
  missing(id: string): StoreError | null;

  /** What is wrong with the database file; empty for a sound one. Reads all of it. */
  problems(): string[];

  close(): void;
}
