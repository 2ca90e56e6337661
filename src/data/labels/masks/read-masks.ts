/** @file A mask of a cell → labels of the pixels of its picture. */
import { at } from "../../../arrays.js";
import type { ImageFraming, PixelSize } from "../../../decoding/framing.js";
import type { ClassificationSpec, TaskSpec } from "../../../flow/graph.js";
import { checkImageFile, locateImage, readHead, readImageFile } from "../../inputs/images.js";
import { loadSharp } from "../../inputs/sharp.js";
import { plainJpegHeader } from "../../inputs/jpeg-header.js";
import { plainPngHeader } from "../../inputs/png-header.js";
import { frameMask } from "./frame-mask.js";
import { maskValues } from "./mask-values.js";
import { pngSamples } from "./png-samples.js";
import { isRunLengths, readCounts, readPairs } from "./run-lengths.js";

/** Where a row's mask and picture lie, and what the network sees of them. */
export interface MaskPlace {
  /** A mask's path is relative to it, and may not leave it, or the other folders. */
  readonly baseDir: string;
  readonly folders?: readonly string[];
  /** [height, width] of the labels. */
  readonly size: readonly [height: number, width: number];
  readonly framing?: ImageFraming;
  /** Absolute path of the row's picture, or null. */
  readonly picture: string | null;
}

interface WholeMask extends PixelSize {
  readonly values: Float32Array;
}

/**
 * Labels of a task per pixel for one row: the path of a PNG, or run lengths (pairs, or COCO's counts as JSON; of a
 * classification one of these per class). A mask is as large as its picture is shown.
 * @returns [height * width], NaN where missing, all of them of an empty cell; or what is wrong with the cell
 */
export async function readMask(spec: TaskSpec, cell: unknown, place: MaskPlace): Promise<Float32Array | string> {
  const [height, width] = place.size;
  if (cell === null || cell === undefined || cell === "") return new Float32Array(height * width).fill(Number.NaN);
  const picture = place.picture === null ? null : await shownSize(place.picture);
  const mask = await wholeMask(spec, cell, place, picture);
  if (typeof mask === "string") return mask;
  if (picture !== null && (picture.width !== mask.width || picture.height !== mask.height)) {
    const turned = picture.width === mask.height && picture.height === mask.width;
    const advice = turned
      ? "Turn the mask as the picture is shown, after its EXIF orientation"
      : "Make them the same size";
    return `is ${sides(mask)} pixels, but its picture is ${sides(picture)}. ${advice}`;
  }
  const { framing } = place;
  return frameMask(mask.values, mask, { size: place.size, ...(framing === undefined ? {} : { framing }) });
}

async function wholeMask(
  spec: TaskSpec,
  cell: unknown,
  place: MaskPlace,
  picture: PixelSize | null,
): Promise<WholeMask | string> {
  const written = typeof cell === "number" ? String(cell) : cell;
  if (typeof written === "object") return runLengthMask(spec, written, picture);
  if (typeof written !== "string") return "is neither the path of a mask nor run lengths";
  const text = written.trim();
  if (isRunLengths(text)) return runLengthMask(spec, text, picture);
  if (text.startsWith("{") || text.startsWith("[")) {
    const parsed = parsedJson(text);
    return parsed === undefined ? "is no JSON; correct its brackets and quotes" : runLengthMask(spec, parsed, picture);
  }
  return fileMask(spec, written, place);
}

async function fileMask(
  spec: TaskSpec,
  path: string,
  { baseDir, folders = [] }: MaskPlace,
): Promise<WholeMask | string> {
  const located = locateImage(path, [baseDir, ...folders]);
  if (!located.ok) return located.reason;
  const file = await readImageFile(located.value);
  if (!file.ok) return file.reason;
  const stored = await pngSamples(file.value);
  if (typeof stored === "string") return stored;
  const values = maskValues(spec, stored);
  return typeof values === "string" ? values : { values, width: stored.width, height: stored.height };
}

function runLengthMask(spec: TaskSpec, written: unknown, picture: PixelSize | null): WholeMask | string {
  if (spec.kind === "regression") return "is run lengths, which say yes or no of a pixel; give a number a mask file";
  if (spec.kind === "classification") return classMask(spec, written, picture);
  const mask = runs(written, picture);
  return typeof mask === "string" ? mask : { ...mask, values: Float32Array.from(mask.pixels) };
}

/** One list of runs per class; pixels that none has are the first class's, or have no label where it has a list. */
function classMask(spec: ClassificationSpec, written: unknown, picture: PixelSize | null): WholeMask | string {
  if (typeof written !== "object" || written === null || Array.isArray(written) || "counts" in written) {
    return 'is run lengths of one region; of a classification write those of each class: {"cat": "1 3 10 5"}';
  }
  const entries = Object.entries(written);
  if (entries.length === 0) return "names no class";
  const rest = Object.hasOwn(written, at(spec.classes, 0)) ? Number.NaN : 0;
  let whole: WholeMask | null = null;
  for (const [name, text] of entries) {
    const index = spec.classes.indexOf(name);
    if (index < 0) return `names the class "${name}"; the classes are ${spec.classes.join(", ")}`;
    const mask = runs(text, picture);
    if (typeof mask === "string") return `${mask} (class ${name})`;
    const into: WholeMask = whole ?? { ...mask, values: new Float32Array(mask.pixels.length).fill(rest) };
    if (into.width !== mask.width || into.height !== mask.height) return "has classes of different sizes";
    mask.pixels.forEach((inside, i) => {
      if (inside === 1) into.values[i] = index;
    });
    whole = into;
  }
  return whole ?? "names no class";
}

function runs(written: unknown, picture: PixelSize | null): ({ readonly pixels: Uint8Array } & PixelSize) | string {
  const counted = countsIn(written);
  const size = counted?.size ?? picture;
  if (size === null) return "is run lengths without a size, and its picture cannot be read";
  if (counted === null && (typeof written !== "string" || !isRunLengths(written))) {
    return 'is no run lengths; write "start length start length …", or {"size": [height, width], "counts": [zeros, ones, …]}';
  }
  if (counted !== null && typeof counted.counts === "string") {
    return "has compressed counts; write them as numbers (pycocotools: decode the mask, and write it as PNG)";
  }
  const pixels =
    counted === null ? readPairs(String(written), size) : readCounts(counted.counts as readonly unknown[], size);
  return typeof pixels === "string" ? pixels : { pixels, ...size };
}

interface Counted {
  readonly size: PixelSize;
  readonly counts: readonly unknown[] | string;
}

function countsIn(written: unknown): Counted | null {
  if (typeof written !== "object" || written === null) return null;
  const { size, counts } = written as { size?: unknown; counts?: unknown };
  if (!Array.isArray(size) || !(Array.isArray(counts) || typeof counts === "string")) return null;
  const [height, width] = size.map(Number);
  if (height === undefined || width === undefined || !(height * width >= 1)) return null;
  return { size: { height, width }, counts };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Size of a picture after its EXIF orientation; null where it cannot be read, which is told of the picture itself. */
async function shownSize(path: string): Promise<PixelSize | null> {
  if (!(await checkImageFile(path)).ok) return null;
  try {
    const head = await readHead(path, HEAD_BYTES);
    const plain = plainPngHeader(head) ?? plainJpegHeader(head);
    if (plain !== null) return plain;
    const open = await loadSharp();
    // reads no more than it needs
    const { autoOrient } = await open(path).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch {
    return null;
  }
}

/** Nearly every picture says its size within them. */
const HEAD_BYTES = 4096;

function sides({ width, height }: PixelSize): string {
  return `${width} × ${height}`;
}
