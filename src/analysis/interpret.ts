/** @file Interpretation: the samples that each task answers best and worst. */
import { at, f32At } from "../arrays.js";
import { type FlowGraph, isPerPixel } from "../flow/graph.js";
import { behaviourOf, type Described } from "../tasks/index.js";
import { areasOf } from "../decoding/areas.js";
import { describeAreas, lossOfPicture, measureOfPicture, picturesIn } from "./pixels/picture-figures.js";
import { smallestK } from "./smallest-k.js";
import { nameOf, subjectsOf } from "./row-or-token.js";
import type { ScoredSplit, ScoredTask } from "./score.js";

/** One sample and how a task did on it. */
export interface InterpretedSample {
  /** Row of the scored split. */
  readonly row: number;
  /** Of a token `<row>[<position>]`. */
  readonly id: string;
  /** Index of the token in its row, from 0, where the task is asked per token. */
  readonly position?: number;
  /** Unweighted; for a multilabel the mean over the row's known labels. */
  readonly loss: number;
  /** What the samples of the task are ranked by, where that is not the loss. */
  readonly measure?: { readonly name: string; readonly value: number };
  readonly label: Described;
  readonly prediction: Described;
}

export interface TaskInterpretation {
  readonly task_path: string;
  /** Lowest loss first, or what its task ranks by instead. */
  readonly best: readonly InterpretedSample[];
  /** Highest loss first; a loss that is NaN is higher than any other. */
  readonly worst: readonly InterpretedSample[];
}

/**
 * For each task the `top` samples of lowest and of highest loss (of a box, and of pictures whose pixels are asked about,
 * those of most and of least overlap, of a point the nearest and the farthest), among the rows that are active by the labels and
 * labelled. Of equal losses the earlier row comes first.
 */
export function bestAndWorst(graph: FlowGraph, scored: ScoredSplit, top: number): TaskInterpretation[] {
  return graph.tasks.map(({ index, path }) => {
    const task = at(scored.tasks, index);
    if (isPerPixel(task.task.spec)) return { task_path: path, ...bestAndWorstPictures(task, scored, top) };
    const describe = (index: number): InterpretedSample => describeSample(task, scored, index);
    const badness = badnessOf(task).map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
    return {
      task_path: path,
      best: smallestK(badness, task.lossMask, top).map(describe),
      worst: smallestK(
        badness.map((value) => -value),
        task.lossMask,
        top,
      ).map(describe),
    };
  });
}

/** Of a task per pixel whole pictures are ranked, by their overlap; those without one are left out. */
function bestAndWorstPictures(task: ScoredTask, { ids }: ScoredSplit, top: number) {
  const { labels, decoded, lossMask } = task;
  const { spec } = task.task;
  const mask = picturesIn(spec, lossMask);
  const badness = new Float32Array(mask.length);
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    const { value, higherIsBetter } = measureOfPicture(task, lossMask, row);
    if (value === null) mask[row] = 0;
    else badness[row] = higherIsBetter ? -value : value;
  }
  const describe = (row: number): InterpretedSample => {
    const { name, value } = measureOfPicture(task, lossMask, row);
    return {
      ...{ row, id: at(ids, row), loss: lossOfPicture(task, lossMask, row) },
      measure: { name, value: value ?? Number.NaN },
      label: describeAreas(spec, areasOf(spec, labels.answers, lossMask, row)),
      prediction: describeAreas(spec, areasOf(spec, decoded, lossMask, row)),
    };
  };
  const worst = badness.map((value) => -value);
  return { best: smallestK(badness, mask, top).map(describe), worst: smallestK(worst, mask, top).map(describe) };
}

/** What samples are ranked by, of each row: the loss, or what the task is judged by where it ranks them. */
function badnessOf(task: ScoredTask): Float32Array {
  const measure = measureOf(task);
  if (measure === null) return task.perSampleLoss;
  const sign = measure.higherIsBetter ? -1 : 1;
  return task.perSampleLoss.map((_, row) => sign * measure.valueAt(row));
}

/** What the task ranks samples by instead of their losses; null where it does not. */
function measureOf(task: ScoredTask) {
  const { spec } = task.task;
  const { judgement } = behaviourOf(spec);
  if (judgement === null || !judgement.ranksSamples) return null;
  const { name, higherIsBetter } = judgement;
  const valueAt = (row: number): number => judgement.valueAt({ ...task, spec }, row, f32At(task.perSampleLoss, row));
  return { name, higherIsBetter, valueAt };
}

function describeSample(task: ScoredTask, scored: ScoredSplit, index: number): InterpretedSample {
  const { spec } = task.task;
  const behaviour = behaviourOf(spec);
  const about = subjectsOf(scored, spec)(index);
  const measure = measureOf(task);
  return {
    row: about.row,
    id: nameOf(scored.ids, about),
    ...(about.position === null ? {} : { position: about.position }),
    loss: f32At(task.perSampleLoss, index),
    ...(measure === null ? {} : { measure: { name: measure.name, value: measure.valueAt(index) } }),
    label: behaviour.describe(spec, task.labels.answers, index),
    prediction: behaviour.describe(spec, task.decoded, index),
  };
}
