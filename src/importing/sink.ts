/** @file What a source tells of a run → points by split, task and metric, files, and what is left out, counted. */
import { messageOf } from "../errors.js";
import type { EncodedImage } from "../logging/tensorboard/index.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";
import { SYSTEM_TASK } from "../tasks/evaluation.js";
import { type CurveName, type NameReader, splitOf } from "../tracking/names.js";
import type { LeftOut, PointPlace, RunSink } from "./shape.js";
import { nameText } from "./texts.js";

/** Where what fits goes; nothing is kept in a dry run. */
export interface SinkTarget {
  points(points: readonly MetricPoint[]): void;
  image(split: Split, tag: string, image: EncodedImage, step: number, time: number): void;
  histogram(split: Split, tag: string, buckets: Float64Array, step: number, time: number): void;
  text(tag: string, text: string, step: number, time: number): void;
  output(text: string): void;
  /** @returns why the file is not taken; null where it is */
  file(root: string, path: string): string | null;
}

/** How much a run holds. */
export interface Taken {
  readonly points: number;
  readonly curves: number;
  readonly images: number;
  readonly histograms: number;
  readonly texts: number;
  readonly output_bytes: number;
  readonly files: number;
}

const BATCH = 50_000;

export class CountingSink implements RunSink {
  readonly #target: SinkTarget;
  readonly #names: NameReader;
  readonly #onPoints: (points: number) => void;
  readonly #left = new Map<string, LeftOut>();
  readonly #curves = new Set<string>();
  readonly #system = new Map<string, CurveName>();
  /** Points by curve: the database takes those of one curve after another in half the time. */
  #batch = new Map<CurveName, MetricPoint[]>();
  #waiting = 0;
  readonly #counts = { points: 0, images: 0, histograms: 0, texts: 0, output_bytes: 0, files: 0 };
  /** Seconds since 1970 of the first and last thing that was told; null before that. */
  first: number | null = null;
  last: number | null = null;
  /** The highest epoch. */
  epochs = 0;

  /** @param onPoints is told the number of points now and then */
  constructor(target: SinkTarget, names: NameReader, onPoints: (points: number) => void) {
    this.#target = target;
    this.#names = names;
    this.#onPoints = onPoints;
  }

  get taken(): Taken {
    return { ...this.#counts, curves: this.#curves.size };
  }

  get left(): LeftOut[] {
    return [...this.#left.values()];
  }

  point(name: string, value: number, place: PointPlace): void {
    if (!this.#fits("points", name, place)) return;
    const split = splitOf(place.split ?? "train") ?? "train";
    try {
      this.#add(this.#names.read(name, split), value, place);
    } catch (error) {
      this.leave(`points of ${shortName(name)}`, messageOf(error));
    }
  }

  system(name: string, value: number, place: PointPlace): void {
    const metricName = nameText(name);
    if (metricName === null || !this.#fits("points", name, place)) return;
    const curve = this.#system.get(metricName) ?? { split: "train", taskPath: SYSTEM_TASK, metricName };
    this.#system.set(metricName, curve);
    this.#add(curve, value, place);
  }

  image(tag: string, image: EncodedImage, place: PointPlace): void {
    this.#show("images", tag, place, (split) => this.#target.image(split, tag, image, place.step, place.time));
  }

  histogram(tag: string, buckets: Float64Array, place: PointPlace): void {
    this.#show("histograms", tag, place, (split) =>
      this.#target.histogram(split, tag, buckets, place.step, place.time),
    );
  }

  text(tag: string, text: string, place: PointPlace): void {
    this.#show("texts", tag, place, () => this.#target.text(tag, text, place.step, place.time));
  }

  output(text: string): void {
    this.#counts.output_bytes += Buffer.byteLength(text);
    this.#target.output(text);
  }

  file(root: string, path: string, bytes: number): void {
    const reason = this.#target.file(root, path);
    if (reason === null) this.#counts.files += 1;
    else this.leave(bytes > 0 ? "files" : "empty files", reason);
  }

  leave(what: string, reason: string, count = 1): void {
    const key = `${what}\n${reason}`;
    const known = this.#left.get(key);
    // a source that has ever new reasons must not fill the memory
    if (known === undefined && this.#left.size >= MOST_REASONS) this.leave("more", "of many kinds", count);
    else this.#left.set(key, { what, reason, count: (known?.count ?? 0) + count });
  }

  /** Hands on what waits. */
  flush(): void {
    if (this.#waiting === 0) return;
    const batch = [...this.#batch.values()];
    this.#batch = new Map();
    this.#waiting = 0;
    for (const points of batch) this.#target.points(points);
    this.#onPoints(this.#counts.points);
  }

  #add(curve: CurveName, value: number, place: PointPlace): void {
    const { split, taskPath, metricName } = curve;
    const { step, time, epoch = null } = place;
    this.#counts.points += 1;
    const point = { split, taskPath, metricName, step, epoch, value, wallTime: time };
    const known = this.#batch.get(curve);
    if (known === undefined) {
      this.#batch.set(curve, [point]);
      this.#curves.add(`${split}\n${taskPath}\n${metricName}`);
    } else known.push(point);
    if (epoch !== null && epoch > this.epochs) this.epochs = epoch;
    this.#waiting += 1;
    if (this.#waiting >= BATCH) this.flush();
  }

  #show(what: "images" | "histograms" | "texts", tag: string, place: PointPlace, show: (split: Split) => void): void {
    if (!this.#fits(what, tag, place)) return;
    if (tag === "" || tag.length > LONGEST_TAG) {
      this.leave(what, `a tag is a text of 1 to ${LONGEST_TAG} characters`);
      return;
    }
    try {
      show(splitOf(place.split ?? "train") ?? "train");
      this.#counts[what] += 1;
    } catch (error) {
      this.leave(what, messageOf(error));
    }
  }

  #fits(what: string, name: string, { step, time }: PointPlace): boolean {
    if (!Number.isSafeInteger(step) || step < 0) {
      this.leave(`${what} of ${shortName(name)}`, "their step is no whole number, 0 or more");
      return false;
    }
    if (!isTime(time)) {
      this.leave(`${what} of ${shortName(name)}`, "their time is none after 1970");
      return false;
    }
    if (this.first === null || time < this.first) this.first = time;
    if (this.last === null || time > this.last) this.last = time;
    return true;
  }
}

const MOST_REASONS = 100;
const LONGEST_TAG = 200;

/** Whether these are seconds since 1970 that ISO 8601 has a form for. */
export function isTime(seconds: number): boolean {
  return seconds >= 0 && seconds < 253_402_300_800;
}

function shortName(name: string): string {
  const plain = nameText(name) ?? "";
  return JSON.stringify(plain.length > 60 ? `${plain.slice(0, 60)}…` : plain);
}
