/** @file Which rows of a project's tables train, validate and test: by shares or by a column, by group, stratified, in folds. */
import type { Cells } from "./tables/cells.js";
import { at, i32At } from "../arrays.js";
import { ConfigError, DataError } from "../errors.js";
import type { Sliced } from "../platform/yield-to.js";
import { SPLITS } from "../tasks/evaluation.js";
import { cutIntoFolds, judgeFolds } from "./folds.js";
import type { TaskStratum } from "./labels/strata.js";
import {
  assertFractions,
  cutRows,
  imageOf,
  itemsOf,
  rowsIn,
  sharesOf,
  type SplitFractions,
  type SplitSpec,
  type Splits,
  splitByColumn,
} from "./split.js";
import { stratify } from "./stratify.js";
import { cellsOf, type JoinedTables, rowIn } from "./tables/tables.js";
import { columnOf, type Table } from "./tables/table.js";

/** Tables to split. */
export interface SplitSource {
  readonly joined: JoinedTables;
  /** Of each table's rows. */
  readonly ids: readonly (readonly string[])[];
  /** Per table. */
  readonly specs: readonly SplitSpec[];
  /** That of the project, which says the folds. */
  readonly project: SplitSpec;
  /** Strata over all rows; only asked for where a split is stratified or cut into folds. */
  readonly strata: () => Sliced<readonly TaskStratum[]>;
  /** Whether the folds that the project declares are judged where none of them is asked for. */
  readonly judgesFolds?: boolean | undefined;
}

export interface TablesSplit {
  readonly splits: Splits;
  /** What folds cannot tell. */
  readonly warnings: readonly string[];
}

export const DEFAULT_FOLDS = 5;
const DEFAULT_SEED = 7;

/**
 * Splits every table by itself, so that none leaves a split empty for the tasks that it alone labels; those that are
 * split by group are split together, since a group may stand in several of them.
 * @throws ConfigError where shares, groups or folds cannot be; DataError where groups straddle splits of a column
 */
export function* splitTables(source: SplitSource): Sliced<TablesSplit> {
  const { joined, specs, project } = source;
  let strata: readonly TaskStratum[] | undefined;
  const askStrata = function* (): Sliced<readonly TaskStratum[]> {
    strata ??= yield* source.strata();
    return strata;
  };
  const parts: Splits[] = [];
  for (const set of setsOf(specs)) {
    const spec = at(specs, at(set, 0));
    parts.push(
      "column" in spec
        ? moved(splitByColumn(at(joined.tables, at(set, 0)), spec.column), at(joined.firstRows, at(set, 0)))
        : yield* splitByShares(source, set, spec, askStrata),
    );
    yield;
  }
  const splits = join(parts);
  if (project.groupBy !== undefined) assertApart(source, splits, project.groupBy);
  const { fold = null, folds } = project;
  if (fold === null && (folds === undefined || source.judgesFolds !== true)) return { splits, warnings: [] };
  return yield* withFold(source, splits, fold, yield* askStrata());
}

/** Tables that are split together: those of one split by group, else each by itself. */
function setsOf(specs: readonly SplitSpec[]): number[][] {
  const sets: number[][] = [];
  for (const [i, spec] of specs.entries()) {
    const same = sets.find((set) => specs[at(set, 0)] === spec);
    if (spec.groupBy !== undefined && !("column" in spec) && same !== undefined) same.push(i);
    else sets.push([i]);
  }
  return sets;
}

function* splitByShares(
  source: SplitSource,
  set: readonly number[],
  spec: SplitFractions,
  askStrata: () => Sliced<readonly TaskStratum[]>,
): Sliced<Splits> {
  assertFractions(spec);
  const { joined, ids } = source;
  const rows = rowsOfTables(joined, set);
  // of one table, keys are those of its rows alone: what they are split into does not depend on the tables beside it
  const [first] = set.map((table) => at(joined.firstRows, table));
  const keyOf =
    spec.groupBy === undefined
      ? (row: number) => imageOf(at(at(ids, at(set, 0)), row - (first ?? 0)))
      : groupKeys(source, set, spec.groupBy);
  const items = yield* itemsOf(rows, keyOf, spec.seed);
  const shares = sharesOf(spec);
  const wanted = shares.filter((share) => share > 0).length;
  if (spec.groupBy !== undefined) assertGroups(source, spec.groupBy, items.ends.length, wanted, "splits");
  const [train, valid, test] =
    spec.stratify === true
      ? (yield* stratify([...items], shares, yield* askStrata())).map(rowsIn)
      : cutRows(items, shares);
  const none = new Int32Array(0);
  return { train: train ?? none, valid: valid ?? none, test: test ?? none };
}

/**
 * Train and valid together, cut anew: one part is valid, the others train. Test stays as it is.
 * @param fold from 1; null: the cut is only judged
 */
function* withFold(
  source: SplitSource,
  splits: Splits,
  fold: number | null,
  strata: readonly TaskStratum[],
): Sliced<TablesSplit> {
  const { project } = source;
  const { folds = DEFAULT_FOLDS } = project;
  if (fold !== null && fold > folds) {
    throw new ConfigError(
      `data.split.fold is ${fold}, and there are ${folds} folds. Write a fold from 1 to ${folds}.`,
      {
        fold,
        folds,
      },
    );
  }
  const { items, what } = yield* itemsToFold(source, splits);
  const parts = yield* cutIntoFolds(items, { folds, stratify: project.stratify === true, strata, what });
  const warnings = judgeFolds(parts.map(rowsIn), { strata, stratify: project.stratify === true });
  if (fold === null) return { splits, warnings };
  const rest = parts.filter((_, i) => i !== fold - 1).flat();
  return { splits: { train: rowsIn(rest), valid: rowsIn(at(parts, fold - 1)), test: splits.test }, warnings };
}

/** What stays together in a fold, of train and valid, and what to call it. */
function* itemsToFold(source: SplitSource, { train, valid }: Splits) {
  const { joined, ids, project } = source;
  const { groupBy, seed = DEFAULT_SEED } = project;
  const tables = joined.tables.map((_, i) => i);
  const keyOf =
    groupBy === undefined
      ? (row: number) => {
          const { table, row: own } = rowIn(joined, row);
          const place = joined.tables.indexOf(table);
          return `${place}\0${imageOf(at(at(ids, place), own))}`;
        }
      : groupKeys(source, tables, groupBy);
  const items = [...(yield* itemsOf(Int32Array.from([...train, ...valid]).sort(), keyOf, `${seed}/folds`))];
  const what =
    groupBy === undefined
      ? { one: "one picture or row", many: "pictures or rows" }
      : { one: `one group of "${groupBy}"`, many: `groups of "${groupBy}"` };
  return { items, what };
}

/** The group of each row of some tables; a row without one is a group of its own. */
function groupKeys(source: SplitSource, set: readonly number[], column: string): (row: number) => string {
  const { joined } = source;
  const cells = new Map(set.map((table) => [table, groupCells(at(joined.tables, table), column)] as const));
  return (row) => {
    const { table, row: own } = rowIn(joined, row);
    const place = joined.tables.indexOf(table);
    return groupOf(cells.get(place)?.at(own)) ?? `row\0${row}`;
  };
}

function groupCells(table: Table, column: string): Cells {
  return columnOf(table, column, "data.split.groupBy");
}

/** null where the cell is empty. */
function groupOf(cell: unknown): string | null {
  if (cell === null || cell === undefined) return null;
  const text = String(cell).trim();
  return text === "" ? null : `group\0${text}`;
}

function assertGroups({ joined }: SplitSource, column: string, groups: number, wanted: number, what: string): void {
  if (groups >= Math.max(2, wanted)) return;
  const has = groups === 1 ? "one group alone" : `${groups} groups`;
  throw new ConfigError(
    `${joined.file}: the column "${column}", which data.split.groupBy names, has ${has} in ${joined.rows} rows, too few for ${wanted} ${what} that share none. Name a column that tells the groups apart, such as patients or cameras.`,
    { file: joined.file, column, groups },
  );
}

/** @throws DataError where a group stands in two splits, as a column of splits may have it */
function assertApart({ joined }: SplitSource, splits: Splits, column: string): void {
  const cells = cellsOf(joined, column, "data.split.groupBy");
  const seen = new Map<string, (typeof SPLITS)[number]>();
  for (const split of SPLITS) {
    for (const row of splits[split]) {
      const group = groupOf(cells.at(row));
      if (group === null) continue;
      const before = seen.get(group);
      if (before !== undefined && before !== split) {
        throw new DataError(
          `${joined.file}: "${String(cells.at(row))}" of the column "${column}" stands in ${before} and in ${split}, and data.split.groupBy says that a group has one split. Correct the split of its rows, or leave groupBy out.`,
          { file: joined.file, column, group: cells.at(row), splits: [before, split] },
        );
      }
      seen.set(group, split);
    }
  }
}

function rowsOfTables({ tables, firstRows }: JoinedTables, set: readonly number[]): Int32Array {
  const rows = new Int32Array(set.reduce((sum, table) => sum + at(tables, table).rows, 0));
  let end = 0;
  for (const table of set) {
    for (let row = 0; row < at(tables, table).rows; row++) rows[end++] = at(firstRows, table) + row;
  }
  return rows;
}

/** Rows of one table, as they are numbered through all tables. */
function moved(splits: Splits, first: number): Splits {
  const move = (rows: Int32Array) => rows.map((row) => row + first);
  return { train: move(splits.train), valid: move(splits.valid), test: move(splits.test) };
}

function join(parts: readonly Splits[]): Splits {
  const joined = (split: keyof Splits): Int32Array => {
    const rows = new Int32Array(parts.reduce((sum, own) => sum + own[split].length, 0));
    let end = 0;
    for (const own of parts) {
      for (let i = 0; i < own[split].length; i++) rows[end + i] = i32At(own[split], i);
      end += own[split].length;
    }
    return rows.sort();
  };
  return { train: joined("train"), valid: joined("valid"), test: joined("test") };
}
