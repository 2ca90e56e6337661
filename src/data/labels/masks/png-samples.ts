/**
 * @file A PNG's samples as they are stored: palette indices rather than colours, 16 bits rather than 8 (Portable Network
 * Graphics Specification, third edition, sections 5 and 11.2).
 */
import { loadSharp } from "../../inputs/sharp.js";
import { crc32 } from "../../inputs/plain-png.js";

export interface StoredSamples {
  /** [height, width, channels], each 0 … 2^depth − 1. */
  readonly samples: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  /** 1: grey or indices of a palette; 3: RGB. */
  readonly channels: 1 | 3;
}

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
const GREY = 0;
const PALETTE = 3;
/** What says how samples are to be seen is left out: a mask's samples are numbers, not colours. */
const KEPT = new Set(["IHDR", "IDAT", "IEND", "eXIf"]);
// libvips' own bound, 16383²
const MAX_PIXELS = 268_402_689;

/**
 * The samples of a PNG, of which a palette is taken away before it is decoded, so that the decoder takes its indices for
 * greys; transparency is left out.
 * @returns why it cannot be read, as in "is damaged"
 */
export async function pngSamples(file: Buffer): Promise<StoredSamples | string> {
  if (!file.subarray(0, 8).equals(SIGNATURE) || file.length < 33)
    return "is not a PNG; write masks as PNG, whose values are kept";
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  const [depth = 8, colour = GREY] = file.subarray(24, 26);
  if (width * height > MAX_PIXELS)
    return `has more than ${Math.floor(MAX_PIXELS / 1e6)} million pixels; make it smaller`;
  const isGrey = colour === GREY || colour === PALETTE || colour === 4;
  const open = await loadSharp();
  try {
    const image = open(withoutColours(file), { failOn: "error", limitInputPixels: MAX_PIXELS }).autoOrient();
    const plain = colour === 4 || colour === 6 ? image.removeAlpha() : image;
    const wide = depth === 16;
    const space = isGrey ? (wide ? "grey16" : "b-w") : wide ? "rgb16" : "srgb";
    const { data, info } = await plain
      .pipelineColourspace(space)
      .toColourspace(space)
      .raw({ depth: wide ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    const bytes = new Uint8Array(data);
    const samples = wide ? new Uint16Array(bytes.buffer) : bytes;
    // samples of fewer bits have been spread over 0 … 255
    const step = depth < 8 ? 255 / (2 ** depth - 1) : 1;
    if (step !== 1) for (let i = 0; i < samples.length; i++) samples[i] = Math.round(Number(samples[i]) / step);
    return { samples, width: info.width, height: info.height, channels: isGrey ? 1 : 3 };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `is damaged or truncated: ${message.replaceAll(/\s*\n\s*/g, "; ").trim()}`;
  }
}

function withoutColours(file: Buffer): Buffer {
  const kept: Buffer[] = [SIGNATURE];
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 12 + file.readUInt32BE(at);
    const chunk = file.subarray(at, end);
    const kind = chunk.toString("latin1", 4, 8);
    if (KEPT.has(kind)) kept.push(kind === "IHDR" ? greyHeader(chunk) : chunk);
    at = end;
  }
  return Buffer.concat(kept);
}

function greyHeader(chunk: Buffer): Buffer {
  if (chunk[17] !== PALETTE || chunk.length < 25) return chunk;
  const grey = Buffer.from(chunk);
  grey[17] = GREY;
  grey.writeUInt32BE(crc32(grey.subarray(4, 21)), 21);
  return grey;
}
