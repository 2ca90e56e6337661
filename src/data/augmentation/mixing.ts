/** @file Two pictures as one: mixup and cutmix of the pictures of a batch. */
import { i32At, u8At } from "../../arrays.js";
import type { Mixing } from "../../tasks/behaviour.js";
import { createRandom, type Random } from "../rng.js";
import type { PictureShape } from "./picture-shape.js";

/** How batches are mixed; a run of an earlier version has no such settings. */
export interface MixSettings {
  /** α of the Beta(α, α) that shares are drawn from; 0: this is not done. */
  readonly mixup?: number | undefined;
  readonly cutmix?: number | undefined;
  /** Probability that a batch is mixed at all. */
  readonly mixShare?: number | undefined;
}

/** What becomes of the pictures of a batch. */
export interface Mixture {
  readonly mixing: Mixing;
  /** For each row of the batch, the row whose picture comes into its own: each is in one other. */
  readonly partners: Int32Array;
  /** Part of each picture that is the row's own: at least one half. */
  readonly share: number;
  /** What is pasted, in pixels; null: pictures are faded. */
  readonly pasted: Part | null;
}

/** A part of a picture in pixels, `right` and `bottom` beyond it. */
interface Part {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What a draw hangs on. */
export interface MixedFor {
  /** Of the run. */
  readonly seed: number | string;
  readonly epoch: number;
  /** Of the dataset, in the order of the batch. */
  readonly rows: Int32Array;
}

/** Which ways of mixing some settings ask for. */
export function mixingsOf({ mixup = 0, cutmix = 0 }: MixSettings): readonly Mixing[] {
  return [...(mixup > 0 ? (["mixup"] as const) : []), ...(cutmix > 0 ? (["cutmix"] as const) : [])];
}

/**
 * One share and one order for the batch, as the authors of both do: Zhang et al., "mixup: Beyond Empirical Risk
 * Minimization" (2018), and Yun et al., "CutMix" (2019), Algorithm A1. Of a share and its complement the larger one is
 * the row's own, which only gives the pictures of a batch other names.
 * @param shape of the pictures; of several per row those of the first
 * @returns null where the batch stays as it is
 */
export function drawMixture(settings: MixSettings, drawn: MixedFor, shape: PictureShape): Mixture | null {
  const mixings = mixingsOf(settings);
  const { seed, epoch, rows } = drawn;
  if (mixings.length === 0 || rows.length < 2) return null;
  const random = createRandom(`mixture of rows ${rows.join(" ")} in epoch ${epoch} of seed ${seed}`);
  if (random.next() >= (settings.mixShare ?? 1)) return null;
  const mixing = mixings[random.int(mixings.length)] ?? "mixup";
  const drawnShare = drawBeta(random, settings[mixing] ?? 1);
  const share = Math.max(drawnShare, 1 - drawnShare);
  const partners = random.shuffle(Int32Array.from(rows, (_, i) => i));
  if (mixing === "mixup") return { mixing, partners, share, pasted: null };
  const pasted = drawPart(random, 1 - share, shape);
  const area = (pasted.right - pasted.left) * (pasted.bottom - pasted.top);
  return { mixing, partners, share: 1 - area / (shape.width * shape.height), pasted };
}

/** A part of the picture's own aspect ratio about a pixel, cut off at the edges. */
function drawPart(random: Random, area: number, { width, height }: PictureShape): Part {
  const side = Math.sqrt(area);
  const between = (size: number): readonly [number, number] => {
    const [middle, half] = [random.int(size), Math.floor(Math.floor(size * side) / 2)];
    return [Math.max(0, middle - half), Math.min(size, middle + half)];
  };
  const [left, right] = between(width);
  const [top, bottom] = between(height);
  return { left, top, right, bottom };
}

/** From Beta(α, α): of two gamma variates, whose logarithms do not underflow where α is small. */
export function drawBeta(random: Random, alpha: number): number {
  const [a, b] = [logGammaVariate(random, alpha), logGammaVariate(random, alpha)];
  return 1 / (1 + Math.exp(b - a));
}

/**
 * Logarithm of a gamma variate: Marsaglia & Tsang, "A Simple Method for Generating Gamma Variables" (2000); a shape below
 * one by that of one more, times u^(1/shape).
 */
function logGammaVariate(random: Random, shape: number): number {
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const boost = shape < 1 ? Math.log(1 - random.next()) / shape : 0;
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.next()) < x ** 2 / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v) + boost;
  }
}

/** Box & Muller (1958). */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

/**
 * Mixes the pictures of a batch in place, [rows, height, width, channels], 0…255.
 * @param drawnFor shape of the pictures that the mixture was drawn for; a part is as large on pictures of another
 */
export function mixPictures(
  pixels: Uint8Array,
  shape: PictureShape,
  { partners, share, pasted }: Mixture,
  drawnFor: PictureShape,
): void {
  const size = shape.height * shape.width * shape.channels;
  const before = pixels.slice();
  for (let row = 0; row < partners.length; row++) {
    const own = pixels.subarray(row * size, (row + 1) * size);
    const partner = i32At(partners, row) * size;
    const other = before.subarray(partner, partner + size);
    if (pasted === null) fade(own, other, share);
    else paste(own, other, shape, scaled(pasted, shape, drawnFor));
  }
}

/**
 * Pastes masks of a batch as its pictures are, in place, [rows, height, width]; nothing where pictures are faded.
 * @param size of the masks, for whose picture the mixture was drawn
 */
export function pasteMask<A extends Float32Array | Uint8Array>(
  values: A,
  { height, width }: Pick<PictureShape, "height" | "width">,
  { partners, pasted }: Mixture,
): void {
  if (pasted === null) return;
  const before = values.slice();
  for (let row = 0; row < partners.length; row++) {
    const partner = i32At(partners, row);
    for (let y = pasted.top; y < pasted.bottom; y++) {
      const line = (of: number, x: number): number => (of * height + y) * width + x;
      values.set(before.subarray(line(partner, pasted.left), line(partner, pasted.right)), line(row, pasted.left));
    }
  }
}

function fade(own: Uint8Array, other: Uint8Array, share: number): void {
  for (let i = 0; i < own.length; i++) own[i] = u8At(own, i) * share + u8At(other, i) * (1 - share) + 0.5;
}

function paste(own: Uint8Array, other: Uint8Array, { width, channels }: PictureShape, part: Part): void {
  for (let y = part.top; y < part.bottom; y++) {
    const [from, to] = [(y * width + part.left) * channels, (y * width + part.right) * channels];
    own.set(other.subarray(from, to), from);
  }
}

function scaled({ left, top, right, bottom }: Part, shape: PictureShape, drawnFor: PictureShape): Part {
  const [x, y] = [shape.width / drawnFor.width, shape.height / drawnFor.height];
  const [across, down] = [(place: number) => Math.round(place * x), (place: number) => Math.round(place * y)];
  return { left: across(left), right: across(right), top: down(top), bottom: down(bottom) };
}
