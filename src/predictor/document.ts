/** @file `predictor.json`: everything that answers take besides the network. Checked when it is read. */
import type { TaskCalibration } from "../decoding/calibration.js";
import type { Framed, ResizeFilter } from "../decoding/framing.js";
import { decoders, type Thresholds } from "../decoding/decoders.js";
import type { FlowGraph, SpecOf, TaskKind } from "../flow/graph.js";
import { PredictorError } from "./errors.js";

/** Pixels of [height, width]: stretched, cropped or letterboxed to it. */
export interface ImageInput extends Framed {
  readonly kind: "image";
  /** Resamples pixels; without it `lanczos`. */
  readonly filter?: ResizeFilter;
  readonly channels: 1 | 3;
}

/** A vector of numbers. */
export interface NumericInput {
  readonly kind: "numeric";
  readonly columns: readonly string[];
  readonly listLength: number | null;
  /** Whether the network sees (number − mean) / deviation. */
  readonly standardize: boolean;
  /** A missing number (NaN) is an error, or takes the mean. */
  readonly missing: "error" | "mean";
  readonly statistics: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null;
}

/** One of several categories, as [categories] (one-hot) or as [1] (an index that counts from 1). */
export interface CategoricalInput {
  readonly kind: "categorical";
  readonly categories: readonly string[];
  readonly encoding: "one-hot" | "index";
  readonly missing?: "error" | "category";
}

/** A sequence of tokens; 0 is padding, the vocabulary counts from 1. */
export interface TokensInput {
  readonly kind: "tokens";
  readonly vocabulary: readonly string[] | string;
  readonly maxLength: number;
  readonly unknown: string;
  readonly missing?: "error";
  readonly split: "whitespace" | "characters";
  /** A tokenizer.json, which makes ids from 0 up of texts; it is run by whoever predicts. */
  readonly tokenizer?: TokenizerFacts;
}

/** What is known of a tokenizer.json. */
export interface TokenizerFacts {
  /** As it was written. */
  readonly file: string;
  /** sha256 of the file, hex. */
  readonly digest: string;
  /** The largest id and 1. */
  readonly ids: number;
  readonly truncationSide: "left" | "right" | null;
  readonly specialTokens: boolean;
  readonly padding: {
    readonly id: number;
    readonly typeId: number;
    readonly side: "left" | "right";
    readonly length: number | null;
    readonly multiple: number | null;
  } | null;
}

export type PredictorInput = ImageInput | NumericInput | CategoricalInput | TokensInput;

/** What this release writes. */
export const DOCUMENT_VERSION = 2;
/** What it reads. The first one lacks what an evaluation of a table compares with. */
const READ_VERSIONS: readonly unknown[] = [1, DOCUMENT_VERSION];

/** How a run is evaluated, which no answer hangs on. */
export interface DocumentEvaluation {
  /** Metrics that are computed besides the usual ones. */
  readonly metrics: readonly string[];
  /** Within which a number is right, as a share of its range. */
  readonly tolerance: number;
  /** Column whose rows of one value are no independent evidence; null: rows are single. */
  readonly groupBy: string | null;
  /** Constant answers to compare with, by path of task: logits, and which of them is best by each metric. */
  readonly baselines: Readonly<
    Record<
      string,
      { readonly constants: readonly ArrayLike<number>[]; readonly best: Readonly<Record<string, number>> }
    >
  >;
}

/** What a run answers, and how its inputs are read. */
export interface PredictorDocument {
  readonly format: "dnn-cool-predictor";
  readonly version: 1 | typeof DOCUMENT_VERSION;
  readonly run: { readonly id: string; readonly name: string };
  readonly graph: FlowGraph;
  /** The declared inputs, by name. */
  readonly inputs: Readonly<Record<string, PredictorInput>>;
  /** Tuned thresholds by path of task: a number, or one per label. */
  readonly thresholds: Readonly<Record<string, number | readonly number[]>>;
  /** What makes probabilities of scores, by path of task; null: they are taken as they are. Decisions do not hang on it. */
  readonly calibration: { readonly tasks: Readonly<Record<string, TaskCalibration>> } | null;
  /** Not there in a document of version 1. */
  readonly evaluation?: DocumentEvaluation;
  /** `if`: logits of questions that no row of a batch asks are 0, and say nothing. Not there: all are computed. */
  readonly gates?: "if";
}

/**
 * The document in a parsed JSON value.
 * @throws PredictorError for anything else, or a document of a later release
 */
export function readDocument(value: unknown): PredictorDocument {
  const { format, version, graph, inputs, thresholds, calibration } = fieldsOf(value);
  if (format !== "dnn-cool-predictor") {
    throw new PredictorError(
      'This is no predictor.json of dnn-cool: its "format" is not "dnn-cool-predictor". Give the file that cool export writes.',
      { format },
    );
  }
  if (!READ_VERSIONS.includes(version)) {
    throw new PredictorError(
      `This export is of version ${String(version)}, and this release of dnn-cool reads up to version ${DOCUMENT_VERSION}. Install a newer dnn-cool, or export the run again with this one.`,
      { version, known: DOCUMENT_VERSION },
    );
  }
  const tasks = fieldsOf(graph).tasks;
  const isComplete = Array.isArray(tasks) && isRecord(inputs) && isRecord(thresholds);
  const { formatVersion } = fieldsOf(graph);
  if (isComplete && typeof formatVersion === "number" && formatVersion > 1) {
    throw new PredictorError(
      `The flow of this export is of format version ${formatVersion}, and this release of dnn-cool reads version 1. Install a newer dnn-cool, or export the run again with this one.`,
      { version: formatVersion, known: 1 },
    );
  }
  if (!isComplete || formatVersion !== 1) {
    throw new PredictorError("This predictor.json is not complete. Export the run again.", {});
  }
  if (calibration !== null && !isRecord(fieldsOf(calibration).tasks)) {
    throw new PredictorError(
      'The "calibration" of this predictor.json is neither null nor that of cool calibrate.',
      {},
    );
  }
  // what the writer put there was checked as a run: its parts need no second look
  return value as PredictorDocument;
}

/** A kind of task that is decoded without code of a project. */
export type KnownKind = Exclude<TaskKind, "custom">;
export type KnownSpec = SpecOf<KnownKind>;

/**
 * Thresholds of every task in the order of the graph; defaults for tasks that are not named.
 * @throws PredictorError where there are more or fewer than a task has
 */
export function thresholdsOf({ graph, thresholds }: PredictorDocument): Thresholds[] {
  return graph.tasks.map(({ path, spec }): Thresholds => {
    const named = Object.hasOwn(thresholds, path) ? thresholds[path] : undefined;
    if (spec.kind === "custom") return [named ?? []].flat();
    const defaults = defaultThresholds(spec);
    if (named === undefined) return defaults;
    const values = [named].flat();
    if (values.length === defaults.length) return values;
    throw new PredictorError(
      `The task "${path}" has ${values.length} thresholds in predictor.json, but decides ${defaults.length} questions. Export the run again.`,
      { task: path, thresholds: values },
    );
  });
}

function defaultThresholds<S extends KnownSpec>(spec: S): Thresholds {
  const decoder = decoders[spec.kind] as { defaultThresholds(spec: S): Thresholds };
  return decoder.defaultThresholds(spec);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
