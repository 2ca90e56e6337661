/**
 * @file The cost of a flow as a sum of parts that depend on a few thresholds each: the question itself, and those on the way
 * to it. It is such a sum where every condition is a conjunction of statements and their negations.
 */
import { at, f32At, f64At, u8At } from "../../arrays.js";
import { ASKED, askedByLabels, NOT_ASKED } from "../../flow/asked.js";
import { axisOf, type Condition, type ConditionAtom, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth, neededOffsets, overTokens, statement } from "../../flow/masks.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type ChainQuestion, NO_SCORE } from "./candidates.js";
import type { AnswerCosts } from "./objective.js";

/** A statement on the way to a task, or its negation. */
interface Literal {
  readonly statement: ConditionAtom;
  readonly isNegated: boolean;
}

/** A part of the cost. */
export interface CostFactor {
  /** Questions whose thresholds it depends on, ascending. */
  readonly scope: readonly number[];
  /**
   * The cost for each choice of these thresholds, the last one counting up fastest.
   * @returns shape [candidates of the first question, …, of the last]
   */
  table(): Float64Array;
}

/** What a condition is a conjunction of; null: it is none. */
function literalsOf(condition: Condition | null): Literal[] | null {
  if (condition === null) return [];
  if ("task" in condition) return [{ statement: condition, isNegated: false }];
  switch (condition.kind) {
    case "not":
      return "task" in condition.of ? [{ statement: condition.of, isNegated: true }] : null;
    case "and": {
      const parts = condition.of.map(literalsOf);
      const known = parts.filter((part) => part !== null);
      return known.length < parts.length ? null : known.flat();
    }
    case "or":
      return null;
    default:
      return condition satisfies never;
  }
}

/** All statements on the way to a task, those of its gates included; null where one of them hangs on more than all. */
function wayTo(graph: FlowGraph, task: TaskNode): Literal[] | null {
  const own = literalsOf(task.precondition);
  if (own === null) return null;
  const before = own.map(({ statement: { task: path } }) => {
    const gate = graph.tasks.find((node) => node.path === path);
    return gate === undefined ? null : wayTo(graph, gate);
  });
  const known = before.filter((part) => part !== null);
  if (known.length < before.length) return null;
  const unique = new Map([...known.flat(), ...own].map((literal) => [JSON.stringify(literal), literal]));
  return [...unique.values()];
}

/** A threshold on the way to a task. */
interface Step {
  readonly question: number;
  /** Whether the way is open where the answer is no. */
  readonly isNegated: boolean;
}

/** The way to a task: the thresholds on it, and where it is open but for them. */
interface Way {
  readonly task: TaskNode;
  /** Ascending. */
  readonly steps: readonly Step[];
  readonly open: Uint8Array;
}

function questionOf(graph: FlowGraph, questions: readonly ChainQuestion[], { task, ...rest }: ConditionAtom): number {
  const index = graph.tasks.findIndex(({ path }) => path === task);
  const place = rest.kind === "has" ? rest.label : 0;
  return questions.findIndex((question) => question.task === index && question.place === place);
}

/**
 * The parts of what all answers cost.
 * @param questions of the flow, see `chainQuestions`
 * @param costs of each task, in the order of the flow
 * @returns null where the cost is no such sum
 */
export function costFactors(
  graph: FlowGraph,
  scored: ScoredSplit,
  questions: readonly ChainQuestion[],
  costs: readonly AnswerCosts[],
  tolerance: number,
): CostFactor[] | null {
  const labels = scored.tasks.map((task) => task.labels.answers);
  const due = askedByLabels(graph, labels, scored.ids.length, scored.offsets);
  const factors: CostFactor[] = [];
  for (const task of graph.tasks) {
    const { answeredBy, endToEnd } = behaviourOf(task.spec);
    if (answeredBy !== "network" || endToEnd === null) continue;
    const way = openWay(graph, scored, questions, task);
    if (way === null) return null;
    const own = { scored: at(scored.tasks, task.index), due: at(due, task.index), costs: at(costs, task.index) };
    factors.push(...taskFactors(scored, graph, questions, way, own, tolerance));
  }
  return factors;
}

function openWay(
  graph: FlowGraph,
  scored: ScoredSplit,
  questions: readonly ChainQuestion[],
  task: TaskNode,
): Way | null {
  const literals = wayTo(graph, task);
  if (literals === null) return null;
  const entries = at(scored.tasks, task.index).labelled.length;
  const open = new Uint8Array(entries).fill(1);
  const steps: Step[] = [];
  for (const { statement: atom, isNegated } of literals) {
    const question = questionOf(graph, questions, atom);
    if (question >= 0) steps.push({ question, isNegated });
    else narrow(open, fixedTruth(graph, scored, atom, isNegated, task));
  }
  // a question that must be answered both ways leads nowhere, and is rare enough to be left to others
  if (new Set(steps.map(({ question }) => question)).size < steps.length) return null;
  return { task, steps: steps.sort((a, b) => a.question - b.question), open };
}

function narrow(open: Uint8Array, by: Uint8Array): void {
  for (let row = 0; row < open.length; row++) open[row] = u8At(open, row) & u8At(by, row);
}

/** Where a statement that no threshold decides opens the way. */
function fixedTruth(
  graph: FlowGraph,
  scored: ScoredSplit,
  atom: ConditionAtom,
  isNegated: boolean,
  task: TaskNode,
): Uint8Array {
  const gate = graph.tasks.findIndex(({ path }) => path === atom.task);
  const { decoded, task: node, labelled } = at(scored.tasks, gate);
  const width = answerWidth(node.spec);
  const offset = atom.kind === "has" ? atom.label : 0;
  const holds = statement(atom);
  const truths = Uint8Array.from(labelled, (_, row) => {
    const answer = f32At(decoded, row * width + offset);
    return Number(!Number.isNaN(answer) && holds(answer) !== isNegated);
  });
  return spread(scored, node, task, truths);
}

/** Values of a gate's rows at the tokens of a task that is asked per token. */
function spread(scored: ScoredSplit, gate: TaskNode, task: TaskNode, values: Uint8Array): Uint8Array {
  if (axisOf(gate.spec) === axisOf(task.spec)) return values;
  return overTokens(values, neededOffsets(scored.offsets));
}

interface OwnTask {
  readonly scored: ScoredTask;
  readonly due: Uint8Array;
  readonly costs: AnswerCosts;
}

/** One part for being asked or not; of a task that is decided by thresholds one more for each of them. */
function taskFactors(
  scored: ScoredSplit,
  graph: FlowGraph,
  questions: readonly ChainQuestion[],
  way: Way,
  own: OwnTask,
  tolerance: number,
): CostFactor[] {
  const { task, labels, labelled } = own.scored;
  const { wrong, missed, needless } = own.costs;
  const { endToEnd } = behaviourOf(task.spec);
  const answered = { spec: task.spec, decoded: own.scored.decoded, labels };
  const decided = questions.flatMap((question, i) => (question.task === task.index ? [i] : []));
  const isDue = (row: number): boolean => u8At(own.due, row) === ASKED && u8At(labelled, row) === 1;
  let constant = 0;
  const asked = Float64Array.from(labelled, (_, row) => {
    if (u8At(own.due, row) === NOT_ASKED) return needless;
    if (!isDue(row)) return 0;
    constant += missed;
    const mistake = decided.length > 0 || endToEnd === null ? 0 : 1 - endToEnd.right(answered, row, tolerance);
    return wrong * mistake - missed;
  });
  const stepsOf = (steps: readonly Step[]) =>
    steps.map(({ question, isNegated }) => {
      const { task: gate, bins, candidates } = at(questions, question);
      const own = spread(scored, at(graph.tasks, gate), task, bins);
      return { bins: own, count: candidates.length, isNegated };
    });
  const base: CostFactor = {
    scope: way.steps.map(({ question }) => question),
    table: () => {
      const table = sumOverOpen(stepsOf(way.steps), way.open, asked);
      return table.map((value) => value + constant);
    },
  };
  const width = decided.length;
  return [
    base,
    ...decided.map((question, place): CostFactor => {
      // on the way to itself no question stands, so that it comes last
      const { bins, candidates } = at(questions, question);
      const wrongIf = (row: number, answer: number): number => {
        if (!isDue(row)) return 0;
        const label = f32At(labels.answers, row * width + place);
        return Number.isNaN(label) || label === answer ? 0 : wrong / knownLabels(labels.answers, row, width);
      };
      return {
        scope: [...way.steps.map((step) => step.question), question],
        table: () => sumOverDecisions(stepsOf(way.steps), way.open, { bins, count: candidates.length }, wrongIf),
      };
    }),
  ];
}

function knownLabels(answers: Float32Array, row: number, width: number): number {
  let known = 0;
  for (let i = row * width; i < (row + 1) * width; i++) if (!Number.isNaN(answers[i])) known++;
  return known;
}

/** A threshold on a way, over the rows of the task that it leads to. */
interface OpenStep {
  readonly bins: Uint8Array;
  /** Candidates of the threshold. */
  readonly count: number;
  readonly isNegated: boolean;
}

/** First candidate, among those in the order of the sweep, for which the way is open; −1: for none. */
function entryOf({ bins, count, isNegated }: OpenStep, row: number): number {
  const bin = u8At(bins, row);
  if (bin === NO_SCORE) return -1;
  if (isNegated) return bin < count ? bin : -1;
  return bin - 1;
}

/** Place of a row in a table over the steps; −1: no choice opens the way. */
function placeOf(steps: readonly OpenStep[], open: Uint8Array, row: number): number {
  if (u8At(open, row) === 0) return -1;
  let place = 0;
  for (const step of steps) {
    const entry = entryOf(step, row);
    if (entry < 0) return -1;
    place = place * step.count + entry;
  }
  return place;
}

/** For each choice the sum of the weights of rows to which the way is open. */
function sumOverOpen(steps: readonly OpenStep[], open: Uint8Array, weights: Float64Array): Float64Array {
  const table = new Float64Array(steps.reduce((size, { count }) => size * count, 1));
  for (let row = 0; row < open.length; row++) {
    const place = placeOf(steps, open, row);
    if (place >= 0) table[place] = f64At(table, place) + f64At(weights, row);
  }
  accumulate(table, steps);
  return table;
}

/** The same, of a task's own question: what a row weighs depends on its answer. */
function sumOverDecisions(
  steps: readonly OpenStep[],
  open: Uint8Array,
  { bins, count }: { readonly bins: Uint8Array; readonly count: number },
  weightIf: (row: number, answer: number) => number,
): Float64Array {
  // candidates from the row's bin on answer no: before them the weight is that of yes, from them on the difference is added
  const table = new Float64Array(steps.reduce((size, step) => size * step.count, count));
  for (let row = 0; row < open.length; row++) {
    const place = placeOf(steps, open, row);
    if (place < 0) continue;
    const bin = u8At(bins, row);
    // nothing is answered, which is wrong, whatever the threshold
    const [yes, no] =
      bin === NO_SCORE ? [weightIf(row, Number.NaN), weightIf(row, Number.NaN)] : [weightIf(row, 1), weightIf(row, 0)];
    table[place * count] = f64At(table, place * count) + yes;
    if (bin < count) table[place * count + bin] = f64At(table, place * count + bin) + no - yes;
  }
  accumulate(table, [...steps, { count, isNegated: true }]);
  return table;
}

/** Sums along every axis: towards larger candidates where the answer must be no, towards smaller ones where it is yes. */
function accumulate(
  table: Float64Array,
  axes: readonly { readonly count: number; readonly isNegated: boolean }[],
): void {
  let stride = table.length;
  for (const { count, isNegated } of axes) {
    const block = stride;
    stride /= count;
    for (let from = 0; from < table.length; from += block) {
      if (isNegated) {
        for (let i = from + stride; i < from + block; i++) table[i] = f64At(table, i) + f64At(table, i - stride);
      } else {
        for (let i = from + block - stride - 1; i >= from; i--) table[i] = f64At(table, i) + f64At(table, i + stride);
      }
    }
  }
}
