/** @file Metrics of binary and multilabel tasks: one yes-or-no question, or one per label. */
import type { BinarySpec, MultilabelSpec } from "../../flow/graph.js";
import type { MetricValue, Scored } from "../behaviour.js";
import { AVERAGE_NAMES, AVERAGED_METRICS, averagesOf, weightedAverage } from "./averages.js";
import { bothSides, type Confusion, confusionOf, DEFAULT_DECISION_METRICS, decisionMetrics } from "./decisions.js";
import { negativeLogLikelihood } from "./log-loss.js";
import { rankingMetrics } from "./ranking.js";
import { sortByScore } from "./sort.js";

/** Known answers to one yes-or-no question and what the network said; three aligned columns. */
export interface YesNoAnswers {
  /** 1 for yes, 0 for no. */
  readonly truths: Uint8Array;
  readonly decisions: Uint8Array;
  /** After the sigmoid. */
  readonly scores: Float32Array;
}

/** The rows of the mask whose label for one question is known. `label` is 0 for a binary task. */
export function knownAnswers(scored: Scored<BinarySpec | MultilabelSpec>, label: number): YesNoAnswers {
  const { labels, mask, activated, decoded } = scored;
  const width = scored.spec.kind === "multilabel" ? scored.spec.labels.length : 1;
  const rows = mask.length;
  const known = (row: number): boolean => mask[row] === 1 && !Number.isNaN(labels.answers[row * width + label]);
  let count = 0;
  for (let row = 0; row < rows; row++) if (known(row)) count++;
  const truths = new Uint8Array(count);
  const decisions = new Uint8Array(count);
  const scores = new Float32Array(count);
  for (let row = 0, i = 0; row < rows; row++) {
    if (!known(row)) continue;
    const at = row * width + label;
    truths[i] = (labels.answers[at] as number) >= 0.5 ? 1 : 0;
    decisions[i] = (decoded[at] as number) >= 0.5 ? 1 : 0;
    scores[i] = activated[at] as number;
    i++;
  }
  return { truths, decisions, scores };
}

/** On demand, of one question. */
const ON_DEMAND = {
  matthews_correlation: (_answers, counts) => decisionMetrics.matthews_correlation(counts),
  cohen_kappa: (_answers, counts) => decisionMetrics.cohen_kappa(counts),
  log_loss: ({ truths, scores }) =>
    scores.reduce((sum, score, i) => sum + negativeLogLikelihood(truths[i] === 1 ? score : 1 - score), 0) /
    scores.length,
} as const satisfies Readonly<Record<string, (answers: YesNoAnswers, counts: Confusion) => number>>;
const ON_DEMAND_NAMES = Object.keys(ON_DEMAND) as readonly (keyof typeof ON_DEMAND)[];

/** Computed where they are asked for. */
export const ON_DEMAND_YES_NO_METRICS: readonly string[] = [...AVERAGE_NAMES, ...ON_DEMAND_NAMES];

/**
 * accuracy, f1_score, precision, recall of the decisions; roc_auc, average_precision of the scores. On demand f1_score,
 * precision and recall averaged over the classes "no" and "yes", matthews_correlation, cohen_kappa and log_loss.
 * All are null without rows; roc_auc also where only one class occurs, cohen_kappa where only one is labelled and
 * decided, and both areas where a score is NaN.
 */
export function binaryMetrics(scored: Scored<BinarySpec>, further: readonly string[] = []): MetricValue[] {
  const { metrics, counts } = metricsOf(knownAnswers(scored, 0), further);
  const [first] = metrics;
  return [...metrics, ...averagesOf(bothSides(counts), further, first?.count ?? 0)];
}

/**
 * The metrics of each label over its known elements, averaged without weights (scikit-learn's `macro`), then one by
 * one as `<metric>/<label>`. Labels on which a metric is undefined stay out of its average. On demand f1_score,
 * precision and recall also with each label weighted by how often it is present.
 */
export function multilabelMetrics(scored: Scored<MultilabelSpec>, further: readonly string[] = []): MetricValue[] {
  const { labels } = scored.spec;
  const perLabel = labels.map((_, i) => metricsOf(knownAnswers(scored, i), further));
  const rows = rowsWithAnswers(scored);
  const averages = (perLabel[0]?.metrics ?? []).map(({ name }, m) => ({
    name,
    value: mean(perLabel.map(({ metrics }) => metrics[m]?.value ?? null)),
    count: rows,
  }));
  const known = perLabel.filter(({ metrics }) => (metrics[0]?.count ?? 0) > 0);
  const weighted = AVERAGED_METRICS.flatMap((metric): MetricValue[] => {
    const macro = averages.find(({ name }) => name === metric)?.value ?? null;
    const counts = known.map((label) => label.counts);
    const both = {
      [`${metric}_macro`]: macro,
      [`${metric}_weighted`]: counts.length === 0 ? null : weightedAverage(counts, metric),
    };
    return Object.entries(both).flatMap(([name, value]) =>
      further.includes(name) ? [{ name, value, count: rows }] : [],
    );
  });
  const named = perLabel.flatMap(({ metrics }, i) => metrics.map((m) => ({ ...m, name: `${m.name}/${labels[i]}` })));
  return [...averages, ...weighted, ...named];
}

interface QuestionMetrics {
  readonly metrics: MetricValue[];
  readonly counts: Confusion;
}

function metricsOf(answers: YesNoAnswers, further: readonly string[]): QuestionMetrics {
  const { truths, decisions, scores } = answers;
  const count = truths.length;
  const counts = confusionOf(truths, decisions);
  const { rocAuc, averagePrecision } =
    count === 0 || scores.some(Number.isNaN)
      ? { rocAuc: null, averagePrecision: null }
      : rankingMetrics(sortByScore(scores, truths));
  const value = (metric: () => number): number | null => (count === 0 ? null : numberOrNull(metric()));
  const metrics = [
    ...DEFAULT_DECISION_METRICS.map((name) => ({ name, value: value(() => decisionMetrics[name](counts)), count })),
    { name: "roc_auc", value: rocAuc, count },
    { name: "average_precision", value: averagePrecision, count },
    ...ON_DEMAND_NAMES.filter((name) => further.includes(name)).map((name) => ({
      name,
      value: value(() => ON_DEMAND[name](answers, counts)),
      count,
    })),
  ];
  return { metrics, counts };
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Rows of the mask with at least one known label. */
function rowsWithAnswers({ spec, labels, mask }: Scored<MultilabelSpec>): number {
  const width = spec.labels.length;
  let rows = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    for (let at = row * width; at < (row + 1) * width; at++) {
      if (Number.isNaN(labels.answers[at])) continue;
      rows++;
      break;
    }
  }
  return rows;
}

/** Mean of the defined values; null if there is none. */
function mean(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  return defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length;
}
