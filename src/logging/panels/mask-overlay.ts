/** @file Labels or answers of the pixels of a picture, laid over it in colours. */
import { at, f32At, u8At } from "../../arrays.js";
import { decodeImage, readImageFile } from "../../data/inputs/images.js";
import { regionsOf } from "../../decoding/areas.js";
import type { PixelSpec } from "../../flow/graph.js";
import { type Colour, heatColour } from "./heat.js";
import type { SamplePicture } from "./picture.js";

/** What a colour stands for. */
export interface MaskKey {
  readonly text: string;
  /** As CSS has it. */
  readonly colour: string;
}

/** Okabe and Ito's colours (Color Universal Design, 2008), the brightest first: told apart by colour-blind eyes. */
const PALETTE: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [240, 228, 66],
  [204, 121, 167],
  [0, 158, 115],
  [213, 94, 0],
  [0, 114, 178],
];
/** Parts of a pixel's colour and of what is known of it. */
const OWN = 0.45;
/** What is left of the light of a pixel of which nothing is asked or known. */
const DARK = 0.3;

/** From a number of this task to 0 … 1. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** Of the numbers of several masks; NaN is left out. */
export function rangeOf(masks: readonly Float32Array[]): NumberRange {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const mask of masks) {
    for (const value of mask) {
      if (Number.isNaN(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? { low, high } : { low: 0, high: 1 };
}

/** The first class, and no, leave a picture as it is: in most tasks they are the ground. */
function colourOf(region: number): Colour | null {
  return region === 0 ? null : at(PALETTE, (region - 1) % PALETTE.length);
}

/** What the colours of a task's masks stand for; of numbers the ends of their range. */
export function maskKeys(spec: PixelSpec, range: NumberRange): MaskKey[] {
  const css = ([r, g, b]: Colour): string => `rgb(${Math.round(r)},${Math.round(g)},${Math.round(b)})`;
  if (spec.kind === "regression") {
    const text = (value: number): string => String(Number(value.toPrecision(3)));
    return [
      { text: text(range.low), colour: css(heatColour(0)) },
      { text: text(range.high), colour: css(heatColour(1)) },
    ];
  }
  const names = spec.kind === "binary" ? ["no", "yes"] : regionsOf(spec).map((name) => name ?? "");
  return names.flatMap((name, region) => {
    const colour = colourOf(region);
    return colour === null ? [] : [{ text: name, colour: css(colour) }];
  });
}

/** [height, width, 3], 0 to 255, as the network sees a picture. */
export type SeenPixels = Uint8Array;

/** Decodes and frames a picture as the network sees it; null where it cannot be read. */
export async function seenPixels(
  picture: SamplePicture,
  [height, width]: PixelSpec["size"],
): Promise<SeenPixels | null> {
  if (picture.kind === "pixels") {
    const { pixels, channels } = picture;
    if (picture.height !== height || picture.width !== width) return null;
    return Uint8Array.from({ length: height * width * 3 }, (_, i) =>
      u8At(pixels, channels === 3 ? i : Math.floor(i / 3)),
    );
  }
  if (picture.kind !== "file") return null;
  const file = await readImageFile(picture.path);
  if (!file.ok) return null;
  const { framing } = picture;
  const spec = { kind: "image", size: [height, width], channels: 3 } as const;
  const decoded = await decodeImage(file.value, framing === undefined ? spec : { ...spec, framing });
  return decoded.ok ? decoded.value.pixels : null;
}

/**
 * @param mask [height * width] labels or answers; NaN, where nothing is known or asked, is dark
 * @returns a picture of the same size
 */
export function overlaid(spec: PixelSpec, seen: SeenPixels, mask: Float32Array, range: NumberRange): SamplePicture {
  const [height, width] = spec.size;
  const span = range.high - range.low || 1;
  const pixels = seen.slice();
  for (let pixel = 0; pixel < height * width; pixel++) {
    const value = f32At(mask, pixel);
    const isKnown = !Number.isNaN(value);
    const over = !isKnown
      ? null
      : spec.kind === "regression"
        ? heatColour((value - range.low) / span)
        : colourOf(value);
    for (let channel = 0; channel < 3; channel++) {
      const place = pixel * 3 + channel;
      const own = u8At(seen, place);
      if (over !== null) pixels[place] = OWN * own + (1 - OWN) * at(over, channel);
      else if (!isKnown) pixels[place] = DARK * own;
    }
  }
  return { kind: "pixels", pixels, height, width, channels: 3 };
}
