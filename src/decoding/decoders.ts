/**
 * @file How the numbers of a network become answers, for every kind of task that needs no code of the project: a table,
 * closed by the compiler. With the masks of the flow graph this is all that answering takes; nothing here depends on
 * Node.js, TensorFlow.js or a package.
 */
import { f32At } from "../arrays.js";
import type {
  BoundedRegressionSpec,
  BoxSpec,
  PictureFact,
  PointSpec,
  RegressionSpec,
  SpecOf,
  TaskKind,
  TaskSpec,
} from "../flow/graph.js";
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

/** An answer in words: `true`, `"red"`, `["red","blue"]`, `12.5`, `[3, 4]`, null if unknown. */
export type Described = boolean | string | number | readonly string[] | readonly number[] | null;

/** From logits to answers, for one kind of task. */
export interface Decoder<Spec extends TaskSpec> {
  /**
   * Whose answer it is: the network's, or one that comes with the inputs; `training`: the network's, but only while it
   * trains, so that nothing scores, decodes or shows it.
   */
  readonly answeredBy: "network" | "table" | "training";
  /** Numbers that the network says of a row. */
  logitWidth(spec: Spec): number;
  /** [rows, logitWidth] → the same shape, after sigmoid or softmax. */
  activate(spec: Spec, logits: Float32Array): Float32Array;
  /** [rows, logitWidth] → [rows, answerWidth] in label units. */
  decode(spec: Spec, activated: Float32Array, thresholds: Thresholds, unitScale: UnitScale): AnswerColumn;
  /** Thresholds before tuning. */
  defaultThresholds(spec: Spec): Thresholds;
  /** What its labels need to know of the row's picture, one per unit scale; none: they are taken as they are. */
  imageScales(spec: Spec): readonly PictureFact[];
  /** One answer in the words of the labels. */
  describe(spec: Spec, answers: AnswerColumn, row: number): Described;
}

/** What is decoded by functions of the project alone. */
type OfTheProject = "custom";

type DecoderTable = { readonly [K in Exclude<TaskKind, OfTheProject>]: Decoder<SpecOf<K>> };

/** Columns of kinds whose answers have nothing to do with the size of a picture. */
const UNSCALED = { answeredBy: "network", imageScales: () => [] } as const;

const FRAME: readonly PictureFact[] = ["frame-left", "frame-top", "frame-width", "frame-height"];

/** What a figure needs to know of its picture: see PictureScale. */
function pictureFacts({ scale, framed }: BoxSpec | PointSpec): readonly PictureFact[] {
  const sides: readonly PictureFact[] = scale === null ? ["unit", "unit"] : ["image-width", "image-height"];
  if (framed === true) return [...sides, ...FRAME];
  return scale === null ? [] : sides;
}

const describeNumber = (_spec: TaskSpec, answers: AnswerColumn, row: number): Described =>
  knownOr(f32At(answers, row), (answer) => answer);

const describeTruth = (_spec: TaskSpec, answers: AnswerColumn, row: number): Described =>
  knownOr(f32At(answers, row), (answer) => answer >= 0.5);

/** Numbers that are an answer together: unknown where one of them is. */
const describeNumbers =
  (width: number) =>
  (_spec: TaskSpec, answers: AnswerColumn, row: number): Described => {
    const numbers = Array.from(answers.subarray(row * width, (row + 1) * width));
    return numbers.some(Number.isNaN) ? null : numbers;
  };

function nameOf(names: readonly string[], answer: number): Described {
  return knownOr(answer, (index) => names[index] ?? null);
}

function knownOr(answer: number, describe: (known: number) => Described): Described {
  return Number.isNaN(answer) ? null : describe(answer);
}

/** A kind that has no answer of the network's to decode. */
const NOTHING = {
  imageScales: () => [],
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
    ...UNSCALED,
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (_spec, activated, [threshold = 0.5]) => activated.map((score) => decide(score, threshold)),
    defaultThresholds: () => [0.5],
    describe: describeTruth,
  },
  classification: {
    ...UNSCALED,
    logitWidth: ({ classes }) => classes.length,
    activate: ({ classes }, logits) => softmaxRows(logits, classes.length),
    decode: ({ classes }, activated) => largestOf(activated, classes.length),
    defaultThresholds: () => [],
    describe: ({ classes }, answers, row) => nameOf(classes, f32At(answers, row)),
  },
  multilabel: {
    ...UNSCALED,
    logitWidth: ({ labels }) => labels.length,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: ({ labels }, activated, thresholds) =>
      activated.map((score, i) => decide(score, thresholds[i % labels.length] ?? 0.5)),
    defaultThresholds: ({ labels }) => labels.map(() => 0.5),
    describe({ labels }, answers, row) {
      const answer = answers.subarray(row * labels.length, (row + 1) * labels.length);
      return answer.every(Number.isNaN) ? null : labels.filter((_, i) => f32At(answer, i) >= 0.5);
    },
  },
  // one logit for each level but the lowest: that the answer is at least that one
  ordinal: {
    ...UNSCALED,
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
    describe: ({ levels }, answers, row) => nameOf(levels, f32At(answers, row)),
  },
  boundedRegression: {
    answeredBy: "network",
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (spec, activated, _thresholds, unitScale) =>
      activated.map((fraction, row) => denormalize(spec, fraction, unitScaleAt(unitScale, row))),
    defaultThresholds: () => [],
    imageScales: ({ scale }) => (scale === null ? [] : [scale]),
    describe: describeNumber,
  },
  // centre and size in fractions of the picture
  box: {
    answeredBy: "network",
    logitWidth: () => 4,
    activate: (_spec, logits) => logits.map(sigmoid),
    decode: (spec, activated, _thresholds, unitScale) => decodeBoxes(spec, activated, unitScale),
    defaultThresholds: () => [],
    imageScales: pictureFacts,
    describe: describeNumbers(4),
  },
  point: {
    answeredBy: "network",
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
    imageScales: pictureFacts,
    describe: describeNumbers(2),
  },
  regression: {
    ...UNSCALED,
    logitWidth: () => 1,
    activate: (_spec, logits) => logits.slice(),
    decode(spec, activated) {
      const { mean, deviation } = statisticsOf(spec);
      return activated.map((value) => mean + deviation * value);
    },
    defaultThresholds: () => [],
    describe: describeNumber,
  },
  // only training asks it
  maskedLanguageModeling: {
    ...NOTHING,
    answeredBy: "training",
    logitWidth: ({ vocabulary }) => (vocabulary ?? []).length,
    describe: ({ vocabulary }, answers, row) => nameOf(vocabulary ?? [], f32At(answers, row)),
  },
  // the answers come with the inputs
  known: { ...NOTHING, answeredBy: "table", logitWidth: () => 0, describe: describeTruth },
} as const satisfies DecoderTable;
