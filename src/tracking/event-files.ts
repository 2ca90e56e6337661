/** @file A tracked run as TensorBoard event files: curves, pictures, distributions, texts, settings, evaluation. */
import { EventFolders, hparamsOf } from "../logging/event-folders.js";
import { configMarkdown, evaluationMarkdown } from "../logging/markdown.js";
import type { EvaluationEvent, RunEnd, RunLogger } from "../logging/run-logger.js";
import type { EncodedImage } from "../logging/tensorboard/index.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";

export interface EventFilesOptions {
  readonly runDir: string;
  /** From which the run goes on; 0 for a new one. */
  readonly resumeStep: number;
  /** Flat settings. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Methods throw StoreError where a file cannot be written, CoolError for a tag that holds another kind. */
export class EventFiles implements RunLogger {
  readonly #files: EventFolders;
  readonly #resumeStep: number;

  constructor({ runDir, resumeStep, config }: EventFilesOptions) {
    this.#files = new EventFolders(runDir, resumeStep);
    this.#resumeStep = resumeStep;
    if (Object.keys(config).length === 0) return;
    const run = this.#files.writer("run");
    run.text("config", configMarkdown(config), resumeStep);
    // the curves are not known yet: TensorBoard makes a column of each
    run.hparams({ hparams: hparamsOf(config), metrics: [] });
    run.flush();
  }

  points(points: readonly MetricPoint[]): void {
    this.#files.points(points);
  }

  image(split: Split, tag: string, image: EncodedImage, step: number): void {
    this.#files.writer(split).image(tag, image, step);
  }

  histogram(split: Split, tag: string, values: ArrayLike<number>, step: number): void {
    this.#files.writer(split).histogram(tag, values, step);
  }

  /** Markdown. */
  text(tag: string, text: string, step: number): void {
    this.#files.writer("run").text(tag, text, step);
  }

  config(config: Readonly<Record<string, unknown>>): void {
    this.text("config", configMarkdown(config), this.#resumeStep);
  }

  evaluation({ rows, step }: EvaluationEvent): void {
    for (const { split, task_path, metric_name, metric_res, gates } of rows) {
      if (metric_res === null || gates !== "truth") continue;
      this.#files.writer(split).scalar(`${task_path}/${metric_name}/evaluated`, metric_res, step);
    }
    this.text("evaluation", evaluationMarkdown(rows), step);
    this.#files.sync();
  }

  ended(end: RunEnd): void {
    // an interrupted run may go on, and only the first mark counts
    if (end !== "interrupted") this.#files.writer("run").endSession(end === "finished" ? "success" : "failure");
    this.#files.sync();
  }

  close(): void {
    this.#files.close();
  }
}
