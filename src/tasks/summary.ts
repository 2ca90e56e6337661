/** @file Answers too wide to keep: a softmax over a vocabulary for every token, as the few numbers that analyses need. */
import { f32At } from "../arrays.js";
import { axisOf, type ClassificationSpec, type TaskSpec } from "../flow/graph.js";
import type { Labels, LogitView, TaskBehaviour } from "./behaviour.js";
import { classificationBehaviour } from "./kinds/classification.js";
import { classificationMetrics, type MetricTable } from "./metrics.js";

/** More classes than this, for every token of every row, are not kept one by one. */
const MOST_CLASSES = 256;
/** Classes of highest score that a summary names, as many as metrics ask for. */
const NAMED = 5;

const LOSS = 0;
const AHEAD = 1;
const CLASSES = 2;
const SCORES = CLASSES + NAMED;

/**
 * Numbers of one summary: the cross entropy, how many classes are ahead of the labelled one (both NaN without a label),
 * the classes of highest score, the best first, and their scores after softmax.
 */
export const SUMMARY_WIDTH = SCORES + NAMED;

/** Whether answers of a task are kept as summaries: one of many classes, for each token. */
export function isSummarized(spec: TaskSpec): spec is ClassificationSpec {
  return spec.kind === "classification" && axisOf(spec) === "token" && spec.classes.length > MOST_CLASSES;
}

/**
 * Writes the summary of one row's logits.
 * @param out receives SUMMARY_WIDTH numbers at `at`
 */
export function summarize(
  spec: ClassificationSpec,
  logits: LogitView,
  labels: Labels,
  row: number,
  out: Float32Array,
  at: number,
): void {
  const from = row * logits.stride + logits.offset;
  const classes = spec.classes.length;
  const scores = classificationBehaviour.activate(spec, logits.data.subarray(from, from + classes));
  const truth = f32At(labels.answers, row);
  const isLabelled = !Number.isNaN(truth);
  out[at + LOSS] = isLabelled ? classificationBehaviour.lossSum(spec, logits, labels, row, null) : Number.NaN;
  out[at + AHEAD] = isLabelled ? classesAhead(scores, truth) : Number.NaN;
  writeBest(scores, out, at);
}

/** Among equal scores earlier classes come first, as the decoded one does; NaN where a score is NaN. */
function classesAhead(scores: Float32Array, truth: number): number {
  const own = f32At(scores, truth);
  let ahead = 0;
  for (let c = 0; c < scores.length; c++) {
    const other = f32At(scores, c);
    if (Number.isNaN(other)) return Number.NaN;
    if (other > own || (other === own && c < truth)) ahead++;
  }
  return ahead;
}

/** Among equal scores the first class comes first, as the decoded one does. */
function writeBest(scores: Float32Array, out: Float32Array, at: number): void {
  let named = 0;
  for (let c = 0; c < scores.length; c++) {
    const score = f32At(scores, c);
    let place = named;
    while (place > 0 && score > f32At(out, at + SCORES + place - 1)) place--;
    if (place >= NAMED) continue;
    named = Math.min(named + 1, NAMED);
    for (let i = named - 1; i > place; i--) {
      out[at + CLASSES + i] = f32At(out, at + CLASSES + i - 1);
      out[at + SCORES + i] = f32At(out, at + SCORES + i - 1);
    }
    out[at + CLASSES + place] = c;
    out[at + SCORES + place] = score;
  }
}

/**
 * Score of the class that a row is decoded as.
 * @param classes how many it has
 * @param scores after softmax, [rows, classes], or summaries
 */
export function decodedScore(
  spec: TaskSpec,
  classes: number,
  scores: Float32Array,
  decoded: Float32Array,
  row: number,
): number {
  const at = isSummarized(spec) ? row * SUMMARY_WIDTH + SCORES : row * classes + f32At(decoded, row);
  return f32At(scores, at);
}

/** One number of each summary. */
function column(summaries: Float32Array, which: number): Float32Array {
  return Float32Array.from({ length: summaries.length / SUMMARY_WIDTH }, (_, row) =>
    f32At(summaries, row * SUMMARY_WIDTH + which),
  );
}

const NEED_SCORES: ReadonlySet<string> = new Set(["log_loss", "roc_auc", "average_precision"]);

/** Those that need no scores of all classes; log_loss is the loss. */
const summaryMetrics: MetricTable<ClassificationSpec> = {
  facts: (spec) => classificationMetrics.facts(spec).filter(({ name }) => !NEED_SCORES.has(name)),
  values(scored, onDemand = []) {
    const possible = onDemand.filter((name) => !NEED_SCORES.has(name));
    return classificationMetrics.values({ ...scored, classesAhead: column(scored.activated, AHEAD) }, possible);
  },
};

/** How a classification behaves once its logits are summaries, which take their place and that of the scores. */
export const summaryBehaviour: TaskBehaviour<ClassificationSpec> = {
  ...classificationBehaviour,
  logitWidth: () => SUMMARY_WIDTH,
  logitNames: () => null,
  lossSum(_spec, { data, stride, offset }, labels, row) {
    return Number.isNaN(labels.answers[row]) ? 0 : f32At(data, row * stride + offset + LOSS);
  },
  activate: (_spec, summaries) => summaries,
  decode: (_spec, summaries) => column(summaries, CLASSES),
  metrics: summaryMetrics,
};
