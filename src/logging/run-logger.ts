/** @file What a run tells while it works; who listens is not its concern. */
import type { ScoredSplit } from "../analysis/score.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

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
  readonly imagesPerSecond: number;
  /** Estimated from the speed so far: to the end of training. */
  readonly secondsLeft: number;
}

/** After each epoch. */
export interface EpochSummary {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
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

/** Answers to a whole split. */
export interface ScoredEvent {
  readonly scored: ScoredSplit;
  readonly step: number;
  /** The epoch after which they were given; `final`: by the best checkpoint, with tuned thresholds. */
  readonly after: number | "final";
}

/** How a run ended. */
export type RunEnd = "finished" | "failed" | "interrupted";

/** Listens to a run. All methods are optional; a logger that owns a resource frees it in `close`. */
export interface RunLogger {
  message?(line: string): void;
  warning?(line: string): void;
  work?(progress: WorkProgress): void;
  step?(progress: StepProgress): void;
  epoch?(summary: EpochSummary): void;
  /** Answers to the valid split after each epoch, and to all splits at the end. */
  scored?(event: ScoredEvent): void | Promise<void>;
  /** All weights of the network by name; told where `log.histograms` asks for it. */
  weights?(weights: Readonly<Record<string, Float32Array>>, step: number): void;
  /** Metrics of the best checkpoint on all splits. */
  evaluation?(rows: readonly EvaluationRow[], step: number): void;
  ended?(end: RunEnd): void;
  close?(): void | Promise<void>;
}

/**
 * Passes everything on to several loggers. One that fails is dropped with one warning to the others:
 * training does not end because a log cannot be written.
 */
export class LoggerGroup implements Required<RunLogger> {
  #loggers: readonly RunLogger[];
  /** Loggers that failed, as text. */
  readonly failures: string[] = [];

  constructor(loggers: readonly RunLogger[]) {
    this.#loggers = loggers;
  }
  add(logger: RunLogger): void {
    this.#loggers = [...this.#loggers, logger];
  }
  /** Adds a logger that may fail to open. */
  open(create: () => RunLogger): void {
    try {
      this.add(create());
    } catch (error) {
      this.#noteFailure(error);
    }
  }
  message(line: string): void {
    this.#each((logger) => logger.message?.(line));
  }
  warning(line: string): void {
    this.#each((logger) => logger.warning?.(line));
  }
  work(progress: WorkProgress): void {
    this.#each((logger) => logger.work?.(progress));
  }
  step(progress: StepProgress): void {
    this.#each((logger) => logger.step?.(progress));
  }
  epoch(summary: EpochSummary): void {
    this.#each((logger) => logger.epoch?.(summary));
  }
  async scored(event: ScoredEvent): Promise<void> {
    for (const logger of this.#loggers) {
      try {
        await logger.scored?.(event);
      } catch (error) {
        this.#drop(logger, error);
      }
    }
  }
  weights(weights: Readonly<Record<string, Float32Array>>, step: number): void {
    this.#each((logger) => logger.weights?.(weights, step));
  }
  evaluation(rows: readonly EvaluationRow[], step: number): void {
    this.#each((logger) => logger.evaluation?.(rows, step));
  }
  ended(end: RunEnd): void {
    this.#each((logger) => logger.ended?.(end));
  }
  /** The last one that was added first, so that those before it still hear of its failure. */
  async close(): Promise<void> {
    for (const logger of this.#loggers.toReversed()) {
      this.#loggers = this.#loggers.filter((other) => other !== logger);
      try {
        await logger.close?.();
      } catch (error) {
        this.#drop(logger, error);
      }
    }
  }

  #each(tell: (logger: RunLogger) => void): void {
    for (const logger of this.#loggers) {
      try {
        tell(logger);
      } catch (error) {
        this.#drop(logger, error);
      }
    }
  }

  #drop(logger: RunLogger, error: unknown): void {
    this.#loggers = this.#loggers.filter((other) => other !== logger);
    this.#noteFailure(error);
    // its files are let go; that this fails as well tells nothing new
    Promise.resolve()
      .then(() => logger.close?.())
      .catch(() => {});
  }

  #noteFailure(error: unknown): void {
    const reason = (error as Error).message;
    this.failures.push(reason);
    this.warning(`Logging goes on without one of its targets: ${reason}`);
  }
}
