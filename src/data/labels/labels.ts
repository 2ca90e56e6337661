/** @file Table cells → labels of every task. */
import { at as itemAt, f32At, i32At, u8At } from "../../arrays.js";
import { DataError } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth, labelledRows, type Offsets, tokensIn } from "../../flow/masks.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import { atOnce, type Sliced } from "../../platform/yield-to.js";
import { cutToFrame } from "./augment-labels.js";
import { assertOwnColumns } from "./shared-columns.js";
import type { Splits } from "../split.js";
import type { CellBlock } from "../tables/cell-blocks.js";
import { blocksOf } from "../tables/cells.js";
import { columnHint, type Table } from "../tables/table.js";
import { type BadCell, badCellsError, type JoinedTables } from "../tables/tables.js";
import { type ImageSizes, scalesPerRow, unitScaleFrom } from "./unit-scale.js";
import { parseTokenLabels, rowsWithLabel, type ElementSpans, type TokenSpans } from "./token-labels.js";

/** Whether the task's labels are pixels of the original image, so that they need its size. */
export function needsImageSize({ spec }: TaskNode): boolean {
  return scalesPerRow(spec) > 0;
}

/**
 * Labels of each task of the graph, in its order, over all rows of all tables.
 * A task's column is found in each table by its full path, else by its leaf name, else by its `column` option; a
 * multilabel whose `column` is a list takes those. Rows of a table without it have no label.
 * @param sizes null if not known yet: labels in pixels are then only checked to be numbers
 * @param spans needed where a task is asked per token
 * @throws DataError if a task has a column in no table, or a cell is no label of its task
 */
export function readLabels(
  graph: FlowGraph,
  joined: JoinedTables,
  sizes: ImageSizes | null,
  spans: ElementSpans | null = null,
): Labels[] {
  return atOnce(readTasks(graph.tasks, joined, sizes, spans));
}

/** `readLabels` with room for signals. */
export function readLabelsSliced(graph: FlowGraph, joined: JoinedTables, spans: ElementSpans | null): Sliced<Labels[]> {
  return readTasks(graph.tasks, joined, null, spans);
}

/**
 * `labels` once the images' sizes are known: those in pixels are read again, with their bounds and unit scales, and what
 * of boxes and points the network does not see is cut off.
 */
export function withImageSizes(
  graph: FlowGraph,
  joined: JoinedTables,
  labels: readonly Labels[],
  sizes: ImageSizes,
): { readonly labels: readonly Labels[]; readonly warnings: readonly string[] } {
  const scaled = graph.tasks.filter(needsImageSize);
  const read = atOnce(readTasks(scaled, joined, sizes, null));
  const warnings = scaled.flatMap((task, i) => {
    const unseen = cutToFrame(task, itemAt(read, i));
    return unseen === 0 ? [] : [unseenWarning(task, unseen)];
  });
  const sized = labels.map((old, i) => read[scaled.findIndex((task) => task.index === i)] ?? old);
  return { labels: sized, warnings };
}

function unseenWarning({ path }: TaskNode, count: number): string {
  return `${count === 1 ? "1 label" : `${count} labels`} of "${path}" ${count === 1 ? "lies" : "lie"} wholly outside of what image({ fit: "crop" }) shows and ${count === 1 ? "is" : "are"} taken as missing. With fit: "letterbox" the network sees whole pictures.`;
}

/**
 * A task that no row of the train split labels cannot be learned.
 * @throws DataError that names all such tasks
 */
export function assertLabelled(
  graph: FlowGraph,
  labels: readonly Labels[],
  splits: Splits,
  offsets?: Offsets | null,
): void {
  const unlabelled = graph.tasks.filter((task) => {
    if (!hasLabels(task)) return false;
    const answers = labelledRows(task.spec, itemAt(labels, task.index).answers);
    const labelled = rowsWithLabel(task, answers, offsets);
    return !splits.train.some((row) => labelled[row] === 1);
  });
  if (unlabelled.length === 0) return;
  const names = unlabelled.map(({ path }) => path);
  throw new DataError(
    `No row of the train split has a label for ${names.map((name) => `"${name}"`).join(", ")}. Label some rows, change the split, or take the task out of the flow.`,
    { tasks: names, trainRows: splits.train.length },
  );
}

/** Whether a column says the task's answers; those to masked tokens are the tokens. */
function hasLabels({ spec }: TaskNode): boolean {
  return behaviourOf(spec).answeredBy !== "training";
}

function* readTasks(
  tasks: readonly TaskNode[],
  joined: JoinedTables,
  sizes: ImageSizes | null,
  spans: ElementSpans | null,
): Sliced<Labels[]> {
  const columns = tasks.map((task) => (hasLabels(task) ? columnsOf(task, joined) : []));
  assertOwnColumns(tasks, columns, joined);
  const bad: BadCell[] = [];
  const labels: Labels[] = [];
  for (const [i, task] of tasks.entries()) {
    yield;
    const masks = spans !== null && "masks" in spans ? spans.masks.get(task.index) : undefined;
    if (masks !== undefined) {
      labels.push({ answers: masks, unitScale: null });
      continue;
    }
    const perToken = isPerElement(task.spec) && spans !== null && "written" in spans ? spans : null;
    const entries = perToken === null ? joined.rows : tokensIn(perToken.offsets);
    const answers = new Float32Array(entries * answerWidth(task.spec)).fill(Number.NaN);
    const unitScale = unitScaleOf(task, joined.rows, sizes);
    const read = perToken === null ? rowReader(task, { answers, unitScale }) : tokenReader(task, answers, perToken);
    joined.tables.forEach((table, t) => {
      const own = columns[i]?.[t] ?? null;
      if (own !== null) {
        const alike = perToken === null && unitScale === null && answerWidth(task.spec) === 1 ? answers : null;
        for (const one of readTable(task, own, table, itemAt(joined.firstRows, t), read, alike)) bad.push(one);
      }
    });
    labels.push({ answers, unitScale });
  }
  if (bad.length > 0) throw badCellsError(joined, bad, "label");
  return labels;
}

/**
 * Reads the cells of one row into a task's labels.
 * @param row among those of all tables
 * @returns what is wrong with them, or null
 */
type CellReader = (cells: readonly unknown[], row: number) => string | null;

function rowReader({ spec }: TaskNode, { answers, unitScale }: Labels): CellReader {
  const behaviour = behaviourOf(spec);
  const width = answerWidth(spec);
  const perRow = scalesPerRow(spec);
  const none: readonly number[] = [];
  return (cells, row) => {
    const scales = unitScale === null ? none : Array.from(unitScale.subarray(row * perRow, (row + 1) * perRow));
    return behaviour.parseLabel(spec, cells, scales, answers, row * width);
  };
}

function tokenReader(task: TaskNode, answers: Float32Array, { written, offsets, places }: TokenSpans): CellReader {
  const width = answerWidth(task.spec);
  return ([cell], row) => {
    const own = answers.subarray(i32At(offsets, row) * width, i32At(offsets, row + 1) * width);
    return parseTokenLabels(task, cell, i32At(written, row), own, places?.[row]);
  };
}

/**
 * Reads a task's cells of one table.
 * @param firstRow of the table, among those of all tables
 * @param alike the labels, where rows of one cell have the same one
 * @returns the cells that are no labels
 */
function readTable(
  task: TaskNode,
  columns: readonly string[],
  table: Table,
  firstRow: number,
  read: CellReader,
  alike: Float32Array | null,
): BadCell[] {
  const cellColumns = columns.map((name) => table.columns.get(name) ?? []);
  const bad: BadCell[] = [];
  const readRow = (cells: readonly unknown[], i: number): void => {
    const reason = read(cells, firstRow + i);
    if (reason === null) return;
    const wrong = wrongCell(cells, (some) => read(some, firstRow + i));
    const reader = { kind: "task", name: task.path } as const;
    bad.push({ reader, column: itemAt(columns, wrong), table, row: i, cell: cells[wrong], reason });
  };
  const [only, ...more] = cellColumns;
  if (only !== undefined && more.length === 0) {
    let first = 0;
    for (const block of blocksOf(only)) {
      readBlock(block, first, firstRow, alike, readRow);
      first += block.length;
    }
    return bad;
  }
  for (let i = 0; i < table.rows; i++) {
    readRow(
      cellColumns.map((column) => column.at(i)),
      i,
    );
  }
  return bad;
}

/** Codes of a block, and one for the cells that are empty. */
const CODES = 257;
const EMPTY = 256;
const NOT_READ = -1;

/**
 * Cells of one value are read once where all they say is one number.
 * @param first row of the block in its table
 * @param alike what the labels of such a task are written to; null where rows of one cell may differ
 */
function readBlock(
  block: CellBlock,
  first: number,
  firstRow: number,
  alike: Float32Array | null,
  readRow: (cells: readonly unknown[], i: number) => void,
): void {
  const { codes = null, filled = null } = block;
  const isRead = new Int32Array(CODES).fill(NOT_READ);
  for (let i = 0; i < block.length; i++) {
    const row = first + i;
    if (codes === null || alike === null) {
      readRow([block.at(i)], row);
      continue;
    }
    const code = filled !== null && filled[i] === 0 ? EMPTY : u8At(codes, i);
    const like = i32At(isRead, code);
    // a cell that is refused leaves no label, and is told of each row
    if (like !== NOT_READ && !Number.isNaN(f32At(alike, like))) alike[firstRow + row] = f32At(alike, like);
    else {
      readRow([block.at(i)], row);
      isRead[code] = firstRow + row;
    }
  }
}

/** Which of several cells it is that is refused: the one that is refused without the others. */
function wrongCell(cells: readonly unknown[], read: (cells: readonly unknown[]) => string | null): number {
  return cells.findIndex((_, i) => read(cells.map((cell, k) => (k === i ? cell : null))) !== null);
}

/** Names of the columns that hold a task's labels in each table, null where a table has none. */
export function columnsOf(task: TaskNode, joined: JoinedTables): readonly (readonly string[] | null)[] {
  const { column } = task.spec;
  const candidates = Array.isArray(column)
    ? [column as readonly string[]]
    : [...new Set([task.path, task.name, ...(typeof column === "string" ? [column] : [])])].map((name) => [name]);
  const found = joined.tables.map((table) => {
    const all = candidates.find((names) => names.every((name) => table.columns.has(name)));
    // some of several label columns: rather a slip than a table without the task
    const some = candidates.find((names) => names.some((name) => table.columns.has(name)));
    if (all === undefined && some !== undefined) throw noColumnError(task, [table], candidates);
    return all ?? null;
  });
  if (found.every((names) => names === null)) throw noColumnError(task, joined.tables, candidates);
  return found;
}

function noColumnError(
  task: TaskNode,
  tables: readonly Table[],
  candidates: readonly (readonly string[])[],
): DataError {
  const [table] = tables;
  if (table === undefined) throw new Error("there is no table");
  const missing = candidates.flat().filter((name) => !table.columns.has(name));
  const names = missing.map((name) => `"${name}"`).join(" and no ");
  const facts = { task: task.path, tried: candidates.flat() };
  if (tables.length === 1) {
    return new DataError(
      `${table.file} has no label column for the task "${task.path}": there is no ${names}. ${columnHint(table, missing)} Rename the column or set the task's column option.`,
      { file: table.file, ...facts, columns: [...table.columns.keys()] },
    );
  }
  const files = tables.map(({ file }) => file);
  return new DataError(
    `No table has a label column for the task "${task.path}": there is no ${names} in ${files.join(" or ")}. ${tables.map((each) => `${each.file}: ${columnHint(each, missing)}`).join(" ")} Rename a column, set the task's column option, or name it in the table's columns.`,
    { files, ...facts },
  );
}

/** A NaN scale lets every number pass: its bounds are not known yet. */
function unitScaleOf({ spec }: TaskNode, rows: number, sizes: ImageSizes | null): Float32Array | null {
  if (sizes !== null) return unitScaleFrom(spec, sizes);
  const perRow = scalesPerRow(spec);
  return perRow === 0 ? null : new Float32Array(rows * perRow).fill(Number.NaN);
}
