/** @file A label column: the kinds that its cells can be, and its labels. */
import { UsageError } from "../errors.js";
import { all, type ColumnFacts, isNumber, isTruth, isYes, partsOf } from "./cells.js";
import { type GateForm, type LabelColumn, MAX_LABELS } from "./label-column.js";

/** Kinds of tasks that a label column can become. */
export const TASK_KINDS = ["binary", "classification", "multilabel", "regression"] as const;
export type ProposedKind = (typeof TASK_KINDS)[number];

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

/** The kind that cells speak for; null: none. */
export function kindOf(facts: ColumnFacts): ProposedKind | null {
  const { column, filled, distinct } = facts;
  if (all(facts, isTruth)) return "binary";
  if (all(facts, isNumber)) {
    const isClass = distinct.size === 2 || (CLASS_NAME.test(column) && distinct.size <= MAX_NUMBERED);
    return isClass ? "classification" : "regression";
  }
  if (delimiterOf(facts) !== null) return "multilabel";
  return distinct.size <= MAX_CLASSES && distinct.size <= filled / 3 ? "classification" : null;
}

const CLASS_NAME = /(class|category|label|type|kind|species)(_?id)?$/i;
/** Classes that are numbers. */
const MAX_NUMBERED = 20;
const MAX_CLASSES = 100;
const LONGEST_LABEL = 40;

/** What separates labels in cells such as `RBC,WBC`; null: they are no lists of few labels. */
function delimiterOf(facts: ColumnFacts): string | null {
  if (facts.isList || all(facts, (cell) => /^\[.*\]$/s.test(cell))) return areLabels(facts, ",") ? "," : null;
  return [",", ";", "|"].find((delimiter) => separates(facts, delimiter)) ?? null;
}

function separates(facts: ColumnFacts, delimiter: string): boolean {
  let lists = 0;
  for (const cell of facts.cells) if (cell.includes(delimiter)) lists++;
  return lists > 0 && lists >= 0.1 * facts.filled && areLabels(facts, delimiter);
}

/** Whether what stands between delimiters are few short names, and no numbers with a decimal comma. */
function areLabels({ distinct, filled }: ColumnFacts, delimiter: string): boolean {
  const parts = new Set<string>();
  for (const cell of distinct) {
    for (const part of partsOf(cell, delimiter)) parts.add(part);
    if (parts.size > MAX_LABELS) return false;
  }
  if (parts.size === 0 || parts.size > filled / 3) return false;
  const names = [...parts];
  return names.every((name) => name.length <= LONGEST_LABEL) && !(delimiter === "," && names.every(isNumber));
}

/** @throws UsageError for a kind that the cells cannot be */
export function taskOf(facts: ColumnFacts, kind: ProposedKind): TaskRole {
  const { column } = facts;
  const common = { role: "task", column, kind, names: [], delimiter: null, range: null } as const;
  const labels = (form: GateForm, numberOf: (cell: string) => number): LabelColumn => ({
    name: column,
    form,
    values: valuesOf(facts, numberOf),
  });
  switch (kind) {
    case "binary":
      assertCells(facts, kind, isTruth, "not 0, 1, true or false");
      return { ...common, labels: labels({ kind: "binary" }, (cell) => Number(isYes(cell))) };
    case "classification": {
      const names = classNames(facts);
      const index = new Map(names.map((name, i) => [name, i]));
      const classOf = (cell: string) => index.get(cell) ?? Number.NaN;
      return { ...common, names, labels: labels({ kind: "classes", names }, classOf) };
    }
    case "multilabel": {
      const delimiter = delimiterOf(facts) ?? ",";
      const names = labelNames(facts, delimiter);
      const bit = new Map(names.map((name, i) => [name, 1 << i]));
      const bits = (cell: string) => partsOf(cell, delimiter).reduce((sum, part) => sum | (bit.get(part) ?? 0), 0);
      return { ...common, delimiter, names, labels: labels({ kind: "labels", names }, bits) };
    }
    case "regression":
      assertCells(facts, kind, isNumber, "which is no number");
      return { ...common, range: rangeOf(facts), labels: labels({ kind: "number" }, Number) };
    default:
      return kind satisfies never;
  }
}

/** One number a cell; each text is read once. */
function valuesOf({ cells, distinct }: ColumnFacts, numberOf: (cell: string) => number): Float64Array {
  const read = new Map([...distinct].map((text) => [text, numberOf(text)]));
  const values = new Float64Array(cells.length);
  cells.forEach((cell, row) => {
    values[row] = cell === "" ? Number.NaN : (read.get(cell) ?? Number.NaN);
  });
  return values;
}

function rangeOf({ distinct }: ColumnFacts): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const cell of distinct) [low, high] = [Math.min(low, Number(cell)), Math.max(high, Number(cell))];
  return [low, high];
}

/** Numbers in their order, names in the alphabet's. */
export function classNames(facts: ColumnFacts): string[] {
  const names = [...facts.distinct];
  if (names.length < 2) throw cannotBe(facts, "classification", "it has fewer than two classes");
  return names.every(isNumber) ? names.sort((a, b) => Number(a) - Number(b)) : names.sort();
}

function labelNames(facts: ColumnFacts, delimiter: string): string[] {
  const names = [...new Set([...facts.distinct].flatMap((cell) => partsOf(cell, delimiter)))].sort();
  if (names.length === 0) throw cannotBe(facts, "multilabel", "it has no labels");
  if (names.length <= MAX_LABELS) return names;
  throw cannotBe(facts, "multilabel", `it has ${names.length} labels, more than ${MAX_LABELS}`);
}

function assertCells(facts: ColumnFacts, kind: ProposedKind, is: (cell: string) => boolean, what: string): void {
  if (facts.distinct.size === 0) throw cannotBe(facts, kind, "all its cells are empty");
  const row = facts.cells.findIndex((cell) => cell !== "" && !is(cell));
  if (row >= 0) throw cannotBe(facts, kind, `row ${row + 1} says ${JSON.stringify(facts.cells[row])}, ${what}`);
}

function cannotBe({ column }: ColumnFacts, kind: ProposedKind, what: string): UsageError {
  return new UsageError(
    `The column "${column}" cannot be ${kind}: ${what}. Choose another kind (${TASK_KINDS.join(", ")}), or leave it out with --ignore.`,
    { column, kind },
  );
}
