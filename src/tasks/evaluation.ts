/** @file The evaluation row: what evaluation makes, the store keeps and `--json` prints. */

export const SPLITS = ["train", "valid", "test"] as const;
export type Split = (typeof SPLITS)[number];

/** Whether a row counts as active by its labels or by the network's own decoded answers (docs/architecture.md#semantics). */
export type Gates = "truth" | "predicted";

/**
 * Of which rows a metric is: those that are active, or, end to end, those that should be asked or are, whether right or
 * wrong (docs/architecture.md#end-to-end).
 */
export type EvaluatedGates = Gates | "end_to_end";

export const EVALUATED_GATES: readonly EvaluatedGates[] = ["truth", "predicted", "end_to_end"];

/** One metric of one task on one split. Names are those of the JSON contract (docs/architecture.md#json). */
export interface EvaluationRow {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  /** null where the metric is undefined. */
  readonly metric_res: number | null;
  readonly num_samples: number;
  readonly gates: EvaluatedGates;
  /**
   * The metric's value, on the same rows, of the best constant answer that was learnt on train; not there where there is
   * none, or it is undefined.
   */
  readonly baseline?: number;
  /** Whether the metric is better than its baseline; not there where a constant answer has the best value by nature. */
  readonly beats_baseline?: boolean;
  /**
   * 95 % confidence interval of the metric on other rows like these; not there where none is known
   * (docs/architecture.md#intervals).
   */
  readonly interval?: readonly [low: number, high: number];
}

/**
 * One metric of one task over a group of runs: mean and standard deviation (of the sample) over the runs, and the value
 * of all together: on valid that of all out-of-fold answers, on test that of the ensemble.
 */
export interface GroupEvaluationRow extends EvaluationRow {
  /** Over the runs where the metric is defined; null where it is in none. */
  readonly mean: number | null;
  /** null where fewer than two runs have it. */
  readonly deviation: number | null;
  /** Runs where it is defined. */
  readonly runs: number;
}

/** One value of one curve: what training makes, the store keeps and TensorBoard draws. */
export interface MetricPoint {
  readonly split: Split;
  /** `_total` for what belongs to no task. */
  readonly taskPath: string;
  readonly metricName: string;
  /** Optimizer steps since the start of the run, for every split. */
  readonly step: number;
  readonly epoch: number | null;
  /** null where the metric is undefined; NaN and the infinities are kept. */
  readonly value: number | null;
  /** Seconds since 1970. */
  readonly wallTime: number;
}

/** Stands for a task's path on the curves of the machine's load. */
export const SYSTEM_TASK = "_system";

/** The curve of how many rows of an epoch counted for a task. */
export const ACTIVE_ROWS = "active_rows";
