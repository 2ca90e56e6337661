/**
 * @file What a user of the network gets: questions that it should have asked and did not, questions that it asked for
 * nothing, and answers that are right or wrong (docs/architecture.md#end-to-end).
 */
import { at, u8At } from "../arrays.js";
import { ASKED, askedByLabels, UNDECIDED } from "../flow/asked.js";
import { axisOf, type FlowGraph } from "../flow/graph.js";
import { neededOffsets, rowOfEachToken } from "../flow/masks.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import type { EndToEndForm } from "../tasks/end-to-end.js";
import { behaviourOf } from "../tasks/index.js";
import type { Confusion } from "../tasks/metrics/decisions.js";
import { macroAverage } from "../tasks/metrics.js";
import type { ScoredSplit, ScoredTask } from "./score.js";

/** How far a number may be off and still be right, as a share of its range. */
export const DEFAULT_TOLERANCE = 0.05;

/** What became of one question about one row, or token. */
export interface Outcome {
  /** Whether the labels say that it is asked. */
  readonly due: boolean;
  /** Whether the network asks it. */
  readonly asked: boolean;
  /** Share of the answer that is right, from 0 to 1: nothing of one that is not due or not given. */
  readonly right: number;
}

/**
 * What became of a task's questions.
 * @returns per row (token) its outcome; null where that cannot be told, because a label is missing
 */
export function outcomesOf(
  task: ScoredTask,
  askedTruth: Uint8Array,
  form: EndToEndForm<ScoredTask["task"]["spec"]> | null,
  tolerance: number,
): (Outcome | null)[] {
  const answered = { spec: task.task.spec, decoded: task.decoded, labels: task.labels };
  return Array.from(askedTruth, (status, row): Outcome | null => {
    const due = status === ASKED;
    if (status === UNDECIDED || (due && task.labelled[row] === 0)) return null;
    const asked = task.activePredicted[row] === 1;
    const right = due && asked && form !== null ? form.right(answered, row, tolerance) : 0;
    return { due, asked, right };
  });
}

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
    const { answeredBy, endToEnd } = behaviourOf(node.spec);
    if (answeredBy !== "network") return [];
    const task = at(scored.tasks, node.index);
    const outcomes = outcomesOf(task, at(statuses, node.index), endToEnd, tolerance);
    trees.add(task, outcomes, endToEnd !== null);
    const counted = outcomes.filter((outcome) => outcome !== null && (outcome.due || outcome.asked));
    const right = counted.reduce((sum, outcome) => sum + (outcome?.right ?? 0), 0);
    const metrics: NamedValue[] = [
      ...(endToEnd === null
        ? []
        : [
            [endToEnd.rightness, right / counted.length] as const,
            ...confusionMetrics(task, outcomes, endToEnd),
            ...errorMetrics(task, outcomes, endToEnd),
          ]),
      // what is always asked is asked rightly
      ...(node.precondition === null ? [] : askedMetrics(outcomes)),
    ];
    return metrics.map(([metric_name, value, num_samples = counted.length]) => ({
      ...{ split: scored.split, task_path: node.path, metric_name, num_samples, gates: "end_to_end" },
      metric_res: num_samples === 0 || Number.isNaN(value) ? null : value,
    }));
  });
  return [...rows, ...trees.rows()];
}

/** A metric's name and value, NaN where undefined; how many answers it is of, where these are not all due or given. */
type NamedValue = readonly [name: string, value: number, count?: number];

/** Macro averages over what occurs among labels or answers, then each target by name. */
function confusionMetrics(
  { task, labels, decoded }: ScoredTask,
  outcomes: readonly (Outcome | null)[],
  form: EndToEndForm<ScoredTask["task"]["spec"]>,
): NamedValue[] {
  const { spec } = task;
  const targets = form.targets(spec);
  const confusions = targets.map((_, i): Confusion => {
    const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
    outcomes.forEach((outcome, row) => {
      if (outcome === null) return;
      const truth = outcome.due ? form.says(spec, labels.answers, row, i) : false;
      if (truth === undefined) return;
      const said = outcome.asked && form.says(spec, decoded, row, i) === true;
      if (truth && said) counts.truePositives++;
      else if (said) counts.falsePositives++;
      else if (truth) counts.falseNegatives++;
      else counts.trueNegatives++;
    });
    return counts;
  });
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

/** Of numbers: the mean distance from the label where the question is due and asked. */
function errorMetrics(
  task: ScoredTask,
  outcomes: readonly (Outcome | null)[],
  { error }: EndToEndForm<ScoredTask["task"]["spec"]>,
): NamedValue[] {
  if (error === null) return [];
  const answered = { spec: task.task.spec, decoded: task.decoded, labels: task.labels };
  const errors = outcomes.flatMap((outcome, row) =>
    outcome?.due === true && outcome.asked ? [error(answered, row)] : [],
  );
  const mean = errors.reduce((sum, one) => sum + one, 0) / errors.length;
  return [["mean_absolute_error", mean, errors.length]];
}

/** How well is asked: of the questions asked those that are due, and of those due the ones asked. */
function askedMetrics(outcomes: readonly (Outcome | null)[]): NamedValue[] {
  const count = (of: (outcome: Outcome) => boolean): number =>
    outcomes.filter((outcome) => outcome !== null && of(outcome)).length;
  const [both, asked, due] = [
    count((one) => one.due && one.asked),
    count(({ asked }) => asked),
    count((one) => one.due),
  ];
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
  add({ task }: ScoredTask, outcomes: readonly (Outcome | null)[], isJudged: boolean): void {
    if (!isJudged) this.#isComplete = false;
    const rowOf = axisOf(task.spec) === "token" ? rowOfEachToken(neededOffsets(this.#split.offsets)) : null;
    outcomes.forEach((outcome, i) => {
      const row = rowOf === null ? i : (rowOf[i] ?? 0);
      if (outcome === null) this.#judged[row] = 0;
      else if (outcome.due !== outcome.asked || (outcome.due && outcome.right < 1)) this.#right[row] = 0;
    });
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
