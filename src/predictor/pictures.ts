/** @file Decoded pictures → the pixels that a network was trained to see. */
import { f64At, u8At } from "../arrays.js";
import { type FramingPlan, planFraming } from "../decoding/framing.js";
import type { ImageInput } from "./document.js";
import { PredictorError } from "./errors.js";
import { resample } from "./resample.js";

/** A decoded picture, as a canvas (`ImageData`) or any decoder gives it: upright, sRGB or grey. */
export interface Picture {
  /** [height, width, channels], 0 to 255: grey, RGB or RGBA. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** Size of the picture before it was made smaller, for answers in pixels; default: the one that it has. */
  readonly original?: { readonly width: number; readonly height: number };
}

/**
 * The pixels of a picture as training sees them: transparency becomes white, the picture is stretched, cropped or
 * letterboxed to the size of the network, colours become grey where it has one channel, grey becomes colour where it has
 * three.
 * @returns [height, width, channels] of the input
 * @throws PredictorError where the picture is not as it says
 */
export function networkPixels(name: string, picture: Picture, input: ImageInput): Uint8Array {
  const { filter = "lanczos", channels } = input;
  const seen = channelsOf(name, picture);
  const opaque = seen === 4 ? onWhite(picture.data) : picture.data;
  const kept = seen === 1 ? 1 : 3;
  const plan = planFraming(input, picture);
  const from = { width: picture.width, height: picture.height, channels: kept };
  const resized = resample(opaque, from, plan.resized, filter);
  const pixels = input.framing === undefined ? resized : framed(resized, plan, input, kept);
  if (kept === channels) return pixels;
  return channels === 1 ? toGrey(pixels) : toColour(pixels);
}

/** What the network sees of a resized picture, with bars where it ends. */
function framed(pixels: Uint8Array, plan: FramingPlan, { size, framing }: ImageInput, channels: number): Uint8Array {
  const [height, width] = size;
  const out = new Uint8Array(height * width * channels).fill(framing?.background ?? 0);
  const { resized, left, top } = plan;
  const [from, to] = [Math.max(0, left), Math.min(resized.width, left + width)];
  for (let y = Math.max(0, top); y < Math.min(resized.height, top + height); y++) {
    const row = pixels.subarray((y * resized.width + from) * channels, (y * resized.width + to) * channels);
    out.set(row, ((y - top) * width + from - left) * channels);
  }
  return out;
}

function channelsOf(name: string, { data, width, height }: Picture): 1 | 3 | 4 {
  const isSize = (side: number): boolean => Number.isInteger(side) && side > 0;
  if (!isSize(width) || !isSize(height)) {
    throw new PredictorError(
      `The picture for the input "${name}" is ${width} × ${height}. Give its width and height in whole pixels, and its pixels as { data, width, height }.`,
      { input: name, width, height },
    );
  }
  const channels = (data?.length ?? 0) / (width * height);
  if (channels === 1 || channels === 3 || channels === 4) return channels;
  throw new PredictorError(
    `The picture for the input "${name}" has ${data?.length ?? 0} numbers, which is not ${width} × ${height} pixels of 1 (grey), 3 (RGB) or 4 (RGBA) channels. Correct its size, or decode it to one of these.`,
    { input: name, width, height, numbers: data?.length ?? 0 },
  );
}

/** Colours before a white ground, [pixels, 4] → [pixels, 3]. */
function onWhite(data: Picture["data"]): Uint8Array {
  const colours = new Uint8Array((data.length / 4) * 3);
  for (let pixel = 0; pixel * 4 < data.length; pixel++) {
    const alpha = u8At(data, pixel * 4 + 3);
    for (let c = 0; c < 3; c++) {
      colours[pixel * 3 + c] = Math.floor((u8At(data, pixel * 4 + c) * alpha) / 255 + 255 - alpha);
    }
  }
  return colours;
}

/** Linear light of each byte of sRGB: IEC 61966-2-1. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
/** Bytes of sRGB of evenly spaced light, between which libvips interpolates. */
const GAMMA = Float64Array.from({ length: 257 }, (_, i) => {
  const light = i / 255;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});

/** The luminance of ITU-R BT.709, of linear light. [pixels, 3] → [pixels] */
function toGrey(colours: Uint8Array): Uint8Array {
  const light = (i: number): number => f64At(LINEAR, u8At(colours, i));
  return Uint8Array.from({ length: colours.length / 3 }, (_, pixel) => {
    const [red, green, blue] = [light(pixel * 3), light(pixel * 3 + 1), light(pixel * 3 + 2)];
    const place = 255 * (0.2126 * red + 0.7152 * green + 0.0722 * blue);
    const below = Math.floor(place);
    const [from, to] = [f64At(GAMMA, below), f64At(GAMMA, below + 1)];
    return Math.round(from + (to - from) * (place - below));
  });
}

/** [pixels] → [pixels, 3] */
function toColour(grey: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: grey.length * 3 }, (_, i) => u8At(grey, Math.floor(i / 3)));
}
