/** @file Rows of a dataset and a network's logits, put together to be scored. */
import type { SplitOutputs } from "../analysis/score.js";
import type { Dataset } from "../data/dataset.js";
import type { Split } from "../tasks/evaluation.js";

/** @param logits per task, aligned with `rows` */
export async function outputsOf(
  dataset: Pick<Dataset, "ids" | "labels" | "rows">,
  split: Split,
  rows: Int32Array,
  logits: readonly Float32Array[],
): Promise<SplitOutputs> {
  const { gatherLabels } = await import("../engine/losses.js");
  return {
    split,
    ids: Array.from(rows, (row) => dataset.ids[row] as string),
    logits,
    labels: dataset.labels.map((labels) => gatherLabels(labels, rows, dataset.rows)),
  };
}
