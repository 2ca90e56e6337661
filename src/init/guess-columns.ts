/** @file What the columns of a table are, by their names and cells: inputs, labels of some kind, the split, or neither. */
import { at } from "../arrays.js";
import type { Table } from "../data/tables/table.js";
import { UnknownNameError } from "../errors.js";
import {
  all,
  type ColumnFacts,
  factsOf,
  isDate,
  isImagePath,
  isNumber,
  isSentence,
  isTruth,
  mostly,
  textAt,
} from "./cells.js";
import { type MinedFlow, mineFlow } from "./mining/mine-flow.js";
import { gatesOf } from "../flow/graph.js";
import { shellWord } from "../platform/shell-word.js";
import type { MaskFacts } from "./masks.js";
import { classNames, kindOf, LABEL_NAME, maskTask, type ProposedKind, type TaskRole, taskOf } from "./task-role.js";

/** What one column is taken for. */
export type ColumnRole =
  | { readonly role: "image"; readonly column: string }
  | { readonly role: "split"; readonly column: string }
  | { readonly role: "numeric"; readonly column: string; readonly hasGaps: boolean }
  | {
      readonly role: "categorical";
      readonly column: string;
      readonly categories: readonly string[];
      readonly hasGaps: boolean;
    }
  | { readonly role: "tokens"; readonly column: string }
  | { readonly role: "ignored"; readonly column: string; readonly why: string }
  | UnclearRole
  | TaskRole;

/** A column that could be several things, so that the user has to say which. */
export interface UnclearRole {
  readonly role: "unclear";
  readonly column: string;
  readonly why: string;
  /** What can be said of it, the likeliest first: `--task door=binary`. */
  readonly flags: readonly string[];
}

/** What the user has said already, by name of column. */
export interface ColumnWishes {
  readonly image?: string | undefined;
  readonly inputs?: readonly string[];
  readonly tasks?: ReadonlyMap<string, ProposedKind>;
  readonly ignore?: readonly string[];
}

/** A column that may be a label, or an input. */
interface Candidate {
  readonly role: "candidate";
  readonly column: string;
  readonly kind: ProposedKind;
  readonly isComplete: boolean;
}

/**
 * One role per column, in their order. Beside pictures or texts every other column is a question about them. In a table
 * of numbers and categories alone, labels are those that the user names, that are called so, or whose empty cells hang
 * on another column, with those that they hang on; what may be either is unclear.
 * @param masks columns of masks, which are asked per pixel
 * @throws UnknownNameError for a wish about a column that is not there; UsageError for a kind that its cells cannot be
 */
export function guessColumns(
  table: Table,
  wishes: ColumnWishes = {},
  masks: ReadonlyMap<string, MaskFacts> = new Map(),
): ColumnRole[] {
  assertColumns(table, wishes);
  const facts = [...table.columns].map(([column, cells]) => factsOf(column, cells));
  const subject = subjectOf(facts, wishes, masks);
  const first = facts.map((each) => wishedRole(each, wishes) ?? maskRole(each, masks, wishes) ?? roleOf(each, subject));
  if (subject !== "numbers") {
    const texts = facts.filter((_, i) => first[i]?.role === "tokens");
    return first.map((role, i) => {
      const own = at(facts, i);
      if (role.role !== "candidate") return role;
      return texts.some((text) => labelsTokens(own, text))
        ? { role: "ignored", column: own.column, why: PER_TOKEN }
        : taskOf(own, role.kind);
    });
  }
  return settle(facts, first, wishes);
}

function assertColumns(table: Table, { image, inputs = [], tasks, ignore = [] }: ColumnWishes): void {
  const names = [...table.columns.keys()];
  for (const column of [...(image === undefined ? [] : [image]), ...inputs, ...(tasks?.keys() ?? []), ...ignore]) {
    if (!table.columns.has(column)) throw new UnknownNameError("column", column, names, table.file, { exitCode: 2 });
  }
}

const PER_TOKEN = 'it has a label for each token; ask it with per: "token" (see docs/tasks.md)';

/** Whether a column holds lists with one item for each token of a text. */
function labelsTokens(facts: ColumnFacts, text: ColumnFacts): boolean {
  if (!facts.isList) return false;
  let [lists, fitting] = [0, 0];
  for (let row = 0; row < facts.rows; row++) {
    const cell = textAt(facts, row);
    if (cell === "") continue;
    lists++;
    if (lengthOf(cell) === tokensIn(textAt(text, row), text.isList)) fitting++;
  }
  return fitting >= 0.9 * lists;
}

const tokensIn = (cell: string, isList: boolean): number =>
  isList ? lengthOf(cell) : cell.split(/\s+/).filter(Boolean).length;

function lengthOf(cell: string): number {
  const items: unknown = cell === "" ? [] : JSON.parse(cell);
  return Array.isArray(items) ? items.length : 0;
}

/** What the table is about: numbers beside pictures or texts are labels, numbers alone may be either. */
type Subject = { readonly pictures: readonly string[] } | "texts" | "numbers";

/** A mask that nobody has called an input. */
function maskRole(facts: ColumnFacts, masks: ReadonlyMap<string, MaskFacts>, { tasks }: ColumnWishes): TaskRole | null {
  const found = masks.get(facts.column);
  return found === undefined || tasks?.has(facts.column) ? null : maskTask(facts, found);
}

function subjectOf(
  facts: readonly ColumnFacts[],
  wishes: ColumnWishes,
  masks: ReadonlyMap<string, MaskFacts>,
): Subject {
  const named = (column: string) => wishes.ignore?.includes(column) || wishes.tasks?.has(column) || masks.has(column);
  const free = facts.filter(({ column }) => !named(column));
  const pictures = wishes.image === undefined ? free.filter((each) => mostly(each, isImagePath)) : [];
  if (wishes.image !== undefined) return { pictures: [wishes.image] };
  if (pictures.length > 0) return { pictures: pictures.map(({ column }) => column) };
  return free.some((each) => isText(each)) ? "texts" : "numbers";
}

/** Sentences, or lists of more words than labels are. */
function isText(facts: ColumnFacts): boolean {
  return (facts.isList || mostly(facts, isSentence)) && kindOf(facts) === null;
}

function wishedRole(facts: ColumnFacts, wishes: ColumnWishes): ColumnRole | null {
  const { column } = facts;
  if (wishes.ignore?.includes(column)) return { role: "ignored", column, why: "as you said" };
  if (column === wishes.image) return { role: "image", column };
  if (wishes.inputs?.includes(column)) return inputOf(facts);
  const kind = wishes.tasks?.get(column);
  return kind === undefined ? null : taskOf(facts, kind);
}

/** As an input, by what its cells hold. */
function inputOf(facts: ColumnFacts): ColumnRole {
  const { column, filled, rows } = facts;
  const hasGaps = filled < rows;
  if (mostly(facts, isImagePath)) return { role: "image", column };
  if (filled === 0) return { role: "ignored", column, why: "it is empty" };
  if (all(facts, isNumber)) return { role: "numeric", column, hasGaps };
  if (all(facts, isTruth) || kindOf(facts) === "classification") {
    if (facts.texts.length === 1) return { role: "ignored", column, why: alwaysSays(facts) };
    return { role: "categorical", column, categories: classNames(facts), hasGaps };
  }
  return { role: "tokens", column };
}

function roleOf(facts: ColumnFacts, subject: Subject): ColumnRole | Candidate {
  const { column, filled, rows, texts } = facts;
  const ignored = (why: string): ColumnRole => ({ role: "ignored", column, why });
  const isComplete = filled === rows;
  if (filled === 0) return ignored("it is empty");
  if (isComplete && isSplit(facts)) return { role: "split", column };
  if (mostly(facts, isImagePath)) return pictureOf(column, subject);
  if (texts.length === 1) return ignored(alwaysSays(facts));
  if (subject !== "numbers" && SIZE_NAME.test(column) && isComplete && all(facts, isNumber))
    return ignored("it is the size of the pictures");
  if (mostly(facts, isDate)) return ignored("it holds dates");
  if (namesRows(facts)) return ignored("it names the rows");
  const kind = kindOf(facts);
  if (kind !== null) return { role: "candidate", column, kind, isComplete };
  if (!isText(facts)) return ignored(`it has ${texts.length} different texts`);
  if (subject === "texts") return { role: "tokens", column };
  return ignored(`it is a text beside pictures; --input ${shellWord(column)} makes it an input`);
}

function pictureOf(column: string, subject: Subject): ColumnRole {
  const pictures = typeof subject === "object" ? subject.pictures : [];
  if (pictures.length === 1 && pictures[0] === column) return { role: "image", column };
  if (!pictures.includes(column)) return { role: "ignored", column, why: "another column names the pictures" };
  const others = pictures.filter((other) => other !== column).map((other) => `"${other}"`);
  const why = `it names pictures, as ${others.join(", ")} does`;
  return { role: "unclear", column, why, flags: [`--image ${shellWord(column)}`, `--ignore ${shellWord(column)}`] };
}

const SPLIT_NAME = /^(split|subset|set|partition|fold)$/i;
const SPLITS = new Set(["train", "valid", "val", "validation", "test"]);
const SIZE_NAME = /^(image_?|img_?)?(width|height)$/i;
const ID_NAME = /(^|[_\s.-])(id|uuid|guid|key|index|name|file|filename|nr|no)$/i;

function isSplit({ column, texts }: ColumnFacts): boolean {
  if (!SPLIT_NAME.test(column)) return false;
  const words = texts.map((text) => text.toLowerCase());
  return words.includes("train") && words.every((word) => SPLITS.has(word));
}

/** A different text or whole number in each row, under a name that says so, or counting up. */
function namesRows(facts: ColumnFacts): boolean {
  const { column, filled, texts, rows } = facts;
  if (filled <= 20 || texts.length < filled) return false;
  const isNumbered = filled === rows && texts.every((text) => /^-?\d+$/.test(text));
  if (!isNumbered) return ID_NAME.test(column) && !texts.some((text) => /\d\.\d/.test(text));
  return ID_NAME.test(column) || texts.every((text, i) => i === 0 || Number(text) === Number(texts[i - 1]) + 1);
}

function alwaysSays({ texts }: ColumnFacts): string {
  const [only = ""] = texts;
  return `it always says ${JSON.stringify(only.length > 30 ? `${only.slice(0, 29)}…` : only)}`;
}

/** Which candidates are labels, where no picture or text says what the table is about. */
function settle(
  facts: readonly ColumnFacts[],
  first: readonly (ColumnRole | Candidate)[],
  wishes: ColumnWishes,
): ColumnRole[] {
  const roles = facts.map((each, i): ColumnRole | null => {
    const role = at(first, i);
    if (role.role !== "candidate") return role;
    return LABEL_NAME.test(each.column) && wishes.tasks === undefined ? taskOf(each, role.kind) : null;
  });
  const isNamed = roles.some((role) => role?.role === "task");
  const possible = facts.map((each, i) => {
    const role = at(first, i);
    return roles[i] ?? (role.role === "candidate" ? taskOf(each, role.kind) : null);
  });
  const labels = possible.flatMap((role) => (role?.role === "task" ? [role.labels] : []));
  const hanging = hangingOn(mineFlow(labels));
  return roles.map((role, i) => {
    if (role !== null) return role;
    const [each, candidate] = [at(facts, i), at(first, i)];
    if (candidate.role !== "candidate") throw new Error(`${each.column} has no role`);
    const task = possible[i] ?? null;
    if (task !== null && hanging.has(each.column)) return task;
    return alone(each, candidate, isNamed, isNamed || hanging.size > 0);
  });
}

/** Columns whose empty cells hang on others, and those others. */
function hangingOn({ tasks }: MinedFlow): Set<string> {
  return new Set(tasks.flatMap(({ name, given }) => (given === null ? [] : [name, ...gatesOf(given)])));
}

/** @param isNamed whether it is known which columns are labels; hasTasks: whether any is */
function alone(facts: ColumnFacts, candidate: Candidate, isNamed: boolean, hasTasks: boolean): ColumnRole {
  const { column, kind, isComplete } = candidate;
  const canBeInput = kind !== "multilabel";
  if (isNamed && canBeInput) return inputOf(facts);
  if (hasTasks && isComplete && (kind === "regression" || kind === "classification")) return inputOf(facts);
  const what = isComplete
    ? `it may be asked (${kind}), or be what answers are seen from`
    : `it has empty cells that hang on no other column: labels that are missing, or an input with gaps`;
  const flags = [`--task ${shellWord(`${column}=${kind}`)}`, ...(canBeInput ? [`--input ${shellWord(column)}`] : [])];
  return { role: "unclear", column, why: what, flags };
}
