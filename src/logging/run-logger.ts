/** @file What a run tells while it works; who listens is not its concern. */
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
  /** Whether this is the lowest validation loss so far. */
  readonly improved: boolean;
  /** Every metric of every task on train and valid, gated by truth. */
  readonly rows: readonly EvaluationRow[];
}

/** Listens to a run. All methods are optional; a logger that owns a resource frees it in `close`. */
export interface RunLogger {
  message?(line: string): void;
  warning?(line: string): void;
  work?(progress: WorkProgress): void;
  step?(progress: StepProgress): void;
  epoch?(summary: EpochSummary): void;
  /** Metrics of the best checkpoint on all splits. */
  evaluation?(rows: readonly EvaluationRow[], step: number): void;
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
  evaluation(rows: readonly EvaluationRow[], step: number): void {
    this.#each((logger) => logger.evaluation?.(rows, step));
  }
  async close(): Promise<void> {
    const closing = this.#loggers;
    this.#loggers = [];
    for (const logger of closing) {
      try {
        await logger.close?.();
      } catch (error) {
        this.failures.push((error as Error).message);
      }
    }
  }

  #each(tell: (logger: RunLogger) => void): void {
    for (const logger of this.#loggers) {
      try {
        tell(logger);
      } catch (error) {
        this.#loggers = this.#loggers.filter((other) => other !== logger);
        const reason = (error as Error).message;
        this.failures.push(reason);
        this.warning(`Logging goes on without one of its targets: ${reason}`);
      }
    }
  }
}
