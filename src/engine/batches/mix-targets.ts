/** @file What a batch is to be whose pictures are mixtures of two. */
import { at } from "../../arrays.js";
import { type Mixture, pasteMask } from "../../data/augmentation/mixing.js";
import { selectEntries, selectLabels } from "../../data/labels/select-labels.js";
import { type FlowGraph, isPerPixel, type PixelSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { BatchTargets } from "./targets.js";

/**
 * Each picture keeps its own labels and has those of its partner besides: the loss of a row is that of both, by their
 * shares, λ·L(y) + (1 − λ)·L(y′), as the authors of mixup compute it. Each label counts only where its own row is active
 * and labelled, so that a task that is asked of one of the two pictures learns from that one, by its share; over a batch
 * every label counts as much as without mixing. Labels that a mixture has none of become missing, in place.
 */
export function mixTargets(graph: FlowGraph, targets: BatchTargets, mixture: Mixture): BatchTargets {
  const { mixing, partners, share } = mixture;
  for (const { index, spec } of graph.tasks) {
    if (isPerPixel(spec)) {
      pasteMasks(spec, at(targets.labels, index).answers, at(targets.masks, index), mixture);
      continue;
    }
    if (behaviourOf(spec).mixedBy(spec).includes(mixing)) continue;
    at(targets.labels, index).answers.fill(Number.NaN);
    at(targets.masks, index).fill(0);
  }
  const { labels, masks, weights } = targets;
  return {
    ...targets,
    mixed: {
      share,
      // a mask is mixed pixel by pixel: both parts of a row's loss are that of the one mask
      labels: graph.tasks.map(({ index, spec }) =>
        isPerPixel(spec) ? at(labels, index) : selectLabels(spec, at(labels, index), partners),
      ),
      masks: graph.tasks.map(({ index, spec }) =>
        isPerPixel(spec) ? at(masks, index) : selectEntries(at(masks, index), partners, 1, null),
      ),
      ...(weights === undefined ? {} : { weights: selectEntries(weights, partners, 1, null) }),
    },
  };
}

/** Pasted as the pictures are; of faded ones no pixel has a label. */
function pasteMasks(
  { size: [height, width] }: PixelSpec,
  answers: Float32Array,
  mask: Uint8Array,
  mixture: Mixture,
): void {
  if (mixture.pasted === null) {
    answers.fill(Number.NaN);
    mask.fill(0);
    return;
  }
  pasteMask(answers, { height, width }, mixture);
  pasteMask(mask, { height, width }, mixture);
}
