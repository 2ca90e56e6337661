/** @file Metrics of classification tasks: top-k accuracy, averages over classes, agreement, and areas under curves. */
import { at, f32At, f64At } from "../../arrays.js";
import type { ClassificationSpec } from "../../flow/graph.js";
import type { Scored } from "../scored.js";
import { AVERAGED_METRICS, averageRows, macroAverage } from "./averages.js";
import { type Confusion, cohenKappa, matthewsCorrelation } from "./decisions.js";
import { negativeLogLikelihood } from "./log-loss.js";
import { type RankingMetrics, rankingMetrics } from "./ranking.js";
import { sortByScore } from "./sort.js";
import { lazily, type Metric, type MetricTable, metricTable } from "./table.js";

const TOP_K: readonly number[] = [3, 5];
const LARGEST_K = 10;

/** The rows that count, and how their classes were confused. */
interface ClassesContext {
  readonly count: number;
  readonly scored: Scored<ClassificationSpec>;
  readonly rows: Uint32Array;
  /** Each class against the rest; null where a row has no decided class, because a score of it is NaN. */
  readonly confusions: () => readonly Confusion[] | null;
}

const ALWAYS = { higherIsBetter: true, tunable: false, onDemand: false } as const;
const ON_DEMAND = { ...ALWAYS, onDemand: true } as const;

const confused =
  (metric: (classes: readonly Confusion[]) => number) =>
  ({ confusions }: ClassesContext): number | null => {
    const found = confusions();
    return found === null ? null : metric(found);
  };

const topK = (k: number, facts: typeof ALWAYS | typeof ON_DEMAND): Metric<ClassesContext> => ({
  ...facts,
  name: `accuracy_${k}`,
  compute: (context) => topKAccuracy(context, k),
});

/** Rows of the table for so many classes: `accuracy_2` to `accuracy_10` as far as there are more of them. */
function rowsFor(classes: number): Metric<ClassesContext>[] {
  const onDemandK = Array.from({ length: Math.min(classes - 1, LARGEST_K) }, (_, i) => i + 1).filter(
    (k) => k > 1 && !TOP_K.includes(k),
  );
  return [
    {
      ...ALWAYS,
      name: "accuracy_1",
      compute: (context) => {
        const correct = confused((all) => all.reduce((sum, { truePositives }) => sum + truePositives, 0))(context);
        return correct === null ? null : correct / context.count;
      },
    },
    ...TOP_K.filter((k) => k < classes).map((k) => topK(k, ALWAYS)),
    ...AVERAGED_METRICS.map((name) => ({ ...ALWAYS, name, compute: confused((all) => macroAverage(all, name)) })),
    ...averageRows(({ confusions }: ClassesContext) => confusions()),
    { ...ON_DEMAND, name: "matthews_correlation", compute: confused(matthewsCorrelation) },
    { ...ON_DEMAND, name: "cohen_kappa", compute: confused(cohenKappa) },
    { ...ON_DEMAND, name: "log_loss", higherIsBetter: false, compute: logLoss },
    { ...ON_DEMAND, name: "roc_auc", compute: (context) => oneVersusRest(context, ({ rocAuc }) => rocAuc) },
    {
      ...ON_DEMAND,
      name: "average_precision",
      compute: (context) => oneVersusRest(context, ({ averagePrecision }) => averagePrecision),
    },
    ...onDemandK.map((k) => topK(k, ON_DEMAND)),
  ];
}

/**
 * accuracy_1 (of the decoded class), accuracy_3 and accuracy_5 (those below the number of classes), and macro
 * f1_score, precision and recall over the classes that occur among labels or decoded answers, as in scikit-learn.
 * On demand these averages by name (`f1_score_macro`) and weighted by support, matthews_correlation, cohen_kappa,
 * log_loss, the macro averages of one class against the rest of roc_auc and average_precision, and other accuracy_k.
 * All are null without rows and where a score is NaN; cohen_kappa also where only one class is labelled and decoded,
 * roc_auc where only one is labelled.
 *
 * Equal scores have one order, that of the classes: the decoded class is the first of them (`numpy.argmax`), and it is
 * among the first k of every k, so that accuracy_k never falls as k grows.
 */
export const classificationMetrics: MetricTable<ClassificationSpec> = metricTable(
  ({ classes }) => rowsFor(classes.length),
  (scored) => {
    const rows = labelledRows(scored);
    return { count: rows.length, scored, rows, confusions: lazily(() => classConfusions(scored, rows)) };
  },
);

/** Rows of the mask with a label. */
function labelledRows({ labels, mask }: Scored<ClassificationSpec>): Uint32Array {
  const rows = new Uint32Array(mask.length);
  let count = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 1 && !Number.isNaN(labels.answers[row])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** One class against the rest, for each class; null where a row has no decided class. */
function classConfusions({ spec, labels, decoded }: Scored<ClassificationSpec>, rows: Uint32Array): Confusion[] | null {
  const classes = spec.classes.length;
  const hits = new Float64Array(classes);
  const labelled = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const count = (counts: Float64Array, index: number): void => {
    counts[index] = f64At(counts, index) + 1;
  };
  for (const row of rows) {
    const truth = f32At(labels.answers, row);
    const answer = f32At(decoded, row);
    if (Number.isNaN(answer)) return null;
    count(labelled, truth);
    count(predicted, answer);
    if (truth === answer) count(hits, truth);
  }
  return Array.from(hits, (truePositives, c) => {
    const falsePositives = f64At(predicted, c) - truePositives;
    const falseNegatives = f64At(labelled, c) - truePositives;
    const trueNegatives = rows.length - truePositives - falsePositives - falseNegatives;
    return { truePositives, falsePositives, falseNegatives, trueNegatives };
  });
}

/** Share of the rows whose labelled class is among the k of highest score; null where a score is NaN. */
function topKAccuracy({ scored, rows }: ClassesContext, k: number): number | null {
  let hits = 0;
  for (const row of rows) {
    const ahead = classesAhead(scored, row);
    if (Number.isNaN(ahead)) return null;
    if (ahead < k) hits++;
  }
  return hits / rows.length;
}

/** Classes of higher score than the labelled one; of equal scores the earlier class is ahead. NaN where one is NaN. */
export function classesAhead(
  { spec, labels, activated, classesAhead: summarized }: Scored<ClassificationSpec>,
  row: number,
) {
  if (summarized !== undefined) return f32At(summarized, row);
  const classes = spec.classes.length;
  const truth = f32At(labels.answers, row);
  const score = f32At(activated, row * classes + truth);
  let ahead = 0;
  for (let c = 0; c < classes; c++) {
    const other = f32At(activated, row * classes + c);
    if (Number.isNaN(other)) return Number.NaN;
    if (other > score || (other === score && c < truth)) ahead++;
  }
  return ahead;
}

function logLoss({ scored: { spec, labels, activated }, rows }: ClassesContext): number {
  const width = spec.classes.length;
  const sum = rows.reduce((total, row) => {
    const truth = f32At(labels.answers, row);
    return total + negativeLogLikelihood(f32At(activated, row * width + truth));
  }, 0);
  return sum / rows.length;
}

/**
 * Mean of a metric of each labelled class against the rest, over the classes on which it is defined; null if there is
 * none, or a score is NaN.
 */
function oneVersusRest(
  { scored: { spec, labels, activated }, rows, confusions }: ClassesContext,
  metric: (areas: RankingMetrics) => number | null,
): number | null {
  const width = spec.classes.length;
  const found = confusions();
  if (found === null) return null;
  const values: number[] = [];
  for (let c = 0; c < width; c++) {
    const { truePositives, falseNegatives } = at(found, c);
    if (truePositives + falseNegatives === 0) continue;
    const scores = Float32Array.from(rows, (row) => f32At(activated, row * width + c));
    if (scores.some(Number.isNaN)) return null;
    const truths = Uint8Array.from(rows, (row) => (labels.answers[row] === c ? 1 : 0));
    const value = metric(rankingMetrics(sortByScore(scores, truths)));
    if (value !== null) values.push(value);
  }
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
