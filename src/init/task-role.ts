/** @file A label column: the kinds that its cells can be, and its labels. */
import { at, i32At } from "../arrays.js";
import { UsageError } from "../errors.js";
import { all, type ColumnFacts, isNumber, isTruth, isYes, partsOf } from "./cells.js";
import type { MaskFacts } from "./masks.js";
import { type GateForm, type LabelColumn, MAX_LABELS } from "./mining/label-column.js";

/** Kinds of tasks that a label column can become. */
export const TASK_KINDS = ["binary", "classification", "ordinal", "multilabel", "regression"] as const;
export type ProposedKind = (typeof TASK_KINDS)[number];

/** A label column, with what its task is declared with. */
export interface TaskRole {
  readonly role: "task";
  readonly column: string;
  readonly kind: ProposedKind;
  /** Classes, labels or levels by name, levels from the lowest; of other kinds none. */
  readonly names: readonly string[];
  /** Separates labels in a cell of `multilabel`. */
  readonly delimiter: string | null;
  /** Smallest and largest number; of other kinds null. */
  readonly range: readonly [number, number] | null;
  readonly labels: LabelColumn;
  /** Whether its cells name masks, and it is asked of every pixel. */
  readonly isMask?: boolean;
}

/** The kind that cells speak for; null: none. */
export function kindOf(facts: ColumnFacts): ProposedKind | null {
  const { column, filled, texts } = facts;
  if (all(facts, isTruth)) return "binary";
  if (isGraded(facts)) return "ordinal";
  if (all(facts, isNumber)) {
    const isClass = texts.length === 2 || (CLASS_NAME.test(column) && texts.length <= MAX_NUMBERED);
    return isClass ? "classification" : "regression";
  }
  if (delimiterOf(facts) !== null) return "multilabel";
  const isFew = texts.length <= filled / (texts.length <= 10 ? 2 : 3) || LABEL_NAME.test(column);
  return texts.length <= MAX_CLASSES && isFew ? "classification" : null;
}

/** What people call the column that is asked. */
export const LABEL_NAME = /^(y|labels?|target|class|outcome|answer)$/i;

/** Grades by number under a name that says so, or three and more words of a scale. */
function isGraded(facts: ColumnFacts): boolean {
  const { column, texts } = facts;
  if (texts.length < 3 || texts.length > MOST_GRADES) return false;
  return all(facts, isWhole) ? GRADE_NAME.test(column) : scaleOf(texts) !== undefined;
}

const isWhole = (cell: string): boolean => /^-?\d+(\.0)?$/.test(cell);
const MOST_GRADES = 11;
const GRADE_NAME = /(^|[_\s.-])(grade|rating|stars?|stage|level|severity|rank|priority|score)$/i;

/** Words in their order, from the lowest. */
const SCALES: readonly (readonly string[])[] = [
  ["very low", "low", "medium", "high", "very high"],
  ["low", "moderate", "high"],
  ["tiny", "small", "medium", "large", "huge"],
  ["none", "minimal", "mild", "moderate", "severe", "critical"],
  ["never", "rarely", "sometimes", "often", "always"],
  ["very poor", "poor", "fair", "good", "very good", "excellent"],
  ["bad", "average", "good"],
  ["i", "ii", "iii", "iv", "v"],
];

function scaleOf(texts: readonly string[]): readonly string[] | undefined {
  const words = texts.map((word) => word.toLowerCase());
  return new Set(words).size < words.length
    ? undefined
    : SCALES.find((scale) => words.every((word) => scale.includes(word)));
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
  const lists = facts.texts.reduce(
    (sum, text, place) => (text.includes(delimiter) ? sum + at(facts.counts, place) : sum),
    0,
  );
  return lists > 0 && lists >= 0.1 * facts.filled && areLabels(facts, delimiter);
}

/** Whether what stands between delimiters are few short names, and no numbers with a decimal comma. */
function areLabels({ texts, filled }: ColumnFacts, delimiter: string): boolean {
  const parts = new Set<string>();
  for (const cell of texts) {
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
    case "ordinal": {
      const names = levelNames(facts);
      const index = new Map(names.map((name, i) => [name, i]));
      return { ...common, names, labels: labels({ kind: "number" }, (cell) => index.get(cell) ?? Number.NaN) };
    }
    case "multilabel": {
      const delimiter = delimiterOf(facts) ?? ",";
      const names = labelNames(facts, delimiter);
      const bit = new Map(names.map((name, i) => [name, 1 << i]));
      const bits = (cell: string) => partsOf(cell, delimiter).reduce((sum, part) => sum | (bit.get(part) ?? 0), 0);
      return { ...common, delimiter, names, labels: labels({ kind: "labels", names }, bits) };
    }
    case "regression": {
      assertCells(facts, kind, isNumber, "which is no number");
      const read = labels({ kind: "number" }, Number);
      return { ...common, range: rangeOf(read.values), labels: read };
    }
    default:
      return kind satisfies never;
  }
}

/** A column of masks: what they say of pixels is asked by no condition, that a cell is empty hangs on others. */
export function maskTask(facts: ColumnFacts, { kind, classes }: MaskFacts): TaskRole {
  const names = kind === "classification" ? Array.from({ length: classes }, (_, i) => `class_${i}`) : [];
  const labels: LabelColumn = { name: facts.column, form: { kind: "none" }, values: valuesOf(facts, () => 0) };
  return { role: "task", column: facts.column, kind, names, delimiter: null, range: null, labels, isMask: true };
}

/** One number a cell; each text is read once. */
function valuesOf({ texts, codes }: ColumnFacts, numberOf: (cell: string) => number): Float64Array {
  const read = Float64Array.from(texts, numberOf);
  const values = new Float64Array(codes.length);
  for (let row = 0; row < codes.length; row++) values[row] = read[i32At(codes, row)] ?? Number.NaN;
  return values;
}

function rangeOf(values: Float64Array): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Numbers in their order, names in the alphabet's. */
export function classNames(facts: ColumnFacts): string[] {
  const names = [...facts.texts];
  if (names.length < 2) throw cannotBe(facts, "classification", "it has fewer than two classes");
  return names.every(isNumber) ? names.sort((a, b) => Number(a) - Number(b)) : names.sort();
}

/** From the lowest to the highest. */
function levelNames(facts: ColumnFacts): string[] {
  const scale = scaleOf(facts.texts);
  const names = classNames(facts);
  if (all(facts, isNumber)) return names;
  if (scale === undefined) {
    const order = `the order of its levels is not known. Take classification, and write ordinal({ levels: […] }) in the configuration`;
    throw cannotBe(facts, "ordinal", order);
  }
  return names.sort((a, b) => scale.indexOf(a.toLowerCase()) - scale.indexOf(b.toLowerCase()));
}

function labelNames(facts: ColumnFacts, delimiter: string): string[] {
  const names = [...new Set([...facts.texts].flatMap((cell) => partsOf(cell, delimiter)))].sort();
  if (names.length === 0) throw cannotBe(facts, "multilabel", "it has no labels");
  if (names.length <= MAX_LABELS) return names;
  throw cannotBe(facts, "multilabel", `it has ${names.length} labels, more than ${MAX_LABELS}`);
}

function assertCells(facts: ColumnFacts, kind: ProposedKind, is: (cell: string) => boolean, what: string): void {
  if (facts.texts.length === 0) throw cannotBe(facts, kind, "all its cells are empty");
  // texts stand in the order of their first rows
  const wrong = facts.texts.findIndex((text) => !is(text));
  if (wrong < 0) return;
  const row = facts.codes.indexOf(wrong) + 1;
  throw cannotBe(facts, kind, `row ${row} says ${JSON.stringify(facts.texts[wrong])}, ${what}`);
}

function cannotBe({ column }: ColumnFacts, kind: ProposedKind, what: string): UsageError {
  return new UsageError(
    `The column "${column}" cannot be ${kind}: ${what}. Choose another kind (${TASK_KINDS.join(", ")}), or leave it out with --ignore.`,
    { column, kind },
  );
}
