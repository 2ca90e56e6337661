/** @file Rows of a dataset and a network's logits, put together to be scored. */
import { at } from "../arrays.js";
import type { SplitOutputs } from "../analysis/score.js";
import type { Dataset } from "../data/dataset.js";
import { selectLabels, selectOffsets } from "../data/labels/select-labels.js";
import type { FlowGraph } from "../flow/graph.js";
import type { Offsets } from "../flow/masks.js";
import type { Split } from "../tasks/evaluation.js";
import type { Labels } from "../tasks/index.js";

/**
 * Labels of some rows, in their order.
 * @param moved those that stand for the table's, by task; null: none
 */
export function labelsOf(
  dataset: Pick<Dataset, "labels" | "offsets">,
  graph: FlowGraph,
  rows: Int32Array,
  moved: readonly (Labels | null)[] | null = null,
): Pick<SplitOutputs, "labels"> & { readonly offsets: Offsets | null } {
  const { offsets = null } = dataset;
  return {
    labels: dataset.labels.map((own, i) => moved?.[i] ?? selectLabels(at(graph.tasks, i).spec, own, rows, offsets)),
    offsets: offsets === null ? null : selectOffsets(offsets, rows),
  };
}

/** @param outputs per task as the engine keeps them, aligned with `rows` */
export function outputsOf(
  dataset: Pick<Dataset, "ids" | "labels" | "offsets">,
  graph: FlowGraph,
  split: Split,
  rows: Int32Array,
  outputs: readonly Float32Array[],
): SplitOutputs {
  const ids = Array.from(rows, (row) => at(dataset.ids, row));
  return { split, ids, outputs, ...labelsOf(dataset, graph, rows) };
}
