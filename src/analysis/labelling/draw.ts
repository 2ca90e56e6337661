/** @file Rows drawn by what their questions bring, those that are like others later. */
import { at } from "../../arrays.js";
import type { Random } from "../../data/rng.js";
import { median } from "../../tasks/constants.js";
import { answerForm, numbersOf } from "../audit/forms.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type Bundle, densityOf, rowBundle, sizeOf } from "./bundles.js";

/** Questions of a row that may be asked. */
export interface Offer {
  readonly row: number;
  readonly bundle: Bundle;
  /** Nothing of the row is known, nor has been asked. */
  readonly isNew: boolean;
}

interface Drawn extends Offer {
  /** Logarithm of the weight that it was drawn by, with noise. */
  readonly key: number;
}

// new rows are drawn in proportion to gain per second plus this share of its mean over all rows, about half of them thus
// evenly: what the network does not know of, its gains say nothing of
const EVEN = 1;
// more rows than this share of the budget are not compared with each other
const SHORTLIST = 20;
// a row like one that is labelled is worth this share of one that is like none
const LEAST_FAR = 0.5;

/**
 * All offers in the order in which they are drawn without replacement, by power sampling: P ∝ gain per second, as the top
 * of its logarithm + Gumbel noise (Kirsch et al., "Stochastic Batch Acquisition", TMLR 2023, with β = 1).
 */
export function drawOffers(offers: readonly Offer[], random: Random): Drawn[] {
  const densities = offers.map(({ bundle }) => densityOf(bundle));
  const even = (EVEN * densities.reduce((a, b) => a + b, 0)) / Math.max(1, densities.length);
  return offers
    .map((offer, i): Drawn => {
      const weight = at(densities, i) + (offer.isNew ? even : 0);
      return { ...offer, key: Math.log(weight) + gumbel(random) };
    })
    .sort((a, b) => b.key - a.key || a.row - b.row);
}

function gumbel(random: Random): number {
  // next() may be 0
  return -Math.log(Number.MIN_VALUE - Math.log1p(-random.next()));
}

// rows with labels of a task that others are compared with
const MOST_CENTRES = 500;

/** Where rows lie, and for each task of the graph those that have a label of it already. */
export interface Space {
  readonly vectorOf: (row: number) => Float64Array;
  readonly labelled: readonly Float64Array[][];
}

export function spaceOf(scored: ScoredSplit, features: Float32Array | null): Space {
  const rows = scored.ids.length;
  const scales = features === null ? null : featureScales(features, rows);
  const vectors = new Map<number, Float64Array>();
  const vectorOf = (row: number): Float64Array => {
    const known =
      vectors.get(row) ??
      (features === null || scales === null ? answerVector(scored, row) : scaledRow(features, scales, row));
    vectors.set(row, known);
    return known;
  };
  const labelled = scored.tasks.map((task) => {
    const own = [...scored.ids.keys()].filter((row) => task.labelled[row] === 1);
    const step = Math.max(1, Math.ceil(own.length / MOST_CENTRES));
    return own.filter((_, i) => i % step === 0).map(vectorOf);
  });
  return { vectorOf, labelled };
}

/** The question of a bundle that it is asked for most. */
function mainTask({ questions }: Bundle): number {
  return questions.reduce((best, one) => (one.asked * one.gain > best.asked * best.gain ? one : best), at(questions, 0))
    .task;
}

/** 1 / standard deviation of each number of the features. */
function featureScales(features: Float32Array, rows: number): Float64Array {
  const width = rows === 0 ? 0 : features.length / rows;
  return Float64Array.from({ length: width }, (_, k) => {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const value = at(features, row * width + k);
      sum += value;
      squares += value * value;
    }
    const variance = squares / rows - (sum / rows) ** 2;
    return variance > 1e-12 ? 1 / Math.sqrt(variance) : 0;
  });
}

function scaledRow(features: Float32Array, scales: Float64Array, row: number): Float64Array {
  return scales.map((scale, k) => scale * at(features, row * scales.length + k));
}

/** Scores of all tasks that the network would ask, as one vector: rows that are answered alike are alike. */
function answerVector(scored: ScoredSplit, row: number): Float64Array {
  const numbers = scored.tasks.flatMap((task): number[] => {
    const form = answerForm(task.task.spec);
    const weight = task.activePredicted[row] ?? 0;
    if (form === null || task.kept.kind !== "logits") return [];
    if (form.kind === "numbers") {
      const scale = weight * spread(task);
      return numbersOf(task.task.spec, task.decoded, task.labels.unitScale, row).map((one) => scale * one);
    }
    const { activated } = task.kept;
    const width = activated.length / task.labelled.length;
    return Array.from(activated.subarray(row * width, (row + 1) * width), (one) => weight * one);
  });
  return Float64Array.from(numbers);
}

const spreads = new WeakMap<ScoredTask, number>();

/** 1 / standard deviation of a task's answers, once per task. */
function spread(task: ScoredTask): number {
  const known = spreads.get(task);
  if (known !== undefined) return known;
  const { unitScale } = task.labels;
  const values = Array.from(task.labelled.keys(), (row) =>
    at(numbersOf(task.task.spec, task.decoded, unitScale, row), 0),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const scale = deviation > 0 ? 1 / deviation : 0;
  spreads.set(task, scale);
  return scale;
}

/**
 * Takes offers in turn, those whose rows are like one with a label of what they are asked for most, or like one taken
 * before for the same, later: the weight that a row was drawn by counts times the distance to the nearest of them, as a
 * share of what is usual. A row of which only the gates are known is far from all that have labels behind them.
 * @param wanted expected number of questions after which no more rows are taken
 * @param room expected number of questions that there may be at most: rows are asked less where there is no more room
 */
export function pickDiverse(
  offers: readonly Drawn[],
  { wanted, room }: { readonly wanted: number; readonly room: number },
  { vectorOf, labelled }: Space,
): Offer[] {
  const most = Math.max(50, Math.ceil(wanted * SHORTLIST));
  const left = offers.slice(0, most).map((offer) => {
    const [vector, task] = [vectorOf(offer.row), mainTask(offer.bundle)];
    const nearest = at(labelled, task).reduce((least, other) => Math.min(least, distance(vector, other)), Infinity);
    return { offer, vector, task, nearest };
  });
  const usual = left.length === 0 ? 0 : median(left.map(({ nearest }) => nearest));
  const factor = (nearest: number): number =>
    usual === 0 || nearest >= usual ? 1 : LEAST_FAR + ((1 - LEAST_FAR) * nearest) / usual;
  const key = ({ offer, nearest }: (typeof left)[number]): number => offer.key + Math.log(factor(nearest));
  const picked: Offer[] = [];
  let spent = 0;
  while (spent < wanted && left.length > 0) {
    let best = 0;
    for (let i = 1; i < left.length; i++) if (key(at(left, i)) > key(at(left, best))) best = i;
    const [taken] = left.splice(best, 1);
    if (taken === undefined) break;
    const bundle = rowBundle(taken.offer.bundle.questions, room - spent);
    if (bundle === null) continue;
    picked.push({ ...taken.offer, bundle });
    for (const { task } of bundle.questions) at(labelled, task).push(taken.vector);
    spent += sizeOf(bundle);
    const asked = new Set(bundle.questions.map(({ task }) => task));
    for (const one of left) {
      if (asked.has(one.task)) one.nearest = Math.min(one.nearest, distance(one.vector, taken.vector));
    }
  }
  return picked;
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (at(a, i) - at(b, i)) ** 2;
  return Math.sqrt(sum);
}
