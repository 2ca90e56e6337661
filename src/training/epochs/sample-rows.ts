/** @file The rows that each epoch of a run trains on: all of the train split once, or as its tasks need them. */
import { f32At } from "../../arrays.js";
import type { Dataset } from "../../data/dataset.js";
import { rowsWithLabel } from "../../data/labels/token-labels.js";
import { activeSampling } from "../../data/sampling.js";
import type { RowMask } from "../../flow/masks.js";
import type { RunContext } from "../run-context.js";

/** What epochs read. */
export interface SampledRows {
  /** With the weights that make up for what is drawn more often. */
  readonly dataset: Dataset;
  /** Rows to train on, as many in every epoch; the same ones each time. */
  rowsOf(epoch: number): Int32Array;
}

/**
 * @param dataset what the steps of the run read
 * @param masks loss mask of each task, over its rows or tokens
 */
export function sampleRows(
  { project, settings: { train } }: Pick<RunContext, "project" | "settings">,
  dataset: Dataset,
  masks: readonly RowMask[],
): SampledRows {
  const rows = dataset.splits.train;
  switch (train.sampling) {
    case "active": {
      const perRow = project.graph.tasks.flatMap((task) => {
        const mask = masks[task.index];
        return mask === undefined ? [] : [rowsWithLabel(task, mask, dataset.offsets)];
      });
      const sampling = activeSampling(perRow, rows, dataset.rows, train.seed);
      const { weights: own = null } = dataset;
      const weights = own === null ? sampling.weights : sampling.weights.map((weight, row) => weight * f32At(own, row));
      return { dataset: { ...dataset, weights }, rowsOf: (epoch) => sampling.rowsOf(epoch) };
    }
    case "uniform":
    // a run of an earlier version has no such setting
    case undefined:
      return { dataset, rowsOf: () => rows };
    default:
      return train.sampling satisfies never;
  }
}
