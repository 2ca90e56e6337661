/** @file What a batch is to be whose pictures are mixtures of two. */
import { at } from "../../arrays.js";
import type { Mixture } from "../../data/augmentation/mixing.js";
import { selectEntries, selectLabels } from "../../data/labels/select-labels.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { BatchTargets } from "./targets.js";

/**
 * Each picture keeps its own labels and has those of its partner besides: the loss of a row is that of both, by their
 * shares, λ·L(y) + (1 − λ)·L(y′), as the authors of mixup compute it. Each label counts only where its own row is active
 * and labelled, so that a task that is asked of one of the two pictures learns from that one, by its share; over a batch
 * every label counts as much as without mixing. Labels that a mixture has none of become missing, in place.
 */
export function mixTargets(
  graph: FlowGraph,
  targets: BatchTargets,
  { mixing, partners, share }: Mixture,
): BatchTargets {
  for (const { index, spec } of graph.tasks) {
    if (behaviourOf(spec).mixedBy(spec).includes(mixing)) continue;
    at(targets.labels, index).answers.fill(Number.NaN);
    at(targets.masks, index).fill(0);
  }
  const { labels, masks, weights } = targets;
  return {
    ...targets,
    mixed: {
      share,
      labels: graph.tasks.map(({ index, spec }) => selectLabels(spec, at(labels, index), partners)),
      masks: masks.map((mask) => selectEntries(mask, partners, 1, null)),
      ...(weights === undefined ? {} : { weights: selectEntries(weights, partners, 1, null) }),
    },
  };
}
