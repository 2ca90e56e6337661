/** @file What a run tells while it works; who listens is not its concern. */
import type { TaskInterpretation } from "../analysis/interpret.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { EvaluationRow, MetricPoint, Split } from "../tasks/evaluation.js";

/** What is known of a run before its first step. */
export interface RunStart {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  /** The run's folder. */
  readonly dir: string;
  /** Its settings under flat keys: `train.optimizer.learningRate`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Step from which it goes on: 0 for a new run. */
  readonly step: number;
}

/** A stretch of work with a known end, e.g. decoding images. */
export interface WorkProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** After each training step. */
export interface StepProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** Batches of the epoch done, and in all. */
  readonly batch: number;
  readonly batches: number;
  /** Updates since the start of the run. */
  readonly step: number;
  /** Mean total loss of the epoch so far. */
  readonly loss: number;
  readonly rowsPerSecond: number;
  /** Estimated from the speed so far: to the end of training. */
  readonly secondsLeft: number;
}

/** After each epoch. */
export interface EpochSummary {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly learningRate: number;
  readonly rowsPerSecond: number;
  readonly gradientNorm: number;
  readonly seconds: number;
  /** Weighted total losses; valid is NaN where there is nothing to validate on. */
  readonly trainLoss: number;
  readonly validLoss: number;
  /** Whether this is the best epoch so far: of the lowest validation loss, or by what train.monitor names. */
  readonly improved: boolean;
  /** Every metric of every task on train and valid, gated by truth. */
  readonly rows: readonly EvaluationRow[];
}

/** The checkpoint that a run's results come from. */
export interface EvaluatedCheckpoint {
  /** The epoch after which it was written; null where it is not known. */
  readonly epoch: number | null;
  /** Epochs that were planned. */
  readonly epochs: number;
  /** The step after which it was written. */
  readonly step: number;
}

/** Metrics of the run's checkpoint on all splits. */
export interface EvaluationEvent extends EvaluatedCheckpoint {
  readonly rows: readonly EvaluationRow[];
}

/** Answers to a whole split. */
export interface ScoredEvent {
  readonly scored: ScoredSplit;
  readonly step: number;
  /** The epoch after which they were given; `final`: by the evaluated checkpoint, with tuned thresholds. */
  readonly after: number | "final";
  /** The epoch whose weights gave them; null where it is not known. */
  readonly epoch: number | null;
}

/** A tuned threshold: `label` where a task has one per label. */
export interface TunedThreshold {
  readonly taskPath: string;
  readonly labelIndex: number;
  readonly label: string | null;
  readonly value: number;
}

/** Decision thresholds, as they were tuned on valid. */
export interface ThresholdsEvent {
  /** The metric that was maximised. */
  readonly metric: string;
  readonly thresholds: readonly TunedThreshold[];
}

/** The best and worst samples of every task on one split. */
export interface SamplesEvent {
  readonly split: Split;
  readonly tasks: readonly TaskInterpretation[];
}

/** How a run ended. */
export type RunEnd = "finished" | "failed" | "interrupted" | "pruned";

/**
 * Listens to a run: the console, TensorBoard and the store are loggers, and a project may name its own in
 * `log.loggers`. All methods are optional and are called in the order of training; a logger that owns a resource frees
 * it in `close`. A logger that throws is dropped with a warning, and the run goes on.
 */
export interface RunLogger {
  message?(line: string): void;
  warning?(line: string): void;
  work?(progress: WorkProgress): void;
  step?(progress: StepProgress): void;
  /** Every value of every curve: those of an epoch, and the load of the machine (`_system`) every few seconds. */
  points?(points: readonly MetricPoint[]): void;
  /** After the points of an epoch. */
  epoch?(summary: EpochSummary): void;
  /** Answers to the valid split after each epoch, and to all splits at the end. */
  scored?(event: ScoredEvent): void | Promise<void>;
  /** All weights of the network by name; told where `log.histograms` asks for it. */
  weights?(weights: Readonly<Record<string, Float32Array>>, step: number): void;
  thresholds?(event: ThresholdsEvent): void;
  /** Of each split, at the end. */
  samples?(event: SamplesEvent): void;
  /** Metrics of the best checkpoint on all splits, at the end. */
  evaluation?(event: EvaluationEvent): void;
  ended?(end: RunEnd): void;
  close?(): void | Promise<void>;
}

/** Makes a logger for a run that is about to train. */
export type OpenRunLogger = (run: RunStart) => RunLogger | Promise<RunLogger>;
