/** @file What a saved model was trained to see, as one convolution over single pixels: a layer like any other. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { z } from "zod";
import { at, f32At, u8At } from "../../../arrays.js";
import { PREPROCESSOR_CONFIG, readPreprocessorFile } from "./preprocessor-config.js";
import { ConfigError } from "../../../errors.js";
import { checkOptions, oneOf, type OptionRule } from "../../../options.js";
import type { SymbolicTensor } from "../trunk.js";

/** How pixels become what a model was trained to see: black and white become `range`, then (value − mean) / std. */
export interface PreprocessingInput {
  /** What black and white become; default [0, 1]. */
  readonly range?: readonly [black: number, white: number];
  /** Taken away after that: of all channels, or of each in the model's order; default 0. */
  readonly mean?: number | readonly number[];
  /** Divided by after that; default 1. */
  readonly std?: number | readonly number[];
  /** The order of the model's channels; default `rgb`. */
  readonly channels?: "rgb" | "bgr";
}

const RANGE: OptionRule = {
  accepts: (value) =>
    Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] !== value[1],
  expected: "[black, white], e.g. [-1, 1]",
};
const PER_CHANNEL: OptionRule = {
  accepts: (value) => numbers(value).every(Number.isFinite) && numbers(value).length > 0,
  expected: "a number, or one for each channel",
};
const DIVISOR: OptionRule = {
  accepts: (value) => PER_CHANNEL.accepts(value) && numbers(value).every((number) => number !== 0),
  expected: "a number that is not 0, or one for each channel",
};

/** @throws ConfigError for an option that there is none of, or a wrong value */
export function checkPreprocessing(input: PreprocessingInput): PreprocessingInput {
  checkOptions<PreprocessingInput>("pretrained: input", input, {
    range: RANGE,
    mean: PER_CHANNEL,
    std: DIVISOR,
    channels: oneOf("rgb", "bgr"),
  });
  return input;
}

const oneOrMore = z.union([z.number(), z.array(z.number()).min(1)]);

/** The keys of Hugging Face's image processors that say what becomes of a pixel. */
const preprocessor = z.looseObject({
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().nullish(),
  rescale_offset: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: oneOrMore.nullish(),
  image_std: oneOrMore.nullish(),
  do_flip_channel_order: z.boolean().nullish(),
});

/**
 * Reads a preprocessor_config.json, as Hugging Face's image processors are saved: `do_rescale`, `rescale_factor`,
 * `rescale_offset`, `do_normalize`, `image_mean`, `image_std` and `do_flip_channel_order`. Pictures are brought to their
 * size by the image input: `image({ preprocessor })` reads the rest of the file.
 * @throws ConfigError where it is not there or says what cannot be
 */
export function readPreprocessorConfig(file: string): PreprocessingInput {
  const config = readPreprocessorFile(file, preprocessor);
  const factor = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  const offset = config.rescale_offset === true ? -1 : 0;
  const normalizes = config.do_normalize !== false;
  const input: PreprocessingInput = {
    range: [offset, 255 * factor + offset],
    ...(normalizes && config.image_mean != null ? { mean: config.image_mean } : {}),
    ...(normalizes && config.image_std != null ? { std: config.image_std } : {}),
    ...(config.do_flip_channel_order === true ? { channels: "bgr" } : {}),
  };
  return checkPreprocessing(input);
}

/** The one beside a model; null where there is none. */
export function preprocessingBeside(modelFile: string): PreprocessingInput | null {
  const file = join(dirname(modelFile), PREPROCESSOR_CONFIG);
  return existsSync(file) ? readPreprocessorConfig(file) : null;
}

/** What a pixel in [0, 1] is multiplied with, and what is added then, for each channel of a model. */
export interface PixelChange {
  /** [channels of the input, channels of the model] */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/**
 * @param seen channels of the input
 * @param wanted channels of the model
 * @throws ConfigError where the one cannot become the other
 */
export function pixelChange(
  { range = [0, 1], mean = 0, std = 1, channels = "rgb" }: PreprocessingInput,
  seen: number,
  wanted: number,
): PixelChange {
  if (seen !== wanted && seen !== 1) {
    throw new ConfigError(
      `The model reads pictures of ${wanted} ${wanted === 1 ? "channel" : "channels"}, but its input has ${seen}. Declare image({ channels: ${wanted === 1 ? 1 : 3} }).`,
      { expected: wanted, got: seen },
    );
  }
  const [means, divisors] = [perChannel("mean", mean, wanted), perChannel("std", std, wanted)];
  const [black, white] = range;
  const kernel = new Float32Array(seen * wanted);
  const bias = new Float32Array(wanted);
  for (let channel = 0; channel < wanted; channel++) {
    const source = seen === 1 ? 0 : channels === "bgr" ? wanted - 1 - channel : channel;
    kernel[source * wanted + channel] = (white - black) / at(divisors, channel);
    bias[channel] = (black - at(means, channel)) / at(divisors, channel);
  }
  return { kernel, bias };
}

interface Pictures {
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
}

/**
 * Pixels as a model was trained to see them, in its order of axes.
 * @param pixels [rows, height, width, channels], 0 to 255
 */
export function changePixels(
  pixels: Uint8Array,
  rows: number,
  { size: [height, width], channels: seen }: Pictures,
  { kernel, bias }: PixelChange,
  isChannelsFirst: boolean,
): Float32Array {
  const wanted = bias.length;
  const area = height * width;
  const out = new Float32Array(rows * area * wanted);
  for (let pixel = 0; pixel < rows * area; pixel++) {
    const row = Math.floor(pixel / area);
    for (let channel = 0; channel < wanted; channel++) {
      let value = f32At(bias, channel);
      for (let from = 0; from < seen; from++) {
        value += (u8At(pixels, pixel * seen + from) / 255) * f32At(kernel, from * wanted + channel);
      }
      const place = isChannelsFirst ? (row * wanted + channel) * area + (pixel - row * area) : pixel * wanted + channel;
      out[place] = value;
    }
  }
  return out;
}

function perChannel(name: string, value: number | readonly number[], channels: number): number[] {
  const given = numbers(value);
  if (given.length === channels) return given;
  if (given.length === 1) return new Array<number>(channels).fill(at(given, 0));
  throw new ConfigError(
    `pretrained: input has ${given.length} numbers as ${name}, but the model reads ${channels} ${channels === 1 ? "channel" : "channels"}. Give one number, or one for each channel.`,
    { [name]: given, channels },
  );
}

function numbers(value: unknown): number[] {
  return [value].flat().map((number) => (typeof number === "number" ? number : Number.NaN));
}

/** A frozen 1 × 1 convolution that changes pixels; the input itself where there is nothing to change. */
export function preprocess(
  input: SymbolicTensor,
  { kernel, bias }: PixelChange,
  name: string,
): { readonly tensor: SymbolicTensor; readonly layer: tfl.layers.Layer | null } {
  const [seen, wanted] = [kernel.length / bias.length, bias.length];
  const isIdentity =
    seen === wanted &&
    bias.every((number) => number === 0) &&
    kernel.every((number, i) => number === (i % (wanted + 1) === 0 ? 1 : 0));
  if (isIdentity) return { tensor: input, layer: null };
  const layer = tfl.layers.conv2d({ name, filters: wanted, kernelSize: 1, trainable: false });
  const [tensor] = [layer.apply(input)].flat();
  tf.tidy(() => layer.setWeights([tf.tensor(kernel, [1, 1, seen, wanted]), tf.tensor1d(bias)]));
  if (!(tensor instanceof tfl.SymbolicTensor)) throw new Error("a layer applied to a symbolic tensor gives one");
  return { tensor, layer };
}
