/** @file Rows into folds, and what such a cut cannot tell: classes and tasks of which a fold holds out no row. */
import { at } from "../arrays.js";
import { ConfigError } from "../errors.js";
import type { Sliced } from "../platform/yield-to.js";
import type { TaskStratum } from "./labels/strata.js";
import { cut } from "./split.js";
import { type Item, stratify } from "./stratify.js";

interface FoldOptions {
  readonly folds: number;
  readonly stratify: boolean;
  readonly strata: readonly TaskStratum[];
  /** What the items are, in messages. */
  readonly what: { readonly one: string; readonly many: string };
}

/**
 * @returns the items of each fold
 * @throws ConfigError where a fold would be empty
 */
export function* cutIntoFolds(items: readonly Item[], options: FoldOptions): Sliced<Item[][]> {
  const { folds, strata, what } = options;
  if (items.length < folds) {
    throw new ConfigError(
      `Train and valid together have ${items.length === 1 ? what.one : `${items.length} ${what.many}`}, too few for ${folds} folds. Lower data.split.folds${items.length > 1 ? ` to ${items.length}` : ""}, or add rows.`,
      { items: items.length, folds },
    );
  }
  const shares = Array.from({ length: folds }, () => 1 / folds);
  const parts = options.stratify ? yield* stratify(items, shares, strata) : cut(items, shares);
  // an item of more rows than a fold takes the place of those after it: then each goes to the fold with the fewest rows
  return parts.some((part) => part.length === 0) ? yield* stratify(items, shares, []) : parts;
}

/** Warnings that are written out. */
const WARNINGS_SHOWN = 8;

/**
 * @param folds rows of each
 * @returns what is never measured in some of the folds
 * @throws ConfigError where a fold holds out every usable row of a task, so that the others cannot teach it
 */
export function judgeFolds(
  folds: readonly Int32Array[],
  { strata, stratify: isStratified }: Pick<FoldOptions, "strata" | "stratify">,
): string[] {
  const foldOf = new Map(folds.flatMap((rows, fold) => Array.from(rows, (row) => [row, fold] as const)));
  const count = (rows: Iterable<number>): number[] => {
    const counts = folds.map(() => 0);
    for (const row of rows) {
      const fold = foldOf.get(row);
      if (fold !== undefined) counts[fold] = at(counts, fold) + 1;
    }
    return counts;
  };
  const warnings: string[] = [];
  for (const task of new Set(strata.map(({ task_path }) => task_path))) {
    const own = strata.filter(({ task_path }) => task_path === task);
    const perFold = count(new Set(own.flatMap(({ rows }) => [...rows])));
    assertTaught(task, perFold);
    const isAsked = !perFold.includes(0);
    const parts = isAsked
      ? own.filter(({ isClass }) => isClass).map(({ name, rows }) => ({ name, counts: count(rows) }))
      : [{ name: null, counts: perFold }];
    for (const { name, counts } of parts) {
      if (counts.includes(0) && sum(counts) > 0) warnings.push(warningOf(task, name, counts, isStratified));
    }
  }
  const more = warnings.length - WARNINGS_SHOWN;
  return more <= 0 ? warnings : [...warnings.slice(0, WARNINGS_SHOWN), `folds hold out none of ${more} more classes`];
}

function assertTaught(task: string, perFold: readonly number[]): void {
  const rows = sum(perFold);
  const all = perFold.indexOf(rows);
  if (rows === 0 || all < 0) return;
  throw new ConfigError(
    `The task "${task}" has ${rowsInWords(rows)} in train and valid together, and fold ${all + 1} holds ${rows === 1 ? "it" : "them all"} out: nothing would be left to train on. Label more, or take the task out of the flow.`,
    { task, rows, fold: all + 1 },
  );
}

function warningOf(task: string, name: string | null, counts: readonly number[], isStratified: boolean): string {
  const rows = sum(counts);
  const folds = counts.flatMap((own, fold) => (own === 0 ? [fold + 1] : []));
  const without = counts.indexOf(rows) + 1;
  const untaught = without === 0 ? "" : `, and fold ${without} trains without ${rows === 1 ? "it" : "them"}`;
  const none = rows === 1 ? "do not hold it out" : `${folds.length === 1 ? "holds" : "hold"} out none of them`;
  const said = name === null ? "" : ` of "${name}"`;
  return `${task}: there ${rows === 1 ? "is" : "are"} ${rowsInWords(rows)}${said} in train and valid together, and ${foldsInWords(folds)} of ${counts.length} ${none}${untaught}; ${wayOut(rows, counts, isStratified)}`;
}

function wayOut(rows: number, counts: readonly number[], isStratified: boolean): string {
  if (rows === 1) return "label more";
  if (rows < counts.length) return `label more, or lower data.split.folds to ${rows}`;
  return isStratified ? "label more, or lower data.split.folds" : "write data.split.stratify: true";
}

function rowsInWords(rows: number): string {
  return `${rows} usable ${rows === 1 ? "row" : "rows"}`;
}

/** fold 3, folds 1, 3 and 5 */
function foldsInWords(folds: readonly number[]): string {
  const before = folds.slice(0, -1);
  return before.length === 0 ? `fold ${at(folds, 0)}` : `folds ${before.join(", ")} and ${folds.at(-1)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
