/** @file A run that is imported as TensorBoard event files, at the times of its source. */
import { join } from "node:path";
import { hparamsOf, SYSTEM_GROUP } from "../logging/event-folders.js";
import { configMarkdown } from "../logging/markdown.js";
import { type EncodedImage, type EventWriter, openEventWriter } from "../logging/tensorboard/index.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";
import { SYSTEM_TASK } from "../tasks/evaluation.js";
import { TagKinds } from "../tracking/tag-kinds.js";

type Folder = Split | "run" | "system";

/** Owns the writers, which are opened when they are first used. Close it. */
export class RunEvents {
  readonly #dir: string;
  readonly #writers = new Map<Folder, EventWriter>();
  readonly #tags = new TagKinds();
  #time = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  points(points: readonly MetricPoint[]): void {
    for (const { split, taskPath, metricName, value, step, wallTime } of points) {
      if (value === null) continue;
      const isSystem = taskPath === SYSTEM_TASK;
      const folder = isSystem ? "system" : split;
      const name = `${isSystem ? SYSTEM_GROUP : taskPath}/${metricName}`;
      this.#writer(folder, wallTime).scalar(this.#tags.tag(folder, name, "curve"), value, step);
    }
  }

  image(split: Split, tag: string, image: EncodedImage, step: number, time: number): void {
    this.#writer(split, time).image(this.#tags.tag(split, tag, "image"), image, step);
  }

  histogram(split: Split, tag: string, buckets: Float64Array, step: number, time: number): void {
    this.#writer(split, time).buckets(this.#tags.tag(split, tag, "histogram"), buckets, step);
  }

  text(tag: string, text: string, step: number, time: number): void {
    this.#writer("run", time).text(this.#tags.tag("run", tag, "text"), text, step);
  }

  /** Settings and how it ended. */
  end(config: Readonly<Record<string, unknown>>, isFailure: boolean, startedAt: number, endedAt: number): void {
    if (Object.keys(config).length > 0) {
      const run = this.#writer("run", startedAt);
      run.text(this.#tags.tag("run", "config", "text"), configMarkdown(config), 0);
      run.hparams({ hparams: hparamsOf(config), metrics: [] });
    }
    this.#writer("run", endedAt).endSession(isFailure ? "failure" : "success");
  }

  close(): void {
    for (const writer of this.#writers.values()) writer.close();
    this.#writers.clear();
  }

  #writer(folder: Folder, time: number): EventWriter {
    this.#time = time;
    const known = this.#writers.get(folder);
    if (known !== undefined) return known;
    const dir = folder === "run" ? this.#dir : join(this.#dir, folder);
    const writer = openEventWriter(dir, { now: () => this.#time, flushSeconds: 3600 });
    this.#writers.set(folder, writer);
    return writer;
  }
}
