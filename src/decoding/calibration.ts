/**
 * @file Probabilities that mean what they say: maps from the numbers of a network, fitted on labelled rows and kept as
 * plain data. They leave every decision as it is.
 */
import { f32At } from "../arrays.js";
import type { SpecOf, TaskKind, TaskSpec } from "../flow/graph.js";
import type { AnswerColumn } from "../flow/masks.js";
import { sigmoid, softmaxRows } from "./activations.js";

export const CALIBRATION_METHODS = ["temperature", "isotonic"] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** A monotone map of scores, linear between its points and constant beyond them. */
export interface ScoreMap {
  /** Ascending, each once. */
  readonly scores: readonly number[];
  /** Never falling; aligned with `scores`. */
  readonly probabilities: readonly number[];
}

/** What makes probabilities of one task's logits. */
export type TaskCalibration =
  /** Logits are divided by a temperature: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). */
  | { readonly method: "temperature"; readonly temperatures: readonly number[] }
  /** Scores are mapped: Zadrozny & Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates" (KDD 2002). */
  | { readonly method: "isotonic"; readonly maps: readonly ScoreMap[] };

/** How the logits of a kind of task are probabilities. */
interface CalibrationForm<Spec extends TaskSpec> {
  readonly activation: "sigmoid" | "softmax";
  /** Logits of one row. */
  width(spec: Spec): number;
  /** Maps that its logits are taken in turn to, where each is a question of its own. */
  maps(spec: Spec): number;
  /** Whether logit i of all rows should be yes: 1 or 0; NaN where that is unknown. */
  truth(spec: Spec, answers: AnswerColumn, i: number): number;
}

type FormTable = { readonly [K in TaskKind]: CalibrationForm<SpecOf<K>> | null };

const forms: FormTable = {
  binary: { activation: "sigmoid", width: () => 1, maps: () => 1, truth: (_spec, answers, i) => f32At(answers, i) },
  multilabel: {
    activation: "sigmoid",
    width: ({ labels }) => labels.length,
    maps: ({ labels }) => labels.length,
    truth: (_spec, answers, i) => f32At(answers, i),
  },
  // one map for all ranks: each of its own could make "at least high" likelier than "at least middle"
  ordinal: {
    activation: "sigmoid",
    width: ({ levels }) => levels.length - 1,
    maps: () => 1,
    truth({ levels }, answers, i) {
      const width = levels.length - 1;
      const level = f32At(answers, Math.floor(i / width));
      return Number.isNaN(level) ? level : Number(level > i % width);
    },
  },
  classification: {
    activation: "softmax",
    width: ({ classes }) => classes.length,
    maps: ({ classes }) => classes.length,
    truth({ classes }, answers, i) {
      const label = f32At(answers, Math.floor(i / classes.length));
      return Number.isNaN(label) ? label : Number(label === i % classes.length);
    },
  },
  boundedRegression: null,
  regression: null,
  box: null,
  point: null,
  maskedLanguageModeling: null,
  known: null,
  custom: null,
};

/** How the logits of a task are probabilities; null where they are none. Pass the same spec to its functions. */
export function calibrationForm<S extends TaskSpec>(spec: S): CalibrationForm<S> | null {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return forms[spec.kind] as unknown as CalibrationForm<S> | null;
}

/**
 * Calibrated probabilities of a task's logits.
 * @param logits [rows, logitWidth]
 * @returns the same shape: of each sigmoid, or, adding up to 1, of the classes of each row
 */
export function calibrate(spec: TaskSpec, calibration: TaskCalibration, logits: Float32Array): Float32Array {
  const form = calibrationForm(spec);
  if (form === null) throw new Error(`a ${spec.kind} task has no probabilities`);
  const width = form.width(spec);
  if (calibration.method === "temperature") {
    const { temperatures } = calibration;
    const divided = logits.map((z, i) => z / (temperatures[i % temperatures.length] ?? 1));
    return form.activation === "softmax" ? softmaxRows(divided, width) : divided.map(sigmoid);
  }
  const { maps } = calibration;
  const mapped = (scores: Float32Array): Float32Array =>
    scores.map((score, i) => mapScore(maps[i % maps.length] ?? IDENTITY, score));
  if (form.activation === "sigmoid") return mapped(logits.map(sigmoid));
  return normalized(mapped(softmaxRows(logits, width)), width);
}

/**
 * Where a threshold of a score comes to lie among the calibrated probabilities.
 * @param i which of the task's thresholds
 */
export function calibrateThreshold(calibration: TaskCalibration, threshold: number, i: number): number {
  if (calibration.method === "isotonic") {
    return mapScore(calibration.maps[i % calibration.maps.length] ?? IDENTITY, threshold);
  }
  // beyond 0 and 1 no score decides otherwise
  if (threshold <= 0 || threshold >= 1) return threshold;
  const temperature = calibration.temperatures[i % calibration.temperatures.length] ?? 1;
  return sigmoid(Math.log(threshold / (1 - threshold)) / temperature);
}

/** Says every score as it is. */
export const IDENTITY: ScoreMap = { scores: [0, 1], probabilities: [0, 1] };

/** The value of a map at a score; NaN at NaN. */
export function mapScore({ scores, probabilities }: ScoreMap, score: number): number {
  if (Number.isNaN(score)) return score;
  let [low, high] = [0, scores.length];
  // the first point above the score
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scores[middle] ?? 0) > score) high = middle;
    else low = middle + 1;
  }
  const above = Math.min(low, scores.length - 1);
  const below = Math.max(low - 1, 0);
  const [from, to] = [scores[below] ?? 0, scores[above] ?? 0];
  const [start, end] = [probabilities[below] ?? 0, probabilities[above] ?? 0];
  return to > from ? start + ((end - start) * (score - from)) / (to - from) : start;
}

/** Rows that add up to 1; one that is all zero knows nothing. */
function normalized(values: Float32Array, width: number): Float32Array {
  for (let at = 0; at < values.length; at += width) {
    const row = values.subarray(at, at + width);
    const sum = row.reduce((total, value) => total + value, 0);
    for (let c = 0; c < width; c++) row[c] = sum === 0 ? 1 / width : f32At(row, c) / sum;
  }
  return values;
}
