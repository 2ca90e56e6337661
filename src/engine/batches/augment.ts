/** @file Training batches whose pictures, and the labels with them, are changed at random. */
import { at, i32At } from "../../arrays.js";
import { type AugmentSettings, drawAugmentation, type Moves } from "../../data/augment.js";
import { drawMixture, type MixedFor, mixPictures } from "../../data/augmentation/mixing.js";
import type { PictureShape } from "../../data/augmentation/picture-shape.js";
import { createPictureAugmenter } from "../../data/augmentation/pictures.js";
import type { InputSpec } from "../../data/dataset.js";
import { moveMask } from "../../data/augmentation/masks.js";
import { movingFigures, moveLabels } from "../../data/labels/augment-labels.js";
import { type FlowGraph, isPerPixel } from "../../flow/graph.js";
import { labelledRows } from "../../flow/masks.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import type { InputBatch } from "../model/input-batch.js";
import type { HeadLayout } from "../model/layout.js";
import { joinArrays } from "./arrays.js";
import { mixTargets } from "./mix-targets.js";
import type { BatchTargets } from "./targets.js";

/** A batch as its step sees it. */
export interface ChangedBatch {
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/**
 * Changes a batch: its labels in place, at once; its pictures, which take longer, maybe in another thread.
 * @param rows of the dataset, in the order of the batch
 * @returns the inputs with the pictures as they became, and what these are to be; the given arrays are not to be used
 *   any more
 */
export type BatchAugmenter = (
  epoch: number,
  rows: Int32Array,
  inputs: InputBatch,
  targets: BatchTargets,
) => ChangedBatch | Promise<ChangedBatch>;

/** All that the pictures of a dataset are changed by. */
export interface PictureChanges {
  readonly settings: AugmentSettings;
  readonly seed: number | string;
  /** Of each input that is a picture. */
  readonly shapes: Readonly<Record<string, PictureShape>>;
}

/** Pictures of the rows of a batch, one after the other, by the name of their input. */
export type Pictures = Readonly<Record<string, Uint8Array>>;

/** Changes pictures in place, or in arrays that it gives back. */
export type PictureAugmenter = (epoch: number, rows: Int32Array, pictures: Pictures) => Pictures | Promise<Pictures>;

/** In this thread, in place. */
export function pictureAugmenter({ settings, seed, shapes }: PictureChanges): PictureAugmenter {
  const inputs = Object.entries(shapes).map(([name, shape]) => {
    const { height, width, channels } = shape;
    return { name, bytes: height * width * channels, augment: createPictureAugmenter(shape) };
  });
  const aspect = aspectOf(shapes);
  return (epoch, rows, pictures) => {
    for (let i = 0; i < rows.length; i++) {
      const augmentation = drawAugmentation(settings, { seed, epoch, row: i32At(rows, i) }, aspect);
      for (const { name, bytes, augment } of inputs) {
        augment((pictures[name] as Uint8Array).subarray(i * bytes, (i + 1) * bytes), augmentation);
      }
    }
    const mixture = drawFor(settings, { seed, epoch, rows }, shapes);
    if (mixture !== null) {
      for (const [name, shape] of Object.entries(shapes)) {
        mixPictures(pictures[name] as Uint8Array, shape, mixture.drawn, mixture.shape);
      }
    }
    return pictures;
  };
}

/** The mixture of a batch, and the shape of the pictures that it was drawn for: the first of each row. */
function drawFor(settings: AugmentSettings, drawn: MixedFor, shapes: PictureChanges["shapes"]) {
  const [shape] = Object.values(shapes);
  const mixture = shape === undefined ? null : drawMixture(settings, drawn, shape);
  return shape === undefined || mixture === null ? null : { drawn: mixture, shape };
}

/** Width by height of the first picture of a row, after which all of them turn. */
function aspectOf(shapes: PictureChanges["shapes"]): number {
  const [first] = Object.values(shapes);
  return first === undefined ? 1 : first.width / first.height;
}

/**
 * Every picture of a row is changed alike, by a draw that depends on (seed, epoch, row) alone. Labels of tasks that
 * say what they measure move with the pictures; one that leaves them no longer counts in the loss. Which tasks are
 * active stays as the original labels say. Where the pictures of a batch are mixed, so is what they are to be.
 */
export function createBatchAugmenter(
  graph: FlowGraph,
  specs: Readonly<Record<string, InputSpec>>,
  settings: AugmentSettings,
  seed: number | string,
  open: (changes: PictureChanges) => PictureAugmenter = pictureAugmenter,
): BatchAugmenter {
  const figures = movingFigures(graph);
  const moving = graph.tasks.filter(({ spec }) => behaviourOf(spec).onPicture(spec) === "moves");
  const shapes = Object.fromEntries(
    Object.entries(specs).flatMap(([name, spec]) => {
      if (spec.kind !== "image") return [];
      const [height, width] = spec.size;
      return [[name, { height, width, channels: spec.channels }]];
    }),
  );
  const augmentPictures = open({ settings, seed, shapes });
  const aspect = aspectOf(shapes);
  return (epoch, rows, inputs, targets) => {
    for (let i = 0; i < rows.length; i++) {
      const drawn = drawAugmentation(settings, { seed, epoch, row: i32At(rows, i) }, aspect);
      moveLabels(figures, targets.labels, i, drawn);
      moveMasks(graph, targets, i, drawn);
    }
    for (const { index, spec } of moving) {
      const mask = at(targets.masks, index);
      labelledRows(spec, at(targets.labels, index).answers).forEach((labelled, row) => {
        if (labelled === 0) mask[row] = 0;
      });
    }
    const pictures = Object.fromEntries(Object.keys(shapes).map((name) => [name, inputs[name] as Uint8Array]));
    const changed = augmentPictures(epoch, rows, pictures);
    const mixture = drawFor(settings, { seed, epoch, rows }, shapes);
    const told = mixture === null ? targets : mixTargets(graph, targets, mixture.drawn);
    const batchOf = (arrived: Pictures): ChangedBatch => ({ inputs: { ...inputs, ...arrived }, targets: told });
    return changed instanceof Promise ? changed.then(batchOf) : batchOf(changed);
  };
}

/** Moves the masks of a row of the batch with its picture, and which of their pixels count. */
function moveMasks({ tasks }: FlowGraph, { labels, masks }: BatchTargets, row: number, moves: Moves): void {
  for (const { index, spec } of tasks) {
    if (!isPerPixel(spec)) continue;
    const pixels = spec.size[0] * spec.size[1];
    const own = <A extends Float32Array | Uint8Array>(all: A): A => all.subarray(row * pixels, (row + 1) * pixels) as A;
    moveMask(own(at(labels, index).answers), spec.size, moves, Number.NaN);
    moveMask(own(at(masks, index)), spec.size, moves, 0);
  }
}

/** Labels of consecutive batches, per task; null for tasks per token, which no picture moves. */
export function joinLabels({ columns }: HeadLayout, batches: readonly BatchTargets[]): (Labels | null)[] {
  return columns.map(({ axis }, task) => {
    if (axis !== "sample") return null;
    const labels = batches.map((batch) => at(batch.labels, task));
    const scales = labels.flatMap(({ unitScale }) => (unitScale === null ? [] : [unitScale]));
    return {
      answers: joinArrays(labels.map(({ answers }) => answers)),
      unitScale: scales.length === 0 ? null : joinArrays(scales),
    };
  });
}
