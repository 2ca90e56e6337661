/** @file Inputs of a run of which some columns say of a row what they say of another one. */
import { at, i32At } from "../../arrays.js";
import type { InputSource, InputSpec, InputValues } from "../../data/dataset.js";

/** Where one column lies among the numbers of an input's rows. */
export interface ColumnPlace {
  readonly input: string;
  readonly offset: number;
  readonly length: number;
}

/** Columns of numbers and categories, and where they lie; a column may stand in several inputs. */
export function permutableColumns(
  inputs: Readonly<Record<string, InputSpec>>,
): ReadonlyMap<string, readonly ColumnPlace[]> {
  const places = new Map<string, ColumnPlace[]>();
  const add = (column: string, place: ColumnPlace): void => {
    places.set(column, [...(places.get(column) ?? []), place]);
  };
  for (const [input, spec] of Object.entries(inputs)) {
    if (spec.kind === "numeric") {
      spec.columns.forEach((column, offset) => {
        add(column, {
          input,
          ...(spec.listLength === null ? { offset, length: 1 } : { offset: 0, length: spec.listLength }),
        });
      });
    } else if (spec.kind === "categorical") {
      add(spec.column, { input, offset: 0, length: spec.encoding === "one-hot" ? spec.categories.length : 1 });
    }
  }
  return places;
}

/**
 * The same sources, with the cells of some columns taken from other rows.
 * @param from for each row of the dataset, whose cells it is given
 */
export function withPermuted(
  sources: Readonly<Record<string, InputSource>>,
  places: readonly ColumnPlace[],
  from: Int32Array,
): Readonly<Record<string, InputSource>> {
  const changed: Record<string, InputSource> = {};
  for (const place of places) {
    const source = changed[place.input] ?? sources[place.input];
    if (source !== undefined) changed[place.input] = permuted(source, place, from);
  }
  return { ...sources, ...changed };
}

function permuted(source: InputSource, { offset, length }: ColumnPlace, from: Int32Array): InputSource {
  return {
    spec: source.spec,
    read(rows) {
      const own = source.read(rows);
      const others = source.read(Int32Array.from({ length: rows.length }, (_, i) => i32At(from, at(rows, i))));
      copyColumns(own, others, { rows: rows.length, offset, length });
      return own;
    },
    close: () => source.close(),
  };
}

function copyColumns(
  into: InputValues,
  from: InputValues,
  { rows, offset, length }: { readonly rows: number; readonly offset: number; readonly length: number },
): void {
  const width = into.length / rows;
  for (let row = 0; row < rows; row++) {
    const start = row * width + offset;
    into.set(from.subarray(start, start + length), start);
  }
}
