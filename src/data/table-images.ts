/** @file The images that a table names → named inputs, row by row. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { ConfigError } from "../errors.js";
import type { ImageInputSpec, InputSpec, PixelSource, SkippedRow } from "./dataset.js";
import {
  badImagesError,
  checkImages,
  createPixelSource,
  type DecodeOptions,
  decodeImages,
  type OnBadImage,
  type ReadyImage,
} from "./image-source.js";
import { locateImage, type Outcome } from "./images.js";
import type { ImageSizes } from "./labels.js";
import { MemoryPixels, PixelCache, type PixelStore } from "./pixel-cache.js";
import { columnOf, type Table } from "./table.js";

export interface TableImageOptions extends DecodeOptions {
  /** Named inputs. The first one's images name the rows and scale labels in pixels. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly projectDir: string;
  /** Folder of the pixel cache; without it pixels are held in memory. */
  readonly cacheDir?: string | undefined;
  readonly onBadImage: OnBadImage;
}

export interface TableImages {
  /** Numbers of the table's rows whose images are all good, ascending. Everything but `sizes` is over these rows. */
  readonly kept: Int32Array;
  readonly ids: readonly string[];
  readonly inputs: Readonly<Record<string, PixelSource>>;
  readonly skipped: readonly SkippedRow[];
  /** Of the first input, over all rows of the table. */
  readonly sizes: ImageSizes;
  /** sha256 over the contents of all images, hex. */
  readonly digest: string;
  close(): void;
}

/**
 * Decodes the images of all rows. Also serves tables without labels. A row with a bad image in any input is left out
 * of all, so that inputs stay aligned.
 * @throws DataError if a column is missing, if images are bad and `onBadImage` is "error", or if no row is good;
 *   InterruptedError if the signal fires
 */
export async function loadTableImages(table: Table, options: TableImageOptions): Promise<TableImages> {
  const cells = imageCells(table, options.inputs);
  const allIds = idsOf(cells);
  const { stores, images, bad } = await decodeInputs(table, cells, allIds, options);
  const kept = keptRows(table.rows, bad);
  const ready = images.map((outcomes) => Array.from(kept, (row) => readyImage(outcomes[row])));
  const sources = Object.entries(options.inputs).map(([name, spec], i) => {
    const paths = Array.from(kept, (row) => String(cells[i]?.[row]));
    return [name, createPixelSource(spec, stores[i] as PixelStore, ready[i] as ReadyImage[], paths)] as const;
  });
  return {
    kept,
    ids: Array.from(kept, (row) => allIds[row] as string),
    inputs: Object.fromEntries<PixelSource>(sources),
    skipped: bad,
    sizes: sizesOf(images[0] as readonly Outcome<ReadyImage>[]),
    digest: digestOf(ready),
    close() {
      for (const [, source] of sources) source.close();
    },
  };
}

/**
 * Unique names of all rows: the path of the first input's image, with `#<row>` where it comes more than once.
 * @throws DataError if an input's column is missing
 */
export function rowIds(table: Table, inputs: Readonly<Record<string, InputSpec>>): string[] {
  return idsOf(imageCells(table, inputs));
}

/** The columns of the inputs, in the order of the inputs. */
function imageCells(table: Table, inputs: Readonly<Record<string, InputSpec>>): readonly (readonly unknown[])[] {
  const entries = Object.entries(inputs);
  if (entries.length === 0) throw new ConfigError("The data has no inputs. Name at least one image input.");
  return entries.map(([name, spec]) => columnOf(table, spec.column, `the input "${name}"`));
}

function idsOf([first = []]: readonly (readonly unknown[])[]): string[] {
  const paths = first.map((cell) => (cell === null || cell === undefined ? "" : String(cell)));
  const uses = new Map<string, number>();
  for (const path of paths) uses.set(path, (uses.get(path) ?? 0) + 1);
  return paths.map((path, row) => (uses.get(path) === 1 ? path : `${path}#${row + 1}`));
}

interface DecodedInputs {
  readonly stores: readonly PixelStore[];
  /** One list per input, over all rows of the table. */
  readonly images: readonly (readonly Outcome<ReadyImage>[])[];
  /** First problem of each row that has one, by row. */
  readonly bad: readonly SkippedRow[];
}

async function decodeInputs(
  table: Table,
  cells: readonly (readonly unknown[])[],
  ids: readonly string[],
  options: TableImageOptions,
): Promise<DecodedInputs> {
  const specs = Object.entries(options.inputs);
  const folders = [table.baseDir, resolve(options.projectDir)] as const;
  const files: Outcome<string>[][] = [];
  for (const column of cells) {
    const located = column.map((cell) => locateImage(cell, folders));
    files.push(await checkImages(located, options.signal));
  }
  // a file that is not there is found out before others are decoded
  assertGood(table, badImages(files, ids, specs), options.onBadImage);

  const stores = specs.map(([, spec]) =>
    options.cacheDir === undefined ? new MemoryPixels(spec) : new PixelCache(options.cacheDir, spec),
  );
  try {
    const images: Outcome<ReadyImage>[][] = [];
    for (const [i, [, spec]] of specs.entries()) {
      const progress = progressOf(options, i, specs.length);
      images.push(await decodeLocated(files[i] as Outcome<string>[], spec, stores[i] as PixelStore, progress));
    }
    const bad = badImages(images, ids, specs);
    assertGood(table, bad, options.onBadImage);
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
  outcomes: readonly (readonly Outcome<unknown>[])[],
  ids: readonly string[],
  specs: readonly (readonly [string, InputSpec])[],
): SkippedRow[] {
  return ids.flatMap((sample, row) => {
    const input = outcomes.findIndex((column) => !column[row]?.ok);
    const outcome = outcomes[input]?.[row];
    if (outcome === undefined || outcome.ok) return [];
    // the sample is named by its first image, which may not be the bad one
    const which = input === 0 ? "" : `(input "${specs[input]?.[0]}") `;
    return [{ row: row + 1, sample, reason: which + outcome.reason }];
  });
}

function assertGood(table: Table, bad: readonly SkippedRow[], onBadImage: OnBadImage): void {
  if (bad.length === 0) return;
  if (onBadImage === "error" || bad.length === table.rows) throw badImagesError(table.file, bad, table.rows);
}

function keptRows(rows: number, bad: readonly SkippedRow[]): Int32Array {
  const left = new Set(bad.map(({ row }) => row - 1));
  return Int32Array.from({ length: rows }, (_, row) => row).filter((row) => !left.has(row));
}

function sizesOf(images: readonly Outcome<ReadyImage>[]): ImageSizes {
  return {
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
