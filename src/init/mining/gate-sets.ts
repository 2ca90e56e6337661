/** @file A gate's values as sets of rows, made once: what statements about it are put together from. */
import { at, f64At } from "../../arrays.js";
import { addRow, count, either, emptySet, forEachRow, firstOf, type RowSet, rowsWhere, without } from "./bits.js";
import type { LabelColumn } from "./label-column.js";

/** Ranges of a number's values that have a set of their own. */
const BINS = 64;
/** Places along a number's values at which `or` is tried before its exact place is found. */
const STEPS = 12;

/** A place along a number's values, and the rows from there on. */
export interface Step {
  readonly value: number;
  readonly from: RowSet;
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
  readonly #rows: number;
  readonly #suffixes: (RowSet | undefined)[] = [];
  #steps: readonly Step[] | undefined;

  constructor(readonly column: LabelColumn) {
    const { values, form } = column;
    this.#rows = values.length;
    this.known = rowsWhere(this.#rows, (row) => !Number.isNaN(f64At(values, row)));
    const isNumber = form.kind === "number";
    this.distinct = isNumber ? Float64Array.from(new Set(values.filter((value) => !Number.isNaN(value)))).sort() : NONE;
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
        return this.#sorted(form.names.length, (value) => value);
      case "number": {
        const bins = new Map(Array.from(this.distinct, (value, i) => [value, this.#binOf(i)]));
        return this.#sorted(Math.min(BINS, this.distinct.length), (value) => bins.get(value) ?? 0);
      }
      default:
        return form satisfies never;
    }
  }

  /** Rows by the atom that their value belongs to. */
  #sorted(atoms: number, atomOf: (value: number) => number): RowSet[] {
    const sets = Array.from({ length: atoms }, () => emptySet(this.#rows));
    this.column.values.forEach((value, row) => {
      if (!Number.isNaN(value)) addRow(at(sets, atomOf(value)), row);
    });
    return sets;
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
      return { value, from: this.fromValue(firstOf(this.distinct, value)) };
    });
  }
}

const NONE = new Float64Array(0);
