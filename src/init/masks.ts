/** @file Columns that name masks of the pictures of another column: by what their first files hold. */
import { pngSamples } from "../data/labels/masks/png-samples.js";
import { checkImageFile, locateImage, readHead, readImageFile } from "../data/inputs/images.js";
import type { Table } from "../data/tables/table.js";
import { type ColumnFacts, factsOf, isImagePath, mostly } from "./cells.js";

/** What the masks of a column are labels of. */
export interface MaskFacts {
  readonly kind: "binary" | "classification" | "regression";
  /** Of a classification: from 0 to the largest value that was seen, without 255, which is no label. */
  readonly classes: number;
}

/** Files that are read of each column. */
const LOOKED = 24;
/** More grey values than that are a picture, or in 16 bits numbers. */
const MOST_CLASSES = 32;

/**
 * Of the columns that name pictures, those whose files are grey PNGs, or have palettes, of few values, or 16 bits; none
 * where no column of pictures would be left.
 */
export async function masksIn(table: Table, projectDir: string): Promise<ReadonlyMap<string, MaskFacts>> {
  const facts = [...table.columns].map(([column, cells]) => factsOf(column, cells));
  const named = facts.filter((each) => each.filled > 0 && mostly(each, isImagePath));
  const masks = new Map<string, MaskFacts>();
  if (named.length < 2) return masks;
  for (const each of named) {
    const found = await maskFacts(each, [table.baseDir, projectDir]);
    if (found !== null) masks.set(each.column, found);
  }
  return masks.size < named.length ? masks : new Map();
}

async function maskFacts({ texts }: ColumnFacts, folders: [string, ...string[]]): Promise<MaskFacts | null> {
  const values = new Set<number>();
  let isWide = false;
  const step = Math.max(1, Math.floor(texts.length / LOOKED));
  for (let i = 0; i < texts.length && i < step * LOOKED; i += step) {
    const located = locateImage(texts[i], folders);
    if (!located.ok) return null;
    const { value: path } = located;
    if (!(await checkImageFile(path)).ok || !(await isOneChannel(path))) return null;
    const file = await readImageFile(path);
    const stored = file.ok ? await pngSamples(file.value) : "";
    if (typeof stored === "string" || stored.channels !== 1) return null;
    isWide ||= stored.samples instanceof Uint16Array;
    for (const sample of stored.samples) values.add(sample);
    if (!isWide && values.size > MOST_CLASSES + 1) return null;
  }
  return kindOf(values, isWide);
}

/** A PNG of grey or with a palette, without alpha: only its first bytes are read. */
async function isOneChannel(path: string): Promise<boolean> {
  const head = await readHead(path, 26);
  const colour = head[25];
  return head.toString("latin1", 1, 4) === "PNG" && (colour === 0 || colour === 3);
}

function kindOf(values: ReadonlySet<number>, isWide: boolean): MaskFacts | null {
  const all = [...values];
  const yes = isWide ? 65_535 : 255;
  if (all.every((value) => value === 0 || value === 1 || value === yes)) return { kind: "binary", classes: 2 };
  if (isWide) return { kind: "regression", classes: 0 };
  const labelled = all.filter((value) => value !== 255);
  const classes = Math.max(...labelled) + 1;
  // levels of grey that leave gaps are no numbers of classes
  return classes <= MOST_CLASSES ? { kind: "classification", classes } : null;
}
