/** @file What gates may answer, as far as conditions tell the answers apart. */
import { f32At, at } from "../../arrays.js";
import {
  type Condition,
  type ConditionAtom,
  type FlowGraph,
  operands,
  type TaskNode,
  type TaskSpec,
} from "../../flow/graph.js";
import { statement } from "../../flow/masks.js";
import { FALSE, TRUE } from "../../flow/precondition.js";
import { answerSpaceOf } from "../../tasks/answer-space.js";
import { isSummarized } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";

/** Answers that no condition tells apart. */
export interface Outcome {
  /** TRUE or FALSE for each statement of the gate. */
  readonly truths: Uint8Array;
  /** Choices that it stands for; empty where the gate is no choice. */
  readonly choices: readonly number[];
  /** Numbers that it stands for, from `low` up to, not including, `high`; of a gate of no other form. */
  readonly low: number;
  readonly high: number;
}

/** One question that conditions ask about: a gate, or one label of a gate. */
export interface GateQuestion {
  readonly task: TaskNode;
  /** Of a gate of several labels. */
  readonly label: number | null;
  /**
   * Where its probabilities come from: scores of choices, the score of a label, or nowhere, so that it is what the
   * network decides.
   */
  readonly form: "choice" | "label" | "decided";
  readonly atoms: readonly ConditionAtom[];
  readonly outcomes: readonly Outcome[];
}

const ALL: Pick<Outcome, "choices" | "low" | "high"> = {
  choices: [],
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
};

/** All questions that the conditions of a flow ask about, in its order. */
export function gateQuestions(graph: FlowGraph): GateQuestion[] {
  const atoms = new Map<string, ConditionAtom>();
  const collect = (condition: Condition): void => {
    if ("task" in condition) atoms.set(JSON.stringify(condition), condition);
    operands(condition).forEach(collect);
  };
  for (const { precondition } of graph.tasks) if (precondition !== null) collect(precondition);
  return graph.tasks.flatMap((task) => {
    const own = [...atoms.values()].filter((atom) => atom.task === task.path);
    return own.length === 0 ? [] : questionsOf(task, own);
  });
}

function questionsOf(task: TaskNode, atoms: readonly ConditionAtom[]): GateQuestion[] {
  const { spec } = task;
  const space = answerSpaceOf<TaskSpec>(spec);
  if (space?.form === "labels") {
    const labels = [...new Set(atoms.flatMap((atom) => (atom.kind === "has" ? [atom.label] : [])))];
    return labels.map((label) => ({
      ...{ task, label, form: "label" },
      atoms: atoms.filter((atom) => atom.kind === "has" && atom.label === label),
      outcomes: [FALSE, TRUE].map((truth) => ({ ...ALL, truths: Uint8Array.of(truth), choices: [truth] })),
    }));
  }
  if (space?.form === "choice" && !isSummarized(spec)) {
    const choices = Array.from({ length: space.count(spec) }, (_, choice) => choice);
    const outcomes = grouped(choices, atoms).map(({ truths, values }) => ({ ...ALL, truths, choices: values }));
    return [{ task, label: null, form: "choice", atoms, outcomes }];
  }
  const cuts = cutsOf(atoms);
  const outcomes = [Number.NEGATIVE_INFINITY, ...cuts].map(
    (low, i): Outcome => ({
      ...{ truths: truthsAt(atoms, low), choices: [], low },
      high: cuts[i] ?? Number.POSITIVE_INFINITY,
    }),
  );
  return [{ task, label: null, form: "decided", atoms, outcomes }];
}

function truthsAt(atoms: readonly ConditionAtom[], answer: number): Uint8Array {
  return Uint8Array.from(atoms, (atom) => (statement(atom)(answer) ? TRUE : FALSE));
}

function grouped(values: readonly number[], atoms: readonly ConditionAtom[]) {
  const groups = new Map<string, { truths: Uint8Array; values: number[] }>();
  for (const value of values) {
    const truths = truthsAt(atoms, value);
    const group = groups.get(truths.join());
    if (group === undefined) groups.set(truths.join(), { truths, values: [value] });
    else group.values.push(value);
  }
  return [...groups.values()];
}

/** Numbers at which a statement changes its truth, ascending. */
function cutsOf(atoms: readonly ConditionAtom[]): number[] {
  const cuts = atoms.flatMap((atom) => {
    switch (atom.kind) {
      case "atLeast":
      case "below":
        return [Math.fround(atom.value)];
      case "isOneOf":
        return atom.classes.flatMap((value) => [value, value + 1]);
      default:
        return [0.5];
    }
  });
  return [...new Set(cuts)].sort((a, b) => a - b);
}

/**
 * How likely each outcome of a question is in one row (token), and last that nothing is known of it, where its score or
 * answer is missing.
 * @param out receives one number for each outcome, and one more
 */
export function outcomeProbabilities(question: GateQuestion, scored: ScoredTask, row: number, out: Float64Array): void {
  const { outcomes, form, label } = question;
  const { spec } = question.task;
  const space = answerSpaceOf<TaskSpec>(spec);
  const last = outcomes.length;
  out.fill(0);
  if (form === "decided" || space === null || scored.kept.kind === "summary") {
    const answer = f32At(scored.decoded, row);
    const found = outcomes.findIndex(({ low, high }) => answer >= low && answer < high);
    out[found < 0 ? last : found] = 1;
    return;
  }
  const { activated } = scored.kept;
  const probabilityOf = ({ choices }: Outcome): number => {
    if (space.form === "labels") {
      const yes = space.probability(spec, activated, row, label ?? 0);
      return at(choices, 0) === 1 ? yes : 1 - yes;
    }
    if (space.form !== "choice") return Number.NaN;
    return choices.reduce((sum, choice) => sum + space.probability(spec, activated, row, choice), 0);
  };
  for (const [i, outcome] of outcomes.entries()) out[i] = probabilityOf(outcome);
  if (!out.some(Number.isNaN)) return;
  out.fill(0);
  out[last] = 1;
}
