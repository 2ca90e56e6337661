/** @file Intervals of a run's evaluation: over groups of rows, where the split keeps these together. */
import { withIntervals } from "../../analysis/intervals/with-intervals.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { groupsOf, type RowColumn } from "../../data/tables/row-columns.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { Settings } from "../../project/settings.js";
import { readRowColumns } from "../../records/rows/row-columns.js";
import type { EvaluationRow } from "../../tasks/evaluation.js";
import type { StoredRun } from "../stored-run.js";

/** The rows of one split with intervals. @param columns of its rows; where the groups' is not among them, rows are single */
export function intervalsOf(
  graph: FlowGraph,
  scored: ScoredSplit,
  rows: readonly EvaluationRow[],
  { data, evaluate }: Pick<Settings, "data" | "evaluate">,
  columns: readonly RowColumn[],
): EvaluationRow[] {
  const groups = groupsIn(columns, data.split.groupBy);
  return withIntervals(graph, scored, rows, { groups, tolerance: evaluate.tolerance });
}

/** The same of a stored run, whose folder has the columns. */
export async function storedIntervals(
  stored: StoredRun,
  scored: ScoredSplit,
  rows: readonly EvaluationRow[],
): Promise<EvaluationRow[]> {
  const { settings } = stored.config;
  const { groupBy } = settings.data.split;
  const columns = groupBy === undefined ? [] : await readRowColumns(stored.dir, scored.split, [groupBy]);
  return intervalsOf(stored.graph, scored, rows, settings, columns);
}

/** Group of each row; null where rows are not grouped, or it is not known how. */
export function groupsIn(columns: readonly RowColumn[], groupBy: string | undefined): Int32Array | null {
  const column = columns.find(({ name }) => name === groupBy);
  return column === undefined ? null : groupsOf(column);
}
