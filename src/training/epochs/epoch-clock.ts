/** @file Speed and progress of one epoch. */
import type { StepReport } from "../../engine/optimization/trainer.js";
import type { StepProgress } from "../../logging/run-logger.js";

/** Counts the steps of an epoch, and only their time: validation is not part of the speed. */
export class EpochClock {
  readonly #started: number;
  #rows = 0;
  #lossSum = 0;
  #steps = 0;
  #seconds = 0;

  /** @param now milliseconds that never run backwards */
  constructor(
    private readonly epoch: number,
    private readonly epochs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#started = now();
  }

  tick(report: StepReport): StepProgress {
    this.#rows += report.rows;
    this.#lossSum += report.loss.total;
    this.#steps += 1;
    this.#seconds = (this.now() - this.#started) / 1000;
    const stepsLeft = report.batches - report.batch + (this.epochs - this.epoch) * report.batches;
    return {
      epoch: this.epoch,
      epochs: this.epochs,
      batch: report.batch,
      batches: report.batches,
      step: report.step,
      loss: this.#lossSum / this.#steps,
      rowsPerSecond: this.#rows / this.#seconds,
      secondsLeft: (stepsLeft * this.#seconds) / this.#steps,
    };
  }

  totals(): { readonly rowsPerSecond: number; readonly seconds: number } {
    return { rowsPerSecond: this.#seconds === 0 ? 0 : this.#rows / this.#seconds, seconds: this.#seconds };
  }
}
