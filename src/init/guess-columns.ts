/** @file What the columns of a table are, by their names and cells: inputs, labels of some kind, the split, or neither. */
import { ConfigError, UnknownNameError } from "../errors.js";
import type { Table } from "../data/tables/table.js";
import { type GateForm, type LabelColumn, MAX_LABELS } from "./label-column.js";

/** Kinds of tasks that a label column can become. */
export const TASK_KINDS = ["binary", "classification", "multilabel", "regression"] as const;
export type ProposedKind = (typeof TASK_KINDS)[number];

/** What one column is taken for. */
export type ColumnRole =
  | { readonly role: "image"; readonly column: string }
  | { readonly role: "split"; readonly column: string }
  | { readonly role: "numeric"; readonly column: string }
  | { readonly role: "categorical"; readonly column: string; readonly categories: readonly string[] }
  | { readonly role: "tokens"; readonly column: string }
  | { readonly role: "ignored"; readonly column: string; readonly why: string }
  | TaskRole;

/** A label column, with what its task is declared with. */
export interface TaskRole {
  readonly role: "task";
  readonly column: string;
  readonly kind: ProposedKind;
  /** Classes or labels by name; of other kinds none. */
  readonly names: readonly string[];
  /** Separates labels in a cell of `multilabel`. */
  readonly delimiter: string | null;
  /** Smallest and largest number; of other kinds null. */
  readonly range: readonly [number, number] | null;
  readonly labels: LabelColumn;
}

/** What the user has said already, by name of column. */
export interface ColumnWishes {
  readonly image?: string | undefined;
  readonly tasks?: ReadonlyMap<string, ProposedKind>;
  readonly ignore?: readonly string[];
}

/**
 * One role per column, in their order.
 * @throws UnknownNameError for a wish about a column that is not there; ConfigError for a kind that its cells cannot be
 */
export function guessColumns(table: Table, wishes: ColumnWishes = {}): ColumnRole[] {
  assertColumns(table, wishes);
  const columns = [...table.columns].map(([column, cells]) => ({ column, cells: cells.map(textOf) }));
  const imageColumn = wishes.image ?? columns.find(({ cells }) => mostly(cells, isImagePath))?.column;
  const hasText = columns.some(({ cells }) => mostly(cells, isSentence));
  return columns.map(({ column, cells }): ColumnRole => {
    if (wishes.ignore?.includes(column)) return { role: "ignored", column, why: "as you said" };
    if (column === imageColumn) return { role: "image", column };
    const kind = wishes.tasks?.get(column);
    if (kind !== undefined) return taskOf(column, cells, kind);
    return roleOf(column, cells, imageColumn !== undefined || hasText);
  });
}

function assertColumns(table: Table, { image, tasks, ignore }: ColumnWishes): void {
  const names = [...table.columns.keys()];
  for (const column of [...(image === undefined ? [] : [image]), ...(tasks?.keys() ?? []), ...(ignore ?? [])]) {
    if (!table.columns.has(column)) throw new UnknownNameError("column", column, names, table.file, { exitCode: 2 });
  }
}

/** @param hasSubject whether pictures or texts are what the table is about, so that numbers beside them are labels */
function roleOf(column: string, cells: readonly string[], hasSubject: boolean): ColumnRole {
  const filled = cells.filter((cell) => cell !== "");
  const distinct = new Set(filled);
  if (filled.length === 0) return { role: "ignored", column, why: "it is empty" };
  if (SPLIT_NAME.test(column) && [...distinct].every((cell) => SPLITS.has(cell.toLowerCase())))
    return { role: "split", column };
  if (distinct.size === 1) return { role: "ignored", column, why: `it always says ${[...distinct][0]}` };
  if (mostly(cells, isImagePath)) return { role: "ignored", column, why: "another column names the pictures" };
  if (hasSubject && SIZE_NAME.test(column) && filled.length === cells.length)
    return { role: "ignored", column, why: "it is the size of the pictures" };
  const isUnique = distinct.size === filled.length && filled.length > 20;
  if (ID_NAME.test(column) && isUnique) return { role: "ignored", column, why: "it names the rows" };
  const kind = kindOf(column, filled, distinct);
  if (kind === null) {
    if (mostly(cells, isSentence)) return { role: "tokens", column };
    return { role: "ignored", column, why: `it has ${distinct.size} different texts` };
  }
  // complete numbers and categories of a table without pictures may be what is asked, or what the answer is seen from
  if (!hasSubject && filled.length === cells.length) {
    if (kind === "regression") return { role: "numeric", column };
    if (kind === "classification") return { role: "categorical", column, categories: [...distinct].sort() };
  }
  return taskOf(column, cells, kind);
}

const SPLIT_NAME = /^(split|subset|set|partition|fold)$/i;
const SPLITS = new Set(["train", "valid", "val", "validation", "test"]);
const SIZE_NAME = /^(image_?|img_?)?(width|height)$/i;
const ID_NAME = /(^|_)(id|uuid|key|index|name|file|filename)$/i;

/** The kind that cells speak for; null: none. */
function kindOf(column: string, filled: readonly string[], distinct: ReadonlySet<string>): ProposedKind | null {
  if ([...distinct].every((cell) => BINARY.has(cell.toLowerCase()))) return "binary";
  if ([...distinct].every(isNumber))
    return CLASS_NAME.test(column) && distinct.size <= 20 ? "classification" : "regression";
  if (delimiterOf(filled) !== null) return "multilabel";
  return distinct.size <= MAX_CLASSES && distinct.size <= filled.length / 3 ? "classification" : null;
}

const BINARY = new Set(["0", "1", "true", "false"]);
const CLASS_NAME = /(class|category|label|type|kind|species)(_?id)?$/i;
const MAX_CLASSES = 100;

/** What separates labels in cells such as `RBC,WBC`; null: they are no lists of few labels. */
function delimiterOf(filled: readonly string[]): string | null {
  if (filled.every((cell) => /^\[.*\]$/.test(cell))) return ",";
  const found = [",", ";", "|"].find((delimiter) => {
    const lists = filled.filter((cell) => cell.includes(delimiter)).length;
    const parts = new Set(filled.flatMap((cell) => cell.split(delimiter).map((part) => part.trim())));
    return (
      lists >= 0.1 * filled.length && parts.size <= MAX_LABELS && [...parts].every((part) => /^\S{1,40}$/.test(part))
    );
  });
  return found ?? null;
}

function taskOf(column: string, cells: readonly string[], kind: ProposedKind): TaskRole {
  const filled = cells.filter((cell) => cell !== "");
  const fail = (what: string): never => {
    throw new ConfigError(`"${column}" cannot be ${kind}: ${what}. Choose another kind with --task ${column}=KIND.`, {
      column,
      kind,
    });
  };
  const common = { role: "task", column, kind, delimiter: null, range: null } as const;
  const labels = (form: GateForm, value: (cell: string) => number): LabelColumn => ({
    name: column,
    form,
    values: Float64Array.from(cells, (cell) => (cell === "" ? Number.NaN : value(cell))),
  });
  switch (kind) {
    case "binary": {
      const wrong = filled.find((cell) => !BINARY.has(cell.toLowerCase()));
      if (wrong !== undefined) return fail(`a cell says ${JSON.stringify(wrong)}, not 0, 1, true or false`);
      const isYes = (cell: string) => Number(cell === "1" || cell.toLowerCase() === "true");
      return { ...common, names: [], labels: labels({ kind: "binary" }, isYes) };
    }
    case "classification": {
      const names = classNames(filled);
      if (names.length < 2) return fail("it has fewer than two classes");
      const index = new Map(names.map((name, i) => [name, i]));
      return { ...common, names, labels: labels({ kind: "classes", names }, (cell) => index.get(cell) ?? Number.NaN) };
    }
    case "multilabel": {
      const delimiter = delimiterOf(filled) ?? ",";
      const split = (cell: string) => matricesOf(cell, delimiter);
      const names = [...new Set(filled.flatMap(split))].sort();
      if (names.length > MAX_LABELS) return fail(`it has ${names.length} labels, more than ${MAX_LABELS}`);
      const bits = (cell: string) => split(cell).reduce((sum, part) => sum | (1 << names.indexOf(part)), 0);
      return { ...common, delimiter, names, labels: labels({ kind: "labels", names }, bits) };
    }
    case "regression": {
      const wrong = filled.find((cell) => !isNumber(cell));
      if (wrong !== undefined) return fail(`a cell says ${JSON.stringify(wrong)}`);
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const cell of filled) [low, high] = [Math.min(low, Number(cell)), Math.max(high, Number(cell))];
      return { ...common, names: [], range: [low, high], labels: labels({ kind: "number" }, Number) };
    }
    default:
      return kind satisfies never;
  }
}

/** Numbers in their order, names in the alphabet's. */
function classNames(filled: readonly string[]): string[] {
  const names = [...new Set(filled)];
  return names.every(isNumber) ? names.sort((a, b) => Number(a) - Number(b)) : names.sort();
}

function matricesOf(cell: string, delimiter: string): string[] {
  const inner = /^\[.*\]$/.test(cell) ? cell.slice(1, -1).replaceAll(/["']/g, "") : cell;
  return inner
    .split(delimiter)
    .map((part) => part.trim())
    .filter((part) => part !== "" && part !== "none");
}

function textOf(cell: unknown): string {
  if (cell === null || cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return "";
  if (Array.isArray(cell)) return `[${cell.map(String).join(",")}]`;
  return String(cell).trim();
}

/** Of the cells that are not empty. */
function mostly(cells: readonly string[], is: (cell: string) => boolean): boolean {
  let [filled, those] = [0, 0];
  for (const cell of cells) {
    if (cell === "") continue;
    filled++;
    if (is(cell)) those++;
  }
  return filled > 0 && those >= 0.9 * filled;
}

const isImagePath = (cell: string): boolean => /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i.test(cell);
const isNumber = (cell: string): boolean => cell !== "" && Number.isFinite(Number(cell));
const isSentence = (cell: string): boolean => /\S\s+\S+\s+\S/.test(cell);
