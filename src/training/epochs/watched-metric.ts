/** @file What a run's epochs are compared by: `train.monitor` or, where that is undefined, what stands in for it. */
import { evaluateSplit, LOSS, TOTAL } from "../../analysis/evaluate.js";
import { scoreSplit } from "../../analysis/score.js";
import { outputsOf } from "../../asking/outputs.js";
import { createRandom } from "../../data/rng.js";
import { axisOf } from "../../flow/graph.js";
import type { RowMask } from "../../flow/masks.js";
import { type Monitor, monitoredValue, parseMonitor } from "../../project/monitor.js";
import { defaultThresholds } from "../../records/thresholds.js";
import type { EvaluationRow } from "../../tasks/evaluation.js";
import { behaviourOf, isEvaluated, isSummarized } from "../../tasks/index.js";
import type { RunContext } from "../run-context.js";

type WatchContext = Pick<RunContext, "project" | "settings" | "dataset" | "loggers">;

/** What decides the best epoch, the plateau and early stopping. */
export interface WatchedMetric {
  /** null where there is nothing on valid that could be watched: early stopping and the plateau then never act. */
  readonly monitor: Monitor | null;
  /**
   * The value of an epoch; null where it is undefined. The first time it is, that is said.
   * @param validLoss weighted total loss on valid; NaN where it is undefined
   */
  valueOf(rows: readonly EvaluationRow[], validLoss: number, epoch: number): number | null;
}

/**
 * Settles before the first epoch what the epochs are compared by. Where the labels show that `train.monitor` cannot be
 * computed, that is the validation loss, and where there is none nothing; both are said.
 * @param masks loss mask of each task over all rows
 */
export async function watchMetric(context: WatchContext, masks: readonly RowMask[]): Promise<WatchedMetric> {
  const monitor = await chooseMonitor(context, masks);
  const { loggers } = context;
  let isTold = false;
  let hasValue = false;
  return {
    monitor,
    valueOf(rows, validLoss, epoch) {
      if (monitor === null) return null;
      const value = monitoredValue(monitor, rows, validLoss);
      const isDefined = !Number.isNaN(value);
      hasValue ||= isDefined;
      if (!isDefined && !isTold) {
        isTold = true;
        const meanwhile = hasValue
          ? ""
          : " Until it has a value, the weights of the latest epoch are kept as the best.";
        loggers.warning(
          `train.monitor "${nameOf(monitor)}" is undefined on valid after epoch ${epoch}, which never counts as an improvement.${meanwhile}`,
        );
      }
      return isDefined ? value : null;
    },
  };
}

const nameOf = ({ taskPath, metric }: Monitor): string => `${taskPath}/${metric}`;

async function chooseMonitor(context: WatchContext, masks: readonly RowMask[]): Promise<Monitor | null> {
  const { project, settings, dataset, loggers } = context;
  const { valid } = dataset.splits;
  const monitor = parseMonitor(project.graph, settings.train.monitor);
  const asked = `train.monitor "${nameOf(monitor)}" is undefined`;
  if (!hasLoss(context, masks)) {
    const why = valid.length === 0 ? "there are no valid rows" : "no valid row has a label that counts";
    const said = `${asked}, since ${why}: the weights of the last epoch are evaluated${idleSettings(settings)}.`;
    if (needsMonitor(settings)) loggers.warning(said);
    else loggers.message(said);
    return null;
  }
  if (monitor.taskPath === TOTAL) return monitor;
  const count = await undefinedRows(context, monitor);
  if (count === null) return monitor;
  const why =
    count === 0
      ? "none of its valid rows has a label that counts"
      : `the labels of its ${count} valid rows do not define it (do they hold one class alone?)`;
  loggers.warning(`${asked}, since ${why}. Epochs are compared by the validation loss (${TOTAL}/${LOSS}) instead.`);
  return parseMonitor(project.graph, `${TOTAL}/${LOSS}`);
}

/** Whether any evaluated task has a loss on valid. */
function hasLoss({ project, dataset }: WatchContext, masks: readonly RowMask[]): boolean {
  const { valid } = dataset.splits;
  const evaluated = project.graph.tasks.filter(({ spec }) => isEvaluated(spec));
  return evaluated.some(({ index, spec }) =>
    axisOf(spec) === "token" ? valid.length > 0 : valid.some((row) => masks[index]?.[row] === 1),
  );
}

function needsMonitor({ train }: WatchContext["settings"]): boolean {
  return train.earlyStopping !== null || train.reduceOnPlateau !== null || train.monitor !== `${TOTAL}/${LOSS}`;
}

function idleSettings({ train }: WatchContext["settings"]): string {
  const idle = (["earlyStopping", "reduceOnPlateau"] as const).filter((name) => train[name] !== null);
  if (idle.length === 0) return "";
  return `, and ${idle.map((name) => `train.${name}`).join(" and ")} ${idle.length === 1 ? "does" : "do"} nothing`;
}

/**
 * Whether the labels of valid leave a metric undefined, whatever the network answers: it is computed for random
 * answers and their opposites.
 * @returns the rows that it would be over; null where it is defined, or where only the network can tell
 */
async function undefinedRows({ project, dataset }: WatchContext, monitor: Monitor): Promise<number | null> {
  const { graph } = project;
  // their answers are per token, or summaries that the network makes: too many to be made up
  if (graph.tasks.some(({ spec }) => axisOf(spec) === "token" || isSummarized(spec))) return null;
  const { valid } = dataset.splits;
  const random = createRandom("answers that try out a metric");
  let count = 0;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const guesses = graph.tasks.map(({ spec }) =>
      Float32Array.from({ length: valid.length * behaviourOf(spec).logitWidth(spec) }, () => 8 * random.next() - 4),
    );
    for (const logits of [guesses, guesses.map((values) => values.map((value) => -value))]) {
      const outputs = outputsOf(dataset, graph, "valid", valid, logits);
      const scored = scoreSplit(graph, outputs, defaultThresholds(graph));
      const rows = evaluateSplit(graph, scored, ["truth"], monitor.onDemand);
      if (!Number.isNaN(monitoredValue(monitor, rows, Number.NaN))) return null;
      count = Math.max(count, rowsOf(rows, monitor));
    }
  }
  return count;
}

function rowsOf(rows: readonly EvaluationRow[], { taskPath, metric }: Monitor): number {
  return rows.find((row) => row.task_path === taskPath && row.metric_name === metric)?.num_samples ?? 0;
}
