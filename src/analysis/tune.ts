/** @file Tuning: the exact best decision threshold of every yes-or-no question, on the rows of its loss mask. */
import { at } from "../arrays.js";
import { UnknownNameError } from "../errors.js";
import type { BinarySpec, FlowGraph, MultilabelSpec, TaskNode, TaskSpec } from "../flow/graph.js";
import { allLogits, behaviourOf, type ParameterTuner, type Scored, type Thresholds } from "../tasks/index.js";
import { confusionOf, type DecisionMetric, DECISION_METRICS, decisionMetrics } from "../tasks/metrics/decisions.js";
import { knownAnswers, type YesNoAnswers } from "../tasks/metrics/yes-no.js";
import { LOSS } from "./evaluate.js";
import type { ScoredSplit, ScoredTask } from "./score.js";
import { bestThreshold } from "./threshold.js";

/** What tuning did to one threshold. */
export interface TuningReport {
  readonly task_path: string;
  /** The label whose threshold this is, or the place among several parameters of a custom decoder; null: the only one. */
  readonly label: string | null;
  readonly metric: string;
  readonly threshold: number;
  /** The metric with the thresholds the split was scored with; null without rows, or where it is undefined. */
  readonly before: number | null;
  /** The metric with the tuned threshold; null without rows, or where it is undefined. */
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
 * count; where these are all yes, all no, or none at all, the threshold stays 0.5 and its report says why. Decoders of
 * custom tasks tune their parameters themselves. A task without the metric is tuned by its own: F1, or its first one.
 * @throws UnknownNameError if no threshold can be tuned by that metric
 */
export function tuneThresholds(graph: FlowGraph, scored: ScoredSplit, metric = "f1_score"): Tuning {
  assertTunable(graph, metric, "tuning", { exitCode: 2 });
  const perTask = graph.tasks.map(({ index }) => tuneTask(at(scored.tasks, index), metric));
  return {
    thresholds: graph.tasks.map(({ spec }, i) => {
      const reports = at(perTask, i);
      return reports.length === 0
        ? behaviourOf(spec).defaultThresholds(spec)
        : reports.map(({ threshold }) => threshold);
    }),
    reports: perTask.flat(),
  };
}

/**
 * @param where what asks for the metric
 * @throws UnknownNameError if no threshold can be tuned by it
 */
export function assertTunable(
  graph: FlowGraph,
  metric: string,
  where: string,
  options: { readonly exitCode?: 1 | 2 } = {},
): void {
  const own = graph.tasks.flatMap(({ spec }) => tunableMetrics(spec));
  const known = new Set([...DECISION_METRICS.map(({ name }) => name), ...own]);
  if (!known.has(metric)) throw new UnknownNameError("metric", metric, known, where, options);
}

function tuneTask(scored: ScoredTask, metric: string): TuningReport[] {
  const { spec } = scored.task;
  const behaviour = behaviourOf(spec);
  const tuner = behaviour.tuner(spec);
  if (tuner !== null) return tuneParameters(scored, metricFor(spec, metric), tuner);
  return behaviour.questions(spec).length === 0 ? [] : tuneQuestions(scored, decisionMetric(metric));
}

/** The metric that was asked for, or the task's own first one where it has no such metric. */
function metricFor(spec: TaskSpec, metric: string): string {
  return tunableMetrics(spec).includes(metric) ? metric : (behaviourOf(spec).headlineMetric(spec) ?? LOSS);
}

function tunableMetrics(spec: TaskSpec): string[] {
  const facts = behaviourOf(spec).metrics.facts(spec);
  return facts.flatMap(({ name, tunable }) => (tunable && !name.includes("/") ? [name] : []));
}

/** The metric that was asked for, or F1 where that is one of other tasks. */
function decisionMetric(metric: string): DecisionMetric {
  return DECISION_METRICS.find(({ name }) => name === metric)?.name ?? "f1_score";
}

function tuneQuestions(scored: ScoredTask, metric: DecisionMetric): TuningReport[] {
  const { path, spec } = scored.task as TaskNode & { readonly spec: BinarySpec | MultilabelSpec };
  const behaviour = behaviourOf<TaskSpec>(spec);
  const defaults = behaviour.defaultThresholds(spec);
  const answers = { ...scored, ...allLogits(scored.kept), spec, mask: scored.lossMask };
  return behaviour.questions(spec).map((label, i) => ({
    task_path: path,
    label,
    metric,
    ...tuneQuestion(knownAnswers(answers, i), metric, at(defaults, i)),
  }));
}

/** Parameters of a custom decoder: one report for each, with the metric that they reach together. */
function tuneParameters(scored: ScoredTask, metric: string, tuner: ParameterTuner<TaskSpec>): TuningReport[] {
  const { path, spec } = scored.task;
  const behaviour = behaviourOf(spec);
  const { logits, activated } = allLogits(scored.kept);
  const counted = { ...scored, spec, logits, activated, mask: scored.lossMask };
  const parameters = tuner(counted, metric);
  const decoded = behaviour.decode(spec, activated, parameters, scored.labels.unitScale);
  const reached = (of: Scored): number | null =>
    behaviour.metrics.values(of, [metric]).find(({ name }) => name === metric)?.value ?? null;
  const [before, after] = [reached(counted), reached({ ...counted, decoded })];
  const idle = scored.lossMask.includes(1) ? {} : { warning: "no row is active and labelled; its parameters stay" };
  return parameters.map((threshold, i) => ({
    task_path: path,
    label: parameters.length === 1 ? null : String(i),
    metric,
    threshold,
    before,
    after,
    ...idle,
  }));
}

function tuneQuestion(
  { scores, truths, decisions }: YesNoAnswers,
  metric: DecisionMetric,
  fallback: number,
): Pick<TuningReport, "threshold" | "before" | "after" | "warning"> {
  const reached = (decided: Uint8Array): number | null => {
    const value = truths.length === 0 ? Number.NaN : decisionMetrics[metric](confusionOf(truths, decided));
    return Number.isNaN(value) ? null : value;
  };
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
