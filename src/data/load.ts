/** @file A project's table and images → the dataset that training reads. */
import { createHash } from "node:crypto";
import { DataError } from "../errors.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import type { Labels } from "../tasks/index.js";
import type { Dataset } from "./dataset.js";
import { assertLabelled, readLabels, selectLabels, withImageSizes } from "./labels.js";
import { type SplitSpec, type Splits, splitByColumn, splitRows } from "./split.js";
import { readTable, type Table, tableDigest } from "./table.js";
import { loadTableImages, rowIds, type TableImageOptions } from "./table-images.js";

export interface LoadRowsOptions extends TableImageOptions {
  readonly graph: FlowGraph;
  /** File or SQL query; see readTable. */
  readonly table: string;
}

export interface LoadOptions extends LoadRowsOptions {
  readonly split: SplitSpec;
}

/**
 * Loads a labelled dataset. Names, splits and labels are checked before the first image is decoded, so that a slip
 * in the table costs a second and not an hour.
 * @throws DataError for problems of the table, its labels or images; ConfigError for a wrong split;
 *   InterruptedError if the signal fires
 */
export async function loadDataset(options: LoadOptions): Promise<Dataset> {
  const { graph } = options;
  const table = await readTable(options.table, options);
  // over all rows of the table, so that a bad image does not move the others
  const splits = splitTable(table, rowIds(table, options.inputs), options.split);
  const labels = readLabels(graph, table, null);
  assertTrainable(graph, labels, splits);
  const dataset = await withImages(table, labels, splits, options);
  try {
    assertTrainable(graph, dataset.labels, dataset.splits);
  } catch (error) {
    dataset.close();
    throw error;
  }
  return dataset;
}

/**
 * Loads a labelled table to evaluate on: all its rows are in the test split.
 * @throws the same as loadDataset
 */
export async function loadRows(options: LoadRowsOptions): Promise<Dataset> {
  const table = await readTable(options.table, options);
  rowIds(table, options.inputs);
  const splits = { train: new Int32Array(0), valid: new Int32Array(0), test: allRows(table) };
  return withImages(table, readLabels(options.graph, table, null), splits, options);
}

/** A table's labels and splits without its images; labels in pixels are as they stand in the table. */
export async function loadLabels(
  options: Pick<LoadOptions, "graph" | "table" | "inputs" | "split" | "projectDir">,
): Promise<{ readonly labels: readonly Labels[]; readonly splits: Splits }> {
  const table = await readTable(options.table, options);
  const splits = splitTable(table, rowIds(table, options.inputs), options.split);
  return { labels: readLabels(options.graph, table, null), splits };
}

/** @param labels and splits over all rows of the table */
async function withImages(
  table: Table,
  labels: readonly Labels[],
  splits: Splits,
  options: LoadRowsOptions,
): Promise<Dataset> {
  const { graph } = options;
  const images = await loadTableImages(table, options);
  try {
    const { kept, ids, inputs, skipped } = images;
    const sized = withImageSizes(graph, table, labels, images.sizes);
    return {
      rows: kept.length,
      ids,
      splits: renumber(splits, kept),
      labels: sized.map((one, i) => selectLabels(one, kept, answerWidth((graph.tasks[i] as TaskNode).spec))),
      inputs,
      skipped,
      digest: createHash("sha256").update(tableDigest(table)).update(images.digest).digest("hex"),
      close: images.close,
    };
  } catch (error) {
    images.close();
    throw error;
  }
}

function splitTable(table: Table, ids: readonly string[], split: SplitSpec): Splits {
  return "column" in split ? splitByColumn(table, split.column) : splitRows(ids, split);
}

function assertTrainable(graph: FlowGraph, labels: Dataset["labels"], splits: Splits): void {
  if (splits.train.length === 0) {
    throw new DataError("The train split has no rows. Give it a larger fraction, or mark rows as train.", {});
  }
  assertLabelled(graph, labels, splits);
}

function allRows({ rows }: Table): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row);
}

/** Splits over the rows of the table → over the kept rows. */
function renumber(splits: Splits, kept: Int32Array): Splits {
  const numbers = new Map([...kept].map((row, i) => [row, i]));
  const select = (rows: Int32Array) => Int32Array.from([...rows].flatMap((row) => numbers.get(row) ?? []));
  return { train: select(splits.train), valid: select(splits.valid), test: select(splits.test) };
}
