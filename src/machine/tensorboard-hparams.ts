/** @file The columns of TensorBoard's HPARAMS page for a choice of runs: settings that differ, and each task's metric. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FlowGraph } from "../flow/graph.js";
import { hparamsOf } from "../logging/event-folders.js";
import { hparamMetrics } from "../logging/hparam-metrics.js";
import { type HParamMetric, type HParamValue, openEventWriter } from "../logging/tensorboard/index.js";
import { readGraph } from "../records/run-documents.js";
import { runFiles } from "../records/run-folder.js";
import type { RunStore } from "../storage/run-store.js";
import { SPLITS, type Split, SYSTEM_TASK } from "../tasks/evaluation.js";
import type { ShownParts, ShownRun } from "./tensorboard-links.js";

export interface HParamColumns {
  /** Of each run, by its id, the settings that are not the same in all. */
  readonly settings: ReadonlyMap<string, Readonly<Record<string, HParamValue>>>;
  readonly metrics: readonly HParamMetric[];
}

/** Of a single run every setting is a column. */
export function hparamColumns(store: RunStore, runs: readonly ShownRun[], shown: ShownParts): HParamColumns {
  const all = new Map(runs.map(({ id }) => [id, hparamsOf(store.readConfig(id))]));
  const differing = runs.length < 2 ? null : differingKeys([...all.values()]);
  const settings = [...all].map(
    ([id, own]) =>
      [id, Object.fromEntries(Object.entries(own).filter(([key]) => differing?.has(key) ?? true))] as const,
  );
  return { settings: new Map(settings), metrics: metricsOf(store, runs, shown) };
}

function differingKeys(all: readonly Readonly<Record<string, HParamValue>>[]): Set<string> {
  const keys = new Set(all.flatMap((own) => Object.keys(own)));
  return new Set([...keys].filter((key) => all.some((own) => own[key] !== all[0]?.[key])));
}

/** Metrics of every flow among the runs, each once; of other programs' runs what they have logged last. */
function metricsOf(store: RunStore, runs: readonly ShownRun[], shown: ShownParts): HParamMetric[] {
  const splits = SPLITS.filter((split) => shown(split) && runs.some(({ dir }) => existsSync(join(dir, split))));
  const foreign = runs.filter(({ dir }) => !existsSync(runFiles(dir).graph)).slice(-MOST_FOREIGN_RUNS);
  const metrics = [
    ...graphsOf(runs).flatMap((graph) => hparamMetrics(graph, splits)),
    ...foreign.flatMap(({ id }) => foreignMetrics(store, id, splits)).slice(0, MOST_FOREIGN),
  ];
  return [...new Map(metrics.map((metric) => [`${metric.group ?? ""}\n${metric.tag}`, metric])).values()];
}

const MOST_FOREIGN_RUNS = 20;
/** Columns that a page has room for. */
const MOST_FOREIGN = 40;

/** Runs of one project mostly have one flow, whose document is checked once. */
function graphsOf(runs: readonly ShownRun[]): FlowGraph[] {
  const byText = new Map(
    runs.flatMap(({ dir }) => {
      const { graph } = runFiles(dir);
      return existsSync(graph) ? [[readFileSync(graph, "utf8"), dir] as const] : [];
    }),
  );
  return [...byText.values()].flatMap((dir) => {
    try {
      return [readGraph(dir)];
    } catch {
      // a damaged run is shown without columns of its own
      return [];
    }
  });
}

function foreignMetrics(store: RunStore, id: string, splits: readonly Split[]): HParamMetric[] {
  const last = splits.findLast((split) => split !== "test") ?? "train";
  return store
    .lastMetrics(id, { split: last })
    .filter(({ taskPath }) => taskPath !== SYSTEM_TASK)
    .map(({ taskPath, metricName }) => ({
      ...{ tag: `${taskPath}/${metricName}`, group: last },
      displayName: `${taskPath.startsWith("_") ? metricName : `${taskPath} ${metricName}`} (${last})`,
    }));
}

/**
 * Writes a run's row, in a file that TensorBoard reads before the run's own: of several it takes the first.
 * @param folder of links to the run
 */
export function writeHParams(store: RunStore, run: ShownRun, folder: string, columns: HParamColumns): void {
  const seconds = Date.parse(store.getRun(run.id).startedAt) / 1000 - 1;
  const writer = openEventWriter(folder, { now: () => seconds });
  writer.hparams({ hparams: columns.settings.get(run.id) ?? {}, metrics: columns.metrics });
  writer.close();
}
