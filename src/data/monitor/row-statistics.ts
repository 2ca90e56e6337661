/** @file Inputs of rows as a few numbers each: what is watched of pictures, numbers, categories and tokens. */
import { at, f32At, i32At, u8At } from "../../arrays.js";
import { type InputSource, isPixelSource, isTokenSource, type PixelSource, type TokenSource } from "../dataset.js";

/** One number of every row. */
export interface WatchedNumbers {
  readonly kind: "numbers";
  /** `image brightness`, `age`. */
  readonly name: string;
  /** NaN where it is missing. */
  readonly values: Float64Array;
}

/** One category of every row. */
export interface WatchedCategories {
  readonly kind: "categories";
  readonly name: string;
  readonly names: readonly string[];
  /** How many rows have each. */
  readonly counts: readonly number[];
}

export type Watched = WatchedNumbers | WatchedCategories;

/** What is watched of some rows of all inputs; features that models make of pictures are no inputs. */
export function watchInputs(
  sources: Readonly<Record<string, InputSource>>,
  names: readonly string[],
  rows: Int32Array,
): Watched[] {
  return names.flatMap((name): Watched[] => {
    const source = sources[name];
    if (source === undefined) return [];
    if (isPixelSource(source)) return pictures(name, source, rows);
    if (isTokenSource(source)) return tokens(name, source, rows);
    return cells(name, source, rows);
  });
}

const PICTURE = ["brightness", "contrast", "red", "green", "blue", "sharpness"] as const;

/** Of the pixels as the network sees them, 0 to 255; sizes are those of the originals. */
function pictures(name: string, source: PixelSource, rows: Int32Array): WatchedNumbers[] {
  const { size, channels } = source.spec;
  const [height, width] = size;
  const columns = PICTURE.map(() => new Float64Array(rows.length));
  rows.forEach((row, i) => {
    const found = pictureFigures(source.read([row]), height, width, channels);
    for (const [figure, column] of columns.entries()) column[i] = at(found, figure);
  });
  const shown = PICTURE.filter((figure) => channels === 3 || !["red", "green", "blue"].includes(figure));
  const watched = (what: string, values: Float64Array): WatchedNumbers => ({
    kind: "numbers",
    name: `${name} ${what}`,
    values,
  });
  return [
    ...shown.map((figure) => watched(figure, at(columns, PICTURE.indexOf(figure)))),
    watched(
      "width",
      Float64Array.from(rows, (row) => f32At(source.originalWidth, row)),
    ),
    watched(
      "height",
      Float64Array.from(rows, (row) => f32At(source.originalHeight, row)),
    ),
  ];
}

/**
 * Mean and deviation of the luma (ITU-R BT.601), means of the colours, and sharpness: the variance of the luma's Laplacian
 * (Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000).
 */
function pictureFigures(pixels: Uint8Array, height: number, width: number, channels: number): number[] {
  const area = height * width;
  const luma = new Float32Array(area);
  const sums = [0, 0, 0];
  for (let pixel = 0; pixel < area; pixel++) {
    const of = (channel: number): number => u8At(pixels, pixel * channels + Math.min(channel, channels - 1));
    const [red, green, blue] = [of(0), of(1), of(2)];
    luma[pixel] = 0.299 * red + 0.587 * green + 0.114 * blue;
    sums[0] = at(sums, 0) + red;
    sums[1] = at(sums, 1) + green;
    sums[2] = at(sums, 2) + blue;
  }
  const { mean, variance } = spread(luma.length, (i) => f32At(luma, i));
  const inner = Math.max(0, height - 2) * Math.max(0, width - 2);
  const laplacian = spread(inner, (i) => {
    const place = (1 + Math.floor(i / (width - 2))) * width + 1 + (i % (width - 2));
    const near = (step: number): number => f32At(luma, place + step);
    return near(-width) + near(width) + near(-1) + near(1) - 4 * near(0);
  });
  return [mean, Math.sqrt(variance), ...sums.map((sum) => sum / area), laplacian.variance];
}

function spread(count: number, value: (i: number) => number): { readonly mean: number; readonly variance: number } {
  let [mean, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    const own = value(i);
    const before = own - mean;
    mean += before / (i + 1);
    squares += before * (own - mean);
  }
  return { mean, variance: count === 0 ? 0 : squares / count };
}

function tokens(name: string, source: TokenSource, rows: Int32Array): WatchedNumbers[] {
  const { vocabulary, unknown } = source.spec;
  const place = typeof vocabulary === "string" ? -1 : vocabulary.indexOf(unknown) + 1;
  const lengths = Float64Array.from(rows, (row) => i32At(source.lengths, row));
  const watched: WatchedNumbers[] = [{ kind: "numbers", name: `${name} length`, values: lengths }];
  if (place <= 0) return watched;
  const shares = Float64Array.from(rows, (row, i) => {
    const ids = source.read([row]);
    let count = 0;
    for (const id of ids) if (id === place) count++;
    return count / Math.max(1, at(lengths, i));
  });
  return [...watched, { kind: "numbers", name: `${name} unknown`, values: shares }];
}

/** Numbers in their own units, and categories. */
function cells(name: string, source: InputSource, rows: Int32Array): Watched[] {
  const { spec } = source;
  const values = source.read(rows);
  if (spec.kind === "numeric") {
    const width = spec.listLength ?? spec.columns.length;
    return Array.from({ length: width }, (_, i): WatchedNumbers => {
      const label = spec.listLength === null ? at(spec.columns, i) : `${name}[${i}]`;
      const [mean, deviation] = [spec.statistics?.mean[i] ?? 0, spec.statistics?.deviation[i] ?? 1];
      // a missing number took the mean, which no other one is to the last digit
      const filled = spec.missing === "mean" ? (spec.standardize ? 0 : Math.fround(mean)) : Number.NaN;
      const own = Float64Array.from(rows, (_row, row) => {
        const value = at(values, row * width + i);
        if (value === filled) return Number.NaN;
        return spec.standardize ? value * deviation + mean : value;
      });
      return { kind: "numbers", name: label, values: own };
    });
  }
  if (spec.kind !== "categorical") return [];
  const { categories, encoding } = spec;
  const counts = new Array<number>(categories.length + 1).fill(0);
  const width = encoding === "index" ? 1 : categories.length;
  rows.forEach((_, row) => {
    const own = values.subarray(row * width, (row + 1) * width);
    const category = encoding === "index" ? at(own, 0) : own.indexOf(1) + 1;
    counts[category] = at(counts, category) + 1;
  });
  return [{ kind: "categories", name, names: ["(missing)", ...categories], counts }];
}
