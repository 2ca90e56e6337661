/** @file The labelled answers that a calibration is fitted to and measured on. */
import { at, f32At } from "../../arrays.js";
import { calibrationForm } from "../../decoding/calibration.js";
import type { TaskSpec } from "../../flow/graph.js";
import type { ScoredTask } from "../score.js";

/** Yes-or-no events: what came true, and which of the task's logits speak of it. */
export interface Events {
  /** Where they lie among the logits of all rows. */
  readonly indices: Int32Array;
  /** 1 where it came true. */
  readonly truths: Uint8Array;
}

/**
 * The events that one map of a task is about, over the rows of its loss mask whose labels are known.
 * @param map which of the task's maps
 * @param maps how many it has
 */
export function eventsOf(scored: ScoredTask, map: number, maps: number): Events {
  const { spec } = scored.task;
  const form = calibrationForm<TaskSpec>(spec);
  if (form === null || scored.kept.kind === "summary") return { indices: new Int32Array(0), truths: new Uint8Array(0) };
  const { logits } = scored.kept;
  const width = form.width(spec);
  const indices: number[] = [];
  const truths: number[] = [];
  for (let row = 0; row < scored.lossMask.length; row++) {
    if (scored.lossMask[row] === 0) continue;
    for (let i = row * width + map; i < (row + 1) * width; i += maps) {
      const truth = form.truth(spec, scored.labels.answers, i);
      if (Number.isNaN(truth) || Number.isNaN(f32At(logits, i))) continue;
      indices.push(i);
      truths.push(truth >= 0.5 ? 1 : 0);
    }
  }
  return { indices: Int32Array.from(indices), truths: Uint8Array.from(truths) };
}

/** Rows of a choice among classes that are counted: those of the loss mask without a NaN among their logits. */
export function choiceRows({ lossMask, kept }: ScoredTask, classes: number): Int32Array {
  if (kept.kind === "summary") return new Int32Array(0);
  const isScored = (row: number): boolean =>
    !kept.logits.subarray(row * classes, (row + 1) * classes).some(Number.isNaN);
  return Int32Array.from([...lossMask.keys()].filter((row) => lossMask[row] === 1 && isScored(row)));
}

/** Some of the numbers of a matrix. */
export function gather(values: Float32Array, indices: Int32Array): Float32Array {
  return Float32Array.from(indices, (index) => at(values, index));
}
