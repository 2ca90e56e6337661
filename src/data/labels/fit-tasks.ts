/** @file What tasks need to know of the labels that train them, such as the mean of a regression's. */
import { at, i32At } from "../../arrays.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { activeRows, bothMasks, labelledRows, neededOffsets, overTokens, type RowMask } from "../../flow/masks.js";
import { behaviourOf, type FitLabels } from "../../tasks/index.js";
import type { Dataset } from "../dataset.js";

/** The graph, its tasks fitted to their labels in the train split that are active and known. */
export function fitTasks(
  graph: FlowGraph,
  { rows, labels, splits, offsets }: Pick<Dataset, "rows" | "labels" | "splits" | "offsets">,
): FlowGraph {
  const answers = labels.map((own) => own.answers);
  let active: readonly RowMask[] | undefined;
  const trainRows = maskOf(splits.train, rows);
  const labelsOf = (index: number) => (): FitLabels => {
    active ??= activeRows(graph, answers, rows, offsets);
    const { spec } = at(graph.tasks, index);
    const train = isPerElement(spec) ? overTokens(trainRows, neededOffsets(offsets)) : trainRows;
    const used = bothMasks(at(active, index), labelledRows(spec, at(answers, index)));
    return { answers: at(answers, index), mask: bothMasks(used, train) };
  };
  return {
    ...graph,
    tasks: graph.tasks.map((task) => ({
      ...task,
      spec: behaviourOf(task.spec).fitted(task.spec, labelsOf(task.index)),
    })),
  };
}

/** The graph as it was declared, without what was read with the data. */
export function declaredTasks(graph: FlowGraph): FlowGraph {
  return {
    ...graph,
    tasks: graph.tasks.map((task) => ({ ...task, spec: behaviourOf(task.spec).declared(task.spec) })),
  };
}

function maskOf(some: Int32Array, rows: number): RowMask {
  const mask = new Uint8Array(rows);
  for (let i = 0; i < some.length; i++) mask[i32At(some, i)] = 1;
  return mask;
}
