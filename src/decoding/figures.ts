/** @file Numbers of boxes and points, in label units ↔ in fractions of the picture, or of what the network sees of it. */
import { f32At } from "../arrays.js";
import type { BoxSpec } from "../flow/graph.js";
import type { AnswerColumn } from "../flow/masks.js";

/**
 * Facts about each row's picture, [rows, 2]: label units per unit of its width, then of its height. Where the network
 * sees its middle or puts it between bars (`framed`), [rows, 6]: then also left, top, width and height of what it sees,
 * in fractions of the picture. null: labels are fractions of the picture, which is seen whole.
 */
export type PictureScale = Float32Array | null;

/** Whether the network sees pictures of the task's rows framed. */
export interface MaybeFramed {
  readonly framed?: true;
}

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

/** Facts of a row that is framed. */
const FRAMED = 6;

/**
 * Label units per unit of the picture's width, and of its height.
 * @param i number of a row: those along the width are even
 */
export function unitAt({ framed }: MaybeFramed, scale: PictureScale, row: number, i: number): number {
  return scale === null ? 1 : f32At(scale, row * (framed === true ? FRAMED : 2) + (i % 2));
}

/** Where what the network sees begins along an axis, and how long it is, in fractions of the picture. */
function frameAt({ framed }: MaybeFramed, scale: PictureScale, row: number, i: number): readonly [number, number] {
  if (framed !== true || scale === null) return [0, 1];
  return [f32At(scale, row * FRAMED + 2 + (i % 2)), f32At(scale, row * FRAMED + 4 + (i % 2))];
}

/** A place along an axis, in fractions of what the network sees → of the picture. */
function onPicture(spec: MaybeFramed, scale: PictureScale, row: number, i: number, place: number): number {
  const [start, extent] = frameAt(spec, scale, row, i);
  return start + extent * place;
}

/** A place along an axis, in fractions of the picture → of what the network sees. */
function inFrame(spec: MaybeFramed, scale: PictureScale, row: number, i: number, place: number): number {
  const [start, extent] = frameAt(spec, scale, row, i);
  return (place - start) / extent;
}

/** The edges of one row's box, in fractions of the whole picture. */
export function edgesOnPicture(spec: BoxSpec, answers: AnswerColumn, row: number, scale: PictureScale): Edges {
  const at = (i: number): number => f32At(answers, row * 4 + i) / unitAt(spec, scale, row, i);
  return edgesFrom(spec.format, [at(0), at(1), at(2), at(3)]);
}

/** The edges of one row's box, in fractions of what the network sees. */
export function readEdges(spec: BoxSpec, answers: AnswerColumn, row: number, scale: PictureScale): Edges {
  const edges = edgesOnPicture(spec, answers, row, scale);
  if (spec.framed !== true) return edges;
  const [left, top, right, bottom] = edges;
  const seen = (i: number, place: number): number => inFrame(spec, scale, row, i, place);
  return [seen(0, left), seen(1, top), seen(0, right), seen(1, bottom)];
}

/** @param edges in fractions of what the network sees */
export function writeEdges(
  spec: BoxSpec,
  answers: AnswerColumn,
  row: number,
  scale: PictureScale,
  [left = Number.NaN, top = Number.NaN, right = Number.NaN, bottom = Number.NaN]: readonly number[],
): void {
  const whole = (i: number, place: number): number => onPicture(spec, scale, row, i, place);
  const edges: Edges = [whole(0, left), whole(1, top), whole(0, right), whole(1, bottom)];
  for (const [i, value] of numbersFrom(spec.format, edges).entries()) {
    answers[row * 4 + i] = value * unitAt(spec, scale, row, i);
  }
}

/**
 * Centres and sizes in fractions of what the network sees → boxes in label units; what reaches beyond what it sees is
 * cut off.
 */
export function decodeBoxes(spec: BoxSpec, activated: Float32Array, scale: PictureScale): AnswerColumn {
  const decoded = new Float32Array(activated.length);
  for (let row = 0; row * 4 < activated.length; row++) {
    const edges = edgesFrom("cxcywh", numbersAt(activated, row * 4)).map((edge) => Math.min(Math.max(edge, 0), 1));
    writeEdges(spec, decoded, row, scale, edges);
  }
  return decoded;
}

/** A point, in fractions of the whole picture. */
export function placeOnPicture(
  spec: MaybeFramed,
  answers: AnswerColumn,
  row: number,
  scale: PictureScale,
): readonly [x: number, y: number] {
  const at = (i: number): number => f32At(answers, row * 2 + i) / unitAt(spec, scale, row, i);
  return [at(0), at(1)];
}

/** A point, in fractions of what the network sees. */
export function readPlace(
  spec: MaybeFramed,
  answers: AnswerColumn,
  row: number,
  scale: PictureScale,
): readonly [x: number, y: number] {
  const [x, y] = placeOnPicture(spec, answers, row, scale);
  return [inFrame(spec, scale, row, 0, x), inFrame(spec, scale, row, 1, y)];
}

/** @param place in fractions of what the network sees */
export function writePlace(
  spec: MaybeFramed,
  answers: AnswerColumn,
  row: number,
  scale: PictureScale,
  [x = Number.NaN, y = Number.NaN]: readonly number[],
): void {
  for (const [i, place] of [x, y].entries()) {
    answers[row * 2 + i] = onPicture(spec, scale, row, i, place) * unitAt(spec, scale, row, i);
  }
}
