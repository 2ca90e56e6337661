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
  /** Others whose score is NaN: no answer, to which nothing is fitted, and which leaves every mean undefined. */
  readonly unanswered: number;
}

/**
 * The events that one map of a task is about, over the rows of its loss mask whose labels are known.
 * @param map which of the task's maps
 * @param maps how many it has
 */
export function eventsOf(scored: ScoredTask, map: number, maps: number): Events {
  const { spec } = scored.task;
  const form = calibrationForm<TaskSpec>(spec);
  if (form === null || scored.kept.kind === "summary") return NONE;
  const { activated } = scored.kept;
  const width = form.width(spec);
  const indices: number[] = [];
  const truths: number[] = [];
  let unanswered = 0;
  for (let row = 0; row < scored.lossMask.length; row++) {
    if (scored.lossMask[row] === 0) continue;
    for (let i = row * width + map; i < (row + 1) * width; i += maps) {
      const truth = form.truth(spec, scored.labels.answers, i);
      if (Number.isNaN(truth)) continue;
      if (Number.isNaN(f32At(activated, i))) {
        unanswered++;
        continue;
      }
      indices.push(i);
      truths.push(truth >= 0.5 ? 1 : 0);
    }
  }
  return { indices: Int32Array.from(indices), truths: Uint8Array.from(truths), unanswered };
}

const NONE: Events = { indices: new Int32Array(0), truths: new Uint8Array(0), unanswered: 0 };

/** Rows of the loss mask of a choice among classes: those without a NaN among their scores, and how many have one. */
export function choiceRows({ lossMask, kept }: ScoredTask, classes: number): ChoiceRows {
  if (kept.kind === "summary") return { rows: new Int32Array(0), unanswered: 0 };
  const counted = [...lossMask.keys()].filter((row) => lossMask[row] === 1);
  const rows = counted.filter((row) => !kept.activated.subarray(row * classes, (row + 1) * classes).some(Number.isNaN));
  return { rows: Int32Array.from(rows), unanswered: counted.length - rows.length };
}

interface ChoiceRows {
  readonly rows: Int32Array;
  readonly unanswered: number;
}

/** Some of the numbers of a matrix. */
export function gather(values: Float32Array, indices: Int32Array): Float32Array {
  return Float32Array.from(indices, (index) => at(values, index));
}
