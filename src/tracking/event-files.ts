/** @file A tracked run as TensorBoard event files: curves, pictures, distributions, texts, settings, evaluation. */
import { existsSync } from "node:fs";
import { StoreError } from "../errors.js";
import { EventFolders, hparamsOf } from "../logging/event-folders.js";
import { configMarkdown, evaluationMarkdown } from "../logging/markdown.js";
import type { EvaluationEvent, RunEnd, RunLogger } from "../logging/run-logger.js";
import type { EncodedImage } from "../logging/tensorboard/index.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";
import { TagKinds } from "./tag-kinds.js";

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
  readonly #tags = new TagKinds();
  readonly #runDir: string;
  readonly #resumeStep: number;

  constructor({ runDir, resumeStep, config }: EventFilesOptions) {
    this.#files = new EventFolders(runDir, resumeStep);
    this.#runDir = runDir;
    this.#resumeStep = resumeStep;
    if (Object.keys(config).length === 0) return;
    const run = this.#files.writer("run");
    run.text("config", configMarkdown(config), resumeStep);
    // the curves are not known yet: TensorBoard makes a column of each
    run.hparams({ hparams: hparamsOf(config), metrics: [] });
    run.flush();
  }

  points(points: readonly MetricPoint[]): void {
    this.#assertThere();
    this.#files.points(points.map((point) => this.#tagged(point)));
  }

  image(split: Split, tag: string, image: EncodedImage, step: number): void {
    this.#assertThere();
    this.#files.writer(split).image(this.#tags.tag(split, tag, "image"), image, step);
  }

  histogram(split: Split, tag: string, values: ArrayLike<number>, step: number): void {
    this.#assertThere();
    this.#files.writer(split).histogram(this.#tags.tag(split, tag, "histogram"), values, step);
  }

  /** Markdown. */
  text(tag: string, text: string, step: number): void {
    this.#assertThere();
    this.#files.writer("run").text(this.#tags.tag("run", tag, "text"), text, step);
  }

  config(config: Readonly<Record<string, unknown>>): void {
    this.text("config", configMarkdown(config), this.#resumeStep);
  }

  evaluation({ rows, step }: EvaluationEvent): void {
    this.#assertThere();
    for (const { split, task_path, metric_name, metric_res, gates } of rows) {
      if (metric_res === null || gates !== "truth") continue;
      this.#files.writer(split).scalar(`${task_path}/${metric_name}/evaluated`, metric_res, step);
    }
    this.text("evaluation", evaluationMarkdown(rows), step);
    this.#files.sync();
  }

  ended(end: RunEnd): void {
    if (!existsSync(this.#runDir)) return;
    // an interrupted run may go on, and only the first mark counts; a pruned one did what it was asked to
    if (end !== "interrupted") this.#files.writer("run").endSession(end === "failed" ? "failure" : "success");
    this.#files.sync();
  }

  close(): void {
    this.#files.close();
  }

  /** The point itself but for a curve whose name something else had first. */
  #tagged(point: MetricPoint): MetricPoint {
    const name = `${point.taskPath}/${point.metricName}`;
    const tag = this.#tags.tag(point.split, name, "curve");
    return tag === name ? point : { ...point, metricName: tag.slice(point.taskPath.length + 1) };
  }

  /** A file that is opened makes its folder, which would bring back a store that was deleted. */
  #assertThere(): void {
    if (existsSync(this.#runDir)) return;
    throw new StoreError(`The run's folder ${this.#runDir} is gone.`, { dir: this.#runDir });
  }
}
