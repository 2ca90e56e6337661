/** @file What a run's epochs are compared by: `train.monitor` or, where that is undefined, what stands in for it. */
import { evaluateSplit, LOSS, TOTAL } from "../../analysis/evaluate.js";
import { scoreSplit } from "../../analysis/score.js";
import { outputsOf } from "../../asking/outputs.js";
import type { Dataset } from "../../data/dataset.js";
import { createRandom } from "../../data/rng.js";
import { isPerElement } from "../../flow/graph.js";
import type { RowMask } from "../../flow/masks.js";
import { type Monitor, monitoredValue, parseMonitor } from "../../project/monitor.js";
import { defaultThresholds } from "../../records/thresholds.js";
import type { EvaluationRow } from "../../tasks/evaluation.js";
import { behaviourOf, isEvaluated, isSummarized } from "../../tasks/index.js";
import { lossMasks } from "../predict-rows.js";
import type { RunContext } from "../run-context.js";

/** What decides which metric can be watched. */
export interface MonitorContext {
  readonly project: Pick<RunContext["project"], "graph">;
  readonly settings: RunContext["settings"];
  readonly dataset: Pick<Dataset, "rows" | "ids" | "labels" | "splits" | "offsets">;
}

interface ChosenMonitor {
  readonly monitor: Monitor | null;
  /** What is said of it before the first epoch; null where it is as it was asked for. */
  readonly doubt: { readonly level: "warning" | "message"; readonly text: string } | null;
}

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
export async function watchMetric(
  context: MonitorContext & Pick<RunContext, "loggers">,
  masks: readonly RowMask[],
): Promise<WatchedMetric> {
  const { monitor, doubt } = await chooseMonitor(context, masks);
  const { loggers } = context;
  if (doubt !== null) loggers[doubt.level](doubt.text);
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

/** What a run would warn of before its first epoch; null where there is nothing, or only pictures can tell. */
export async function monitorDoubt(context: MonitorContext): Promise<string | null> {
  // labels in pixels of pictures are not known before these are opened
  if (context.project.graph.tasks.some(({ spec }) => behaviourOf(spec).imageScales(spec).length > 0)) return null;
  const { doubt } = await chooseMonitor(context, lossMasks(context));
  return doubt?.level === "warning" ? doubt.text : null;
}

async function chooseMonitor(context: MonitorContext, masks: readonly RowMask[]): Promise<ChosenMonitor> {
  const { project, settings, dataset } = context;
  const { valid } = dataset.splits;
  const monitor = parseMonitor(project.graph, settings.train.monitor);
  const asked = `train.monitor "${nameOf(monitor)}" is undefined`;
  if (!hasLoss(context, masks)) {
    const why = valid.length === 0 ? "there are no valid rows" : "no valid row has a label that counts";
    const text = `${asked}, since ${why}: the weights of the last epoch are evaluated${idleSettings(settings)}.`;
    return { monitor: null, doubt: { level: needsMonitor(settings) ? "warning" : "message", text } };
  }
  if (monitor.taskPath === TOTAL) return { monitor, doubt: null };
  const count = await undefinedRows(context, monitor);
  if (count === null) return { monitor, doubt: null };
  const why =
    count === 0
      ? "none of its valid rows has a label that counts"
      : `the labels of its ${count} valid rows do not define it (do they hold one class alone?)`;
  const loss = `${TOTAL}/${LOSS}`;
  const text = `${asked}, since ${why}. Epochs are compared by the validation loss (${loss}) instead.`;
  return { monitor: parseMonitor(project.graph, loss), doubt: { level: "warning", text } };
}

/** Whether any evaluated task has a loss on valid. */
function hasLoss({ project, dataset }: MonitorContext, masks: readonly RowMask[]): boolean {
  const { valid } = dataset.splits;
  const evaluated = project.graph.tasks.filter(({ spec }) => isEvaluated(spec));
  return evaluated.some(({ index, spec }) =>
    isPerElement(spec) ? valid.length > 0 : valid.some((row) => masks[index]?.[row] === 1),
  );
}

function needsMonitor({ train }: MonitorContext["settings"]): boolean {
  return train.earlyStopping !== null || train.reduceOnPlateau !== null || train.monitor !== `${TOTAL}/${LOSS}`;
}

function idleSettings({ train }: MonitorContext["settings"]): string {
  const idle = (["earlyStopping", "reduceOnPlateau"] as const).filter((name) => train[name] !== null);
  if (idle.length === 0) return "";
  return `, and ${idle.map((name) => `train.${name}`).join(" and ")} ${idle.length === 1 ? "does" : "do"} nothing`;
}

/**
 * Whether the labels of valid leave a metric undefined, whatever the network answers: it is computed for random
 * answers and their opposites.
 * @returns the rows that it would be over; null where it is defined, or where only the network can tell
 */
async function undefinedRows({ project, dataset }: MonitorContext, monitor: Monitor): Promise<number | null> {
  const { graph } = project;
  // their answers are per token, or summaries that the network makes: too many to be made up
  if (graph.tasks.some(({ spec }) => isPerElement(spec) || isSummarized(spec))) return null;
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
