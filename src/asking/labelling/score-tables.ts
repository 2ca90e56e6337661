/** @file A run's network on all rows of its own tables, beside their labels as they are now. */
import { type ScoredSplit, scoreSplitSliced } from "../../analysis/score.js";
import { inSlices } from "../../platform/yield-to.js";
import { openOwnTables, type PredictOptions } from "../open-inputs.js";
import { outputsOf } from "../outputs.js";
import type { RunAnswerer } from "../run-answerer.js";
import type { StoredRun } from "../stored-run.js";

/** Answers to all rows, and what the trunk makes of them. */
export interface ScoredTables {
  readonly scored: ScoredSplit;
  /** [rows, numbers]; null where there are none of a whole row. */
  readonly features: Float32Array | null;
}

/**
 * @param cacheDir where decoded pictures are kept
 * @throws DataError, ConfigError where a table is gone, or does not fit the run's flow and inputs
 */
export async function scoreTables(
  run: StoredRun,
  answerer: RunAnswerer,
  options: PredictOptions & { readonly cacheDir: string },
): Promise<ScoredTables> {
  const { graph, thresholds } = run;
  const dataset = await openOwnTables(run, options);
  try {
    const rows = Int32Array.from({ length: dataset.rows }, (_, row) => row);
    const outputs = await answerer.outputs(dataset.inputs, rows, options, dataset);
    const outputsOfRows = outputsOf(dataset, graph, "train", rows, outputs);
    const scored = await inSlices(scoreSplitSliced(graph, outputsOfRows, thresholds), options.signal);
    return { scored, features: await answerer.features(dataset.inputs, rows, options) };
  } finally {
    dataset.close();
  }
}
