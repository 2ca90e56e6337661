/** @file Rows of a dataset and a network's logits, put together to be scored. */
import { at } from "../arrays.js";
import type { SplitOutputs } from "../analysis/score.js";
import type { Dataset } from "../data/dataset.js";
import { selectLabels, selectOffsets } from "../data/labels/select-labels.js";
import type { FlowGraph } from "../flow/graph.js";
import type { Split } from "../tasks/evaluation.js";

/** @param outputs per task as the engine keeps them, aligned with `rows` */
export function outputsOf(
  dataset: Pick<Dataset, "ids" | "labels" | "offsets">,
  graph: FlowGraph,
  split: Split,
  rows: Int32Array,
  outputs: readonly Float32Array[],
): SplitOutputs {
  const { offsets = null } = dataset;
  return {
    split,
    ids: Array.from(rows, (row) => at(dataset.ids, row)),
    outputs,
    labels: dataset.labels.map((labels, i) => selectLabels(at(graph.tasks, i).spec, labels, rows, offsets)),
    offsets: offsets === null ? null : selectOffsets(offsets, rows),
  };
}
