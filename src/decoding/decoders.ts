/**
 * @file How the numbers of a network become answers, for every kind of task that needs no code of the project: a table,
 * closed by the compiler. With the masks of the flow graph this is all that answering takes; nothing here depends on
 * Node.js, TensorFlow.js or a package.
 */
import { f32At } from "../arrays.js";
import type { BoundedRegressionSpec, RegressionSpec, SpecOf, TaskKind, TaskSpec } from "../flow/graph.js";
import type { AnswerColumn } from "../flow/masks.js";
import { decodeBoxes, writePlace } from "./figures.js";
import { decide, largestOf, sigmoid, softmaxRows } from "./activations.js";

/**
 * Parameters of decoding that are tuned: the threshold of a binary task, one per label of a multilabel, whatever the
 * decoder of a custom task takes, none otherwise.
 */
export type Thresholds = readonly number[];

/**
 * Label units per unit of [min, max], one per row, for regressions scaled by the size of the row's image, and what boxes
 * and points say of the row's picture (see PictureScale); null (all 1) for every other task.
 */
export type UnitScale = Float32Array | null;

/** Units per unit of [min, max] in one row. */
export function unitScaleAt(unitScale: UnitScale, row: number): number {
  return unitScale === null ? 1 : f32At(unitScale, row);
}

/** From logits to answers, for one kind of task. */
export interface Decoder<Spec extends TaskSpec> {
  /** Numbers that the network says of a row. */
  logitWidth(spec: Spec): number;
  /** [rows, logitWidth] → the same shape, after sigmoid or softmax. */
  activate(spec: Spec, logits: Float32Array): Float32Array;
  /** [rows, logitWidth] → [rows, answerWidth] in label units. */
  decode(spec: Spec, activated: Float32Array, thresholds: Thresholds, unitScale: UnitScale): AnswerColumn;
  /** Thresholds before tuning. */
  defaultThresholds(spec: Spec): Thresholds;
}

/** What is decoded by functions of the project alone. */
type OfTheProject = "custom";

type DecoderTable = { readonly [K in Exclude<TaskKind, OfTheProject>]: Decoder<SpecOf<K>> };

/** A kind that has no answer of the network's to decode. */
const NOTHING = {
  activate: () => new Float32Array(0),
  decode: () => new Float32Array(0),
  defaultThresholds: () => [],
};

/** [0, 1] → label units. */
export function denormalize(spec: BoundedRegressionSpec, fraction: number, unitScale: number): number {
  return (spec.min + fraction * (spec.max - spec.min)) * unitScale;
}

/**
 * Mean and deviation of the labels that trained a regression.
 * @throws Error, a fault of the caller, before they are known
 */
export function statisticsOf({ statistics }: RegressionSpec): NonNullable<RegressionSpec["statistics"]> {
  if (statistics === null) throw new Error("the statistics are known once the labels have been read");
  return statistics;
}

export const decoders = {
  binary: {
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (_spec, activated, [threshold = 0.5]) => activated.map((score) => decide(score, threshold)),
    defaultThresholds: () => [0.5],
  },
  classification: {
    logitWidth: ({ classes }) => classes.length,
    activate: ({ classes }, logits) => softmaxRows(logits, classes.length),
    decode: ({ classes }, activated) => largestOf(activated, classes.length),
    defaultThresholds: () => [],
  },
  multilabel: {
    logitWidth: ({ labels }) => labels.length,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: ({ labels }, activated, thresholds) =>
      activated.map((score, i) => decide(score, thresholds[i % labels.length] ?? 0.5)),
    defaultThresholds: ({ labels }) => labels.map(() => 0.5),
  },
  // one logit for each level but the lowest: that the answer is at least that one
  ordinal: {
    logitWidth: ({ levels }) => levels.length - 1,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode({ levels }, activated) {
      const width = levels.length - 1;
      return Float32Array.from({ length: activated.length / width }, (_, row) => {
        const scores = activated.subarray(row * width, (row + 1) * width);
        // a score that is NaN says nothing: the answer is unknown
        if (scores.some(Number.isNaN)) return Number.NaN;
        return scores.reduce((level, score) => level + Number(score > 0.5), 0);
      });
    },
    defaultThresholds: () => [],
  },
  boundedRegression: {
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (spec, activated, _thresholds, unitScale) =>
      activated.map((fraction, row) => denormalize(spec, fraction, unitScaleAt(unitScale, row))),
    defaultThresholds: () => [],
  },
  // centre and size in fractions of the picture
  box: {
    logitWidth: () => 4,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (spec, activated, _thresholds, unitScale) => decodeBoxes(spec, activated, unitScale),
    defaultThresholds: () => [],
  },
  point: {
    logitWidth: () => 2,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode(spec, activated, _thresholds, unitScale) {
      const decoded = new Float32Array(activated.length);
      for (let row = 0; row * 2 < activated.length; row++) {
        writePlace(spec, decoded, row, unitScale, [f32At(activated, row * 2), f32At(activated, row * 2 + 1)]);
      }
      return decoded;
    },
    defaultThresholds: () => [],
  },
  regression: {
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.slice(),
    decode(spec, activated) {
      const { mean, deviation } = statisticsOf(spec);
      return activated.map((value) => mean + deviation * value);
    },
    defaultThresholds: () => [],
  },
  // only training asks it
  maskedLanguageModeling: { ...NOTHING, logitWidth: ({ vocabulary }) => (vocabulary ?? []).length },
  // the answers come with the inputs
  known: { ...NOTHING, logitWidth: () => 0 },
} as const satisfies DecoderTable;
