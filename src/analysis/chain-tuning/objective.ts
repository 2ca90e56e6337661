/** @file What thresholds are chosen for: the score that users get, or what their answers cost. */
import { f64At } from "../../arrays.js";
import { ratio } from "../../tasks/metrics/decisions.js";

/** Metrics of answers end to end that thresholds can be chosen for. */
export const CHAIN_METRICS = ["f1_score", "accuracy", "precision", "recall"] as const;
export type ChainMetric = (typeof CHAIN_METRICS)[number];

/** What one answer costs that is wrong, missed (due and not given), or needless (given and not due). */
export interface AnswerCosts {
  readonly wrong: number;
  readonly missed: number;
  readonly needless: number;
}

export type ChainObjective =
  /** The mean over the tasks, of tasks without the metric of their share of right answers. */
  | { readonly kind: "metric"; readonly metric: ChainMetric }
  /** The sum over the tasks, per row. @param costs in the order of the flow */
  | { readonly kind: "cost"; readonly costs: readonly AnswerCosts[] };

/** A metric that must be reached: on average over the tasks that have it, or by one of them. */
export interface Floor {
  readonly metric: ChainMetric;
  /** Place in the flow; null: the mean over the tasks. */
  readonly task: number | null;
  readonly least: number;
}

/** Sums over the rows of one task, which all objectives are computed from. */
export interface TaskSums {
  /** Questions due. */
  readonly due: number;
  /** Of each target how often it is the label of a question due. */
  readonly truths: readonly number[];
  /**
   * Due and given, given, right, and of each target how often it is rightly answered and how often it is answered (where
   * its label is known).
   */
  readonly sums: Float64Array;
}

export const BOTH = 0;
export const GIVEN = 1;
export const RIGHT = 2;
export const TARGETS = 3;

/** Numbers of `sums`. */
export function sumsWidth(targets: number): number {
  return TARGETS + 2 * targets;
}

/** Whether a task takes part in means: something is due. */
const takesPart = ({ due }: TaskSums): boolean => due > 0;

/** A metric of one task end to end, as `evaluateEndToEnd` has it; where it is undefined it is nothing. */
export function metricOf({ due, truths, sums }: TaskSums, metric: ChainMetric): number {
  const given = f64At(sums, GIVEN);
  const counted = due + given - f64At(sums, BOTH);
  if (metric === "accuracy" || truths.length === 0) return ratio(f64At(sums, RIGHT), counted);
  let [total, occurring] = [0, 0];
  truths.forEach((truth, i) => {
    const [hits, said] = [f64At(sums, TARGETS + 2 * i), f64At(sums, TARGETS + 2 * i + 1)];
    if (truth + said === 0) return;
    occurring++;
    if (metric === "precision") total += ratio(hits, said);
    else if (metric === "recall") total += ratio(hits, truth);
    else total += ratio(2 * hits, truth + said);
  });
  return ratio(total, occurring);
}

/** What the answers of one task cost, all rows together. */
export function costOf({ due, sums }: TaskSums, { wrong, missed, needless }: AnswerCosts): number {
  const [both, given, right] = [f64At(sums, BOTH), f64At(sums, GIVEN), f64At(sums, RIGHT)];
  return wrong * (both - right) + missed * (due - both) + needless * (given - both);
}

/** A metric's mean over the tasks of which something is due. */
function meanOf(tasks: readonly (TaskSums | null)[], metric: ChainMetric, hasIt: (task: TaskSums) => boolean): number {
  const own = tasks.filter((task) => task !== null).filter((task) => takesPart(task) && hasIt(task));
  return ratio(
    own.reduce((sum, task) => sum + metricOf(task, metric), 0),
    own.length,
  );
}

/** @param rows of the split @returns the mean metric, or the cost per row */
export function objectiveOf(tasks: readonly (TaskSums | null)[], objective: ChainObjective, rows: number): number {
  switch (objective.kind) {
    case "metric":
      return meanOf(tasks, objective.metric, () => true);
    case "cost": {
      const { costs } = objective;
      const total = tasks.reduce((sum, task, i) => {
        const own = costs[i];
        return task === null || own === undefined ? sum : sum + costOf(task, own);
      }, 0);
      return ratio(total, rows);
    }
    default:
      return objective satisfies never;
  }
}

/** What a floor's metric comes to. */
export function floorValue(tasks: readonly (TaskSums | null)[], { metric, task }: Floor): number {
  if (task === null) return meanOf(tasks, metric, ({ truths }) => metric === "accuracy" || truths.length > 0);
  const own = tasks[task] ?? null;
  return own === null ? 0 : metricOf(own, metric);
}

/** What a floor is about, where thresholds cannot bring a task nearer to it: tasks by their places in the flow. */
export interface Barren {
  /** None of their questions is due. */
  readonly neverDue: readonly number[];
  /** Questions are due, and no label has what the metric looks for: a yes, or one of several labels. */
  readonly nothingToFind: readonly number[];
  /** Tasks whose value can be above 0. */
  readonly fruitful: number;
}

/** Which of a floor's tasks have a value of 0 whatever the thresholds are, and how many have not. */
export function barrenUnder(tasks: readonly (TaskSums | null)[], { metric, task }: Floor): Barren {
  const [neverDue, nothingToFind]: [number[], number[]] = [[], []];
  let fruitful = 0;
  tasks.forEach((own, index) => {
    const isMeant = task === null ? metric === "accuracy" || (own?.truths.length ?? 0) > 0 : task === index;
    if (own === null || !isMeant) return;
    const { truths } = own;
    if (!takesPart(own)) neverDue.push(index);
    else if (metric !== "accuracy" && truths.length > 0 && truths.every((count) => count === 0)) {
      nothingToFind.push(index);
    } else fruitful++;
  });
  return { neverDue, nothingToFind, fruitful };
}

/** How good thresholds are: first how far they stay below the floors, then the objective. */
export interface Merit {
  readonly short: number;
  /** More is better. */
  readonly value: number;
}

// differences of sums in another order are no differences
const EPSILON = 1e-12;

export function meritOf(
  tasks: readonly (TaskSums | null)[],
  objective: ChainObjective,
  floors: readonly Floor[],
  rows: number,
): Merit {
  const value = objectiveOf(tasks, objective, rows);
  const short = floors.reduce((sum, floor) => sum + Math.max(0, floor.least - floorValue(tasks, floor)), 0);
  return { short: short <= EPSILON ? 0 : short, value: objective.kind === "cost" ? -value : value };
}

export function isBetter(a: Merit, b: Merit): boolean {
  if (Math.abs(a.short - b.short) > EPSILON) return a.short < b.short;
  return a.value > b.value + EPSILON;
}
