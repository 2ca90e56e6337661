/** @file Columns of rows → the slices that they cut a split into. */
import { at, f64At, i32At } from "../../arrays.js";
import type { RowColumn } from "../../data/tables/row-columns.js";

/** One way to cut rows into slices. */
export interface Slicer {
  readonly column: string;
  /** Names of the slices. */
  readonly names: readonly string[];
  /** Slice of each row; −1 where its cell is empty, or its slice is none of those shown. */
  readonly codes: Int32Array;
}

/** A part of a split, by the cells that its rows share. */
export type Slice = Readonly<Record<string, string>>;

/** A number with more values than this is cut into bins. */
const MOST_SINGLE_NUMBERS = 8;
/** Bins of a number, with as many rows each. */
const BINS = 4;

/** @param most values of a text at most, the most frequent ones; default: all */
export function slicerOf(column: RowColumn, most = Number.POSITIVE_INFINITY): Slicer {
  if (column.kind === "number") return numberSlicer(column.name, column.numbers);
  const { name, values, codes } = column;
  if (values.length <= most) return { column: name, names: values, codes };
  const counts = values.map((_, value) => ({ value, count: 0 }));
  for (const code of codes) if (code >= 0) at(counts, code).count++;
  const kept = [...counts].sort((a, b) => b.count - a.count).slice(0, most);
  const places = new Map(kept.map(({ value }, place) => [value, place]));
  return {
    column: name,
    names: kept.map(({ value }) => at(values, value)),
    codes: codes.map((code) => places.get(code) ?? -1),
  };
}

function numberSlicer(column: string, numbers: Float64Array): Slicer {
  const known = numbers.filter((number) => !Number.isNaN(number)).sort();
  const distinct = [...new Set(known)];
  if (distinct.length <= MOST_SINGLE_NUMBERS) {
    const places = new Map(distinct.map((number, place) => [number, place]));
    const codes = Int32Array.from(numbers, (number) => places.get(number) ?? -1);
    return { column, names: distinct.map(String), codes };
  }
  const edges = [...new Set(Array.from({ length: BINS + 1 }, (_, i) => quantile(known, i / BINS)))];
  const names = edges.slice(1).map((edge, i) => {
    const isLast = i === edges.length - 2;
    return `${short(at(edges, i))} to ${isLast ? "" : "<"}${short(edge)}`;
  });
  const codes = Int32Array.from(numbers, (number) => {
    if (Number.isNaN(number)) return -1;
    const above = edges.findIndex((edge) => number < edge);
    return (above < 0 ? edges.length - 1 : above) - 1;
  });
  return { column, names, codes };
}

/** A value that occurs, so that edges read as the table's numbers do. */
function quantile(ascending: Float64Array, fraction: number): number {
  return f64At(ascending, Math.round(fraction * (ascending.length - 1)));
}

function short(number: number): string {
  return String(Number(number.toPrecision(4)));
}

/** Slices of several columns at once, each named by a cell of each; rows with an empty cell are in none. */
export interface Cut {
  readonly slices: readonly { readonly slice: Slice; readonly rows: Int32Array }[];
}

/** @param slicers one or more */
export function cutBy(slicers: readonly Slicer[], rows: number): Cut {
  const byKey = new Map<string, { readonly slice: Slice; readonly rows: number[] }>();
  for (let row = 0; row < rows; row++) {
    const codes = slicers.map((slicer) => i32At(slicer.codes, row));
    if (codes.includes(-1)) continue;
    const key = codes.join();
    const known = byKey.get(key) ?? {
      slice: Object.fromEntries(slicers.map(({ column, names }, i) => [column, at(names, at(codes, i))])),
      rows: [],
    };
    known.rows.push(row);
    byKey.set(key, known);
  }
  // in the order of the columns' values
  const order = (key: string): number[] => key.split(",").map(Number);
  const sorted = [...byKey].sort(([a], [b]) => {
    const [x, y] = [order(a), order(b)];
    const first = x.findIndex((code, i) => code !== y[i]);
    return first < 0 ? 0 : at(x, first) - at(y, first);
  });
  return { slices: sorted.map(([, { slice, rows: own }]) => ({ slice, rows: Int32Array.from(own) })) };
}
