/** @file Metrics of one epoch, and the values of its curves: built once, for every listener. */
import { evaluateByTruth, evaluateSplit, LOSS, TOTAL, totalLoss } from "../../analysis/evaluate.js";
import { type ScoredSplit, scoreByTruth, scoreSplit } from "../../analysis/score.js";
import { labelsOf, outputsOf } from "../../asking/outputs.js";
import type { BatchAnswerer } from "../../engine/inference/answer-batches.js";
import type { Network } from "../../engine/model/network.js";
import type { ConflictCounts } from "../../engine/optimization/conflicts.js";
import type { EpochReport } from "../../engine/optimization/epoch-record.js";
import { TrainingError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { EpochSummary } from "../../logging/run-logger.js";
import { yieldTo } from "../../platform/yield-to.js";
import { onDemandMetricsOf } from "../../project/metrics.js";
import { defaultThresholds } from "../../records/thresholds.js";
import { ACTIVE_ROWS, type EvaluationRow, type MetricPoint, type Split } from "../../tasks/evaluation.js";
import { evaluateMasked, maskedRows, predictRows } from "../predict-rows.js";
import type { RunContext } from "../run-context.js";

/** What an epoch has come to. */
export interface EpochMetrics {
  /** Every metric of every task on train and valid, gated by truth. */
  readonly rows: readonly EvaluationRow[];
  /** Answers to the valid split; null where there is nothing to validate on. */
  readonly valid: ScoredSplit | null;
  /** Weighted total losses; NaN where a split has no rows. */
  readonly trainLoss: number;
  readonly validLoss: number;
}

export interface EpochMetricsOptions {
  /** What passes batches of the valid split; default: this thread. */
  readonly answerer: BatchAnswerer | undefined;
  /** Metrics that are computed on demand and that the run needs besides those of its settings. */
  readonly onDemand: readonly string[];
  /** Learned log-variances of the tasks; null where a task has none. */
  readonly logVariances: readonly (number | null)[];
}

/**
 * Train metrics are those of the logits at the time of each row's step; valid is asked now.
 * @throws InterruptedError where the run's signal fires
 */
export async function epochMetrics(
  context: RunContext,
  network: Network,
  report: EpochReport,
  { answerer, onDemand, logVariances }: EpochMetricsOptions,
): Promise<EpochMetrics> {
  const { project, settings } = context;
  const asked = [...onDemandMetricsOf(settings), ...onDemand];
  const evaluate = (scored: ScoredSplit) => evaluateSplit(project.graph, scored, ["truth"], asked);
  const valid = await scoreValid(context, network, answerer);
  const rows = [
    ...(await evaluateTrain(context, network, report, asked)),
    ...maskedRows(project, "train", report.masked),
    ...(valid === null ? [] : evaluate(valid)),
    ...(await evaluateMasked(context, network, "valid", answerer)),
    ...logVarianceRows(context, logVariances, report.rows.length),
  ];
  return { rows, valid, trainLoss: splitTotal(context, rows, "train"), validLoss: splitTotal(context, rows, "valid") };
}

/** Of all splits train is the largest: its tasks are scored one after the other. */
async function evaluateTrain(
  { project: { graph }, dataset, signal }: RunContext,
  network: Network,
  { rows, logits, tokenOutputs, movedLabels }: EpochReport,
  onDemand: readonly string[],
): Promise<EvaluationRow[]> {
  const { taskLogits } = await import("../../engine/inference/predict.js");
  // labels as they were moved with their pictures, else as they stand in the table
  const { labels, offsets } = labelsOf(dataset, graph, rows, movedLabels);
  const outputs = taskLogits(network.layout, logits, tokenOutputs);
  const scored = scoreByTruth(graph, { rows: rows.length, outputs, labels, offsets }, defaultThresholds(graph));
  const found: EvaluationRow[] = [];
  for (const task of scored) {
    await yieldTo(signal);
    found.push(...evaluateByTruth("train", task, onDemand));
  }
  return found;
}

async function scoreValid(
  context: RunContext,
  network: Network,
  answerer: BatchAnswerer | undefined,
): Promise<ScoredSplit | null> {
  const { project, dataset } = context;
  const rows = dataset.splits.valid;
  if (rows.length === 0) return null;
  const logits = await predictRows(context, network, rows, { answerer });
  return scoreSplit(
    project.graph,
    outputsOf(dataset, project.graph, "valid", rows, logits),
    defaultThresholds(project.graph),
  );
}

/** Learned log-variances, on the curves of the tasks that they weigh. */
function logVarianceRows(
  { project }: RunContext,
  logVariances: readonly (number | null)[],
  trained: number,
): EvaluationRow[] {
  return project.graph.tasks.flatMap(({ index, path }): EvaluationRow[] => {
    const value = logVariances[index] ?? null;
    if (value === null) return [];
    const count = { num_samples: trained, gates: "truth" } as const;
    return [{ split: "train", task_path: path, metric_name: "log_variance", metric_res: value, ...count }];
  });
}

function splitTotal({ project }: RunContext, rows: readonly EvaluationRow[], split: Split): number {
  const own = rows.filter((row) => row.split === split);
  return own.length === 0 ? Number.NaN : (totalLoss(project.graph, own).metric_res ?? Number.NaN);
}

/**
 * A loss of null over some rows is NaN: the weights can answer nothing any more.
 * @throws TrainingError that names the task
 */
export function assertFinite(rows: readonly EvaluationRow[], step: number, epoch: number): void {
  const unsound = rows.find(
    ({ metric_name, metric_res, num_samples }) =>
      metric_name === LOSS && num_samples > 0 && !Number.isFinite(metric_res ?? Number.NaN),
  );
  if (unsound === undefined) return;
  throw new TrainingError(
    `The loss of task "${unsound.task_path}" on ${unsound.split} is not finite after step ${step} (epoch ${epoch}). The checkpoints of the epochs before are kept. Lower train.optimizer.learningRate or set train.clipNorm.`,
    { task: unsound.task_path, split: unsound.split, step, epoch },
  );
}

/** The losses of an epoch that ends its run, for those who watch them: one of them is no number. */
export function unsoundPoints(
  { trainLoss, validLoss, rows }: Pick<EpochMetrics, "trainLoss" | "validLoss" | "rows">,
  at: { readonly step: number; readonly epoch: number },
): MetricPoint[] {
  const wallTime = Date.now() / 1000;
  const point = (split: Split, value: number) => ({ split, taskPath: TOTAL, metricName: LOSS, value, ...at, wallTime });
  const hasValid = rows.some(({ split }) => split === "valid");
  return [point("train", trainLoss), ...(hasValid ? [point("valid", validLoss)] : [])];
}

/** The value of a step that ended its run: a loss or a norm that is no number. */
export function failurePoints(error: unknown): MetricPoint[] {
  if (!(error instanceof TrainingError)) return [];
  const { loss, gradientNorm, step, epoch } = error.facts;
  if (typeof step !== "number" || typeof epoch !== "number") return [];
  const [metricName, value] = loss === undefined ? ["gradient_norm", gradientNorm] : [LOSS, loss];
  if (value === undefined) return [];
  const at = { step, epoch, wallTime: Date.now() / 1000 };
  return [{ split: "train", taskPath: TOTAL, metricName, value: Number(value), ...at }];
}

/** Of each pair of tasks that met at a feature, the share of steps in which their gradients pointed against each other. */
export function conflictPoints(
  { step, epoch }: EpochSummary,
  graph: FlowGraph,
  conflicts: ConflictCounts,
): MetricPoint[] {
  const wallTime = Date.now() / 1000;
  return Object.entries(conflicts).map(([key, [steps, count]]): MetricPoint => {
    const [taskPath = "", other = ""] = key.split(" ").map((index) => graph.tasks[Number(index)]?.path ?? "");
    return { split: "train", taskPath, metricName: `conflict/${other}`, value: count / steps, step, epoch, wallTime };
  });
}

/** The values that an epoch adds to the run's curves: its totals, the metrics of the tasks, and how many rows they had. */
export function epochPoints(summary: EpochSummary): MetricPoint[] {
  const { step, epoch, rows } = summary;
  const at = { step, epoch, wallTime: Date.now() / 1000 };
  const total = (split: Split, metricName: string, value: number): MetricPoint => ({
    ...{ split, taskPath: TOTAL, metricName, value },
    ...at,
  });
  return [
    total("train", LOSS, summary.trainLoss),
    ...(Number.isNaN(summary.validLoss) ? [] : [total("valid", LOSS, summary.validLoss)]),
    total("train", "learning_rate", summary.learningRate),
    total("train", "rows_per_second", summary.rowsPerSecond),
    total("train", "gradient_norm", summary.gradientNorm),
    ...rows.map(
      ({ split, task_path, metric_name, metric_res }): MetricPoint => ({
        ...{ split, taskPath: task_path, metricName: metric_name, value: metric_res },
        ...at,
      }),
    ),
    ...activeRows(rows).map(
      ({ task_path, num_samples }): MetricPoint => ({
        ...{ split: "train", taskPath: task_path, metricName: ACTIVE_ROWS, value: num_samples },
        ...at,
      }),
    ),
  ];
}

/** Of each task how many rows of train counted for it: those where it is asked, and labelled. */
function activeRows(rows: readonly EvaluationRow[]): EvaluationRow[] {
  return rows.filter(
    ({ split, task_path, metric_name }) => split === "train" && metric_name === LOSS && task_path !== TOTAL,
  );
}
