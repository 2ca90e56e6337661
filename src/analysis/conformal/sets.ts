/** @file What a coverage says of new rows: sets of answers, and which questions are asked in all, some or no trees. */
import { at, f32At, u8At } from "../../arrays.js";
import { conditionKey, type FlowGraph, type TaskSpec } from "../../flow/graph.js";
import { UNKNOWN } from "../../flow/precondition.js";
import { behaviourOf } from "../../tasks/index.js";
import { type GateQuestion, gateQuestions, type Outcome } from "../probability/gate-answers.js";
import { ALWAYS, compileGates, type GateProgram, keyOf, NEVER, restOf } from "../probability/gate-program.js";
import { withCalibration } from "../calibration/apply.js";
import type { ScoredSplit } from "../score.js";
import type { Coverage } from "./coverage.js";
import { type AnswersWithin, answersWithin } from "./strangeness.js";

/** Whether a question is asked in all trees of the set, in none, or in some. */
export type AskedInSet = "yes" | "no" | "unsure";

/** What is said of one row. Lists have one entry per task of the graph. */
export interface RowSets {
  readonly asked: readonly AskedInSet[];
  /** Null where nothing is said of a task's answers. */
  readonly answers: readonly (AnswersWithin | null)[];
  /** Trees in the set, boxes and numbers counted as one answer; null: too many to count, or no set of trees. */
  readonly trees: number | null;
}

/** Ends that a precondition may come to, as bits. */
const [ENDS_NEVER, ENDS_ALWAYS] = [1, 2];
/** Combinations of answers of gates that are counted one by one. */
const MOST_COUNTED = 10_000;

/** Makes the sets of one row after another. */
export class SetReader {
  readonly #graph: FlowGraph;
  readonly #scored: ScoredSplit;
  readonly coverage: Coverage;
  readonly #questions: readonly GateQuestion[];
  /** Per task; equal preconditions share theirs. */
  readonly #programs: readonly GateProgram[];

  constructor(graph: FlowGraph, scored: ScoredSplit, coverage: Coverage) {
    this.#graph = graph;
    this.#scored = withCalibration(scored, coverage.calibrations);
    this.coverage = coverage;
    this.#questions = gateQuestions(graph);
    const programs = new Map<string, GateProgram>();
    this.#programs = graph.tasks.map((task) => {
      const key = conditionKey(task.precondition);
      const program = programs.get(key) ?? compileGates(graph, this.#questions, task);
      programs.set(key, program);
      return program;
    });
  }

  at(row: number): RowSets {
    const answers = this.#graph.tasks.map(({ index }) => {
      const limit = at(this.coverage.limits, index);
      return limit === null ? null : answersWithin(at(this.#scored.tasks, index), row, limit);
    });
    if (this.coverage.of === "answer") return { asked: this.#askedByNetwork(row), answers, trees: null };
    const outcomes = new Map(this.#questions.map((question) => [question, this.#possible(question, answers, row)]));
    const known = new Map<GateProgram, AskedInSet>();
    const asked = this.#programs.map((program) => {
      const found = known.get(program) ?? askedIn(program, outcomes);
      known.set(program, found);
      return found;
    });
    return { asked, answers, trees: new TreeCounter(this.#graph, this.#questions, outcomes, answers).count() };
  }

  #askedByNetwork(row: number): AskedInSet[] {
    return this.#graph.tasks.map(({ index }) =>
      at(this.#scored.tasks, index).activePredicted[row] === 1 ? "yes" : "no",
    );
  }

  /** Outcomes of a question that the limits allow, by number; the last one: nothing is known of the answer. */
  #possible(
    { task, label, outcomes }: GateQuestion,
    answers: readonly (AnswersWithin | null)[],
    row: number,
  ): number[] {
    const within = at(answers, task.index);
    const decoded = f32At(at(this.#scored.tasks, task.index).decoded, row);
    const isPossible = ({ choices, low, high }: Outcome): boolean => {
      if (within === null) return decoded >= low && decoded < high;
      switch (within.form) {
        case "choice":
          return choices.some((choice) => within.within[choice] === true);
        case "labels":
          return choices.some((choice) => (choice === 1 ? within.yes : within.no)[label ?? 0] === true);
        case "numbers":
          return reaches(within, low, high);
        default:
          return within satisfies never;
      }
    };
    const found = outcomes.flatMap((outcome, i) => (isPossible(outcome) ? [i] : []));
    return found.length === 0 ? [outcomes.length] : found;
  }
}

// ends are double precision, labels and bounds single
const SLACK = 1e-6;

function reaches({ low, high }: AnswersWithin & { readonly form: "numbers" }, from: number, to: number): boolean {
  const [least, greatest] = [at(low, 0), at(high, 0)];
  const slack = SLACK * Math.max(1, Math.abs(least), Math.abs(greatest));
  return !(greatest + slack < from || least - slack >= to);
}

function askedIn({ nodes, root }: GateProgram, outcomes: ReadonlyMap<GateQuestion, readonly number[]>): AskedInSet {
  const ends = new Uint8Array(nodes.length + 2);
  ends[NEVER] = ENDS_NEVER;
  ends[ALWAYS] = ENDS_ALWAYS;
  for (const [i, { question, next }] of nodes.entries()) {
    ends[i + 2] = (outcomes.get(question) ?? []).reduce((all, outcome) => all | u8At(ends, at(next, outcome)), 0);
  }
  const found = u8At(ends, root);
  return found === ENDS_ALWAYS ? "yes" : found === ENDS_NEVER ? "no" : "unsure";
}

/** Counts trees: over all answers of gates, the product of what the questions asked then may be answered. */
class TreeCounter {
  readonly #graph: FlowGraph;
  readonly #questions: readonly GateQuestion[];
  readonly #outcomes: ReadonlyMap<GateQuestion, readonly number[]>;
  readonly #answers: readonly (AnswersWithin | null)[];
  #counted = 0;

  constructor(
    graph: FlowGraph,
    questions: readonly GateQuestion[],
    outcomes: ReadonlyMap<GateQuestion, readonly number[]>,
    answers: readonly (AnswersWithin | null)[],
  ) {
    this.#graph = graph;
    this.#questions = questions;
    this.#outcomes = outcomes;
    this.#answers = answers;
  }

  /** Null where there are too many. */
  count(): number | null {
    const found = this.#from(0, new Map());
    return this.#counted > MOST_COUNTED ? null : found;
  }

  /** Trees of the tasks from one on, given what conditions know of those before. */
  #from(index: number, truths: ReadonlyMap<string, number>): number {
    const task = this.#graph.tasks[index];
    if (task === undefined) {
      this.#counted++;
      return 1;
    }
    if (this.#counted > MOST_COUNTED) return 0;
    const isAsked = task.precondition === null || restOf(task.precondition, truths) === 1;
    const own = this.#questions.filter((question) => question.task === task);
    if (!isAsked) {
      const unknown = own.flatMap(({ atoms }) => atoms.map((atom) => [keyOf(atom), UNKNOWN] as const));
      return this.#from(index + 1, new Map([...truths, ...unknown]));
    }
    return this.#branches(own, 0, index, truths) * this.#beyondGates(index, own);
  }

  #branches(own: readonly GateQuestion[], i: number, index: number, truths: ReadonlyMap<string, number>): number {
    const question = own[i];
    if (question === undefined) return this.#from(index + 1, truths);
    let sum = 0;
    for (const number of this.#outcomes.get(question) ?? []) {
      const outcome = question.outcomes[number];
      const known = question.atoms.map((atom, j) => [keyOf(atom), outcome?.truths[j] ?? UNKNOWN] as const);
      sum += this.#answersIn(question, outcome) * this.#branches(own, i + 1, index, new Map([...truths, ...known]));
    }
    return sum;
  }

  /** Answers of the set that an outcome stands for. */
  #answersIn({ task }: GateQuestion, outcome: Outcome | undefined): number {
    const within = at(this.#answers, task.index);
    if (outcome === undefined || within?.form !== "choice") return 1;
    return outcome.choices.filter((choice) => within.within[choice] === true).length;
  }

  /** Answers of a task in which no condition tells anything apart. */
  #beyondGates(index: number, own: readonly GateQuestion[]): number {
    const within = at(this.#answers, index);
    if (within === null) return 1;
    if (within.form === "choice") return own.length > 0 ? 1 : within.within.filter(Boolean).length;
    if (within.form === "numbers") return 1;
    const read = new Set(own.map(({ label }) => label));
    return within.yes.reduce(
      (all, yes, label) => (yes && within.no[label] === true && !read.has(label) ? 2 * all : all),
      1,
    );
  }
}

/** A set of answers in the words of the labels. */
export type DescribedSet =
  /** One of these. */
  | { readonly answers: readonly (boolean | string | number)[] }
  /** All of the first, and any of the second. */
  | { readonly certain: readonly string[]; readonly unsure: readonly string[] }
  /** From where to where each number is; null: without an end. */
  | { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] };

/** A set as results of commands have it. */
export function describeSet(spec: TaskSpec, within: AnswersWithin): DescribedSet {
  switch (within.form) {
    case "choice":
      return { answers: within.within.flatMap((isIn, choice) => (isIn ? [describeChoice(spec, choice)] : [])) };
    case "labels": {
      const names = behaviourOf(spec).logitNames(spec) ?? [];
      return {
        certain: names.filter((_, i) => within.no[i] !== true),
        unsure: names.filter((_, i) => within.no[i] === true && within.yes[i] === true),
      };
    }
    case "numbers":
      return { low: within.low.map(finite), high: within.high.map(finite) };
    default:
      return within satisfies never;
  }
}

function describeChoice(spec: TaskSpec, choice: number): boolean | string | number {
  const described = behaviourOf(spec).describe(spec, Float32Array.of(choice), 0);
  return typeof described === "boolean" || typeof described === "string" ? described : choice;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
