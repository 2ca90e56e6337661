/**
 * @file A network that says the same of every row, as scored answers: what follows from one row is computed once, and of
 * the others nothing but what depends on their labels.
 */
import { f32At } from "../arrays.js";
import { answerWidth } from "../flow/masks.js";
import {
  behaviourOf,
  type ConstantLogits,
  isOverlap,
  isSummarized,
  keptAnswers,
  type Labels,
  repeatLogits,
  scoringNumbers,
  scoringOf,
} from "../tasks/index.js";
import type { TaskNode } from "../flow/graph.js";
import type { Measured } from "./metrics-under.js";
import { perSampleLosses } from "./score.js";

/** @param rows of the labels, or tokens of a task per token */
export function constantAnswers(task: TaskNode, labels: Labels, constant: ConstantLogits, rows: number): Measured {
  const { spec } = task;
  // summaries know the label, and scales are of each row
  const isAlike = labels.unitScale === null && !isSummarized(spec);
  return isAlike ? answeredAlike(task, labels, constant, rows) : answeredByRow(task, labels, constant, rows);
}

function answeredByRow(task: TaskNode, labels: Labels, constant: ConstantLogits, rows: number): Measured {
  const { spec } = task;
  const behaviour = scoringOf(spec);
  const outputs = repeatLogits(spec, constant, labels, rows);
  const kept = keptAnswers(spec, outputs, () => behaviourOf(spec).activate(spec, outputs));
  const { activated } = scoringNumbers(kept);
  const decoded = behaviour.decode(spec, activated, behaviour.defaultThresholds(spec), labels.unitScale);
  return { task, labels, kept, decoded, perSampleLoss: perSampleLosses(task, outputs, labels, rows) };
}

function answeredAlike(task: TaskNode, labels: Labels, constant: ConstantLogits, rows: number): Measured {
  const { spec } = task;
  const behaviour = behaviourOf(spec);
  const one = Float32Array.from(constant);
  const scores = behaviour.activate(spec, one);
  const answer = behaviour.decode(spec, scores, behaviour.defaultThresholds(spec), null);
  return {
    task,
    labels,
    kept: { kind: "logits", logits: repeated(one, rows), activated: repeated(scores, rows) },
    decoded: repeated(answer, rows),
    // what a whole picture loses is not known of pixels by themselves
    perSampleLoss: isOverlap(spec) ? new Float32Array(rows).fill(Number.NaN) : lossesByLabel(task, labels, one, rows),
  };
}

/** One row again and again. */
function repeated(row: Float32Array, rows: number): Float32Array {
  const all = new Float32Array(rows * row.length);
  if (row.length === 1) return all.fill(f32At(row, 0));
  for (let i = 0; i < rows; i++) all.set(row, i * row.length);
  return all;
}

/** Labels of more different values are not told apart before their loss is computed. */
const MOST_LABELS = 1000;

/** Rows of one label have one loss. */
function lossesByLabel(task: TaskNode, labels: Labels, logits: Float32Array, rows: number): Float32Array {
  const { spec } = task;
  const behaviour = behaviourOf(spec);
  // with a stride of 0 every row reads the same logits
  const view = { data: logits, stride: 0, offset: 0 };
  const { answers } = labels;
  const lossOf = (row: number): number =>
    // a row without terms is 0 / 0 = NaN: it has no loss
    behaviour.lossSum(spec, view, labels, row, null) / behaviour.lossTerms(spec, labels, row);
  const losses = new Float32Array(rows);
  if (answerWidth(spec) !== 1) {
    for (let row = 0; row < rows; row++) losses[row] = lossOf(row);
    return losses;
  }
  const known = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const label = f32At(answers, row);
    let loss = known.get(label);
    if (loss === undefined) {
      loss = lossOf(row);
      if (known.size < MOST_LABELS) known.set(label, loss);
    }
    losses[row] = loss;
  }
  return losses;
}
