/** @file Training batches whose pictures, and the labels with them, are changed at random. */
import { at, i32At } from "../../arrays.js";
import { type AugmentSettings, drawAugmentation } from "../../data/augment.js";
import { createPictureAugmenter, type PictureShape } from "../../data/augmentation/pictures.js";
import type { InputSpec } from "../../data/dataset.js";
import { movingFigures, moveLabels } from "../../data/labels/augment-labels.js";
import type { FlowGraph } from "../../flow/graph.js";
import { labelledRows } from "../../flow/masks.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import type { InputBatch } from "../model/input-batch.js";
import type { HeadLayout } from "../model/layout.js";
import { joinArrays } from "./arrays.js";
import type { BatchTargets } from "./targets.js";

/**
 * Changes a batch: its labels in place, at once; its pictures, which take longer, maybe in another thread.
 * @param rows of the dataset, in the order of the batch
 * @returns the inputs with the pictures as they became; the given arrays are not to be used any more
 */
export type BatchAugmenter = (
  epoch: number,
  rows: Int32Array,
  inputs: InputBatch,
  targets: BatchTargets,
) => InputBatch | Promise<InputBatch>;

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
    return pictures;
  };
}

/** Width by height of the first picture of a row, after which all of them turn. */
function aspectOf(shapes: PictureChanges["shapes"]): number {
  const [first] = Object.values(shapes);
  return first === undefined ? 1 : first.width / first.height;
}

/**
 * Every picture of a row is changed alike, by a draw that depends on (seed, epoch, row) alone. Labels of tasks that
 * say what they measure move with the pictures; one that leaves them no longer counts in the loss. Which tasks are
 * active stays as the original labels say.
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
    }
    for (const { index, spec } of moving) {
      const mask = at(targets.masks, index);
      labelledRows(spec, at(targets.labels, index).answers).forEach((labelled, row) => {
        if (labelled === 0) mask[row] = 0;
      });
    }
    const pictures = Object.fromEntries(Object.keys(shapes).map((name) => [name, inputs[name] as Uint8Array]));
    const changed = augmentPictures(epoch, rows, pictures);
    return changed instanceof Promise
      ? changed.then((arrived) => ({ ...inputs, ...arrived }))
      : { ...inputs, ...changed };
  };
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
