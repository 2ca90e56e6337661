/** @file Whether a row is read in about the time of a small batch: then it may be read between batches. */
import { plainJpegHeader } from "../../data/inputs/jpeg-header.js";
import { plainPngHeader } from "../../data/inputs/png-header.js";
import type { SentRow } from "./served-model.js";

const MOST_BYTES = 2 ** 18;
const MOST_PIXELS = 2 ** 20;

/** Every picture of it is small, as its bytes and its head say. Pictures in base64 are not looked into. */
export function isQuicklyRead({ values }: SentRow): boolean {
  for (const value of values.values()) {
    if (typeof value === "string" && value.length > MOST_BYTES / 64) return false;
    if (value instanceof Uint8Array && !isSmallPicture(value)) return false;
  }
  return true;
}

function isSmallPicture({ buffer, byteOffset, length }: Uint8Array): boolean {
  if (length > MOST_BYTES) return false;
  const file = Buffer.from(buffer, byteOffset, length);
  const header = plainPngHeader(file) ?? plainJpegHeader(file);
  return header !== null && header.width * header.height <= MOST_PIXELS;
}
