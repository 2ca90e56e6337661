/** @file Tuning: the exact best decision threshold of every yes-or-no question, on the rows of its loss mask. */
import { UnknownNameError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf, type Scored, type Thresholds } from "../tasks/index.js";
import { confusionOf, type DecisionMetric, decisionMetrics, TUNABLE_METRICS } from "../tasks/metrics/decisions.js";
import { knownAnswers, type YesNoAnswers } from "../tasks/metrics/yes-no.js";
import type { ScoredSplit, ScoredTask } from "./score.js";
import { bestThreshold } from "./threshold.js";

/** What tuning did to one threshold. */
export interface TuningReport {
  readonly task_path: string;
  /** The label whose threshold this is; null for a binary task. */
  readonly label: string | null;
  readonly metric: DecisionMetric;
  readonly threshold: number;
  /** The metric with the thresholds the split was scored with; null without rows. */
  readonly before: number | null;
  /** The metric with the tuned threshold; null without rows. */
  readonly after: number | null;
  /** Why the threshold was left at its default. */
  readonly warning?: string;
}

export interface Tuning {
  /** One entry per task of the graph; empty for tasks without thresholds. */
  readonly thresholds: readonly Thresholds[];
  /** One entry per threshold, in the order of the flow. */
  readonly reports: readonly TuningReport[];
}

/**
 * The thresholds that maximise a metric on a scored split. Only rows that are active by the labels and labelled
 * count; where these are all yes, all no, or none at all, the threshold stays 0.5 and its report says why.
 * @throws UnknownNameError if no threshold can be tuned by that metric
 */
export function tuneThresholds(graph: FlowGraph, scored: ScoredSplit, metric = "f1_score"): Tuning {
  const tuned = TUNABLE_METRICS.find((name) => name === metric);
  if (tuned === undefined) {
    throw new UnknownNameError("metric", metric, TUNABLE_METRICS, "tuning", { exitCode: 2 });
  }
  const perTask = graph.tasks.map(({ index }) => tuneTask(scored.tasks[index] as ScoredTask, tuned));
  return {
    thresholds: perTask.map((reports) => reports.map(({ threshold }) => threshold)),
    reports: perTask.flat(),
  };
}

function tuneTask(scored: ScoredTask, metric: DecisionMetric): TuningReport[] {
  const { spec, path } = scored.task;
  switch (spec.kind) {
    case "binary":
    case "multilabel": {
      const names = spec.kind === "binary" ? [null] : spec.labels;
      const defaults = behaviourOf(spec).defaultThresholds(spec);
      const answers: Scored<typeof spec> = { ...scored, spec, mask: scored.lossMask };
      return names.map((label, i) => ({
        task_path: path,
        label,
        metric,
        ...tuneQuestion(knownAnswers(answers, i), metric, defaults[i] as number),
      }));
    }
    case "classification":
    case "boundedRegression":
      return [];
    default:
      return spec satisfies never;
  }
}

function tuneQuestion(
  { scores, truths, decisions }: YesNoAnswers,
  metric: DecisionMetric,
  fallback: number,
): Pick<TuningReport, "threshold" | "before" | "after" | "warning"> {
  const reached = (decided: Uint8Array): number | null =>
    truths.length === 0 ? null : decisionMetrics[metric](confusionOf(truths, decided));
  const decideBy = (threshold: number): Uint8Array => Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0));
  const problem = whyUntunable(truths);
  const threshold = problem === null ? bestThreshold(scores, truths, metric) : fallback;
  const result = { threshold, before: reached(decisions), after: reached(decideBy(threshold)) };
  return problem === null ? result : { ...result, warning: `${problem}; the threshold stays ${fallback}` };
}

function whyUntunable(truths: Uint8Array): string | null {
  if (truths.length === 0) return "no row is active and labelled";
  if (!truths.includes(1)) return `no positive row among ${truths.length} active and labelled`;
  if (!truths.includes(0)) return `no negative row among ${truths.length} active and labelled`;
  return null;
}
