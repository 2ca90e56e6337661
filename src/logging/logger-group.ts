/** @file One stream of events to several loggers: those that a run needs, and those that it can do without. */
import type {
  EpochSummary,
  EvaluationEvent,
  RunEnd,
  RunLogger,
  SamplesEvent,
  ScoredEvent,
  StepProgress,
  ThresholdsEvent,
  WorkProgress,
} from "./run-logger.js";
import type { MetricPoint } from "../tasks/evaluation.js";

/**
 * Passes everything on to several loggers. One that fails is dropped with one warning to the others: training does not
 * end because a log cannot be written. A required one (the store) is told first, and its failure is the run's.
 */
export class LoggerGroup implements Required<RunLogger> {
  #required: RunLogger | null = null;
  #loggers: readonly RunLogger[];
  /** Loggers that failed, as text. */
  readonly failures: string[] = [];

  constructor(loggers: readonly RunLogger[]) {
    this.#loggers = loggers;
  }
  /** Adds the logger whose failure ends the run. */
  require(logger: RunLogger): void {
    this.#required = logger;
  }
  add(logger: RunLogger): void {
    this.#loggers = [...this.#loggers, logger];
  }
  /** Adds a logger that may fail to open. */
  async open(create: () => RunLogger | Promise<RunLogger>): Promise<void> {
    try {
      this.add(await create());
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
  points(points: readonly MetricPoint[]): void {
    this.#each((logger) => logger.points?.(points));
  }
  epoch(summary: EpochSummary): void {
    this.#each((logger) => logger.epoch?.(summary));
  }
  async scored(event: ScoredEvent): Promise<void> {
    await this.#required?.scored?.(event);
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
  thresholds(event: ThresholdsEvent): void {
    this.#each((logger) => logger.thresholds?.(event));
  }
  samples(event: SamplesEvent): void {
    this.#each((logger) => logger.samples?.(event));
  }
  evaluation(event: EvaluationEvent): void {
    this.#each((logger) => logger.evaluation?.(event));
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
    await this.#required?.close?.();
    this.#required = null;
  }

  #each(tell: (logger: RunLogger) => void): void {
    if (this.#required !== null) tell(this.#required);
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
    const reason = error instanceof Error ? error.message : String(error);
    this.failures.push(reason);
    this.warning(`Logging goes on without one of its targets: ${reason}`);
  }
}
