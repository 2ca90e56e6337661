/** @file Rows that show the same and are labelled differently. */
import { at, f32At } from "../../arrays.js";
import { isPerElement, type FlowGraph } from "../../flow/graph.js";
import { activeRows, answerWidth, labelledRows } from "../../flow/masks.js";
import { behaviourOf, type Described, type Labels } from "../../tasks/index.js";
import { answerForm } from "./forms.js";

/** Two rows by their numbers. */
export interface RowPair {
  readonly a: number;
  readonly b: number;
}

export interface DifferingLabels extends RowPair {
  readonly task: number;
  readonly label_a: Described;
  readonly label_b: Described;
}

/** Numbers that differ by less than this share of the labels' range are the same to a labeller. */
const TOLERANCE = 0.05;

/**
 * Labels in which the rows of a pair differ, where both are asked and labelled.
 * @param labels per task of the graph; in pixels the pair's pictures are taken to be of one size
 */
export function differingLabels(
  graph: FlowGraph,
  labels: readonly Labels[],
  rows: number,
  pairs: readonly RowPair[],
): DifferingLabels[] {
  const tasks = graph.tasks.filter(({ spec }) => !isPerElement(spec));
  const own = { ...graph, tasks: tasks.map((task, index) => ({ ...task, index })) };
  const answers = tasks.map(({ index }) => at(labels, index).answers);
  const active = activeRows(own, answers, rows);
  return tasks.flatMap(({ index, spec }, i): DifferingLabels[] => {
    const form = answerForm(spec);
    if (form === null) return [];
    const column = at(answers, i);
    const width = answerWidth(spec);
    const labelled = labelledRows(spec, column);
    const isUsed = (row: number): boolean => labelled[row] === 1 && at(active, i)[row] === 1;
    const tolerance = form.kind === "numbers" ? TOLERANCE * rangeOf(column) : 0;
    return pairs.flatMap(({ a, b }): DifferingLabels[] => {
      if (!isUsed(a) || !isUsed(b)) return [];
      const differs = Array.from({ length: width }, (_, k) =>
        Math.abs(f32At(column, a * width + k) - f32At(column, b * width + k)),
      ).some((difference) => difference > tolerance);
      if (!differs) return [];
      const { describe } = behaviourOf(spec);
      return [{ a, b, task: index, label_a: describe(spec, column, a), label_b: describe(spec, column, b) }];
    });
  });
}

function rangeOf(values: Float32Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return (
    known.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) -
    known.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  );
}
