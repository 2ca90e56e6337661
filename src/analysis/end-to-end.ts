/**
 * @file What a user of the network gets: questions that it should have asked and did not, questions that it asked for
 * nothing, and answers that are right or wrong (docs/architecture.md#end-to-end).
 */
import { at, f64At, i32At, u8At } from "../arrays.js";
import { ASKED, askedByLabels, UNDECIDED } from "../flow/asked.js";
import { isPerElement, type FlowGraph } from "../flow/graph.js";
import { neededOffsets, rowOfEachToken } from "../flow/masks.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import type { EndToEndForm } from "../tasks/end-to-end.js";
import { behaviourOf } from "../tasks/index.js";
import type { Confusion } from "../tasks/metrics/decisions.js";
import { macroAverage } from "../tasks/metrics.js";
import type { ScoredSplit, ScoredTask } from "./score.js";
import { bytes, doubles } from "./scratch.js";

/** How far a number may be off and still be right, as a share of its range. */
export const DEFAULT_TOLERANCE = 0.05;

/** The question is due: the labels say that it is asked. */
export const DUE = 1;
/** The network asks it. */
export const GIVEN = 2;
/** Whether it is due, or which answer is right, cannot be told: a label is missing. */
export const LEFT_OUT = 4;
const RIGHTLY_ASKED = DUE | GIVEN;

/** What became of a task's question about each row, or token. */
export interface Outcomes {
  /** {@link DUE} and {@link GIVEN}, as bits, or {@link LEFT_OUT}. Shape [rows]. */
  readonly fates: Uint8Array;
  /** Share of the answer that is right, from 0 to 1: nothing of one that is not due or not given. Shape [rows]. */
  readonly right: Float64Array;
}

/** What became of a task's questions. */
export function outcomesOf(
  task: ScoredTask,
  askedTruth: Uint8Array,
  form: EndToEndForm<ScoredTask["task"]["spec"]> | null,
  tolerance: number,
): Outcomes {
  const answered = answeredBy(task);
  const { labelled, activePredicted } = task;
  const fates = bytes(askedTruth.length);
  const right = doubles(askedTruth.length);
  for (let row = 0; row < fates.length; row++) {
    const status = u8At(askedTruth, row);
    const isDue = status === ASKED;
    const isLeftOut = status === UNDECIDED || (isDue && u8At(labelled, row) === 0);
    const fate = isLeftOut ? LEFT_OUT : (isDue ? DUE : 0) | (u8At(activePredicted, row) === 1 ? GIVEN : 0);
    fates[row] = fate;
    if (fate === RIGHTLY_ASKED && form !== null) right[row] = form.right(answered, row, tolerance);
  }
  return { fates, right };
}

const answeredBy = ({ task: { spec }, decoded, labels }: ScoredTask) => ({ spec, decoded, labels });

/**
 * Rows of every task that the network answers, with `gates: "end_to_end"`: over the rows that should be asked or are,
 * the share of right answers, precision, recall and F1 of classes and labels (a question that should not be asked has
 * no label, one that is not asked no answer), and, of tasks with a precondition, how well they are asked; of numbers the
 * error where rightly asked. Last the share of rows whose whole tree is right.
 * @param tolerance of numbers, as a share of their range
 */
export function evaluateEndToEnd(
  graph: FlowGraph,
  scored: ScoredSplit,
  tolerance: number = DEFAULT_TOLERANCE,
): EvaluationRow[] {
  const answers = scored.tasks.map(({ labels }) => labels.answers);
  const statuses = askedByLabels(graph, answers, scored.ids.length, scored.offsets);
  const trees = new TreeCount(scored);
  const rows = graph.tasks.flatMap((node): EvaluationRow[] => {
    const { answeredBy: answering, endToEnd } = behaviourOf(node.spec);
    if (answering !== "network") return [];
    const task = at(scored.tasks, node.index);
    // one task at a time, so that no more is kept than one column
    const outcomes = outcomesOf(task, at(statuses, node.index), endToEnd, tolerance);
    trees.add(task, outcomes, endToEnd !== null);
    const counts = countFates(outcomes);
    const counted = counts.due + counts.needless;
    const metrics: NamedValue[] = [
      ...(endToEnd === null
        ? []
        : [
            [endToEnd.rightness, counts.right / counted] as const,
            ...confusionMetrics(task, outcomes, endToEnd),
            ...errorMetrics(task, outcomes, endToEnd),
          ]),
      // what is always asked is asked rightly
      ...(node.precondition === null ? [] : askedMetrics(counts)),
    ];
    return metrics.map(([metric_name, value, num_samples = counted]) => ({
      ...{ split: scored.split, task_path: node.path, metric_name, num_samples, gates: "end_to_end" },
      metric_res: num_samples === 0 || Number.isNaN(value) ? null : value,
    }));
  });
  return [...rows, ...trees.rows()];
}

/** How often what became of the questions of one task, left out ones not among them. */
interface FateCounts {
  readonly due: number;
  /** Due and given. */
  readonly both: number;
  /** Given and not due. */
  readonly needless: number;
  /** Sum of the shares that are right. */
  readonly right: number;
}

function countFates({ fates, right }: Outcomes): FateCounts {
  let [due, both, needless, sum] = [0, 0, 0, 0];
  for (let row = 0; row < fates.length; row++) {
    const fate = u8At(fates, row);
    if (fate === GIVEN) needless++;
    if ((fate & DUE) !== 0) due++;
    if (fate === RIGHTLY_ASKED) both++;
    sum += f64At(right, row);
  }
  return { due, both, needless, right: sum };
}

/** A metric's name and value, NaN where undefined; how many answers it is of, where these are not all due or given. */
type NamedValue = readonly [name: string, value: number, count?: number];

/** Macro averages over what occurs among labels or answers, then each target by name. */
function confusionMetrics(
  task: ScoredTask,
  outcomes: Outcomes,
  form: EndToEndForm<ScoredTask["task"]["spec"]>,
): NamedValue[] {
  const targets = form.targets(task.task.spec);
  const confusions = targets.map((_, i) => confusionOfTarget(task, outcomes, form, i));
  if (targets.length === 0) return [];
  return NAMES.flatMap((name): NamedValue[] => {
    const average: NamedValue = [name, macroAverage(confusions, name)];
    const single = targets.flatMap((target, i): NamedValue[] =>
      target === null ? [] : [[`${name}/${target}`, macroAverage([at(confusions, i)], name)]],
    );
    return [average, ...single];
  });
}

const NAMES = ["precision", "recall", "f1_score"] as const;

/** The i-th class, label or yes against everything else, nothing being a part of that. */
function confusionOfTarget(
  { task: { spec }, labels, decoded }: ScoredTask,
  { fates }: Outcomes,
  form: EndToEndForm<ScoredTask["task"]["spec"]>,
  i: number,
): Confusion {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (let row = 0; row < fates.length; row++) {
    const fate = u8At(fates, row);
    if (fate === LEFT_OUT) continue;
    const truth = (fate & DUE) === 0 ? false : form.says(spec, labels.answers, row, i);
    if (truth === undefined) continue;
    const said = (fate & GIVEN) !== 0 && form.says(spec, decoded, row, i) === true;
    if (truth && said) counts.truePositives++;
    else if (said) counts.falsePositives++;
    else if (truth) counts.falseNegatives++;
    else counts.trueNegatives++;
  }
  return counts;
}

/** Of numbers: the mean distance from the label where the question is due and asked. */
function errorMetrics(
  task: ScoredTask,
  { fates }: Outcomes,
  { error }: EndToEndForm<ScoredTask["task"]["spec"]>,
): NamedValue[] {
  if (error === null) return [];
  const answered = answeredBy(task);
  let [sum, count] = [0, 0];
  for (let row = 0; row < fates.length; row++) {
    if (u8At(fates, row) !== RIGHTLY_ASKED) continue;
    sum += error(answered, row);
    count++;
  }
  return [["mean_absolute_error", sum / count, count]];
}

/** How well is asked: of the questions asked those that are due, and of those due the ones asked. */
function askedMetrics({ due, both, needless }: FateCounts): NamedValue[] {
  const asked = both + needless;
  return [
    ["asked_precision", both / asked, asked],
    ["asked_recall", both / due, due],
  ];
}

/** Rows whose every task is asked where it is due, and only there, and answered rightly. */
class TreeCount {
  readonly #split: ScoredSplit;
  readonly #judged: Uint8Array;
  readonly #right: Uint8Array;
  #isComplete = true;

  constructor(split: ScoredSplit) {
    this.#split = split;
    this.#judged = new Uint8Array(split.ids.length).fill(1);
    this.#right = new Uint8Array(split.ids.length).fill(1);
  }

  /** @param isJudged whether it is known which of the task's answers are right */
  add({ task }: ScoredTask, { fates, right }: Outcomes, isJudged: boolean): void {
    if (!isJudged) this.#isComplete = false;
    const rowOf = isPerElement(task.spec) ? rowOfEachToken(neededOffsets(this.#split.offsets)) : null;
    for (let i = 0; i < fates.length; i++) {
      const fate = u8At(fates, i);
      if (fate === 0 || (fate === RIGHTLY_ASKED && f64At(right, i) >= 1)) continue;
      const row = rowOf === null ? i : i32At(rowOf, i);
      if (fate === LEFT_OUT) this.#judged[row] = 0;
      else this.#right[row] = 0;
    }
  }

  /** None where a task has answers of which it is not known whether they are right. */
  rows(): EvaluationRow[] {
    if (!this.#isComplete) return [];
    const judged = this.#judged.reduce((sum, one) => sum + one, 0);
    const right = this.#judged.reduce((sum, one, row) => sum + (one & u8At(this.#right, row)), 0);
    const facts = { split: this.#split.split, task_path: "_total", metric_name: "tree_accuracy", num_samples: judged };
    return [{ ...facts, gates: "end_to_end", metric_res: judged === 0 ? null : right / judged }];
  }
}
