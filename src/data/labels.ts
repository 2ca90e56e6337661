/** @file Table cells → labels of every task. */
import { DataError } from "../errors.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import { answerWidth, labelledRows } from "../flow/masks.js";
import { behaviourOf, type Labels } from "../tasks/index.js";
import type { Splits } from "./split.js";
import { columnHint, placeOf, quoteCell, type Table } from "./table.js";

/** Sizes of the rows' original images in pixels, NaN where unknown. */
export interface ImageSizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
}

/** Whether the task's labels are pixels of the original image, so that they need its size. */
export function needsImageSize(task: TaskNode): boolean {
  return task.spec.kind === "boundedRegression" && task.spec.scale !== null;
}

/**
 * Labels of each task of the graph, in its order, over all rows of the table.
 * A task's column is found by its full path, else by its leaf name, else by its `column` option; a multilabel whose
 * `column` is a list takes those.
 * @param sizes null if not known yet: labels in pixels are then only checked to be numbers
 * @throws DataError if a task has no column, or a cell is no label of its task
 */
export function readLabels(graph: FlowGraph, table: Table, sizes: ImageSizes | null): Labels[] {
  return readTasks(graph.tasks, table, sizes);
}

/** `labels` once the images' sizes are known: those in pixels are read again, with their bounds and unit scales. */
export function withImageSizes(
  graph: FlowGraph,
  table: Table,
  labels: readonly Labels[],
  sizes: ImageSizes,
): readonly Labels[] {
  const scaled = graph.tasks.filter(needsImageSize);
  const read = readTasks(scaled, table, sizes);
  return labels.map((old, i) => read[scaled.findIndex((task) => task.index === i)] ?? old);
}

/** Labels of some rows, in their order. */
export function selectLabels(labels: Labels, rows: ArrayLike<number>, width: number): Labels {
  const answers = new Float32Array(rows.length * width);
  const unitScale = labels.unitScale === null ? null : new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    answers.set(labels.answers.subarray(row * width, (row + 1) * width), i * width);
    if (unitScale !== null) unitScale[i] = labels.unitScale?.[row] as number;
  }
  return { answers, unitScale };
}

/**
 * A task that no row of the train split labels cannot be learned.
 * @throws DataError that names all such tasks
 */
export function assertLabelled(graph: FlowGraph, labels: readonly Labels[], splits: Splits): void {
  const unlabelled = graph.tasks.filter((task) => {
    const labelled = labelledRows(task.spec, (labels[task.index] as Labels).answers);
    return !splits.train.some((row) => labelled[row] === 1);
  });
  if (unlabelled.length === 0) return;
  const names = unlabelled.map(({ path }) => path);
  throw new DataError(
    `No row of the train split has a label for ${names.map((name) => `"${name}"`).join(", ")}. Label some rows, change the split, or take the task out of the flow.`,
    { tasks: names, trainRows: splits.train.length },
  );
}

interface BadCell {
  readonly task: string;
  readonly column: string;
  readonly row: number;
  readonly cell: unknown;
  readonly reason: string;
}

function readTasks(tasks: readonly TaskNode[], table: Table, sizes: ImageSizes | null): Labels[] {
  const columns = tasks.map((task) => columnsOf(task, table));
  const bad: BadCell[] = [];
  const labels = tasks.map((task, i) => readTask(task, columns[i] as readonly string[], table, sizes, bad));
  if (bad.length > 0) throw badCellsError(table, bad);
  return labels;
}

/** Names of the columns that hold a task's labels. */
function columnsOf(task: TaskNode, table: Table): readonly string[] {
  const { column } = task.spec;
  const candidates = Array.isArray(column)
    ? [column as readonly string[]]
    : [...new Set([task.path, task.name, ...(typeof column === "string" ? [column] : [])])].map((name) => [name]);
  const found = candidates.find((names) => names.every((name) => table.columns.has(name)));
  if (found !== undefined) return found;
  const missing = candidates.flat().filter((name) => !table.columns.has(name));
  throw new DataError(
    `${table.file} has no label column for the task "${task.path}": there is no ${missing.map((name) => `"${name}"`).join(" and no ")}. ${columnHint(table, missing)} Rename the column or set the task's column option.`,
    { file: table.file, task: task.path, tried: candidates.flat(), columns: [...table.columns.keys()] },
  );
}

function readTask(
  task: TaskNode,
  columns: readonly string[],
  table: Table,
  sizes: ImageSizes | null,
  bad: BadCell[],
): Labels {
  const { spec } = task;
  const behaviour = behaviourOf(spec);
  const width = answerWidth(spec);
  const answers = new Float32Array(table.rows * width);
  const unitScale = unitScaleOf(task, table.rows, sizes);
  const cellColumns = columns.map((name) => table.columns.get(name) as readonly unknown[]);
  for (let row = 0; row < table.rows; row++) {
    const cells = cellColumns.map((column) => column[row]);
    const scale = unitScale === null ? 1 : (unitScale[row] as number);
    const parse = (some: readonly unknown[]) => behaviour.parseLabel(spec, some, scale, answers, row * width);
    const reason = parse(cells);
    if (reason === null) continue;
    // with several columns, the one whose cell alone is refused
    const at = cells.findIndex((_, i) => parse(cells.map((cell, k) => (k === i ? cell : null))) !== null);
    bad.push({ task: task.path, column: columns[at] as string, row, cell: cells[at], reason });
  }
  return { answers, unitScale };
}

/** A NaN scale lets every number pass: its bounds are not known yet. */
function unitScaleOf({ spec }: TaskNode, rows: number, sizes: ImageSizes | null): Float32Array | null {
  if (spec.kind !== "boundedRegression" || spec.scale === null) return null;
  if (sizes === null) return new Float32Array(rows).fill(Number.NaN);
  return spec.scale === "image-width" ? sizes.width : sizes.height;
}

const SHOWN = 5;

function badCellsError(table: Table, bad: readonly BadCell[]): DataError {
  const shown = bad.slice(0, SHOWN).map(({ task, column, row, cell, reason }) => {
    const forTask = column === task ? "" : `, task "${task}"`;
    return `${placeOf(table, row)}, column "${column}"${forTask}: ${quoteCell(cell)} ${reason}`;
  });
  const rest = bad.length > SHOWN ? `; and ${bad.length - SHOWN} more` : "";
  const count = bad.length === 1 ? "1 label" : `${bad.length} labels`;
  return new DataError(`${count} in ${table.file} cannot be read: ${shown.join("; ")}${rest}.`, {
    file: table.file,
    count: bad.length,
    cells: bad.slice(0, SHOWN).map(({ row, ...facts }) => ({ ...facts, row: row + 1 })),
  });
}
