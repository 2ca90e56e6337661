/** @file Some rows of a scored split, as a split of their own. */
import { at } from "../../arrays.js";
import { selectEntries, selectLabels, selectOffsets } from "../../data/labels/select-labels.js";
import { isPerElement } from "../../flow/graph.js";
import { answerWidth, neededOffsets } from "../../flow/masks.js";
import { type KeptAnswers, scoringOf } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";

/** Everything that is known of these rows, in their order. */
export function selectScored(scored: ScoredSplit, rows: Int32Array): ScoredSplit {
  const { ids, offsets = null } = scored;
  return {
    ...scored,
    ids: Array.from(rows, (row) => at(ids, row)),
    offsets: offsets === null ? null : selectOffsets(offsets, rows),
    tasks: scored.tasks.map((task) => selectTask(task, rows, offsets)),
  };
}

function selectTask(answer: ScoredTask, rows: Int32Array, offsets: ScoredSplit["offsets"]): ScoredTask {
  const { spec } = answer.task;
  const own = isPerElement(spec) ? neededOffsets(offsets) : null;
  const { answeredBy, logitWidth } = scoringOf(spec);
  const width = answeredBy === "training" ? 0 : logitWidth(spec);
  const select = <A extends Float32Array | Uint8Array>(entries: A, wide = 1): A =>
    selectEntries(entries, rows, wide, own);
  const kept: KeptAnswers =
    answer.kept.kind === "summary"
      ? { kind: "summary", summaries: select(answer.kept.summaries, width) }
      : {
          kind: "logits",
          logits: select(answer.kept.logits, width),
          activated: select(answer.kept.activated, width),
        };
  return {
    ...answer,
    kept,
    labels: selectLabels(spec, answer.labels, rows, offsets),
    decoded: select(answer.decoded, answerWidth(spec)),
    activeTruth: select(answer.activeTruth),
    activePredicted: select(answer.activePredicted),
    labelled: select(answer.labelled),
    lossMask: select(answer.lossMask),
    predictedMask: select(answer.predictedMask),
    perSampleLoss: select(answer.perSampleLoss),
  };
}
