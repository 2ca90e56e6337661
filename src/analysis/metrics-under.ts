/** @file Loss and metrics of one task over the rows that a mask selects. */
import { f32At } from "../arrays.js";
import { isPerPixel } from "../flow/graph.js";
import type { RowMask } from "../flow/masks.js";
import { behaviourOf, isOverlap, LOSS, type MetricValue, scoringNumbers, scoringOf } from "../tasks/index.js";
import type { ScoredTask } from "./score.js";

/** What metrics are computed from. */
export type Measured = Pick<ScoredTask, "task" | "labels" | "kept" | "decoded" | "perSampleLoss">;

/** The loss, then the metrics that are always computed and those that are asked for. */
export function metricsUnder(scored: Measured, mask: RowMask, onDemand: readonly string[]): MetricValue[] {
  const { spec } = scored.task;
  const { kept, decoded, labels } = scored;
  const metrics = scoringOf(spec).metrics.values({ spec, ...scoringNumbers(kept), decoded, labels, mask }, onDemand);
  return [maskedMeanLoss(scored, mask), ...metrics];
}

/** Mean over the known loss terms of the mask's rows, as in training. */
function maskedMeanLoss({ task: { spec }, labels, perSampleLoss }: Measured, mask: RowMask): MetricValue {
  const behaviour = behaviourOf(spec);
  let sum = 0;
  let terms = 0;
  let count = 0;
  const pixels = isOverlap(spec) && isPerPixel(spec) ? spec.size[0] * spec.size[1] : null;
  let picture = -1;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    if (pixels !== null) {
      count++;
      if (Math.floor(row / pixels) === picture) continue;
      // of a loss of whole pictures each picture is one term
      picture = Math.floor(row / pixels);
      sum += f32At(perSampleLoss, row);
      terms++;
      continue;
    }
    const known = behaviour.lossTerms(spec, labels, row);
    sum += f32At(perSampleLoss, row) * known;
    terms += known;
    count++;
  }
  return { name: LOSS, value: terms === 0 ? null : sum / terms, count };
}
