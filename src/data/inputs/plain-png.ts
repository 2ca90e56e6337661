/**
 * @file PNG files of the size of an input, decoded here: for a small picture, setting up the library that decodes any
 * takes many times as long as decoding (Portable Network Graphics Specification, third edition, sections 5, 9 and 10).
 */
import { inflateSync } from "node:zlib";
import { i32At, u8At } from "../../arrays.js";

/** What a file must be to be decoded here. */
export interface PlainPngWanted {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** In larger ones decoding takes longer than setting up, and goes on in threads of its own. */
const MOST_PIXELS = 2 ** 16;
const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
/** Chunks that change no sample: a profile (iCCP), a palette or transparency would. */
const SILENT = new Set(["gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "pHYs", "tIME"]);
const GREY = 0;
const RGB = 2;

/**
 * Pixels of a PNG with 8-bit grey or RGB samples, not interlaced, of the size that is wanted, in which grey is repeated
 * where colours are wanted. Null of any other file and of one in which anything is odd, which is then for the library to
 * decode or to refuse.
 * @returns [height, width, channels]
 */
export function decodePlainPng(file: Buffer, { width, height, channels }: PlainPngWanted): Uint8Array | null {
  const data = compressedData(file, width, height);
  if (data === null) return null;
  const stored = data.colour === GREY ? 1 : 3;
  if (stored > channels) return null;
  const stride = width * stored;
  const lines = inflated(data.pieces, height * (stride + 1));
  if (lines === null) return null;
  const samples = unfiltered(lines, height, stride, stored);
  return samples === null || stored === channels ? samples : repeated(samples, channels);
}

interface Compressed {
  readonly colour: typeof GREY | typeof RGB;
  readonly pieces: readonly Buffer[];
}

function compressedData(file: Buffer, width: number, height: number): Compressed | null {
  if (width * height > MOST_PIXELS || file.length < 57 || !file.subarray(0, 8).equals(SIGNATURE)) return null;
  const pieces: Buffer[] = [];
  let colour: Compressed["colour"] | null = null;
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > file.length) return null;
    const kind = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) return null;
    if (kind === "IHDR") colour = at === 8 ? plainColour(body, width, height) : null;
    else if (kind === "IDAT") pieces.push(body);
    else if (kind === "IEND") return colour === null || pieces.length === 0 ? null : { colour, pieces };
    else if (pieces.length > 0 || !SILENT.has(kind)) return null;
    if (colour === null) return null;
    at = end;
  }
  return null;
}

/** The colour type of a header with 8-bit samples, its only compression and filtering, and no interlacing. */
function plainColour(header: Buffer, width: number, height: number): Compressed["colour"] | null {
  if (header.length !== 13 || header.readUInt32BE(0) !== width || header.readUInt32BE(4) !== height) return null;
  const [depth, colour, compression, filter, interlace] = header.subarray(8);
  if (depth !== 8 || compression !== 0 || filter !== 0 || interlace !== 0) return null;
  return colour === GREY || colour === RGB ? colour : null;
}

/** Exactly `bytes` of them, or null. */
function inflated(pieces: readonly Buffer[], bytes: number): Uint8Array | null {
  try {
    const [only, ...more] = pieces;
    const lines = inflateSync(more.length === 0 && only !== undefined ? only : Buffer.concat(pieces), {
      // what would be longer is an error at once
      maxOutputLength: bytes,
      chunkSize: Math.max(64, bytes + 1),
    });
    return lines.length === bytes ? lines : null;
  } catch {
    return null;
  }
}

/** Undoes the filter of every line; null where one is unknown. @param step bytes of a pixel */
function unfiltered(lines: Uint8Array, height: number, stride: number, step: number): Uint8Array | null {
  const out = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    const filter = u8At(lines, from - 1);
    if (filter > 4) return null;
    out.set(lines.subarray(from, from + stride), to);
    if (filter !== 0) addPredicted(out, to, stride, step, filter);
  }
  return out;
}

/** Adds to the bytes of a line what its filter predicts of each; a Uint8Array keeps the last eight bits of the sum. */
function addPredicted(out: Uint8Array, to: number, stride: number, step: number, filter: number): void {
  const above = to - stride;
  for (let x = 0; x < stride; x++) {
    const left = x < step ? 0 : u8At(out, to + x - step);
    const up = above < 0 ? 0 : u8At(out, above + x);
    const corner = above < 0 || x < step ? 0 : u8At(out, above + x - step);
    out[to + x] = u8At(out, to + x) + predicted(filter, left, up, corner);
  }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  // Paeth's predictor: the neighbour that left + up − corner is nearest to
  const ofLeft = Math.abs(up - corner);
  const ofUp = Math.abs(left - corner);
  const ofCorner = Math.abs(left + up - 2 * corner);
  if (ofLeft <= ofUp && ofLeft <= ofCorner) return left;
  return ofUp <= ofCorner ? up : corner;
}

function repeated(grey: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array(grey.length * channels);
  for (let i = 0; i < out.length; i++) out[i] = u8At(grey, Math.floor(i / channels));
  return out;
}

const POLYNOMIAL = 0xed_b8_83_20;
const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

// Node has one of its own from 20.15 on, and 20.9 is enough for us
export function crc32(bytes: Uint8Array): number {
  let value = -1;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ i32At(CRC, (value ^ u8At(bytes, i)) & 255);
  return ~value >>> 0;
}
