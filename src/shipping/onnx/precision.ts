/** @file How the weights of an exported model are kept. */
import { at, f32At } from "../../arrays.js";

/**
 * float16: weights in 16 bits, read as float32 when the model is opened. int8: dense layers and convolutions in whole
 * numbers of 8 bits, their inputs by the range that each batch has (dynamic quantization), and tables of embeddings.
 */
export const PRECISIONS = ["float32", "float16", "int8"] as const;
export type Precision = (typeof PRECISIONS)[number];

export interface WeightForm {
  readonly precision: Precision;
  /** Weights of fewer numbers stay as they are: they save nothing, and cost accuracy. */
  readonly smallest: number;
}

/** Of a head of few answers on few features. */
const WORTH_IT = 1024;

export function weightForm(precision: Precision, smallest = WORTH_IT): WeightForm {
  return { precision, smallest };
}

/** From here on a number of 16 bits is infinite. */
const HALF_OVERFLOW = 65_520;

/** Whether no number becomes infinite in 16 bits. NaN fits. */
export function fitsHalf(values: Float32Array): boolean {
  return values.every((value) => !(Math.abs(value) >= HALF_OVERFLOW));
}

/** Weights in 8 bits: scale × (value − 128), with one scale for each output channel (symmetric, so that 0 stays 0). */
export interface Quantized {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
}

/** The zero point of weights. */
export const ZERO = 128;
const STEPS = 127;

/**
 * Without a sign: with one, sums of two products saturate on processors that lack VNNI, and ONNX Runtime's convolution of
 * whole numbers takes a single zero point.
 * @param axis of the output channels
 * @returns null where a weight is no finite number
 */
export function quantize(values: Float32Array, shape: readonly number[], axis: number): Quantized | null {
  const channels = at(shape, axis);
  const stride = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const channelOf = (i: number): number => Math.floor(i / stride) % channels;
  const largest = new Float32Array(channels);
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(f32At(values, i));
    if (!Number.isFinite(size)) return null;
    if (size > f32At(largest, channelOf(i))) largest[channelOf(i)] = size;
  }
  const scales = largest.map((size) => (size === 0 ? 1 : size / STEPS));
  return {
    values: Uint8Array.from(values, (value, i) => ZERO + Math.round(value / f32At(scales, channelOf(i)))),
    scales,
  };
}
