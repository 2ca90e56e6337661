/** @file Number and category cells → vectors, row by row. */
import { at as itemAt, f64At, i32At } from "../../arrays.js";
import { DataError, nearestNames } from "../../errors.js";
import { categoryPlaces, placeOfCategory, standardized } from "../../predictor/vectors.js";
import { isMissing } from "../../tasks/behaviour.js";
import type { CategoricalInputSpec, InputSource, NumericInputSpec, NumericStatistics } from "../dataset.js";
import { blocksOf } from "../tables/cells.js";
import { type BadCell, badCellsError, cellsOf, type JoinedTables, rowIn } from "../tables/tables.js";

/** An input over all rows of the tables, before rows are left out. */
export interface ReadyInput {
  /** The source over some rows of the tables, in their order. */
  source(kept: Int32Array): InputSource;
  /** What is odd about its cells, though they can be read. */
  readonly warnings?: readonly string[];
}

/**
 * Reads a vector of numbers. Statistics are computed over the rows to fit on, unless the spec brings them.
 * @param fitRows rows of the train split; null where nothing may be fitted
 * @throws DataError if a cell is no number, or is empty where the spec does not say what to take
 */
export function readNumeric(
  name: string,
  spec: NumericInputSpec,
  joined: JoinedTables,
  fitRows: Int32Array | null,
): ReadyInput {
  const width = spec.listLength ?? spec.columns.length;
  const values = new Float64Array(joined.rows * width).fill(Number.NaN);
  const bad: BadCell[] = [];
  const read = spec.listLength === null ? readNumber : readList(spec.listLength);
  spec.columns.forEach((column, at) => {
    const readCell = (cell: unknown, row: number): void => {
      const missing = isMissing(cell);
      const reason = missing ? (spec.missing === "error" ? MISSING : null) : read(cell, values, row * width + at, spec);
      if (reason !== null) bad.push({ ...rowIn(joined, row), column, cell, reason, reader: { kind: "input", name } });
    };
    let first = 0;
    for (const block of blocksOf(cellsOf(joined, column, `the input "${name}"`))) {
      const numbers = spec.listLength === null ? (block.numbers ?? null) : null;
      const { filled = null } = block;
      for (let i = 0; i < block.length; i++) {
        const number = numbers?.[i] ?? Number.NaN;
        // a call for each of millions of numbers takes longer than to copy them
        if (Number.isFinite(number) && (filled === null || filled[i] === 1)) values[(first + i) * width + at] = number;
        else readCell(block.at(i), first + i);
      }
      first += block.length;
    }
  });
  if (bad.length > 0) throw badCellsError(joined, bad, "number cell");
  const statistics = spec.statistics ?? fitStatistics(name, spec, values, width, fitRows, joined);
  const fitted = { ...spec, statistics };
  const ready = new Float32Array(values.length);
  for (let i = 0, place = 0; i < ready.length; i++) {
    ready[i] = standardized(fitted, f64At(values, i), place);
    place = place + 1 === width ? 0 : place + 1;
  }
  const warnings = fitRows === null || !spec.standardize ? [] : dominated(name, spec, values, width, fitRows);
  return { source: (kept) => vectorSource(fitted, ready, width, kept), warnings };
}

const MISSING = 'is missing; fill it, or give the input missing: "mean"';

/** @param at place among the values that receives the number */
function readNumber(cell: unknown, values: Float64Array, at: number): string | null {
  const value = typeof cell === "number" ? cell : typeof cell === "string" ? Number(cell.trim()) : Number(cell);
  if (typeof cell === "object" || !Number.isFinite(value)) return "is not a finite number; write a number";
  values[at] = value;
  return null;
}

/** Lists, or their text: `[1, 2]`, `1 2`, `1,2` or `1;2`. */
const readList =
  (length: number) =>
  (cell: unknown, values: Float64Array, at: number, { missing }: Pick<NumericInputSpec, "missing">): string | null => {
    const parts = Array.isArray(cell)
      ? cell
      : String(cell)
          .trim()
          .replace(/^\[|\]$/g, "")
          .split(/[\s,;]+/);
    const items = parts.filter((part) => part !== "");
    if (items.length !== length) {
      return `has ${items.length} numbers, but the input's length is ${length}; correct one of them`;
    }
    for (const [i, item] of items.entries()) {
      if (isMissing(item)) continue;
      const reason = readNumber(item, values, at + i);
      if (reason !== null) return `has an item that ${reason}`;
    }
    return missing === "error" && values.subarray(at, at + length).some(Number.isNaN) ? MISSING : null;
  };

/** null where the spec needs none. */
function fitStatistics(
  name: string,
  spec: NumericInputSpec,
  values: Float64Array,
  width: number,
  fitRows: Int32Array | null,
  joined: JoinedTables,
): NumericStatistics | null {
  if (!spec.standardize && spec.missing === "error") return null;
  if (fitRows === null) throw new Error(`the input ${name} has no statistics`);
  const moments = Array.from({ length: width }, (_, at) => {
    const known = knownNumbers(values, width, at, fitRows);
    if (known.length > 0) return momentsOf(known);
    const column = itemAt(spec.columns, spec.listLength === null ? at : 0);
    throw new DataError(
      `The input "${name}" has no number in the train split: the column "${column}" of ${joined.file} is empty there. Fill it, change the split, or take it out of the input.`,
      { file: joined.file, input: name, column },
    );
  });
  return { mean: moments.map(({ mean }) => mean), deviation: moments.map(({ deviation }) => deviation) };
}

/** How much less the other values must spread for one value to be said to dominate a column. */
const DOMINATED = 10;

/** Columns whose spread is that of one value, such as a fill value: all others become almost the same number. */
function dominated(
  name: string,
  spec: NumericInputSpec,
  values: Float64Array,
  width: number,
  fitRows: Int32Array,
): string[] {
  return Array.from({ length: width }, (_, at): string[] => {
    const known = knownNumbers(values, width, at, fitRows);
    const { mean, deviation } = momentsOf(known);
    let extreme = mean;
    for (let i = 0; i < known.length; i++) {
      if (Math.abs(f64At(known, i) - mean) > Math.abs(extreme - mean)) extreme = f64At(known, i);
    }
    const others = without(known, extreme);
    const differ = others.some((value) => value !== others[0]);
    const spread = differ ? momentsOf(others).deviation : Number.POSITIVE_INFINITY;
    if (deviation < DOMINATED * spread) return [];
    const column = spec.columns[spec.listLength === null ? at : 0] ?? "";
    const cells = known.length - others.length;
    return [
      `the input "${name}": ${cells} of ${known.length} cells of the column "${column}" in train ${cells === 1 ? "is" : "are"} ${extreme}, beside which all others look the same once they are standardized; if it stands for a missing value, leave the cell empty`,
    ];
  }).flat();
}

function without(values: Float64Array, left: number): Float64Array {
  const others = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = f64At(values, i);
    if (value !== left) others[count++] = value;
  }
  return others.subarray(0, count);
}

/** Numbers of one place of some rows that are not missing. */
function knownNumbers(values: Float64Array, width: number, at: number, rows: Int32Array): Float64Array {
  const known = new Float64Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = f64At(values, i32At(rows, i) * width + at);
    if (!Number.isNaN(value)) known[count++] = value;
  }
  return known.subarray(0, count);
}

function momentsOf(values: Float64Array): { readonly mean: number; readonly deviation: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) sum += f64At(values, i);
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += (f64At(values, i) - mean) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  // rounding alone must not become a deviation to divide by
  return { mean, deviation: deviation > Math.abs(mean) * 1e-12 ? deviation : 1 };
}

/** Is told of a cell with a category that the spec does not list, which is then read as a missing one. */
export type OnUnseen = (input: string, row: number, category: string) => void;

/**
 * Reads one category per row. A number is the category that its text names.
 * @param onUnseen lets categories pass that the spec does not list; the row is one of the tables
 * @throws DataError for a category that the spec does not list
 */
export function readCategorical(
  name: string,
  spec: CategoricalInputSpec,
  joined: JoinedTables,
  onUnseen?: OnUnseen,
): ReadyInput {
  const cells = cellsOf(joined, spec.column, `the input "${name}"`);
  const places = categoryPlaces(spec);
  const bad: BadCell[] = [];
  const badCell = (row: number, cell: unknown, reason: string): BadCell => ({
    ...rowIn(joined, row),
    ...{ column: spec.column, cell, reason, reader: { kind: "input", name } },
  });
  const ids = Int32Array.from(cells, (cell, row) => {
    if (isMissing(cell)) {
      if (spec.missing === "error")
        bad.push(badCell(row, cell, 'is missing; fill it, or give the input missing: "category"'));
      return 0;
    }
    const id = placeOfCategory(places, cell);
    if (id === undefined && onUnseen !== undefined) onUnseen(name, row, String(cell));
    else if (id === undefined) {
      bad.push(badCell(row, cell, unknownCategory(String(cell), spec.categories)));
    }
    return id ?? 0;
  });
  if (bad.length > 0) throw badCellsError(joined, bad, "category cell");
  if (spec.encoding === "index") return { source: (kept) => vectorSource(spec, ids, 1, kept) };
  const width = spec.categories.length;
  const oneHot = new Float32Array(ids.length * width);
  ids.forEach((id, row) => {
    if (id > 0) oneHot[row * width + id - 1] = 1;
  });
  return { source: (kept) => vectorSource(spec, oneHot, width, kept) };
}

function unknownCategory(cell: string, known: readonly string[]): string {
  const near = nearestNames(cell.trim(), known);
  const hint =
    near.length > 0
      ? `did you mean ${near.map((one) => `"${one}"`).join(" or ")}?`
      : `known: ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", …" : ""}`;
  return `is not one of the input's categories; ${hint}`;
}

function vectorSource(
  spec: NumericInputSpec | CategoricalInputSpec,
  values: Float32Array | Int32Array,
  width: number,
  kept: Int32Array,
): InputSource {
  return {
    spec,
    read(rows) {
      const out = new (values.constructor as new (length: number) => typeof values)(rows.length * width);
      for (let i = 0; i < rows.length; i++) {
        const from = i32At(kept, rows[i] as number) * width;
        for (let k = 0; k < width; k++) out[i * width + k] = values[from + k] as number;
      }
      return out;
    },
    close() {},
  };
}
