/** @file Metrics of classification tasks: top-k accuracy, averages over classes, agreement, and areas under curves. */
import type { ClassificationSpec } from "../../flow/graph.js";
import type { MetricValue, Scored } from "../behaviour.js";
import { AVERAGE_NAMES, AVERAGED_METRICS, averagesOf, macroAverage } from "./averages.js";
import { type Confusion, cohenKappa, matthewsCorrelation } from "./decisions.js";
import { negativeLogLikelihood } from "./log-loss.js";
import { rankingMetrics } from "./ranking.js";
import { sortByScore } from "./sort.js";

const TOP_K = [3, 5] as const;
const LARGEST_FURTHER_K = 10;

/** The rows that count, and how their classes were confused. */
interface ScoredClasses {
  readonly scored: Scored<ClassificationSpec>;
  readonly rows: Uint32Array;
  /** Each class against the rest. */
  readonly confusions: readonly Confusion[];
}

const ON_DEMAND = {
  matthews_correlation: ({ confusions }) => matthewsCorrelation(confusions),
  cohen_kappa: ({ confusions }) => cohenKappa(confusions),
  log_loss: (classes) => logLoss(classes),
  roc_auc: (classes) => oneVersusRest(classes, ({ rocAuc }) => rocAuc),
  average_precision: (classes) => oneVersusRest(classes, ({ averagePrecision }) => averagePrecision),
} as const satisfies Readonly<Record<string, (classes: ScoredClasses) => number | null>>;
const ON_DEMAND_NAMES = Object.keys(ON_DEMAND) as readonly (keyof typeof ON_DEMAND)[];

/** Computed where they are asked for; `accuracy_2` to `accuracy_10` as far as there are more classes. */
export function onDemandClassificationMetrics({ classes }: ClassificationSpec): string[] {
  return [...AVERAGE_NAMES, ...ON_DEMAND_NAMES, ...onDemandTopK(classes.length).map((k) => `accuracy_${k}`)];
}

function onDemandTopK(classes: number): number[] {
  const all = Array.from({ length: Math.min(classes - 1, LARGEST_FURTHER_K) }, (_, i) => i + 1);
  return all.filter((k) => k > 1 && !TOP_K.some((always) => always === k));
}

/**
 * accuracy_1 (of the decoded class), accuracy_3 and accuracy_5 (those below the number of classes), and macro
 * f1_score, precision and recall over the classes that occur among labels or decoded answers, as in scikit-learn.
 * On demand these averages by name (`f1_score_macro`) and weighted by support, matthews_correlation, cohen_kappa,
 * log_loss, the macro averages of one class against the rest of roc_auc and average_precision, and other accuracy_k.
 * All are null without rows; cohen_kappa also where only one class is labelled and decoded, roc_auc where only one is
 * labelled, both areas where a score is NaN.
 *
 * Equal scores: the decoded class is the first of them (`numpy.argmax`), so accuracy_1 is `accuracy_score`; among the
 * first k, later classes come first, as in `top_k_accuracy_score`.
 */
export function classificationMetrics(
  scored: Scored<ClassificationSpec>,
  further: readonly string[] = [],
): MetricValue[] {
  const rows = knownRows(scored);
  const count = rows.length;
  const confusions = classConfusions(scored, rows);
  const classes = { scored, rows, confusions };
  const value = (metric: () => number | null): number | null => {
    const result = count === 0 ? null : metric();
    return Number.isNaN(result) ? null : result;
  };
  const topK = (k: number): MetricValue => ({
    name: `accuracy_${k}`,
    value: value(() => topKHits(classes, k) / count),
    count,
  });
  const correct = confusions.reduce((sum, { truePositives }) => sum + truePositives, 0);
  const width = scored.spec.classes.length;
  return [
    { name: "accuracy_1", value: value(() => correct / count), count },
    ...TOP_K.filter((k) => k < width).map(topK),
    ...AVERAGED_METRICS.map((name) => ({ name, value: value(() => macroAverage(confusions, name)), count })),
    ...averagesOf(confusions, further, count),
    ...ON_DEMAND_NAMES.filter((name) => further.includes(name)).map((name) => ({
      name,
      value: value(() => ON_DEMAND[name](classes)),
      count,
    })),
    ...onDemandTopK(width)
      .filter((k) => further.includes(`accuracy_${k}`))
      .map(topK),
  ];
}

/** Rows of the mask with a label. */
function knownRows({ labels, mask }: Scored<ClassificationSpec>): Uint32Array {
  const rows = new Uint32Array(mask.length);
  let count = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 1 && !Number.isNaN(labels.answers[row])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** One class against the rest, for each class. */
function classConfusions({ spec, labels, decoded }: Scored<ClassificationSpec>, rows: Uint32Array): Confusion[] {
  const classes = spec.classes.length;
  const hits = new Float64Array(classes);
  const labelled = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  for (const row of rows) {
    const truth = labels.answers[row] as number;
    const answer = decoded[row] as number;
    labelled[truth] = (labelled[truth] as number) + 1;
    predicted[answer] = (predicted[answer] as number) + 1;
    if (truth === answer) hits[truth] = (hits[truth] as number) + 1;
  }
  return Array.from(hits, (truePositives, c) => {
    const falsePositives = (predicted[c] as number) - truePositives;
    const falseNegatives = (labelled[c] as number) - truePositives;
    const trueNegatives = rows.length - truePositives - falsePositives - falseNegatives;
    return { truePositives, falsePositives, falseNegatives, trueNegatives };
  });
}

/** Rows whose labelled class is among the k of highest score. */
function topKHits({ scored, rows }: ScoredClasses, k: number): number {
  const { spec, labels, activated, classesAhead } = scored;
  const classes = spec.classes.length;
  let hits = 0;
  for (const row of rows) {
    if (classesAhead !== undefined) {
      if ((classesAhead[row] as number) < k) hits++;
      continue;
    }
    const truth = labels.answers[row] as number;
    const score = activated[row * classes + truth] as number;
    let ahead = 0;
    for (let c = 0; c < classes; c++) {
      const other = activated[row * classes + c] as number;
      if (other > score || (other === score && c > truth)) ahead++;
    }
    if (ahead < k) hits++;
  }
  return hits;
}

function logLoss({ scored: { spec, labels, activated }, rows }: ScoredClasses): number {
  const width = spec.classes.length;
  const sum = rows.reduce((total, row) => {
    const truth = labels.answers[row] as number;
    return total + negativeLogLikelihood(activated[row * width + truth] as number);
  }, 0);
  return sum / rows.length;
}

/**
 * Mean of a metric of each labelled class against the rest, over the classes on which it is defined; null if there is
 * none, or a score is NaN.
 */
function oneVersusRest(
  { scored: { spec, labels, activated }, rows, confusions }: ScoredClasses,
  metric: (areas: ReturnType<typeof rankingMetrics>) => number | null,
): number | null {
  const width = spec.classes.length;
  const values: number[] = [];
  for (let c = 0; c < width; c++) {
    const { truePositives, falseNegatives } = confusions[c] as Confusion;
    if (truePositives + falseNegatives === 0) continue;
    const scores = Float32Array.from(rows, (row) => activated[row * width + c] as number);
    if (scores.some(Number.isNaN)) return null;
    const truths = Uint8Array.from(rows, (row) => (labels.answers[row] === c ? 1 : 0));
    const value = metric(rankingMetrics(sortByScore(scores, truths)));
    if (value !== null) values.push(value);
  }
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
