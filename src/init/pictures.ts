/** @file The pictures that a table names: whether they are there, how large they are, and the size to read them at. */
import type sharp from "sharp";
import { at } from "../arrays.js";
import { image } from "../data/inputs/inputs.js";
import { checkImageFile, decodeImage, locateImage, readImageFile } from "../data/inputs/images.js";
import { columnOf, placeOf, type Table } from "../data/tables/table.js";
import { DataError } from "../errors.js";

/** A picture as it is shown: after EXIF orientation. */
export interface PictureSize {
  readonly row: number;
  readonly width: number;
  readonly height: number;
}

/** What was found out about the pictures of a column. */
export interface PictureFacts {
  /** Rows whose pictures were looked for. */
  readonly looked: number;
  /** Of these the ones that cannot be used, with the first and its reason. */
  readonly bad: { readonly count: number; readonly first: string } | null;
  readonly sizes: readonly PictureSize[];
  readonly isGrey: boolean;
}

/** Rows whose pictures are looked for, measured, and decoded as a proof. */
const LOOKED = 5_000;
const MEASURED = 500;
const DECODED = 8;
/** Longest side of what the network sees. */
const LONGEST_SIDE = 96;

/**
 * Looks for the pictures of a column, in evenly spread rows where there are many.
 * @throws DataError if none of them can be used
 */
export async function lookAtPictures(table: Table, column: string, projectDir: string): Promise<PictureFacts> {
  const cells = columnOf(table, column, "the pictures");
  const bad = new Map<number, string>();
  const paths = new Map<number, string>();
  const looked = spread(table.rows, LOOKED);
  await side(looked, async (row) => {
    const located = locateImage(cells.at(row), [table.baseDir, projectDir]);
    const found = located.ok ? await checkImageFile(located.value) : located;
    if (found.ok) paths.set(row, found.value);
    else bad.set(row, found.reason);
  });
  const good = [...paths.keys()].sort((a, b) => a - b);
  const measured = spread(good.length, MEASURED).map((i) => at(good, i));
  const sizes: PictureSize[] = [];
  let isGrey = true;
  await side(measured, async (row) => {
    const found = await measure(paths.get(row) ?? "");
    if (typeof found === "string") return void bad.set(row, found);
    sizes.push({ row, ...found });
    isGrey &&= found.isGrey;
  });
  await side(spread(measured.length, DECODED), async (i) => {
    const row = at(measured, i);
    const reason = await problemWith(paths.get(row) ?? "");
    if (reason !== null) bad.set(row, reason);
  });
  sizes.sort((a, b) => a.row - b.row);
  const usable = sizes.filter(({ row }) => !bad.has(row));
  const [first] = [...bad.keys()].sort((a, b) => a - b);
  const told = first === undefined ? "" : `${quoteOf(cells.at(first))} (${placeOf(table, first)}) ${bad.get(first)}`;
  if (usable.length === 0) {
    throw new DataError(
      `None of the pictures that ${table.file} names in the column "${column}" can be used: ${told}. Paths are relative to ${table.baseDir}.`,
      { file: table.file, column, baseDir: table.baseDir },
    );
  }
  const count = bad.size;
  return { looked: looked.length, bad: count === 0 ? null : { count, first: told }, sizes: usable, isGrey };
}

const quoteOf = (cell: unknown): string => (typeof cell === "string" && cell !== "" ? cell : "a picture");

/** Up to `most` of the numbers below `count`, evenly spread. */
function spread(count: number, most: number): number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

/** Works on all items, some side by side. */
async function side<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function loadSharp(): Promise<typeof sharp> {
  return (await import("sharp")).default;
}

/** @returns why not, where it cannot be measured */
async function measure(path: string): Promise<{ width: number; height: number; isGrey: boolean } | string> {
  try {
    const { autoOrient, channels } = await (await loadSharp())(path).metadata();
    return { width: autoOrient.width, height: autoOrient.height, isGrey: channels <= 2 };
  } catch {
    return (await problemWith(path)) ?? "cannot be measured";
  }
}

async function problemWith(path: string): Promise<string | null> {
  const bytes = await readImageFile(path);
  if (!bytes.ok) return bytes.reason;
  const decoded = await decodeImage(bytes.value, image({ column: "picture", size: [8, 8] }));
  return decoded.ok ? null : decoded.reason;
}

/**
 * [height, width] to read the pictures at: their own size where they are small, else their shape at most 96 pixels long;
 * a square where shapes differ.
 */
export function readSize(sizes: readonly PictureSize[]): readonly [height: number, width: number] {
  const ratios = sizes.map(({ width, height }) => width / height).sort((a, b) => a - b);
  const quantile = (share: number) => at(ratios, Math.floor(share * (ratios.length - 1)));
  const longest = Math.max(...sizes.map(({ width, height }) => Math.max(width, height)));
  const side = Math.max(8, Math.min(LONGEST_SIDE, longest));
  if (quantile(0.9) > 1.15 * quantile(0.1)) return [side, side];
  const ratio = quantile(0.5);
  const short = (long: number, factor: number) => Math.max(8, Math.round(long * factor));
  return ratio >= 1 ? [short(side, 1 / ratio), side] : [side, short(side, ratio)];
}
