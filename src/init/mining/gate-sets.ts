/** @file A gate's values as sets of rows, made once: what statements about it are put together from. */
import { at, f64At, i32At, u32At } from "../../arrays.js";
import {
  addRow,
  anyBoth,
  count,
  countBoth,
  either,
  emptySet,
  firstOf,
  forEachInBoth,
  forEachRow,
  type RowSet,
  rowsWhere,
  without,
} from "./bits.js";
import type { LabelColumn } from "./label-column.js";

/** Ranges of a number's values that have a set of their own. */
const BINS = 64;
/** Places along a number's values at which `or` is tried before its exact place is found. */
const STEPS = 12;

/** A place along a number's values, with the rows from there on, and those before it. */
export interface Step {
  readonly value: number;
  readonly from: RowSet;
  readonly before: RowSet;
}

/** A limit between two neighbouring values of a number, and the nats that its choice takes. */
export interface Limit {
  readonly value: number;
  readonly cost: number;
}

export class GateSets {
  /** Rows with a value. */
  readonly known: RowSet;
  /** Rows of each class, with each label, that say yes (one set), or of each range of a number. */
  readonly atoms: readonly RowSet[];
  /** Rows in each atom. */
  readonly counts: readonly number[];
  /** Of binary gates and labels: the known rows outside of each atom. */
  readonly others: readonly RowSet[];
  /** Of a number: its different values, ascending. */
  readonly distinct: Float64Array;
  /** By row: the position of its value among the different ones, -1 without one; only of a number. */
  readonly #positions: Int32Array;
  readonly #costs = new Map<number, number>();
  readonly #limits: (Limit | undefined)[] = [];
  readonly #rows: number;
  readonly #suffixes: (RowSet | undefined)[] = [];
  #steps: readonly Step[] | undefined;

  constructor(readonly column: LabelColumn) {
    const { values, form } = column;
    this.#rows = values.length;
    this.known = rowsWhere(this.#rows, (row) => !Number.isNaN(f64At(values, row)));
    const isNumber = form.kind === "number";
    this.distinct = isNumber ? distinctOf(values) : NONE;
    this.#positions = isNumber ? positionsOf(values, this.distinct) : new Int32Array(0);
    this.atoms = this.#atoms();
    this.counts = this.atoms.map(count);
    this.others =
      form.kind === "binary" || form.kind === "labels" ? this.atoms.map((yes) => without(this.known, yes)) : [];
  }

  #atoms(): RowSet[] {
    const { values, form } = this.column;
    switch (form.kind) {
      case "none":
        return [];
      case "binary":
        return [rowsWhere(this.#rows, (row) => f64At(values, row) === 1)];
      case "labels":
        return form.names.map((_, label) =>
          rowsWhere(
            this.#rows,
            (row) => !Number.isNaN(f64At(values, row)) && ((f64At(values, row) >>> label) & 1) === 1,
          ),
        );
      case "classes":
        return this.#sorted(form.names.length, (row) => f64At(values, row));
      case "number":
        return this.#sorted(Math.min(BINS, this.distinct.length), (row) => this.#binOf(i32At(this.#positions, row)));
      default:
        return form satisfies never;
    }
  }

  /** Rows by the atom that their value belongs to. */
  #sorted(atoms: number, atomOf: (row: number) => number): RowSet[] {
    const sets = Array.from({ length: atoms }, () => emptySet(this.#rows));
    forEachRow(this.known, (row) => {
      addRow(at(sets, atomOf(row)), row);
    });
    return sets;
  }

  /** Of some rows the smallest and the largest value, as positions among the different ones: `end` is one beyond. */
  extentOf(rows: RowSet): { readonly first: number; readonly end: number } | null {
    const { atoms } = this;
    let [lowest, highest] = [0, atoms.length - 1];
    while (lowest <= highest && !anyBoth(at(atoms, lowest), rows)) lowest++;
    if (lowest > highest) return null;
    while (!anyBoth(at(atoms, highest), rows)) highest--;
    // a bin for each value says it already
    if (atoms.length === this.distinct.length) return { first: lowest, end: highest + 1 };
    const [first] = this.#extentWithin(at(atoms, lowest), rows);
    const [, last] = this.#extentWithin(at(atoms, highest), rows);
    return { first, end: last + 1 };
  }

  #extentWithin(bin: RowSet, rows: RowSet): readonly [number, number] {
    let [first, last] = [this.distinct.length, -1];
    for (let word = 0; word < bin.length; word++) {
      const bits = u32At(bin, word) & u32At(rows, word);
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        const position = i32At(this.#positions, 32 * word + (31 - Math.clz32(rest & -rest)));
        if (position < first) first = position;
        if (position > last) last = position;
      }
    }
    return [first, last];
  }

  /** How many rows of a set have each value of a number, or belong to each class. */
  countsIn(rows: RowSet): Int32Array {
    if (this.column.form.kind !== "number") return Int32Array.from(this.atoms, (atom) => countBoth(atom, rows));
    const counts = new Int32Array(this.distinct.length);
    forEachInBoth(rows, this.known, (row) => {
      const position = i32At(this.#positions, row);
      counts[position] = i32At(counts, position) + 1;
    });
    return counts;
  }

  /** The roundest limit that separates one of the different values from the one before it. */
  limitAt(position: number): Limit {
    const known = this.#limits[position];
    if (known !== undefined) return known;
    const value = roundest(f64At(this.distinct, position - 1), f64At(this.distinct, position));
    const limit = { value, cost: this.costOf(value) };
    this.#limits[position] = limit;
    return limit;
  }

  /** Nats of the choice of a limit and its direction. */
  costOf(limit: number): number {
    const known = this.#costs.get(limit);
    if (known !== undefined) return known;
    const cost = costOfLimit(this.distinct, limit);
    this.#costs.set(limit, cost);
    return cost;
  }

  #binOf(position: number): number {
    return Math.floor((position * Math.min(BINS, this.distinct.length)) / this.distinct.length);
  }

  /** Rows of a number whose value is this one of the different ones, or larger. */
  fromValue(position: number): RowSet {
    const bin = this.#binOf(position);
    const set = this.#suffix(bin + 1).slice();
    const { values } = this.column;
    const least = f64At(this.distinct, position);
    forEachRow(at(this.atoms, bin), (row) => {
      if (f64At(values, row) >= least) addRow(set, row);
    });
    return set;
  }

  /** Rows of a number whose value is not below a limit. */
  fromLimit(limit: number): RowSet {
    const { distinct } = this;
    const { length } = distinct;
    if (length === 0 || limit > f64At(distinct, length - 1)) return emptySet(this.#rows);
    return this.fromValue(firstOf(distinct, limit));
  }

  /** Rows of this range of values and all above. */
  #suffix(bin: number): RowSet {
    if (bin >= this.atoms.length) return emptySet(this.#rows);
    const known = this.#suffixes[bin];
    if (known !== undefined) return known;
    const set = either(at(this.atoms, bin), this.#suffix(bin + 1));
    this.#suffixes[bin] = set;
    return set;
  }

  get steps(): readonly Step[] {
    this.#steps ??= this.#stepsAlong();
    return this.#steps;
  }

  #stepsAlong(): Step[] {
    const { length } = this.distinct;
    const steps = Math.max(0, Math.min(STEPS, length - 1));
    return Array.from({ length: steps }, (_, i) => {
      const value = f64At(this.distinct, Math.floor(((i + 1) * length) / (steps + 1)));
      const from = this.fromValue(firstOf(this.distinct, value));
      return { value, from, before: without(this.known, from) };
    });
  }
}

const NONE = new Float64Array(0);

/** Ascending. */
function distinctOf(values: Float64Array): Float64Array {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return sorted.filter((value, i) => i === 0 || value !== f64At(sorted, i - 1));
}

function positionsOf(values: Float64Array, distinct: Float64Array): Int32Array {
  return Int32Array.from(values, (value) => (Number.isNaN(value) ? -1 : firstOf(distinct, value)));
}

/**
 * Nats of the choice of a limit and its direction. People choose round ones: each decimal more is half as likely, and
 * there are ten times as many of them.
 */
export function costOfLimit(distinct: Float64Array, value: number): number {
  const range = f64At(distinct, distinct.length - 1) - f64At(distinct, 0);
  let step = 10 ** (Math.ceil(Math.log10(range)) - 1);
  let decimals = 1;
  while (Math.abs(value / step - Math.round(value / step)) > ROUNDING && decimals < MAX_DECIMALS) {
    step /= 10;
    decimals++;
  }
  return (1 + decimals) * Math.LN2 + Math.log(Math.max(1, range / step));
}

/** Quotients as close to a whole number as that are one. */
const ROUNDING = 1e-6;
const MAX_DECIMALS = 12;

/** The number with the fewest decimals above `low` and not above `high`, as people choose their limits. */
export function roundest(low: number, high: number): number {
  // steps larger than both are 0 or nothing
  const largest = Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE);
  for (let decimals = Math.max(-12, -Math.ceil(Math.log10(largest)) - 1); decimals <= 12; decimals++) {
    const step = 10 ** -decimals;
    const value = Math.floor(high / step) * step;
    // by way of text, so that 0.1 is not 0.1000000000000001
    const rounded = Number(value.toFixed(Math.max(0, decimals)));
    if (rounded > low && rounded <= high) return rounded;
  }
  return high;
}
