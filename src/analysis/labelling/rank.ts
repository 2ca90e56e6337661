/** @file Which empty cells to label next: rows drawn by their expected gain per second of labelling, and that differ. */
import { at } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { ASKED, askedByLabels, NOT_ASKED } from "../../flow/asked.js";
import { isPerElement, type FlowGraph, gatesOf } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import { errorScale, type ErrorScale } from "../audit/residuals.js";
import { answerForm, numbersOf } from "../audit/forms.js";
import { type Lattice, latticeOf } from "../audit/lattice.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type Bundle, type OpenQuestion, rowBundle, sizeOf, withoutBundle } from "./bundles.js";
import { drawOffers, type Offer, pickDiverse, spaceOf } from "./draw.js";
import { answerCounts, answerProbabilities, balanceOf, rowDoubt, type TaskNeed, typicalGain } from "./gains.js";
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
  /** Expected number of questions that are asked at most. */
  readonly budget: number;
  /** Seconds that a label takes, per task of the graph. */
  readonly seconds: readonly number[];
  /** Per task of the graph; null: it is never asked for by itself. */
  readonly needs: readonly (TaskNeed | null)[];
  /** What a trunk makes of each row, [rows, numbers]: rows are alike by it; without it by the network's answers. */
  readonly features?: Float32Array | null;
  /** Rows that may be asked about; default: all. */
  readonly isCandidate?: (row: number) => boolean;
  /** The same seed gives the same cells. */
  readonly seed: string;
}

/** What is worth knowing of a row until its questions are asked. */
interface Row {
  readonly row: number;
  readonly open: readonly OpenQuestion[];
  /** Gain of each open question relative to a typical row of its task. */
  readonly doubt: readonly number[];
  /** Of each that is a gate, how likely each of its answers is. */
  readonly answers: readonly (readonly number[] | null)[];
  /** Nothing of it is known, nor has been asked. */
  readonly isNew: boolean;
}

// gains fall as labels are asked for: they are computed anew after this share of the budget
const ROUNDS = 40;
// a label of a row that is more doubtful than others is worth more, but not in proportion: else the questions that have
// a doubt would take the labels of those that have none, numbers
const [LEAST_DOUBT, MOST_DOUBT] = [0.5, 2];
// the same of gates whose answers are rare: a network's first guesses at them are poor
const [LEAST_BALANCE, MOST_BALANCE] = [0.5, 10];
/**
 * Draws rows by their gain per second until the budget is spent: the best rows by themselves are alike, and lack what the
 * network has not seen yet. A cell whose gate is known to be closed is never among them, and one whose gate
 * is unknown comes after it, in one bundle.
 * @param scored labels, NaN where a cell is empty, beside the network's answers to all rows
 * @returns null where the flow's conditions hang together in too many ways
 */
export function rankCells(graph: FlowGraph, scored: ScoredSplit, options: RankOptions): RankedCell[] | null {
  const lattice = latticeOf(
    graph,
    graph.tasks.filter(({ spec }) => !isPerElement(spec)),
  );
  if (lattice === null) return null;
  const random = createRandom(options.seed);
  let rows = openRows(graph, lattice, scored, options);
  const more = graph.tasks.map(() => 0);
  const answered = scored.tasks.map(answerCounts);
  const ranked: RankedCell[] = [];
  const space = spaceOf(scored, options.features ?? null);
  let [spent, bundles] = [0, 0];
  while (spent < options.budget) {
    const gains = options.needs.map((need, task) => (need === null ? 0 : typicalGain(need, at(more, task))));
    const offers = rows.flatMap((own): Offer[] => {
      const { row, isNew } = own;
      const bundle = rowBundle(withGains(own, gains, answered));
      return bundle === null ? [] : [{ row, bundle, isNew }];
    });
    if (offers.length === 0) break;
    const room = options.budget - spent;
    const wanted = Math.min(Math.max(1, options.budget / ROUNDS), room);
    const picked = pickDiverse(drawOffers(offers, random), { wanted, room }, space);
    // nothing is small enough for what is left
    if (picked.length === 0) break;
    const left = new Map<number, Bundle>();
    for (const { row, bundle } of picked) {
      for (const { task, asked, after, gain, seconds } of bundle.questions) {
        ranked.push({
          row,
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
      left.set(row, bundle);
    }
    rows = rows.flatMap((row) => {
      const bundle = left.get(row.row);
      if (bundle === undefined) return [row];
      countAnswers(row, bundle, answered);
      const rest = withoutCells(row, bundle);
      return rest.open.length === 0 ? [] : [rest];
    });
  }
  return ranked;
}

type Counts = readonly (number[] | null)[];

function withGains({ open, doubt, answers }: Row, gains: readonly number[], answered: Counts): OpenQuestion[] {
  return open.map((question, i) => {
    const [likely, counts] = [answers[i], answered[question.task]];
    const balance =
      likely == null || counts == null ? 1 : Math.min(MOST_BALANCE, Math.max(LEAST_BALANCE, balanceOf(likely, counts)));
    return { ...question, gain: at(gains, question.task) * at(doubt, i) * balance };
  });
}

/** Counts answers that are asked for as they are expected. */
function countAnswers({ open, answers }: Row, { questions }: Bundle, answered: Counts): void {
  for (const { task, asked } of questions) {
    const counts = answered[task];
    answers[open.findIndex((question) => question.task === task)]?.forEach((p, i) => {
      if (counts != null) counts[i] = at(counts, i) + asked * p;
    });
  }
}

function withoutCells({ row, open, doubt, answers }: Row, bundle: Bundle): Row {
  const rest = withoutBundle(open, bundle);
  const places = rest.map((question) => open.indexOf(question));
  return {
    row,
    open: rest,
    doubt: places.map((place) => at(doubt, place)),
    answers: places.map((place) => answers[place] ?? null),
    isNew: false,
  };
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
  const isGate = tasks.map((_, i) => gates.some((own) => own.includes(i)));
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
    const isNew = columns.every(({ labelled }) => labelled[row] !== 1);
    const open: OpenQuestion[] = [];
    const doubt: number[] = [];
    const answers: (readonly number[] | null)[] = [];
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
      answers.push(isGate[i] === true ? answerProbabilities(at(columns, i), row) : null);
    }
    if (open.some((question) => options.needs[question.task] != null)) found.push({ row, open, doubt, answers, isNew });
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
