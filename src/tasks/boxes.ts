/** @file Boxes on a picture: overlap of two, and how far one is from another (GIoU), with its gradient. */

import type { Edges } from "../decoding/figures.js";

/** Extents of the two boxes that are measured against each other. */
interface Overlap {
  readonly intersection: number;
  readonly union: number;
}

function areaOf([left, top, right, bottom]: Edges): number {
  return Math.max(0, right - left) * Math.max(0, bottom - top);
}

function overlapOf(a: Edges, b: Edges): Overlap {
  const intersection = areaOf([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return { intersection, union: areaOf(a) + areaOf(b) - intersection };
}

/** Area of what both boxes cover by that of what either does, in [0, 1]; 0 where neither has an area. */
export function intersectionOverUnion(a: Edges, b: Edges): number {
  const { intersection, union } = overlapOf(a, b);
  return union > 0 ? intersection / union : 0 * union;
}

// of torchvision's generalized_box_iou_loss: boxes without an area are not divided by 0
export const EPSILON = 1e-7;

/**
 * 1 − GIoU of two boxes: their intersection over union, less the share of the smallest box around both that neither
 * covers. Rezatofighi et al., "Generalized Intersection over Union" (2019). In [0, 2].
 * @param gradient receives ∂/∂edges of the first box, if given
 */
export function generalizedIouLoss(box: Edges, label: Edges, gradient: number[] | null): number {
  const { intersection, union } = overlapOf(box, label);
  const [left, top, right, bottom] = [
    Math.min(box[0], label[0]),
    Math.min(box[1], label[1]),
    Math.max(box[2], label[2]),
    Math.max(box[3], label[3]),
  ];
  const [width, height] = [right - left, bottom - top];
  const around = width * height;
  const [u, c] = [union + EPSILON, around + EPSILON];
  const loss = 1 - intersection / u + (around - union) / c;
  if (gradient === null) return loss;
  const [sharedWidth, sharedHeight] = [
    Math.max(0, Math.min(box[2], label[2]) - Math.max(box[0], label[0])),
    Math.max(0, Math.min(box[3], label[3]) - Math.max(box[1], label[1])),
  ];
  const [ownWidth, ownHeight] = [box[2] - box[0], box[3] - box[1]];
  const overlaps = sharedWidth > 0 && sharedHeight > 0;
  for (let edge = 0; edge < 4; edge++) {
    const [own, other] = [box[edge] ?? Number.NaN, label[edge] ?? Number.NaN];
    // 1: the edge moves outwards as it grows
    const sign = edge < 2 ? -1 : 1;
    const isHorizontal = edge % 2 === 0;
    const isInside = sign * own < sign * other;
    const grownOwn = sign * (isHorizontal ? ownHeight : ownWidth);
    const grownShared = overlaps && isInside ? sign * (isHorizontal ? sharedHeight : sharedWidth) : 0;
    const grownAround = sign * own > sign * other ? sign * (isHorizontal ? height : width) : 0;
    const grownUnion = grownOwn - grownShared;
    gradient[edge] =
      -grownShared / u +
      (intersection * grownUnion) / (u * u) +
      (grownAround - grownUnion) / c -
      ((around - union) * grownAround) / (c * c);
  }
  return loss;
}
