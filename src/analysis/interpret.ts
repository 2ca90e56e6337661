/** @file Interpretation: the samples that each task answers best and worst. */
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf, type Described } from "../tasks/index.js";
import { firstRows } from "./first-rows.js";
import type { ScoredSplit, ScoredTask } from "./score.js";

/** One sample and how a task did on it. */
export interface InterpretedSample {
  /** Row of the scored split. */
  readonly row: number;
  readonly id: string;
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
    const task = scored.tasks[index] as ScoredTask;
    const describe = (row: number): InterpretedSample => describeSample(task, scored.ids, row);
    const losses = task.perSampleLoss.map((loss) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss));
    return {
      task_path: path,
      best: firstRows(losses, task.lossMask, top).map(describe),
      worst: firstRows(
        losses.map((loss) => -loss),
        task.lossMask,
        top,
      ).map(describe),
    };
  });
}

function describeSample(scored: ScoredTask, ids: readonly string[], row: number): InterpretedSample {
  const { spec } = scored.task;
  const behaviour = behaviourOf(spec);
  return {
    row,
    id: ids[row] as string,
    loss: scored.perSampleLoss[row] as number,
    label: behaviour.describe(spec, scored.labels.answers, row),
    prediction: behaviour.describe(spec, scored.decoded, row),
  };
}
