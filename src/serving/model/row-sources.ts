/** @file Rows in memory as the inputs that a run's network reads, as if a table held them. */
import { at } from "../../arrays.js";
import type { OpenInputs } from "../../asking/open-inputs.js";
import type { InputSource, InputSpec, PixelSource, TokenSource } from "../../data/dataset.js";
import type { ReadValues } from "../../predictor/inputs.js";
import { standardized } from "../../predictor/vectors.js";
import type { ServedModel, ServedRow } from "./served-model.js";

/** @param rows at least one */
export function openRows(inputs: ServedModel["inputs"], rows: readonly ServedRow[]): OpenInputs {
  const sources = Object.entries(inputs).map(([name, spec], i): [string, InputSource] => {
    const values = rows.map((row) => at(row.values, i));
    return [name, sourceOf(spec, values, rows)];
  });
  const paths = Object.keys(rows[0]?.known ?? {});
  return {
    sources: Object.fromEntries(sources),
    ids: rows.map(({ name }) => name),
    skipped: [],
    known: new Map(paths.map((path) => [path, Float32Array.from(rows, ({ known }) => known[path] ?? Number.NaN)])),
    close: () => {},
  };
}

function sourceOf(spec: InputSpec, values: readonly ReadValues[], rows: readonly ServedRow[]): InputSource {
  const close = (): void => {};
  switch (spec.kind) {
    case "image": {
      const side = (which: "width" | "height") => Float32Array.from(rows, ({ size }) => size?.[which] ?? Number.NaN);
      const source: PixelSource = {
        spec,
        paths: rows.map(({ name }) => name),
        originalWidth: side("width"),
        originalHeight: side("height"),
        read(some, out = new Uint8Array(some.length * (values[0]?.length ?? 0))) {
          fill(out, some, values, values[0]?.length ?? 0);
          return out;
        },
        close,
      };
      return source;
    }
    case "numeric": {
      const ready = values.map((numbers) => Float32Array.from(numbers, (number, i) => standardized(spec, number, i)));
      return { spec, read: (some) => filled(Float32Array, some, ready), close };
    }
    case "categorical": {
      if (spec.encoding === "index") return { spec, read: (some) => filled(Int32Array, some, values), close };
      const ready = values.map((place) => Float32Array.from(spec.categories, (_, i) => Number(i === at(place, 0) - 1)));
      return { spec, read: (some) => filled(Float32Array, some, ready), close };
    }
    case "tokens": {
      const source: TokenSource = {
        spec,
        lengths: Int32Array.from(values, ({ length }) => length),
        read: (some) => filled(Int32Array, some, values),
        close,
        ...(spec.tokenizer === undefined ? {} : { texts: textsOf(values, rows) }),
      };
      return source;
    }
    default:
      return spec satisfies never;
  }
}

/** Of a tokenizer's input: what its ids were cut of, or the ids as they are sent. */
function textsOf(values: readonly ReadValues[], rows: readonly ServedRow[]): NonNullable<TokenSource["texts"]> {
  const tokens = (row: number): string[] => Array.from(at(values, row), (id) => String(id - 1));
  return { whole: (row) => at(rows, row).text ?? tokens(row).join(" "), tokens };
}

/** Rows padded with 0 to the longest, at least to 1. */
function filled<T extends Float32Array | Int32Array>(
  kind: new (length: number) => T,
  some: ArrayLike<number>,
  values: readonly ArrayLike<number>[],
): T {
  const width = Array.from(some).reduce((longest, row) => Math.max(longest, at(values, row).length), 1);
  const out = new kind(some.length * width);
  fill(out, some, values, width);
  return out;
}

function fill(
  out: { set(values: ArrayLike<number>, at: number): void },
  some: ArrayLike<number>,
  values: readonly ArrayLike<number>[],
  width: number,
): void {
  for (let i = 0; i < some.length; i++) out.set(at(values, at(some, i)), i * width);
}
