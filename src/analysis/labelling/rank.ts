/** @file Which empty cells to label next: the largest expected gain per second first, over rows that differ. */
import { at } from "../../arrays.js";
import { ASKED, askedByLabels, NOT_ASKED } from "../../flow/asked.js";
import { axisOf, type FlowGraph, gatesOf } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import { errorScale, type ErrorScale } from "../audit/residuals.js";
import { answerForm, numbersOf } from "../audit/forms.js";
import { type Lattice, latticeOf } from "../audit/lattice.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { bestBundle, type Bundle, densityOf, type OpenQuestion, sizeOf, withoutBundle } from "./bundles.js";
import { rowDoubt, type TaskNeed, typicalGain } from "./gains.js";
import { askedProbabilities, signatureProbabilities } from "./reach.js";

/** A cell to label. */
export interface RankedCell {
  /** Of the scored rows. */
  readonly row: number;
  readonly task: number;
  /** Cells of one number are asked together, in their order. */
  readonly bundle: number;
  /** Probability that the question is asked once the cells before it are known. */
  readonly asked: number;
  /** Tasks whose answers decide whether it is asked; empty where it surely is. */
  readonly after: readonly number[];
  readonly gain: number;
  readonly seconds: number;
}

export interface RankOptions {
  /** Expected number of questions that are asked. */
  readonly budget: number;
  /** Seconds that a label takes, per task of the graph. */
  readonly seconds: readonly number[];
  /** Per task of the graph; null: it is never asked for by itself. */
  readonly needs: readonly (TaskNeed | null)[];
  /** What a trunk makes of each row, [rows, numbers]: rows are alike by it; without it by the network's answers. */
  readonly features?: Float32Array | null;
  /** Rows that may be asked about; default: all. */
  readonly isCandidate?: (row: number) => boolean;
}

/** What is worth knowing of a row until its questions are asked. */
interface Row {
  readonly row: number;
  readonly open: readonly OpenQuestion[];
  /** Gain of each open question relative to a typical row of its task. */
  readonly doubt: readonly number[];
}

// gains fall as labels are asked for: they are computed anew after this share of the budget
const ROUNDS = 40;
// more rows than this share of the budget are not compared with each other
const SHORTLIST = 20;
// a label of a row that is more doubtful than others is worth more, but not in proportion: else the questions that have
// a doubt would take the labels of those that have none, numbers
const [LEAST_DOUBT, MOST_DOUBT] = [0.5, 2];
// a row like one that is labelled is worth this share of one that is like none
const LEAST_FAR = 0.05;

/**
 * Ranks cells until the budget is spent. A cell whose gate is known to be closed is never among them, and one whose gate
 * is unknown comes after it, in one bundle.
 * @param scored labels, NaN where a cell is empty, beside the network's answers to all rows
 * @returns null where the flow's conditions hang together in too many ways
 */
export function rankCells(graph: FlowGraph, scored: ScoredSplit, options: RankOptions): RankedCell[] | null {
  const lattice = latticeOf(
    graph,
    graph.tasks.filter(({ spec }) => axisOf(spec) === "sample"),
  );
  if (lattice === null) return null;
  let rows = openRows(graph, lattice, scored, options);
  const more = graph.tasks.map(() => 0);
  const ranked: RankedCell[] = [];
  const space = spaceOf(scored, options.features ?? null);
  let [spent, bundles] = [0, 0];
  while (spent < options.budget) {
    const gains = options.needs.map((need, task) => (need === null ? 0 : typicalGain(need, at(more, task))));
    const offers = rows.flatMap((row): Offer[] => {
      const bundle = bestBundle(withGains(row, gains));
      return bundle === null ? [] : [{ row, bundle, density: densityOf(bundle) }];
    });
    if (offers.length === 0) break;
    offers.sort((a, b) => b.density - a.density || a.row.row - b.row.row);
    const round = Math.max(1, options.budget / ROUNDS);
    const picked = pickDiverse(offers, Math.min(round, options.budget - spent), space);
    const left = new Map<number, Row>();
    for (const { row, bundle } of picked) {
      for (const { task, asked, after, gain, seconds } of bundle.questions) {
        ranked.push({
          row: row.row,
          task,
          bundle: bundles,
          asked,
          after,
          gain: asked * gain,
          seconds: asked * seconds,
        });
        more[task] = at(more, task) + asked;
      }
      bundles++;
      spent += sizeOf(bundle);
      left.set(row.row, withoutCells(row, bundle));
    }
    rows = rows.flatMap((row) => {
      const rest = left.get(row.row) ?? row;
      return rest.open.length === 0 ? [] : [rest];
    });
  }
  return ranked;
}

interface Offer {
  readonly row: Row;
  readonly bundle: Bundle;
  readonly density: number;
}

function withGains({ open, doubt }: Row, gains: readonly number[]): OpenQuestion[] {
  return open.map((question, i) => ({ ...question, gain: at(gains, question.task) * at(doubt, i) }));
}

function withoutCells({ row, open, doubt }: Row, bundle: Bundle): Row {
  const rest = withoutBundle(open, bundle);
  return { row, open: rest, doubt: rest.map((question) => at(doubt, open.indexOf(question))) };
}

/** Rows with questions that may be asked. */
function openRows(graph: FlowGraph, lattice: Lattice, scored: ScoredSplit, options: RankOptions): Row[] {
  const { layers } = lattice;
  const tasks = layers.map(({ task }) => task);
  const own = { ...graph, tasks: tasks.map((task, index) => ({ ...task, index })) };
  const columns = tasks.map(({ index }) => at(scored.tasks, index));
  const status = askedByLabels(
    own,
    columns.map(({ labels }) => labels.answers),
    scored.ids.length,
  );
  const placeOf = new Map(tasks.map(({ path }, i) => [path, i]));
  const gates = tasks.map(({ precondition }) =>
    precondition === null ? [] : [...gatesOf(precondition)].flatMap((path) => placeOf.get(path) ?? []),
  );
  const scales = columns.map(numberScale);
  const means = columns.map((task) => meanDoubt(task));
  const found: Row[] = [];
  for (let row = 0; row < scored.ids.length; row++) {
    if (options.isCandidate?.(row) === false) continue;
    const isOpen = columns.map(
      (task, i) => task.labelled[row] !== 1 && at(status, i)[row] !== NOT_ASKED && isAnswered(task),
    );
    if (!isOpen.includes(true)) continue;
    const asked = askedProbabilities(
      lattice,
      layers.map(({ form, signatures }, i) =>
        signatureProbabilities(at(columns, i), form, signatures, row, at(scales, i)),
      ),
    );
    const open: OpenQuestion[] = [];
    const doubt: number[] = [];
    for (const [i, task] of tasks.entries()) {
      if (isOpen[i] !== true) continue;
      // a question that is surely asked waits for nothing
      const after = at(status, i)[row] === ASKED ? [] : at(gates, i).filter((gate) => isOpen[gate] === true);
      const seconds = at(options.seconds, task.index);
      open.push({
        task: task.index,
        after: after.map((gate) => at(tasks, gate).index),
        asked: at(asked, i),
        gain: 0,
        seconds,
      });
      const [own, mean] = [rowDoubt(at(columns, i), row), at(means, i)];
      doubt.push(own === null || mean === 0 ? 1 : Math.min(MOST_DOUBT, Math.max(LEAST_DOUBT, Math.sqrt(own / mean))));
    }
    if (open.some((question) => options.needs[question.task] != null)) found.push({ row, open, doubt });
  }
  return found;
}

function isAnswered({ task: { spec } }: ScoredTask): boolean {
  return behaviourOf(spec).answeredBy === "network";
}

function meanDoubt(scored: ScoredTask): number {
  let [sum, count] = [0, 0];
  scored.activePredicted.forEach((active, row) => {
    const doubt = active === 1 ? rowDoubt(scored, row) : null;
    if (doubt === null) return;
    sum += doubt;
    count++;
  });
  return count === 0 ? 0 : sum / count;
}

/** Of the errors where a number is labelled. */
function numberScale(scored: ScoredTask): ErrorScale | null {
  const { task, labels, decoded, lossMask } = scored;
  const form = answerForm(task.spec);
  if (form?.kind !== "numbers" || form.width > 1) return null;
  const rows = [...lossMask.keys()].filter((row) => lossMask[row] === 1);
  if (rows.length < 2) return null;
  const values = rows.map((row) => at(numbersOf(task.spec, labels.answers, labels.unitScale, row), 0));
  const errors = rows.map((row, i) => at(values, i) - at(numbersOf(task.spec, decoded, labels.unitScale, row), 0));
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  return errorScale(errors, high - low);
}

// rows with labels of a task that others are compared with
const MOST_CENTRES = 500;

/** Where rows lie, and for each task of the graph those that have a label of it already. */
interface Space {
  readonly vectorOf: (row: number) => Float64Array;
  readonly labelled: readonly Float64Array[][];
}

function spaceOf(scored: ScoredSplit, features: Float32Array | null): Space {
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
 * Takes offers, the best first, whose rows are far from those with a label of what they are asked for most, and from
 * those taken before for the same: density times the distance to the nearest of them, relative to the largest distance
 * there is (greedy k-center: Gonzalez, Theoretical Computer Science 38, 1985). A row of which only the gates are known
 * is far from all that have labels behind them.
 */
function pickDiverse(offers: readonly Offer[], budget: number, { vectorOf, labelled }: Space): Offer[] {
  const most = Math.max(50, Math.ceil(budget * SHORTLIST));
  const left = offers.slice(0, most).map((offer) => {
    const [vector, task] = [vectorOf(offer.row.row), mainTask(offer.bundle)];
    const nearest = at(labelled, task).reduce((least, other) => Math.min(least, distance(vector, other)), Infinity);
    return { offer, vector, task, nearest };
  });
  const picked: Offer[] = [];
  let spent = 0;
  while (spent < budget && left.length > 0) {
    const furthest = left.reduce((most_, { nearest }) => (nearest < Infinity ? Math.max(most_, nearest) : most_), 0);
    const factor = (nearest: number): number =>
      furthest === 0 ? 1 : LEAST_FAR + (1 - LEAST_FAR) * Math.min(1, nearest / furthest);
    let best = 0;
    for (let i = 1; i < left.length; i++) {
      const [one, other] = [at(left, i), at(left, best)];
      if (one.offer.density * factor(one.nearest) > other.offer.density * factor(other.nearest)) best = i;
    }
    const [taken] = left.splice(best, 1);
    if (taken === undefined) break;
    picked.push(taken.offer);
    for (const { task } of taken.offer.bundle.questions) at(labelled, task).push(taken.vector);
    spent += sizeOf(taken.offer.bundle);
    const asked = new Set(taken.offer.bundle.questions.map(({ task }) => task));
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
