/** @file `cool evaluate --by`: a run's metrics on slices of a split, and the slices that are worst. */
import { evaluateEndToEnd } from "../../analysis/end-to-end.js";
import { evaluateSplit } from "../../analysis/evaluate.js";
import { withIntervals } from "../../analysis/intervals/with-intervals.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { rowValues } from "../../analysis/slices/row-values.js";
import { selectScored } from "../../analysis/slices/select-rows.js";
import { cutBy, type Slice, slicerOf } from "../../analysis/slices/slicers.js";
import { type WorseSlice, worstSlices } from "../../analysis/slices/worst-slices.js";
import type { RowColumn } from "../../data/tables/row-columns.js";
import { ConfigError, StoreError, UnknownNameError } from "../../errors.js";
import type { TaskNode } from "../../flow/graph.js";
import { askFor } from "../../project/metrics.js";
import { readRowColumns } from "../../records/rows/row-columns.js";
import type { RunStore } from "../../storage/run-store.js";
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";
import { behaviourOf } from "../../tasks/index.js";
import { type OpenRunOptions, openStoredRun, readScoredSplit, type StoredRun } from "../stored-run.js";
import { groupsIn } from "./intervals.js";

/** A metric of one task on one slice. */
export interface SliceRow extends EvaluationRow {
  readonly slice: Slice;
}

export interface SlicedRun {
  readonly split: Split;
  readonly gates: EvaluatedGates;
  /** Columns, each list of them cutting together. */
  readonly by: readonly (readonly string[])[];
  readonly slices: readonly SliceRow[];
  /** Present where the worst were asked for. */
  readonly worst?: {
    readonly tested: number;
    readonly slices: readonly WorseSlice[];
    readonly warnings?: readonly string[];
  };
}

export interface SliceOptions extends OpenRunOptions {
  readonly split: Split;
  readonly gates: EvaluatedGates;
  /** Columns that cut together, several times; none: with `worst` every column without labels is searched. */
  readonly by: readonly (readonly string[])[];
  /** Default: the metric by which each task is judged first. */
  readonly metrics?: readonly string[] | undefined;
  /** Slices to find; default: none. */
  readonly worst?: number | undefined;
}

/** Values of a text that are searched, the most frequent ones. */
const MOST_VALUES = 50;

/**
 * @throws UnknownNameError for a column or metric that is not there, StoreError for a run that keeps no columns, or a split
 *   without predictions, ConfigError where all columns that could be searched are labels
 */
export async function sliceRun(store: RunStore, reference: string, options: SliceOptions): Promise<SlicedRun> {
  const stored = await openStoredRun(store, reference, options);
  const scored = await readScoredSplit(stored, options.split);
  return sliceScored(stored, scored, await columnsOf(stored, scored), options);
}

/** @param columns of the rows @throws UnknownNameError for a column or metric that is not there */
export function sliceScored(
  stored: Pick<StoredRun, "graph" | "config">,
  scored: ScoredSplit,
  columns: readonly RowColumn[],
  options: SliceOptions,
): SlicedRun {
  const { split, gates, by, worst } = options;
  const named = by.map((names) => names.map((name) => columnNamed(columns, name)));
  const groups = groupsIn(columns, stored.config.settings.data.split.groupBy);
  const slices = named.flatMap((own) =>
    cutBy(
      own.map((column) => slicerOf(column)),
      scored.ids.length,
    ).slices.flatMap(({ slice, rows }) => sliceRows(stored, scored, { ...options, slice, rows, groups })),
  );
  const result = { split, gates, by, slices };
  if (worst === undefined) return result;
  const searched = named.length > 0 ? [...new Set(named.flat())] : withoutLabels(stored, columns);
  const found = worstSlices(
    rowValues(stored.graph, scored, gates, stored.config.settings.evaluate.tolerance),
    searched.map((column) => slicerOf(column, MOST_VALUES)),
    { groups, ownColumns: new Map(stored.graph.tasks.map((task) => [task.path, labelColumns(task)])) },
  );
  const { tested, slices: worse, warnings } = found;
  const said = warnings.length === 0 ? {} : { warnings };
  return { ...result, worst: { tested, slices: worse.slice(0, worst), ...said } };
}

async function columnsOf(stored: StoredRun, scored: ScoredSplit): Promise<RowColumn[]> {
  const { run, dir } = stored;
  const columns = await readRowColumns(dir, scored.split);
  if (columns.length > 0) return columns;
  throw new StoreError(
    `Run ${run.id} (${run.name}) keeps no columns of its ${scored.split} rows to cut them by: its table has none besides names of rows, or it was made by an earlier release. Train again to have them.`,
    { run: run.id, split: scored.split },
  );
}

function columnNamed(columns: readonly RowColumn[], name: string): RowColumn {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const known = columns.map((column) => column.name);
  throw new UnknownNameError("column", name, known, "what there is of the table", { exitCode: 2 });
}

/** Columns that may hold a task's labels. */
function labelColumns({ path, name, declaredName, spec }: TaskNode): string[] {
  const own = "column" in spec ? spec.column : undefined;
  return [path, name, declaredName, ...(own === undefined ? [] : [own].flat())];
}

/**
 * Columns that are searched unasked: an answer is no place where another one is worse, since it is not known where the
 * network is used.
 * @throws ConfigError where there are none
 */
function withoutLabels(
  { graph, config }: Pick<StoredRun, "graph" | "config">,
  columns: readonly RowColumn[],
): readonly RowColumn[] {
  const labels = new Set(
    graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "network").flatMap(labelColumns),
  );
  // under the names that a table has for them
  for (const { columns: names = {} } of config.settings.data.tables ?? []) {
    for (const [wanted, own] of Object.entries(names)) if (labels.has(wanted)) labels.add(own);
  }
  const others = columns.filter(({ name }) => !labels.has(name));
  if (others.length > 0) return others;
  const names = columns.map(({ name }) => name);
  throw new ConfigError(
    `All columns that there are of the table hold labels, and slices by them tell nothing of where the network is used. Name those to search with --by, e.g. --by ${names[0] ?? ""} --worst 5; there are ${names.join(", ")}.`,
    { columns: names },
  );
}

interface OneSlice extends SliceOptions {
  readonly slice: Slice;
  readonly rows: Int32Array;
  readonly groups: Int32Array | null;
}

function sliceRows(
  { graph, config }: Pick<StoredRun, "graph" | "config">,
  scored: ScoredSplit,
  options: OneSlice,
): SliceRow[] {
  const { gates, metrics, slice, rows } = options;
  const own = selectScored(scored, rows);
  const { tolerance } = config.settings.evaluate;
  const asked = metrics === undefined ? null : askFor(graph, metrics);
  const evaluation =
    gates === "end_to_end"
      ? evaluateEndToEnd(graph, own, tolerance)
      : evaluateSplit(graph, own, [gates], asked?.onDemand ?? []);
  const headlines = new Map(graph.tasks.map(({ path, spec }) => [path, behaviourOf(spec).headlineMetric(spec)]));
  const first = new Map(
    evaluation.map((row) => row.task_path).map((path) => [path, evaluation.find((row) => row.task_path === path)]),
  );
  const wanted = evaluation.filter((row) => {
    if (asked !== null) return asked.selects(row);
    // end to end the first row of a task is the share of right answers
    return gates === "end_to_end" ? first.get(row.task_path) === row : headlines.get(row.task_path) === row.metric_name;
  });
  const groups = options.groups === null ? null : rows.map((row) => options.groups?.[row] ?? 0);
  return withIntervals(graph, own, wanted, { groups, tolerance }).map((row) => ({ slice, ...row }));
}
