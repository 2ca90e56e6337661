/** @file What the first bytes of a PNG say, where that is all there is to know before it is decoded. */

export interface PngHeader {
  readonly width: number;
  readonly height: number;
}

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
const MAX_SIDE = 2 ** 31 - 1;
/** Chunks that say nothing of how a picture is turned; any other might. */
const PLAIN = new Set(["PLTE", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "pHYs", "tIME"]);

/**
 * The size of a PNG that is shown as it is stored; null of any other file, and where more must be read to know it. Its
 * samples are unsigned (Portable Network Graphics Specification, sections 5.3 and 11.2).
 */
export function plainPngHeader(file: Buffer): PngHeader | null {
  if (!file.subarray(0, 8).equals(SIGNATURE) || file.length < 33) return null;
  if (file.readUInt32BE(8) !== 13 || file.toString("latin1", 12, 16) !== "IHDR") return null;
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) return null;
  for (let at = 33; at + 8 <= file.length; ) {
    const kind = file.toString("latin1", at + 4, at + 8);
    if (kind === "IDAT") return { width, height };
    if (!PLAIN.has(kind)) return null;
    // length, kind, and check sum
    at += 12 + file.readUInt32BE(at);
  }
  return null;
}
