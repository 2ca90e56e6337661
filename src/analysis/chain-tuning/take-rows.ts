/** @file Some rows of a scored split. */
import { at } from "../../arrays.js";
import { selectEntries, selectLabels, selectOffsets } from "../../data/labels/select-labels.js";
import { isPerElement, type FlowGraph, type TaskSpec } from "../../flow/graph.js";
import { neededOffsets, type Offsets } from "../../flow/masks.js";
import { scoringNumbers, scoringOf } from "../../tasks/index.js";
import { type ScoredSplit, scoreSplit } from "../score.js";

/** The offsets that a task's arrays lie by; null: it has one entry per row. */
export function offsetsFor(spec: TaskSpec, offsets: Offsets | null | undefined): Offsets | null {
  return isPerElement(spec) ? neededOffsets(offsets) : null;
}

/** The same rows decided by the same thresholds. */
export function takeRows(graph: FlowGraph, scored: ScoredSplit, rows: Int32Array): ScoredSplit {
  const { offsets = null } = scored;
  const outputs = scored.tasks.map(({ task: { spec }, kept }) => {
    const behaviour = scoringOf(spec);
    const width = behaviour.answeredBy === "training" ? 0 : behaviour.logitWidth(spec);
    return selectEntries(scoringNumbers(kept).logits, rows, width, offsetsFor(spec, offsets));
  });
  return scoreSplit(
    graph,
    {
      split: scored.split,
      ids: Array.from(rows, (row) => at(scored.ids, row)),
      outputs,
      labels: scored.tasks.map(({ task: { spec }, labels }) => selectLabels(spec, labels, rows, offsets)),
      offsets: offsets === null ? null : selectOffsets(offsets, rows),
    },
    scored.tasks.map(({ thresholds }) => thresholds),
  );
}
