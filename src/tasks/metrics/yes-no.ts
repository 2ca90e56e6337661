/** @file Metrics of binary and multilabel tasks: one yes-or-no question, or one per label. */
import { at, f32At, u8At } from "../../arrays.js";
import type { BinarySpec, MultilabelSpec } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import type { MetricValue, Scored } from "../scored.js";
import { AVERAGED_METRICS, averageRows, weightedAverage } from "./averages.js";
import { bothSides, type Confusion, confusionOf, DECISION_METRICS, decisionMetrics } from "./decisions.js";
import { negativeLogLikelihood } from "./log-loss.js";
import { type RankingMetrics, rankingMetrics } from "./ranking.js";
import { sortByScore } from "./sort.js";
import { lazily, type Metric, type MetricFacts, type MetricTable, metricTable, valuesOf } from "./table.js";

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
  const width = answerWidth(scored.spec);
  const rows = mask.length;
  const isKnown = (row: number): boolean => mask[row] === 1 && !Number.isNaN(labels.answers[row * width + label]);
  let count = 0;
  for (let row = 0; row < rows; row++) if (isKnown(row)) count++;
  const truths = new Uint8Array(count);
  const decisions = new Uint8Array(count);
  const scores = new Float32Array(count);
  for (let row = 0, i = 0; row < rows; row++) {
    if (!isKnown(row)) continue;
    const index = row * width + label;
    truths[i] = f32At(labels.answers, index) >= 0.5 ? 1 : 0;
    decisions[i] = f32At(decoded, index) >= 0.5 ? 1 : 0;
    scores[i] = f32At(activated, index);
    i++;
  }
  return { truths, decisions, scores };
}

/** What the metrics of one question are computed from. */
interface QuestionContext {
  readonly count: number;
  readonly answers: YesNoAnswers;
  /** null where a score is NaN: what it was decided as means nothing. */
  readonly counts: () => Confusion | null;
  /** null where a score is NaN. */
  readonly ranking: () => RankingMetrics | null;
}

function questionContext(scored: Scored<BinarySpec | MultilabelSpec>, label: number): QuestionContext {
  const answers = knownAnswers(scored, label);
  const isScored = lazily(() => !answers.scores.some(Number.isNaN));
  return {
    count: answers.truths.length,
    answers,
    counts: lazily(() => (isScored() ? confusionOf(answers.truths, answers.decisions) : null)),
    ranking: lazily(() => (isScored() ? rankingMetrics(sortByScore(answers.scores, answers.truths)) : null)),
  };
}

const decided =
  (metric: (counts: Confusion) => number) =>
  ({ counts }: QuestionContext): number | null => {
    const found = counts();
    return found === null ? null : metric(found);
  };

const QUESTION_ROWS: readonly Metric<QuestionContext>[] = [
  ...DECISION_METRICS.filter(({ onDemand }) => !onDemand).map((facts) => ({
    ...facts,
    compute: decided(decisionMetrics[facts.name]),
  })),
  {
    name: "roc_auc",
    higherIsBetter: true,
    tunable: false,
    onDemand: false,
    compute: ({ ranking }) => ranking()?.rocAuc ?? null,
  },
  {
    name: "average_precision",
    higherIsBetter: true,
    tunable: false,
    onDemand: false,
    compute: ({ ranking }) => ranking()?.averagePrecision ?? null,
  },
  ...DECISION_METRICS.filter(({ onDemand }) => onDemand).map((facts) => ({
    ...facts,
    compute: decided(decisionMetrics[facts.name]),
  })),
  {
    name: "log_loss",
    higherIsBetter: false,
    tunable: false,
    onDemand: true,
    compute: ({ answers: { truths, scores } }) =>
      scores.reduce((sum, score, i) => sum + negativeLogLikelihood(u8At(truths, i) === 1 ? score : 1 - score), 0) /
      scores.length,
  },
];

const BINARY_ROWS: readonly Metric<QuestionContext>[] = [
  ...QUESTION_ROWS,
  ...averageRows(({ counts }: QuestionContext) => {
    const found = counts();
    return found === null ? null : bothSides(found);
  }),
];

/**
 * accuracy, f1_score, precision, recall of the decisions; roc_auc, average_precision of the scores. On demand f1_score,
 * precision and recall averaged over the classes "no" and "yes", matthews_correlation, cohen_kappa and log_loss.
 * All are null without rows and where a score is NaN; roc_auc also where only one class occurs, cohen_kappa where only
 * one is labelled and decided.
 */
export const binaryMetrics: MetricTable<BinarySpec> = metricTable(
  () => BINARY_ROWS,
  (scored) => questionContext(scored, 0),
);

/** What the averages over labels are computed from. */
interface LabelsContext {
  /** Rows with at least one known label. */
  readonly count: number;
  readonly labels: readonly QuestionContext[];
}

/** Mean over the labels on which the metric is defined, without weights: scikit-learn's `macro`. */
const meanOverLabels =
  (metric: Metric<QuestionContext>) =>
  ({ labels }: LabelsContext): number | null => {
    const values = labels.flatMap((label) => valuesOf([{ ...metric, onDemand: false }], label, []));
    return mean(values.map(({ value }) => value));
  };

const LABELS_ROWS: readonly Metric<LabelsContext>[] = [
  ...QUESTION_ROWS.map((row) => ({ ...row, compute: meanOverLabels(row) })),
  ...AVERAGED_METRICS.flatMap((name): Metric<LabelsContext>[] => {
    const row = QUESTION_ROWS.find((one) => one.name === name);
    if (row === undefined) throw new Error(`${name} is no metric of a question`);
    return [
      { ...row, name: `${name}_macro`, tunable: false, onDemand: true, compute: meanOverLabels(row) },
      {
        ...row,
        name: `${name}_weighted`,
        tunable: false,
        onDemand: true,
        compute({ labels }) {
          const counts = labels.filter(({ count }) => count > 0).map((label) => label.counts());
          const found = counts.filter((one) => one !== null);
          return found.length === 0 || found.length < counts.length ? null : weightedAverage(found, name);
        },
      },
    ];
  }),
];

/**
 * The metrics of each label over its known elements, averaged without weights (scikit-learn's `macro`), then one by
 * one as `<metric>/<label>`. Labels on which a metric is undefined stay out of its average. On demand f1_score,
 * precision and recall also with each label weighted by how often it is present.
 */
export const multilabelMetrics: MetricTable<MultilabelSpec> = {
  facts: ({ labels }) => [
    ...LABELS_ROWS,
    ...labels.flatMap((label) => QUESTION_ROWS.map((row): MetricFacts => ({ ...row, name: `${row.name}/${label}` }))),
  ],
  values(scored, onDemand = []) {
    const perLabel = scored.spec.labels.map((_, i) => questionContext(scored, i));
    const averages = valuesOf(LABELS_ROWS, { count: rowsWithAnswers(scored), labels: perLabel }, onDemand);
    const single = perLabel.flatMap((context, i): MetricValue[] =>
      valuesOf(QUESTION_ROWS, context, onDemand).map((value) => ({
        ...value,
        name: `${value.name}/${at(scored.spec.labels, i)}`,
      })),
    );
    return [...averages, ...single];
  },
};

/** Rows of the mask with at least one known label. */
function rowsWithAnswers({ spec, labels, mask }: Scored<MultilabelSpec>): number {
  const width = spec.labels.length;
  let rows = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    for (let index = row * width; index < (row + 1) * width; index++) {
      if (Number.isNaN(labels.answers[index])) continue;
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
