/** @file One image file → pixels of the size a network takes. */
import { open as openFile, readFile, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import type { KernelEnum, Sharp } from "sharp";
import type { ImageInputSpec, ResizeFilter } from "../dataset.js";
import { planFraming, type PixelSize } from "../../decoding/framing.js";
import { plainJpegHeader } from "./jpeg-header.js";
import { decodePlainPng } from "./plain-png.js";
import { plainPngHeader } from "./png-header.js";
import { bytesInRange, hasUnspecifiedExtra, problemWithSamples, wholeRange } from "./sample-format.js";
import { loadSharp, rawImage } from "./sharp.js";

/** Something that may fail for a reason that completes "image x …", e.g. "is not found". */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

export interface DecodedImage {
  /** [height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  /** Size of the picture as it is shown: after EXIF orientation. */
  readonly originalWidth: number;
  readonly originalHeight: number;
}

const MAX_FILE_BYTES = 2 ** 30;
// libvips' own bound, 16383²: larger pictures are rather bombs than samples
const MAX_PIXELS = 268_402_689;
const FORMATS = new Set(["jpeg", "png", "webp", "tiff"]);

/**
 * Where a table's image cell points to. A path must stay in one of the data folders as it is written, so that a
 * table from elsewhere cannot name any file of the machine. Symbolic links inside the folders are followed: they
 * are made by the owner of the disk, often to keep images on another one.
 * @param folders absolute; the cell is relative to the first
 */
export function locateImage(cell: unknown, folders: readonly [string, ...string[]]): Outcome<string> {
  if (cell === null || cell === undefined || cell === "") return failed("is missing: the cell is empty");
  if (typeof cell !== "string") return failed(`is ${JSON.stringify(cell)}, which is not a path`);
  const path = resolve(folders[0], cell);
  if (!folders.some((folder) => isInside(path, folder))) return failed("lies outside the data folder");
  return { ok: true, value: path };
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Checks that a file can be read, without reading it. */
export async function checkImageFile(path: string): Promise<Outcome<string>> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return failed("is not a file");
    if (found.size === 0) return failed("is an empty file");
    if (found.size > MAX_FILE_BYTES) return failed("is larger than 1 GiB");
    return { ok: true, value: path };
  } catch (error) {
    return failed(fileProblem(error));
  }
}

/** The first bytes of a file, as many as it has. @throws what the file system says */
export async function readHead(path: string, bytes: number): Promise<Buffer> {
  const file = await openFile(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** All bytes of a file. */
export async function readImageFile(path: string): Promise<Outcome<Buffer>> {
  const checked = await checkImageFile(path);
  if (!checked.ok) return checked;
  try {
    return { ok: true, value: await readFile(path) };
  } catch (error) {
    return failed(fileProblem(error));
  }
}

/**
 * Decodes a JPEG, PNG, WebP or TIFF (its first page). EXIF orientation is honoured, transparency becomes white,
 * 16-bit and CMYK values become 8-bit sRGB (or grey, for one channel), other samples what `range` says; they are
 * brought to the size asked for as the input's framing and filter say: both axes stretched with a Lanczos filter, unless
 * they say otherwise. A file with missing or damaged pixels fails.
 * @param maxPixels of the file; larger pictures are refused before they are decoded
 */
export async function decodeImage(
  bytes: Buffer,
  spec: Omit<ImageInputSpec, "column">,
  maxPixels = MAX_PIXELS,
): Promise<Outcome<DecodedImage>> {
  const small = smallPng(bytes, spec, maxPixels);
  if (small !== null) return { ok: true, value: small };
  const tooLarge = `has more than ${Math.floor(maxPixels / 1e6)} million pixels; make it smaller`;
  const open = await loadSharp();
  try {
    // "error" lets pass what only puzzles the decoder, such as stray bytes that every viewer ignores
    const image = open(bytes, { failOn: "error", limitInputPixels: maxPixels });
    const plain = spec.range === undefined ? (plainPngHeader(bytes) ?? plainJpegHeader(bytes)) : null;
    if (plain !== null) {
      // the decoder need not open the file twice
      if (plain.width * plain.height > maxPixels) return failed(tooLarge);
      const pixels = await pixelsOf(image.flatten({ background: "white" }), spec, plain);
      return { ok: true, value: { pixels, originalWidth: plain.width, originalHeight: plain.height } };
    }
    const metadata = await image.metadata();
    const { format, width: storedWidth, height: storedHeight, autoOrient } = metadata;
    if (!FORMATS.has(format)) return failed(`is of the format ${format}; convert it to JPEG, PNG, WebP or TIFF`);
    if (storedWidth * storedHeight > maxPixels) return failed(tooLarge);
    const problem = spec.range === undefined ? problemWithSamples(metadata) : null;
    if (problem !== null) return failed(problem);
    const upright = image.autoOrient();
    const extra = format === "tiff" && hasUnspecifiedExtra(bytes);
    const opaque = extra ? upright : upright.flatten({ background: "white" });
    const range = spec.range ?? (extra ? wholeRange(metadata) : undefined);
    const ready = range === undefined ? opaque : rawImage(open, await bytesInRange(opaque, metadata, range));
    const pixels = await pixelsOf(ready, spec, autoOrient);
    return { ok: true, value: { pixels, originalWidth: autoOrient.width, originalHeight: autoOrient.height } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed(/exceeds pixel limit/i.test(message) ? tooLarge : decoderProblem(message));
  }
}

/** One that is stored as the network sees it. */
function smallPng(bytes: Buffer, spec: Omit<ImageInputSpec, "column">, maxPixels: number): DecodedImage | null {
  const [height, width] = spec.size;
  if (spec.range !== undefined || spec.framing !== undefined || width * height > maxPixels) return null;
  const pixels = decodePlainPng(bytes, { width, height, channels: spec.channels });
  return pixels === null ? null : { pixels, originalWidth: width, originalHeight: height };
}

function pixelsOf(image: Sharp, spec: Omit<ImageInputSpec, "column">, picture: PixelSize): Promise<Uint8Array> {
  return framed(image, spec, picture)
    .toColourspace(spec.channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer();
}

const KERNELS: Readonly<Record<ResizeFilter, keyof KernelEnum>> = {
  nearest: "nearest",
  bilinear: "linear",
  bicubic: "cubic",
  lanczos: "lanczos3",
};

/** The picture resized, and cut or filled to the size of the input. */
function framed(image: Sharp, spec: Omit<ImageInputSpec, "column">, picture: PixelSize): Sharp {
  const { filter = "lanczos", framing } = spec;
  const { resized, left, top } = planFraming(spec, picture);
  // a decoder that reads a JPEG at half its size is fast, and not what the model was trained with
  const fastShrinkOnLoad = framing === undefined && spec.filter === undefined;
  const whole = image.resize(resized.width, resized.height, { fit: "fill", kernel: KERNELS[filter], fastShrinkOnLoad });
  if (framing === undefined) return whole;
  const [height, width] = spec.size;
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const [shownWidth, shownHeight] = [Math.min(width, resized.width - x), Math.min(height, resized.height - y)];
  const cut = whole.extract({ left: x, top: y, width: shownWidth, height: shownHeight });
  const { background: grey = 0 } = framing;
  return cut.extend({
    left: x - left,
    top: y - top,
    right: width - shownWidth - (x - left),
    bottom: height - shownHeight - (y - top),
    background: { r: grey, g: grey, b: grey },
  });
}

function failed(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return "is not found";
  if (code === "EACCES" || code === "EPERM") return "may not be read (permissions)";
  return `cannot be read: ${message}`;
}

function decoderProblem(message: string): string {
  const text = message
    .replaceAll(/\s*\n\s*/g, "; ")
    .replace(/[\s:]+$/, "")
    .trim();
  if (/unsupported image format/i.test(text)) return "is not an image (JPEG, PNG, WebP or TIFF)";
  if (/samples out of range/i.test(text)) {
    return "has samples of a format that cannot be decoded (64-bit floats, say); convert it to 32-bit floats or to 8 or 16 bits unsigned";
  }
  if (/bad labq? format/i.test(text)) return "has CIELAB colours, which cannot be decoded; convert it to RGB";
  return `is damaged or truncated: ${text}`;
}
