/** @file Pixels of each labelled class by the class that they are answered as: all that metrics of regions are made of. */
import { f32At, f64At, u8At } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import type { Scored } from "../scored.js";

/** Sums over pixels: those of several pictures, batches or replicas add up to those of all of them. */
export interface PixelCounts {
  readonly classes: number;
  /** [labelled class, answered class] */
  readonly counts: Float64Array;
  readonly pixels: number;
}

/** Names of the classes that a pixel may have; of a yes or no both. */
export function pixelClasses(spec: TaskSpec): readonly string[] {
  return spec.kind === "classification" ? spec.classes : ["false", "true"];
}

/**
 * Counts the pixels that a mask selects and that have a label.
 * @returns null where one of them has no answer, because its score is NaN
 */
export function countPixels(
  { spec, labels, decoded, activated, mask }: Pick<Scored, "spec" | "labels" | "decoded" | "activated" | "mask">,
  from = 0,
  to = mask.length,
): PixelCounts | null {
  const classes = pixelClasses(spec).length;
  const counts = new Float64Array(classes * classes);
  const isBinary = spec.kind === "binary";
  let pixels = 0;
  for (let pixel = from; pixel < to; pixel++) {
    if (u8At(mask, pixel) === 0) continue;
    const truth = f32At(labels.answers, pixel);
    if (Number.isNaN(truth)) continue;
    const answer = f32At(decoded, pixel);
    // a yes or no is decided however its score is
    if (Number.isNaN(answer) || (isBinary && Number.isNaN(f32At(activated, pixel)))) return null;
    const place = truth * classes + answer;
    counts[place] = f64At(counts, place) + 1;
    pixels++;
  }
  return { classes, counts, pixels };
}

/** What is counted of one class against the others. */
export interface ClassCounts {
  /** Pixels that are labelled and answered so. */
  readonly both: number;
  readonly labelled: number;
  readonly answered: number;
}

export function ofClass({ classes, counts }: PixelCounts, index: number): ClassCounts {
  let [labelled, answered] = [0, 0];
  for (let other = 0; other < classes; other++) {
    labelled += f64At(counts, index * classes + other);
    answered += f64At(counts, other * classes + index);
  }
  return { both: f64At(counts, index * classes + index), labelled, answered };
}

/** Intersection over union, Jaccard's index; null where the class is neither labelled nor answered. */
export function iouOf({ both, labelled, answered }: ClassCounts): number | null {
  const union = labelled + answered - both;
  return union === 0 ? null : both / union;
}

/** Dice's coefficient, which is the F1 score of pixels; null where the class is neither labelled nor answered. */
export function diceOf({ both, labelled, answered }: ClassCounts): number | null {
  return labelled + answered === 0 ? null : (2 * both) / (labelled + answered);
}

/** Share of pixels whose class is right. */
export function accuracyOf({ classes, counts, pixels }: PixelCounts): number | null {
  let right = 0;
  for (let own = 0; own < classes; own++) right += f64At(counts, own * classes + own);
  return pixels === 0 ? null : right / pixels;
}

/** Mean over the classes on which it is defined; null where there is none. */
export function meanOverClasses(counts: PixelCounts, metric: (own: ClassCounts) => number | null): number | null {
  let [sum, defined] = [0, 0];
  for (let own = 0; own < counts.classes; own++) {
    const value = metric(ofClass(counts, own));
    if (value === null) continue;
    sum += value;
    defined++;
  }
  return defined === 0 ? null : sum / defined;
}
