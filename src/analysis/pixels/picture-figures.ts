/** @file What a task per pixel comes to in one picture: areas of its answers, and how they overlap with the labels. */
import { at, f32At, u8At } from "../../arrays.js";
import { pixelsOf, regionsOf } from "../../decoding/areas.js";
import type { TaskSpec } from "../../flow/graph.js";
import { scoringNumbers } from "../../tasks/index.js";
import { countPixels, iouOf, ofClass, pixelClasses } from "../../tasks/pixels/confusion.js";
import type { ScoredTask } from "../score.js";

/** In words: `door 12.5 %, wall 87.5 %`, from the largest area down; of a number its mean. */
export function describeAreas(spec: TaskSpec, areas: ArrayLike<number>): string {
  if (spec.kind === "regression") return `mean ${Number(at(areas, 0).toPrecision(4))}`;
  const percent = (area: number): string => `${(100 * area).toFixed(1)} %`;
  const named = regionsOf(spec).map((name, i) => ({ name, area: at(areas, i) }));
  const there = named.filter(({ area }) => area > 0).sort((a, b) => b.area - a.area);
  if (there.length === 0) return percent(0);
  return there.map(({ name, area }) => (name === null ? percent(area) : `${name} ${percent(area)}`)).join(", ");
}

/** How the answers of one picture are judged, over its pixels that count: what pictures are ranked by. */
export interface PictureMeasure {
  readonly name: "iou" | "mean_iou" | "absolute_error";
  readonly higherIsBetter: boolean;
  /** null where no region is labelled or answered, or a pixel has no answer. */
  readonly value: number | null;
  /** Of each region its IoU, NaN where that is undefined; of a number its mean absolute error. */
  readonly each: readonly number[];
}

export function measureOfPicture(task: ScoredTask, mask: Uint8Array, row: number): PictureMeasure {
  const { spec } = task.task;
  const pixels = pixelsOf(spec);
  const [from, to] = [row * pixels, (row + 1) * pixels];
  if (spec.kind === "regression") {
    const error = meanError(task, mask, from, to);
    return { name: "absolute_error", higherIsBetter: false, value: Number.isNaN(error) ? null : error, each: [error] };
  }
  const scored = { ...task, spec, ...scoringNumbers(task.kept), mask };
  const counts = countPixels(scored, from, to);
  const asked = spec.kind === "binary" ? [1] : pixelClasses(spec).map((_, i) => i);
  const each = asked.map((own) => (counts === null ? null : iouOf(ofClass(counts, own))) ?? Number.NaN);
  const defined = each.filter((value) => !Number.isNaN(value));
  return {
    name: spec.kind === "binary" ? "iou" : "mean_iou",
    higherIsBetter: true,
    value: defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length,
    each,
  };
}

function meanError({ labels, decoded }: ScoredTask, mask: Uint8Array, from: number, to: number): number {
  let [sum, count] = [0, 0];
  for (let pixel = from; pixel < to; pixel++) {
    const label = f32At(labels.answers, pixel);
    if (u8At(mask, pixel) === 0 || Number.isNaN(label)) continue;
    sum += Math.abs(f32At(decoded, pixel) - label);
    count++;
  }
  return sum / count;
}

/** Mean of the losses of a picture's pixels that count; NaN where none does. */
export function lossOfPicture({ task, perSampleLoss }: ScoredTask, mask: Uint8Array, row: number): number {
  const pixels = pixelsOf(task.spec);
  let [sum, count] = [0, 0];
  for (let pixel = row * pixels; pixel < (row + 1) * pixels; pixel++) {
    if (u8At(mask, pixel) === 0 || Number.isNaN(perSampleLoss[pixel])) continue;
    sum += f32At(perSampleLoss, pixel);
    count++;
  }
  return sum / count;
}

/** Pictures of which any pixel is in a mask, [rows]. */
export function picturesIn(spec: TaskSpec, mask: Uint8Array): Uint8Array {
  const pixels = pixelsOf(spec);
  return Uint8Array.from({ length: mask.length / pixels }, (_, row) =>
    Number(mask.subarray(row * pixels, (row + 1) * pixels).includes(1)),
  );
}
