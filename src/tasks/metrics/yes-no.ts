/** @file Metrics of binary and multilabel tasks: one yes-or-no question, or one per label. */
import type { BinarySpec, MultilabelSpec } from "../../flow/graph.js";
import type { MetricValue, Scored } from "../behaviour.js";
import { confusionOf, decisionMetrics } from "./decisions.js";
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

/**
 * accuracy, f1_score, precision, recall of the decisions; roc_auc, average_precision of the scores.
 * All are null without rows; roc_auc also where only one class occurs, and both areas where a score is NaN.
 */
export function binaryMetrics(scored: Scored<BinarySpec>): MetricValue[] {
  return metricsOf(knownAnswers(scored, 0));
}

/**
 * The metrics of each label over its known elements, averaged without weights (scikit-learn's `macro`), then one by
 * one as `<metric>/<label>`. Labels on which a metric is undefined stay out of its average.
 */
export function multilabelMetrics(scored: Scored<MultilabelSpec>): MetricValue[] {
  const { labels } = scored.spec;
  const perLabel = labels.map((_, i) => metricsOf(knownAnswers(scored, i)));
  const rows = rowsWithAnswers(scored);
  const averages = metricNames(perLabel).map((name, m) => ({
    name,
    value: mean(perLabel.map((metrics) => metrics[m]?.value ?? null)),
    count: rows,
  }));
  const named = perLabel.flatMap((metrics, i) => metrics.map((m) => ({ ...m, name: `${m.name}/${labels[i]}` })));
  return [...averages, ...named];
}

function metricNames(perLabel: readonly MetricValue[][]): readonly string[] {
  return (perLabel[0] ?? []).map(({ name }) => name);
}

function metricsOf({ truths, decisions, scores }: YesNoAnswers): MetricValue[] {
  const count = truths.length;
  const confusion = confusionOf(truths, decisions);
  const { rocAuc, averagePrecision } =
    count === 0 || scores.some(Number.isNaN)
      ? { rocAuc: null, averagePrecision: null }
      : rankingMetrics(sortByScore(scores, truths));
  return [
    ...Object.entries(decisionMetrics).map(([name, metric]) => ({
      name,
      value: count === 0 ? null : metric(confusion),
      count,
    })),
    { name: "roc_auc", value: rocAuc, count },
    { name: "average_precision", value: averagePrecision, count },
  ];
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
