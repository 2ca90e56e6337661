/** @file Numbers of boxes and points, in label units ↔ in fractions of the picture. */
import { f32At } from "../arrays.js";
import type { BoxSpec } from "../flow/graph.js";
import type { AnswerColumn } from "../flow/masks.js";

/** Label units per unit of the picture's width, then of its height, [rows, 2]; null: labels are fractions of them. */
export type PictureScale = Float32Array | null;

/** Edges of a box, in any unit that grows to the right and downwards. */
export type Edges = readonly [left: number, top: number, right: number, bottom: number];

/** Four numbers of a format → the edges of the box. */
export function edgesFrom(format: BoxSpec["format"], [a, b, c, d]: Edges): Edges {
  switch (format) {
    case "xywh":
      return [a, b, a + c, b + d];
    case "cxcywh":
      return [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
    case "xyxy":
      return [a, b, c, d];
    default:
      return format satisfies never;
  }
}

/** The edges of a box → four numbers of a format, in the same unit. */
export function numbersFrom(format: BoxSpec["format"], [left, top, right, bottom]: Edges): Edges {
  const [width, height] = [right - left, bottom - top];
  switch (format) {
    case "xywh":
      return [left, top, width, height];
    case "cxcywh":
      return [left + width / 2, top + height / 2, width, height];
    case "xyxy":
      return [left, top, right, bottom];
    default:
      return format satisfies never;
  }
}

export function numbersAt(values: Float32Array, at: number): Edges {
  return [f32At(values, at), f32At(values, at + 1), f32At(values, at + 2), f32At(values, at + 3)];
}

/**
 * Label units per unit of the picture's width, and of its height.
 * @param i number of a row: those along the width are even
 */
export function unitAt(unitScale: PictureScale, row: number, i: number): number {
  return unitScale === null ? 1 : f32At(unitScale, row * 2 + (i % 2));
}

/** The edges of one row's box, in fractions of the picture. */
export function readEdges({ format }: BoxSpec, answers: AnswerColumn, row: number, unitScale: PictureScale): Edges {
  const at = (i: number): number => f32At(answers, row * 4 + i) / unitAt(unitScale, row, i);
  return edgesFrom(format, [at(0), at(1), at(2), at(3)]);
}

/** @param edges in fractions of the picture */
export function writeEdges(
  { format }: BoxSpec,
  answers: AnswerColumn,
  row: number,
  unitScale: PictureScale,
  [left = Number.NaN, top = Number.NaN, right = Number.NaN, bottom = Number.NaN]: readonly number[],
): void {
  for (const [i, value] of numbersFrom(format, [left, top, right, bottom]).entries()) {
    answers[row * 4 + i] = value * unitAt(unitScale, row, i);
  }
}

/** Centres and sizes in fractions of the picture → boxes in label units; what reaches beyond the picture is cut off. */
export function decodeBoxes(spec: BoxSpec, activated: Float32Array, unitScale: PictureScale): AnswerColumn {
  const decoded = new Float32Array(activated.length);
  for (let row = 0; row * 4 < activated.length; row++) {
    const edges = edgesFrom("cxcywh", numbersAt(activated, row * 4)).map((edge) => Math.min(Math.max(edge, 0), 1));
    writeEdges(spec, decoded, row, unitScale, edges);
  }
  return decoded;
}
