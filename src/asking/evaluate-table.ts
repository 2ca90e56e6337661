/** @file `cool evaluate --table`: the network of a run, or of an export, on a labelled table of the user's. */
import { type ContractCount, countContracts } from "../analysis/contracts/count-contracts.js";
import { type ScoredSplit, scoreSplitSliced } from "../analysis/score.js";
import type { SkippedRow } from "../data/dataset.js";
import type { TokenizerPlaces } from "../data/tokenizers/stored-tokenizer.js";
import { type RowColumn, selectRows } from "../data/tables/row-columns.js";
import { inSlices } from "../platform/yield-to.js";
import { askFor, onDemandMetricsOf } from "../project/metrics.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { nanAnswers } from "./adopted/nan-answers.js";
import { evaluateSplits } from "./evaluate-splits.js";
import { intervalsOf } from "./slices/intervals.js";
import type { PredictOptions } from "./open-inputs.js";
import { outputsOf } from "./outputs.js";
import type { AskedRun, RunAnswerer } from "./run-answerer.js";
import { type StoredRun, storedPlaces } from "./stored-run.js";

export interface EvaluateTableOptions extends PredictOptions, Partial<Pick<TokenizerPlaces, "stored">> {
  /** These metrics alone, or `all` that there are; default: the usual ones and those of the run's evaluate.metrics. */
  readonly metrics?: readonly string[] | undefined;
  /** Where decoded pictures are kept; undefined: in memory. */
  readonly cacheDir: string | undefined;
}

/** A labelled table that was answered. */
export interface EvaluatedTable {
  readonly evaluation: readonly EvaluationRow[];
  /** How often the flow's contracts are broken. */
  readonly contracts: readonly ContractCount[];
  /** Its rows are those of the split `test`. */
  readonly scored: ScoredSplit;
  /** What the table says of its rows besides. */
  readonly columns: readonly RowColumn[];
  readonly skipped: readonly SkippedRow[];
  /** Answers that no metric counts. */
  readonly notes: readonly string[];
}

/** What a table is evaluated by, of a run or of an export. */
export type EvaluatedRun = AskedRun & Pick<StoredRun, "baselines">;

/**
 * Evaluates a labelled table with the run's thresholds, as the split `test`.
 * @param table a file or a SQL query, relative to the user's project, else to that of the run
 * @throws DataError, ConfigError where the table does not fit the run's flow and inputs
 */
export async function evaluateTable(
  run: EvaluatedRun,
  answerer: RunAnswerer,
  table: string,
  options: EvaluateTableOptions,
): Promise<EvaluatedTable> {
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
    stored: options.stored ?? storedPlaces(run),
    onBadImage: options.onBadImage ?? "error",
    signal: options.signal,
  });
  try {
    const rows = Int32Array.from({ length: dataset.rows }, (_, row) => row);
    const outputs = await answerer.outputs(dataset.inputs, rows, options, dataset);
    const outputsOfRows = outputsOf(dataset, graph, "test", rows, outputs);
    const scored = await inSlices(scoreSplitSliced(graph, outputsOfRows, thresholds), options.signal);
    const evaluated = evaluateSplits(graph, [scored], [], onDemand, baselines, config.settings.evaluate.tolerance);
    const { skipped } = dataset;
    const columns = (dataset.columns ?? []).map((column) => selectRows(column, rows));
    const evaluation = intervalsOf(graph, scored, evaluated, config.settings, columns);
    return {
      evaluation: evaluation.filter((row) => asked?.selects(row) ?? true),
      contracts: countContracts(graph, scored),
      ...{ scored, columns, skipped, notes: nanAnswers(graph, outputs) },
    };
  } finally {
    dataset.close();
  }
}
