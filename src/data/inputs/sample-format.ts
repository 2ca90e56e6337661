/** @file What the samples of an image file are: those of 8 and 16 bits unsigned have a range of their own, others not. */
import type { Metadata, Sharp } from "sharp";
import { f32At } from "../../arrays.js";

const RANGED: Readonly<Record<string, string>> = {
  char: "signed samples of 8 bits",
  short: "signed samples of 16 bits",
  int: "signed samples of 32 bits",
  uint: "samples of 32 bits",
  float: "samples in floating point",
  double: "samples in floating point",
};

/** Why samples cannot be read without a range; null where they can. */
export function problemWithSamples({ depth }: Metadata): string | null {
  const kind = Object.hasOwn(RANGED, depth) ? RANGED[depth] : undefined;
  return kind === undefined
    ? null
    : `has ${kind}, which do not say what is black and what is white; give the image input a range, e.g. range: [0, 1], or convert the file to 8 or 16 bits unsigned`;
}

// libvips cuts signed samples of 16 bits off at 0, so they are moved up before it does
const SIGNED_SHIFT = 2 ** 15;

/** All values of unsigned samples. */
export function wholeRange({ depth }: Metadata): readonly [low: number, high: number] {
  return [0, depth === "ushort" ? 65_535 : 255];
}

/**
 * An image's samples as bytes: `low` and less become 0, `high` and more 255. Colours are taken as they are stored, and
 * channels beyond them left out.
 */
export async function bytesInRange(
  image: Sharp,
  { depth, space }: Metadata,
  [low, high]: readonly [low: number, high: number],
): Promise<{ readonly pixels: Uint8Array; readonly width: number; readonly height: number; readonly channels: 1 | 3 }> {
  const shift = depth === "short" ? SIGNED_SHIFT : 0;
  const stored = shift === 0 ? image : image.linear(1, shift);
  const { data, info } = await stored
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth: "float" })
    .toBuffer({ resolveWithObject: true });
  const samples = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  const channels = info.channels < 3 ? 1 : 3;
  const pixels = new Uint8Array((samples.length / info.channels) * channels);
  for (let i = 0; i < pixels.length; i++) {
    const sample = f32At(samples, Math.floor(i / channels) * info.channels + (i % channels));
    const fraction = (sample - shift - low) / (high - low);
    // a sample that is not a number is black
    pixels[i] = Math.round(255 * Math.min(1, Math.max(0, fraction))) || 0;
  }
  return { pixels, width: info.width, height: info.height, channels };
}

const EXTRA_SAMPLES = 338;

/**
 * Whether a TIFF says of its channels beyond the colours that they are no transparency (ExtraSamples 0, "unspecified
 * data": TIFF 6.0, page 31). libvips takes the fourth for alpha whatever it is.
 */
export function hasUnspecifiedExtra(file: Buffer): boolean {
  const little = file.toString("latin1", 0, 2) === "II";
  const read16 = (at: number): number => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const read32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  try {
    if (read16(2) !== 42) return false;
    const directory = read32(4);
    for (let entry = 0; entry < read16(directory); entry++) {
      const at = directory + 2 + 12 * entry;
      if (read16(at) !== EXTRA_SAMPLES) continue;
      // up to two shorts stand in the entry itself
      return read16(read32(at + 4) <= 2 ? at + 8 : read32(at + 8)) === 0;
    }
  } catch {
    // cut short: the decoder says so
  }
  return false;
}
