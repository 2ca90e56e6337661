/** @file Training batches whose pictures, and the labels with them, are changed at random. */
import { type AugmentSettings, createPictureAugmenter, drawAugmentation } from "../data/augment.js";
import { figuresOf, moveLabels } from "../data/augment-labels.js";
import type { InputSpec } from "../data/dataset.js";
import type { FlowGraph } from "../flow/graph.js";
import type { Labels } from "../tasks/index.js";
import { joinArrays } from "./arrays.js";
import type { BatchTargets, HeadLayout } from "./losses.js";
import type { InputBatch } from "./network.js";

/**
 * Changes a batch in place.
 * @param rows of the dataset, in the order of the batch
 */
export type BatchAugmenter = (
  epoch: number,
  rows: ArrayLike<number>,
  inputs: InputBatch,
  targets: BatchTargets,
) => void;

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
): BatchAugmenter {
  const figures = figuresOf(graph);
  const measured = graph.tasks.filter(({ spec }) => spec.kind === "boundedRegression" && spec.measures !== undefined);
  const pictures = Object.entries(specs).flatMap(([name, spec]) => {
    if (spec.kind !== "image") return [];
    const [height, width] = spec.size;
    const shape = { height, width, channels: spec.channels };
    return [{ name, bytes: height * width * spec.channels, augment: createPictureAugmenter(shape) }];
  });
  return (epoch, rows, inputs, targets) => {
    for (let i = 0; i < rows.length; i++) {
      const augmentation = drawAugmentation(settings, seed, epoch, rows[i] as number);
      for (const { name, bytes, augment } of pictures) {
        augment((inputs[name] as Uint8Array).subarray(i * bytes, (i + 1) * bytes), augmentation);
      }
      moveLabels(figures, targets.labels, i, augmentation);
    }
    for (const { index } of measured) {
      targets.labels[index]?.answers.forEach((answer, i) => {
        if (Number.isNaN(answer)) (targets.masks[index] as Uint8Array)[i] = 0;
      });
    }
  };
}

/** Labels of consecutive batches, per task; null for tasks per token, which no picture moves. */
export function joinLabels({ columns }: HeadLayout, batches: readonly BatchTargets[]): (Labels | null)[] {
  return columns.map(({ part }, task) => {
    if (part !== "sample") return null;
    const labels = batches.map((batch) => batch.labels[task] as Labels);
    const scales = labels.flatMap(({ unitScale }) => (unitScale === null ? [] : [unitScale]));
    return {
      answers: joinArrays(labels.map(({ answers }) => answers)),
      unitScale: scales.length === 0 ? null : joinArrays(scales),
    };
  });
}
