/** @file Interpretation: the samples that each task answers best and worst. */
import { at, f32At } from "../arrays.js";
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf, type Described } from "../tasks/index.js";
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
  readonly label: Described;
  readonly prediction: Described;
}

export interface TaskInterpretation {
  readonly task_path: string;
  /** Lowest loss first. */
  readonly best: readonly InterpretedSample[];
  /** Highest loss first; a loss that is NaN is higher than any other. */
  readonly worst: readonly InterpretedSample[];
}

/**
 * For each task the `top` samples of lowest and of highest loss, among the rows that are active by the labels and
 * labelled. Of equal losses the earlier row comes first.
 */
export function bestAndWorst(graph: FlowGraph, scored: ScoredSplit, top: number): TaskInterpretation[] {
  return graph.tasks.map(({ index, path }) => {
    const task = at(scored.tasks, index);
    const describe = (index: number): InterpretedSample => describeSample(task, scored, index);
    const losses = task.perSampleLoss.map((loss) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss));
    return {
      task_path: path,
      best: smallestK(losses, task.lossMask, top).map(describe),
      worst: smallestK(
        losses.map((loss) => -loss),
        task.lossMask,
        top,
      ).map(describe),
    };
  });
}

function describeSample(task: ScoredTask, scored: ScoredSplit, index: number): InterpretedSample {
  const { spec } = task.task;
  const behaviour = behaviourOf(spec);
  const about = subjectsOf(scored, spec)(index);
  return {
    row: about.row,
    id: nameOf(scored.ids, about),
    ...(about.position === null ? {} : { position: about.position }),
    loss: f32At(task.perSampleLoss, index),
    label: behaviour.describe(spec, task.labels.answers, index),
    prediction: behaviour.describe(spec, task.decoded, index),
  };
}
