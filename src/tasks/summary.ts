/** @file Answers too wide to keep: a softmax over a vocabulary for every token, as the few numbers that analyses need. */
import { f32At } from "../arrays.js";
import { ConfigError } from "../errors.js";
import { axisOf, type ClassificationSpec, type TaskSpec } from "../flow/graph.js";
import type { Labels, LogitView, TaskBehaviour } from "./behaviour.js";
import type { ConstantLogits } from "./constants.js";
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

/** What is kept of a task's answers to a split. */
export type KeptAnswers = AllLogits | Summaries;

/** Every number. */
export interface AllLogits {
  readonly kind: "logits";
  /** [entries, logitWidth] */
  readonly logits: Float32Array;
  /** [entries, logitWidth], after sigmoid or softmax. */
  readonly activated: Float32Array;
}

/** Of very many classes, what analyses need. */
export interface Summaries {
  readonly kind: "summary";
  /** [entries, SUMMARY_WIDTH] */
  readonly summaries: Float32Array;
}

/** @param outputs as the engine keeps them: logits, or summaries where the task {@link isSummarized} */
export function keptAnswers(spec: TaskSpec, outputs: Float32Array, activate: () => Float32Array): KeptAnswers {
  if (isSummarized(spec)) return { kind: "summary", summaries: outputs };
  return { kind: "logits", logits: outputs, activated: activate() };
}

/** What the scoring behaviour of a task takes for its logits and scores: of summaries it takes them for both. */
export function scoringNumbers(kept: KeptAnswers): Pick<AllLogits, "logits" | "activated"> {
  return kept.kind === "logits" ? kept : { logits: kept.summaries, activated: kept.summaries };
}

/**
 * All numbers of answers that cannot be summaries: those of tasks that are asked once per row.
 * @throws Error, a fault of the caller
 */
export function allLogits(kept: KeptAnswers): AllLogits {
  if (kept.kind === "summary") throw new Error("of these answers only summaries are kept");
  return kept;
}

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

/** Summaries of logits that are the same in every row or token, [entries, SUMMARY_WIDTH]. */
export function repeatSummary(spec: ClassificationSpec, logits: ConstantLogits, labels: Labels, entries: number) {
  const scores = classificationBehaviour.activate(spec, Float32Array.from(logits));
  const unlabelled = new Float32Array(SUMMARY_WIDTH).fill(Number.NaN);
  writeBest(scores, unlabelled, 0);
  // of each class once, and not of each entry
  const ofClass = spec.classes.map((_, truth) => {
    const own = unlabelled.slice();
    own[LOSS] = -Math.log(f32At(scores, truth));
    own[AHEAD] = classesAhead(scores, truth);
    return own;
  });
  const summaries = new Float32Array(entries * SUMMARY_WIDTH);
  for (let i = 0; i < entries; i++) {
    summaries.set(ofClass[f32At(labels.answers, i)] ?? unlabelled, i * SUMMARY_WIDTH);
  }
  return summaries;
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
    let rank = named;
    while (rank > 0 && score > f32At(out, at + SCORES + rank - 1)) rank--;
    if (rank >= NAMED) continue;
    named = Math.min(named + 1, NAMED);
    for (let i = named - 1; i > rank; i--) {
      out[at + CLASSES + i] = f32At(out, at + CLASSES + i - 1);
      out[at + SCORES + i] = f32At(out, at + SCORES + i - 1);
    }
    out[at + CLASSES + rank] = c;
    out[at + SCORES + rank] = score;
  }
}

/**
 * Score after softmax of the class that a row, or token, is decoded as.
 * @param classes how many the task has
 * @param decoded index of the class, [entries]
 */
export function decodedScore(kept: KeptAnswers, classes: number, decoded: Float32Array, index: number): number {
  switch (kept.kind) {
    case "summary":
      return f32At(kept.summaries, index * SUMMARY_WIDTH + SCORES);
    case "logits":
      return f32At(kept.activated, index * classes + f32At(decoded, index));
    default:
      return kept satisfies never;
  }
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
  ensemble() {
    throw new ConfigError(
      "Of answers of very many classes per token only summaries are kept, which several networks cannot give together. Ask the folds one by one.",
      {},
    );
  },
  metrics: summaryMetrics,
};
