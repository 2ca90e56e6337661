/** @file What tasks per pixel do otherwise than those of the same kind that are asked of samples or tokens. */
import { f32At } from "../../arrays.js";
import type { BinarySpec, ClassificationSpec, RegressionSpec } from "../../flow/graph.js";
import { type TaskBehaviour, UNMIXED } from "../behaviour.js";
import { binaryBehaviour } from "../kinds/binary.js";
import { classificationBehaviour } from "../kinds/classification.js";
import { regressionBehaviour } from "../kinds/regression.js";
import { type ConstantLogits, logitOf, logShareOf, SURELY } from "../constants.js";
import type { Labels } from "../scored.js";
import { pixelClasses } from "./confusion.js";
import { isOverlap } from "./dice.js";
import { binaryRegionMetrics, classRegionMetrics } from "./metrics.js";

/** Share of each class among the pixels that count; null where none does. */
function sharesOf(spec: BinarySpec | ClassificationSpec, { answers }: Labels, mask: Uint8Array): number[] | null {
  const counts = pixelClasses(spec).map(() => 0);
  let known = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const answer = f32At(answers, pixel);
    if (mask[pixel] === 0 || Number.isNaN(answer)) continue;
    counts[answer] = (counts[answer] ?? 0) + 1;
    known++;
  }
  return known === 0 ? null : counts.map((count) => count / known);
}

/** The shares, and each class everywhere: what the overlap of one region is best by. */
function classConstants(spec: ClassificationSpec, labels: Labels, mask: Uint8Array): readonly ConstantLogits[] {
  const shares = sharesOf(spec, labels, mask);
  if (shares === null) return [];
  const everywhere = shares.map((_, own) => shares.map((__, c) => (c === own ? SURELY : 0)));
  return [shares.map(logShareOf), ...everywhere];
}

function binaryConstants(spec: BinarySpec, labels: Labels, mask: Uint8Array): readonly ConstantLogits[] {
  const shares = sharesOf(spec, labels, mask);
  return shares === null ? [] : [[logitOf(shares[1] ?? 0)], [SURELY], [-SURELY]];
}

export const pixelBehaviours: {
  readonly binary: TaskBehaviour<BinarySpec>;
  readonly classification: TaskBehaviour<ClassificationSpec>;
  readonly regression: TaskBehaviour<RegressionSpec>;
} = {
  binary: {
    ...binaryBehaviour,
    ...UNMIXED,
    lossForm: (spec) => (isOverlap(spec) ? null : binaryBehaviour.lossForm(spec)),
    constants: binaryConstants,
    metrics: binaryRegionMetrics,
    headlineMetric: () => "iou",
  },
  classification: {
    ...classificationBehaviour,
    ...UNMIXED,
    lossForm: (spec) => (isOverlap(spec) ? null : classificationBehaviour.lossForm(spec)),
    constants: classConstants,
    metrics: classRegionMetrics,
    headlineMetric: () => "mean_iou",
  },
  regression: { ...regressionBehaviour, ...UNMIXED },
};
