/** @file Rows of a dataset and a network's logits, put together to be scored. */
import { at } from "../arrays.js";
import type { SplitOutputs } from "../analysis/score.js";
import type { Dataset } from "../data/dataset.js";
import { selectLabels } from "../data/labels/labels.js";
import { selectOffsets, selectTokenLabels } from "../data/labels/token-labels.js";
import { axisOf, type FlowGraph } from "../flow/graph.js";
import { answerWidth } from "../flow/masks.js";
import type { Split } from "../tasks/evaluation.js";

/** @param logits per task, aligned with `rows` */
export function outputsOf(
  dataset: Pick<Dataset, "ids" | "labels" | "offsets">,
  graph: FlowGraph,
  split: Split,
  rows: Int32Array,
  logits: readonly Float32Array[],
): SplitOutputs {
  const { offsets = null } = dataset;
  return {
    split,
    ids: Array.from(rows, (row) => at(dataset.ids, row)),
    logits,
    labels: dataset.labels.map((labels, i) => {
      const { spec } = at(graph.tasks, i);
      return offsets !== null && axisOf(spec) === "token"
        ? selectTokenLabels(labels, rows, offsets, answerWidth(spec))
        : selectLabels(labels, rows, answerWidth(spec));
    }),
    offsets: offsets === null ? null : selectOffsets(offsets, rows),
  };
}
