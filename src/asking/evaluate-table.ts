/** @file `cool evaluate --table`: a run's network on a labelled table of the user's. */
import { scoreSplitSliced } from "../analysis/score.js";
import { inSlices } from "../platform/yield-to.js";
import { askFor, onDemandMetricsOf } from "../project/metrics.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { evaluateSplits } from "./evaluate-splits.js";
import { intervalsOf } from "./slices/intervals.js";
import type { PredictOptions } from "./open-inputs.js";
import { outputsOf } from "./outputs.js";
import type { RunAnswerer } from "./run-answerer.js";
import { type StoredRun, storedPlaces } from "./stored-run.js";

export interface EvaluateTableOptions extends PredictOptions {
  /** These metrics alone, or `all` that there are; default: the usual ones and those of the run's evaluate.metrics. */
  readonly metrics?: readonly string[] | undefined;
  /** Where decoded pictures are kept. */
  readonly cacheDir: string;
}

/**
 * Evaluates a labelled table with the run's thresholds, as the split `test`.
 * @param table a file or a SQL query, relative to the user's project, else to that of the run
 * @throws DataError, ConfigError where the table does not fit the run's flow and inputs
 */
export async function evaluateTable(
  run: StoredRun,
  answerer: RunAnswerer,
  table: string,
  options: EvaluateTableOptions,
): Promise<readonly EvaluationRow[]> {
  const { graph, config, thresholds, baselines, project } = run;
  const asked = options.metrics === undefined ? null : askFor(graph, options.metrics);
  const onDemand = asked?.onDemand ?? onDemandMetricsOf(config.settings);
  const { loadRows } = await import("../data/load.js");
  const dataset = await loadRows({
    graph,
    table,
    typed: true,
    inputs: config.inputs,
    // a table is data, and a query is what the caller wrote: only their place is the run's
    projectDir: project?.dir ?? config.projectDir,
    cacheDir: options.cacheDir,
    stored: storedPlaces(run),
    onBadImage: options.onBadImage ?? "error",
    signal: options.signal,
  });
  try {
    const rows = Int32Array.from({ length: dataset.rows }, (_, row) => row);
    const outputs = await answerer.outputs(dataset.inputs, rows, options, dataset);
    const outputsOfRows = outputsOf(dataset, graph, "test", rows, outputs);
    const scored = await inSlices(scoreSplitSliced(graph, outputsOfRows, thresholds), options.signal);
    const evaluated = evaluateSplits(graph, [scored], [], onDemand, baselines, config.settings.evaluate.tolerance);
    const evaluation = intervalsOf(graph, scored, evaluated, config.settings, dataset.columns ?? []);
    return evaluation.filter((row) => asked?.selects(row) ?? true);
  } finally {
    dataset.close();
  }
}
