/** @file What one more label of a task is worth, by how often the task is wrong and how many labels it has. */
import { at, f32At } from "../../arrays.js";
import { behaviourOf } from "../../tasks/index.js";
import { answerForm, choiceProbabilities, questionProbabilities } from "../audit/forms.js";
import { gatesOf, type FlowGraph } from "../../flow/graph.js";
import type { ScoredSplit, ScoredTask } from "../score.js";

/** What is known of a task before anything is asked. */
export interface TaskNeed {
  /** Share of answers that are wrong where the task is asked, of rows that were held out. */
  readonly errorRate: number;
  /** Labels that train it. */
  readonly labels: number;
  /**
   * Root of how many questions a right answer to it takes part in, itself among them: a wrong gate spoils what hangs on
   * it, but a label of it teaches nothing of what it opens.
   */
  readonly influence: number;
}

// errors fall as a power of the number of labels, mostly between −0.35 and −0.5: Hestness et al., "Deep Learning Scaling
// is Predictable, Empirically" (2017)
const POWER = 0.5;

/**
 * Of each task of the graph; null where nothing can be said of it.
 * @param heldOut rows of valid with their labels
 * @param counts usable labels in train
 */
export function taskNeeds(
  graph: FlowGraph,
  heldOut: ScoredSplit,
  counts: readonly number[],
  tolerance: number,
): (TaskNeed | null)[] {
  return heldOut.tasks.map((scored, index): TaskNeed | null => {
    const { spec, path } = scored.task;
    const { endToEnd } = behaviourOf(spec);
    if (answerForm(spec) === null || endToEnd === null) return null;
    let [rows, wrong] = [0, 0];
    scored.lossMask.forEach((used, row) => {
      if (used === 0) return;
      rows++;
      wrong += 1 - endToEnd.right({ spec, decoded: scored.decoded, labels: scored.labels }, row, tolerance);
    });
    const own = rowsOf(scored);
    const hanging = graph.tasks.filter((task) => dependsOn(graph, task.path, path));
    const spoilt = hanging.reduce((sum, task) => sum + rowsOf(at(heldOut.tasks, task.index)) / Math.max(1, own), 0);
    return {
      errorRate: (wrong + 0.5) / (rows + 1),
      labels: at(counts, index),
      influence: Math.sqrt(1 + Math.min(spoilt, hanging.length)),
    };
  });
}

function rowsOf({ activeTruth }: ScoredTask): number {
  return activeTruth.reduce((sum, active) => sum + active, 0);
}

/** Whether a task's condition reads a gate, itself or through other gates. */
function dependsOn(graph: FlowGraph, path: string, gate: string): boolean {
  const task = graph.tasks.find((one) => one.path === path);
  if (task?.precondition == null) return false;
  const gates = gatesOf(task.precondition);
  return gates.has(gate) || [...gates].some((one) => dependsOn(graph, one, gate));
}

/**
 * How much one more label lowers the task's error, times its influence: of an error a·n^−½ the slope is error / 2n.
 * @param more labels that were asked for in the meantime
 */
export function typicalGain({ errorRate, labels, influence }: TaskNeed, more: number): number {
  const now = labels + 1;
  // the error itself falls, too
  const error = errorRate * (now / (now + more)) ** POWER;
  return (influence * POWER * error) / (now + more);
}

/** Expected error of the network's answer to one row: 1 − the probability of what it says; null of numbers. */
export function rowDoubt(scored: ScoredTask, row: number): number | null {
  const form = answerForm(scored.task.spec);
  switch (form?.kind) {
    case "choice":
      return 1 - Math.max(...choiceProbabilities(scored, form.values, row));
    case "questions": {
      const yes = questionProbabilities(scored, form.width, row);
      return yes.reduce((sum, one) => sum + Math.min(one, 1 - one), 0) / yes.length;
    }
    default:
      return null;
  }
}

/** Probability of each answer to a question of classes, or of no and yes; null of numbers and of several questions. */
export function answerProbabilities(scored: ScoredTask, row: number): readonly number[] | null {
  const form = answerForm(scored.task.spec);
  if (form?.kind === "choice") return choiceProbabilities(scored, form.values, row);
  if (form?.kind !== "questions" || form.width > 1) return null;
  const [yes = 0.5] = questionProbabilities(scored, 1, row);
  return [1 - yes, yes];
}

/** How many labels there are of each such answer; null where there are no such answers. */
export function answerCounts(scored: ScoredTask): number[] | null {
  const form = answerForm(scored.task.spec);
  if (form === null || form.kind === "numbers" || (form.kind === "questions" && form.width > 1)) return null;
  const counts = Array.from({ length: form.kind === "choice" ? form.values : 2 }, () => 0);
  scored.lossMask.forEach((used, row) => {
    const answer = f32At(scored.labels.answers, row);
    if (used === 1) counts[answer] = at(counts, answer) + 1;
  });
  return counts;
}

/**
 * What an answer is expected to weigh by the inverse of how often it was given so far, as `balanced` class weights do: 1
 * on average, more where a rare answer is likely.
 */
export function balanceOf(probabilities: readonly number[], counts: readonly number[]): number {
  const smoothed = counts.map((count) => count + 1);
  const all = smoothed.reduce((a, b) => a + b, 0);
  return probabilities.reduce((sum, p, i) => sum + (p * all) / (smoothed.length * at(smoothed, i)), 0);
}
