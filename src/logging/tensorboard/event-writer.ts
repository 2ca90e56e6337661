/** @file Writes TensorBoard event files: scalars, histograms, images, text, PR curves, hyperparameters, graphs. */
import { CoolError, StoreError } from "../../errors.js";
import { encodeMessage, type ProtoWriter } from "../../protobuf/wire.js";
import { CUSTOM_SCALARS_TAG, type CustomScalarsLayout, encodeLayout } from "./custom-scalars.js";
import { createEventFile, createFolder } from "./event-file.js";
import { encodeGraph, type GraphNode } from "./graph.js";
import { histogramTensor } from "./histogram.js";
import {
  encodeExperiment,
  encodeSessionEnd,
  encodeSessionStart,
  HPARAMS_TAGS,
  type HParams,
  type SessionStatus,
} from "./hparams.js";
import { type EncodedImage, imageTensor } from "./images.js";
import { type PrCurveInput, prCurveTensor } from "./pr-curve.js";
import type { RecordFile } from "./record-file.js";
import { EVENT, FILE_VERSION, PR_CURVE_PLUGIN, SESSION_LOG, SESSION_STATUS, SUMMARY, VALUE } from "./schema.js";
import { type Annotation, type SummaryKind, writeMetadata } from "./summary-kind.js";
import { stringTensor, type Tensor, writeTensor } from "./tensor.js";

export interface EventWriterOptions {
  /** The clock, in seconds since 1970; default: the system's. */
  readonly now?: () => number;
  /** For the file name; default: this machine's. */
  readonly host?: string;
  /** For the file name; default: this process's. */
  readonly pid?: number;
  /** First step that this writer will log: TensorBoard drops older points from there on. Default 0, a new run. */
  readonly resumeStep?: number;
  /** Longest time that a point stays in memory only; default 2. */
  readonly flushSeconds?: number;
}

/** What a tag was first used for in this file. */
interface KnownTag {
  readonly kind: SummaryKind;
  readonly utf8: Uint8Array;
}

const HISTOGRAM_BUCKETS = 30;

/** Values that live in the metadata still need a tensor: the shortest one. */
const EMPTY_TENSOR: Tensor = { shape: [0], values: new Float32Array(0) };

/** The writers at work in this process, by the canonical path of their folder. */
const openWriters = new Map<string, EventWriter>();

/**
 * Creates `folder` and an event file in it. One writer per folder: with two, readers lose points, so a second one in
 * the same process is refused.
 *
 * The caller sees to it that no other process logs to the same folder.
 *
 * @throws StoreError if the folder has a writer already or the file cannot be created
 */
export function openEventWriter(folder: string, options: EventWriterOptions = {}): EventWriter {
  const { now = () => Date.now() / 1000, flushSeconds = 2 } = options;
  const resumeStep = checkedStep(options.resumeStep ?? 0);
  const realFolder = createFolder(folder);
  if (openWriters.has(realFolder)) {
    throw new StoreError(`Another writer is logging to ${folder}. Close it first, or log to a folder of its own.`, {
      folder,
    });
  }
  const file = createEventFile(folder, { ...options, timeSeconds: now() });
  const writer = new EventWriter(file, { now, resumeStep, flushSeconds, release: () => release(realFolder) });
  if (openWriters.size === 0) process.on("exit", flushAll);
  openWriters.set(realFolder, writer);
  return writer;
}

function release(realFolder: string): void {
  openWriters.delete(realFolder);
  if (openWriters.size === 0) process.off("exit", flushAll);
}

/** The last points of writers that nobody closed, e.g. because of an uncaught error. */
function flushAll(): void {
  for (const writer of openWriters.values()) {
    try {
      writer.flush();
    } catch {
      // the process ends in any case, and there is nobody left to tell
    }
  }
}

/**
 * Owns one event file. Points are gathered in memory and written when there are 256 KiB of them, every few seconds,
 * and by `flush`; `sync` also waits for the disk. `close` it at the end.
 *
 * Every method throws a StoreError (file and reason) if the file cannot be written: the points stay in memory, and the
 * next call tries again. Every method throws a CoolError after `close`, for a step that is no whole number, and for a
 * tag that was used for another kind of summary. Descriptions are Markdown and count on the first use of a tag.
 */
export class EventWriter {
  /** Path of the event file. */
  readonly path: string;
  readonly #file: RecordFile;
  readonly #now: () => number;
  readonly #release: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #tags = new Map<string, KnownTag>();
  /** A failed write of the timer, kept for the next call because nobody could catch it there. */
  #timerFailure: unknown;

  /** @internal Use `openEventWriter`. */
  constructor(
    file: RecordFile,
    options: { now: () => number; resumeStep: number; flushSeconds: number; release: () => void },
  ) {
    this.path = file.path;
    this.#file = file;
    this.#now = options.now;
    this.#release = options.release;
    this.#timer = setInterval(() => this.#flushOnTime(), options.flushSeconds * 1000);
    this.#timer.unref(); // a forgotten writer must not keep the process alive
    this.#append(0, (event) => event.string(EVENT.fileVersion, FILE_VERSION));
    this.#append(options.resumeStep, (event) => {
      const log = event.begin(EVENT.sessionLog);
      event.integer(SESSION_LOG.status, SESSION_STATUS.start);
      event.end(log);
    });
  }

  /** One point of a curve. NaN and infinities are shown as such. */
  scalar(tag: string, value: number, step: number, description?: string): void {
    this.#summary("scalar", tag, step, { description }, (out) => out.float(VALUE.simpleValue, value));
  }

  /** The distribution of `values` in buckets of equal width; NaN and infinities are left out. */
  histogram(
    tag: string,
    values: ArrayLike<number>,
    step: number,
    bucketCount: number = HISTOGRAM_BUCKETS,
    description?: string,
  ): void {
    this.#tensor("histogram", tag, step, histogramTensor(values, bucketCount), { description });
  }

  /**
   * A distribution that is in buckets already.
   * @param rows [buckets, 3]: left edge, right edge, count
   */
  buckets(tag: string, rows: Float64Array, step: number, description?: string): void {
    this.#tensor("histogram", tag, step, { shape: [rows.length / 3, 3], values: rows }, { description });
  }

  /** One picture, or several of one size that are shown together. */
  image(tag: string, image: EncodedImage | readonly EncodedImage[], step: number, description?: string): void {
    const images = isList(image) ? image : [image];
    this.#tensor("image", tag, step, imageTensor(tag, images), { description });
  }

  /** Markdown. */
  text(tag: string, markdown: string, step: number, description?: string): void {
    this.#tensor("text", tag, step, stringTensor([1], [markdown]), { description });
  }

  /** Precision and recall at evenly spaced thresholds. */
  prCurve(tag: string, input: PrCurveInput, step: number, description?: string): void {
    const tensor = prCurveTensor(input);
    const content = encodeMessage((out) => out.integer(PR_CURVE_PLUGIN.thresholds, tensor.shape[1] ?? 0));
    this.#tensor("PR curve", tag, step, tensor, { description, content });
  }

  /** This run's row of the HParams table, once per run; its metrics are scalars logged in the usual way. */
  hparams(hparams: HParams): void {
    const time = this.#now();
    this.#once(HPARAMS_TAGS.experiment, encodeExperiment(hparams, time));
    this.#once(HPARAMS_TAGS.sessionStart, encodeSessionStart(hparams, time));
  }

  /** Marks the run of `hparams` as ended. TensorBoard keeps the first such mark of a folder. */
  endSession(status: SessionStatus): void {
    this.#once(HPARAMS_TAGS.sessionEnd, encodeSessionEnd(status, this.#now()));
  }

  /** The charts of the Custom Scalars page. */
  customScalars(layout: CustomScalarsLayout): void {
    this.#tensor("custom scalars layout", CUSTOM_SCALARS_TAG, 0, stringTensor([], [encodeLayout(layout)]), {});
  }

  /** A drawing for the Graphs page; the last one of a folder counts. */
  graph(nodes: readonly GraphNode[]): void {
    const graph = encodeGraph(nodes);
    this.#append(0, (event) => event.raw(EVENT.graphDef, graph));
  }

  /** Hands all points to the operating system: they survive the end of this process. */
  flush(): void {
    this.#checkOpen();
    this.#timerFailure = undefined;
    this.#file.flush();
  }

  /** Flushes and waits for the disk: the points survive a power cut. */
  sync(): void {
    this.#checkOpen();
    this.#timerFailure = undefined;
    this.#file.sync();
  }

  /** Syncs and closes the file. Closing again does nothing. */
  close(): void {
    if (this.#file.closed) return;
    clearInterval(this.#timer);
    this.#release();
    this.#file.close();
  }

  #once(tag: string, content: Uint8Array): void {
    if (this.#tags.has(tag)) {
      throw new CoolError(`${tag} has been written already; TensorBoard reads it once per run.`, { tag });
    }
    this.#tensor("hyperparameters", tag, 0, EMPTY_TENSOR, { content });
  }

  #tensor(kind: SummaryKind, tag: string, step: number, tensor: Tensor, annotation: Annotation): void {
    this.#summary(kind, tag, step, annotation, (out) => {
      const start = out.begin(VALUE.tensor);
      writeTensor(out, tensor);
      out.end(start);
    });
  }

  #summary(
    kind: SummaryKind,
    tag: string,
    step: number,
    annotation: Annotation,
    writeValue: (value: ProtoWriter) => void,
  ): void {
    const known = this.#tags.get(tag);
    if (known !== undefined && known.kind !== kind) throw kindError(tag, known.kind, kind);
    const wholeStep = checkedStep(step);
    const utf8 = known?.utf8 ?? Buffer.from(tag, "utf8");
    if (known === undefined) this.#tags.set(tag, { kind, utf8 });
    this.#append(wholeStep, (event) => {
      const summary = event.begin(EVENT.summary);
      const value = event.begin(SUMMARY.value);
      event.raw(VALUE.tag, utf8);
      if (known === undefined) writeMetadata(event, kind, annotation);
      writeValue(event);
      event.end(value);
      event.end(summary);
    });
  }

  #append(step: number, writeContent: (event: ProtoWriter) => void): void {
    this.#checkOpen();
    this.#file.append((event) => {
      event.double(EVENT.wallTime, this.#now());
      if (step !== 0) event.integer(EVENT.step, step);
      writeContent(event);
    });
    const failure = this.#timerFailure;
    this.#timerFailure = undefined;
    if (failure !== undefined) throw failure;
  }

  #checkOpen(): void {
    if (!this.#file.closed) return;
    throw new CoolError(`The event file ${this.path} is closed. Log before close(), or open a new writer.`, {
      file: this.path,
    });
  }

  #flushOnTime(): void {
    try {
      this.#file.flush();
      this.#timerFailure = undefined;
    } catch (error) {
      this.#timerFailure = error;
    }
  }
}

function checkedStep(step: number): number {
  if (Number.isSafeInteger(step)) return step;
  throw new CoolError(`A step is a whole number, such as the optimizer steps so far, not ${step}.`, { step });
}

function kindError(tag: string, known: SummaryKind, wanted: SummaryKind): CoolError {
  return new CoolError(
    `The tag "${tag}" holds a ${known} and cannot take a ${wanted} too: TensorBoard shows one kind per tag. Use another tag.`,
    { tag, known, wanted },
  );
}

function isList(image: EncodedImage | readonly EncodedImage[]): image is readonly EncodedImage[] {
  return Array.isArray(image);
}
