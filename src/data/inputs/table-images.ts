/** @file The images that tables name → pixels, row by row. */
import type { Cells } from "../tables/cells.js";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { at } from "../../arrays.js";
import type { ImageInputSpec, PixelSource, SkippedRow } from "../dataset.js";
import {
  badImagesError,
  checkImages,
  createPixelSource,
  type DecodeOptions,
  decodeImages,
  type OnBadImage,
  type ReadyImage,
  rememberedIn,
} from "./image-source.js";
import { locateImage, type Outcome } from "./images.js";
import type { ImageSizes } from "../labels/unit-scale.js";
import { MemoryPixels, PixelCache, type PixelStore } from "./pixel-cache.js";
import { cellsOf, type JoinedTables, rowIn, tableNames } from "../tables/tables.js";

export interface TableImageOptions extends DecodeOptions {
  readonly projectDir: string;
  /** Folder of the pixel cache; without it pixels are held in memory. */
  readonly cacheDir?: string | undefined;
  readonly onBadImage: OnBadImage;
}

/** The image inputs of some tables. At least one. */
export type ImageInputs = Readonly<Record<string, ImageInputSpec>>;

export interface TableImages {
  /** Rows of the tables whose images are all good, ascending. `inputs` are over these rows. */
  readonly kept: Int32Array;
  readonly inputs: Readonly<Record<string, PixelSource>>;
  readonly skipped: readonly SkippedRow[];
  /** Of the first image input, over all rows of the tables. */
  readonly sizes: ImageSizes;
  /** sha256 over the contents of all images, hex. */
  readonly digest: string;
  close(): void;
}

/**
 * Decodes the images of all rows. A row with a bad image in any input is left out of all, so that inputs stay
 * aligned.
 * @param ids name of each row, for messages
 * @throws DataError if a column is missing, if images are bad and `onBadImage` is "error", or if no row is good;
 *   InterruptedError if the signal fires
 */
export async function loadTableImages(
  joined: JoinedTables,
  specs: ImageInputs,
  ids: readonly string[],
  options: TableImageOptions,
): Promise<TableImages> {
  const cells = Object.entries(specs).map(([name, spec]) => cellsOf(joined, spec.column, `the input "${name}"`));
  const { stores, images, bad } = await decodeInputs(joined, specs, cells, ids, options);
  const kept = keptRows(joined.rows, bad);
  const ready = images.map((outcomes) => Array.from(kept, (row) => readyImage(outcomes[row])));
  const sources = Object.entries(specs).map(([name, spec], i) => {
    const paths = Array.from(kept, (row) => String(cells[i]?.at(row)));
    return [name, createPixelSource(spec, at(stores, i), at(ready, i), paths)] as const;
  });
  return {
    kept,
    inputs: Object.fromEntries<PixelSource>(sources),
    skipped: bad.map(({ skipped }) => skipped),
    sizes: sizesOf(at(Object.values(specs), 0), at(images, 0)),
    digest: digestOf(ready),
    close() {
      for (const [, source] of sources) source.close();
    },
  };
}

/** A row with a bad image: its number through all tables, and what is said of it. */
interface BadRow {
  readonly row: number;
  readonly skipped: SkippedRow;
}

interface DecodedInputs {
  readonly stores: readonly PixelStore[];
  /** One list per input, over all rows of the tables. */
  readonly images: readonly (readonly Outcome<ReadyImage>[])[];
  /** First problem of each row that has one, by row. */
  readonly bad: readonly BadRow[];
}

async function decodeInputs(
  joined: JoinedTables,
  inputs: ImageInputs,
  cells: readonly Cells[],
  ids: readonly string[],
  options: TableImageOptions,
): Promise<DecodedInputs> {
  const specs = Object.entries(inputs);
  const projectDir = resolve(options.projectDir);
  const files: Outcome<string>[][] = [];
  for (const column of cells) {
    const located = column.map((cell, row) => locateImage(cell, [rowIn(joined, row).table.baseDir, projectDir]));
    files.push(await checkImages(located, options.signal));
  }
  // a file that is not there is found out before others are decoded
  assertGood(joined, badImages(joined, files, ids, specs), options.onBadImage);

  const stores = specs.map(([, spec]) =>
    options.cacheDir === undefined ? new MemoryPixels(spec) : new PixelCache(options.cacheDir, spec),
  );
  const remembered = options.cacheDir === undefined ? undefined : rememberedIn(options.cacheDir);
  try {
    const images: Outcome<ReadyImage>[][] = [];
    for (const [i, [, spec]] of specs.entries()) {
      const progress = { ...progressOf(options, i, specs.length), remembered };
      images.push(await decodeLocated(at(files, i), spec, stores[i] as PixelStore, progress));
    }
    const bad = badImages(joined, images, ids, specs);
    assertGood(joined, bad, options.onBadImage);
    return { stores, images, bad };
  } catch (error) {
    for (const store of stores) store.close();
    throw error;
  }
}

/** Progress over all inputs: each has as many images as there are rows, more or less. */
function progressOf({ onProgress, signal }: TableImageOptions, input: number, inputs: number): DecodeOptions {
  return { signal, onProgress: (done, total) => onProgress?.(input * total + done, inputs * total) };
}

async function decodeLocated(
  files: readonly Outcome<string>[],
  spec: ImageInputSpec,
  store: PixelStore,
  options: DecodeOptions,
): Promise<Outcome<ReadyImage>[]> {
  const paths = files.flatMap((file) => (file.ok ? [file.value] : []));
  const decoded = (await decodeImages(paths, spec, store, options)).values();
  return files.map((file) => (file.ok ? (decoded.next().value as Outcome<ReadyImage>) : file));
}

function badImages(
  joined: JoinedTables,
  outcomes: readonly (readonly Outcome<unknown>[])[],
  ids: readonly string[],
  specs: readonly (readonly [string, ImageInputSpec])[],
): BadRow[] {
  const names = tableNames(joined.tables);
  return ids.flatMap((sample, row): BadRow[] => {
    const input = outcomes.findIndex((column) => !column[row]?.ok);
    const outcome = outcomes[input]?.[row];
    if (outcome === undefined || outcome.ok) return [];
    // the sample is named by its first image, which may not be the bad one
    const which = input === 0 ? "" : `(input "${specs[input]?.[0]}") `;
    const place = rowIn(joined, row);
    const table = at(names, joined.tables.indexOf(place.table));
    const named = names.length === 1 ? {} : { table };
    return [{ row, skipped: { ...named, row: place.row + 1, sample, reason: which + outcome.reason } }];
  });
}

function assertGood(joined: JoinedTables, bad: readonly BadRow[], onBadImage: OnBadImage): void {
  if (bad.length === 0) return;
  if (onBadImage === "skip" && bad.length < joined.rows) return;
  const skipped = bad.map((one) => one.skipped);
  throw badImagesError(joined.file, skipped, joined.rows, onBadImage);
}

function keptRows(rows: number, bad: readonly BadRow[]): Int32Array {
  const left = new Set(bad.map(({ row }) => row));
  return Int32Array.from({ length: rows }, (_, row) => row).filter((row) => !left.has(row));
}

function sizesOf(input: ImageInputSpec, images: readonly Outcome<ReadyImage>[]): ImageSizes {
  return {
    input,
    width: Float32Array.from(images, (image) => (image.ok ? image.value.originalWidth : Number.NaN)),
    height: Float32Array.from(images, (image) => (image.ok ? image.value.originalHeight : Number.NaN)),
  };
}

function readyImage(outcome: Outcome<ReadyImage> | undefined): ReadyImage {
  if (outcome?.ok) return outcome.value;
  throw new Error("a row with a bad image was kept");
}

function digestOf(images: readonly (readonly ReadyImage[])[]): string {
  const hash = createHash("sha256");
  for (const column of images) for (const image of column) hash.update(image.hash);
  return hash.digest("hex");
}
