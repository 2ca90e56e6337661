/** @file A distribution of numbers in little room, and how far another sample is from it. */
import { f64At } from "../../arrays.js";

/** What is kept of many numbers. */
export interface Sketch {
  /** Numbers that are known, and rows in which one is missing. */
  readonly count: number;
  readonly missing: number;
  /** null without any. */
  readonly mean: number | null;
  /** Of the population. */
  readonly deviation: number | null;
  /** Ascending: all numbers where they are few, else evenly spaced quantiles from the least to the greatest. */
  readonly quantiles: readonly number[];
}

/** Quantiles that are kept: the distribution function is then known within a two-thousandth. */
const MOST = 1001;

/** @param values NaN where one is missing */
export function sketchOf(values: ArrayLike<number>): Sketch {
  const known = Float64Array.from(Array.from(values).filter((value) => !Number.isNaN(value))).sort();
  const count = known.length;
  const missing = values.length - count;
  if (count === 0) return { count, missing, mean: null, deviation: null, quantiles: [] };
  const mean = known.reduce((sum, value) => sum + value, 0) / count;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const quantiles =
    count <= MOST ? [...known] : Array.from({ length: MOST }, (_, i) => quantileOf(known, i / (MOST - 1)));
  return { count, missing, mean, deviation: Math.sqrt(variance), quantiles };
}

function quantileOf(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = f64At(sorted, below);
  return low + (place - below) * (f64At(sorted, Math.min(below + 1, sorted.length - 1)) - low);
}

const BINS = 10;

/** How many numbers lie below the least of a sketch, in each of its tenths, and above its greatest. */
export function binned({ quantiles }: Sketch, values: ArrayLike<number>): number[] {
  const last = quantiles.length - 1;
  const inner = Array.from({ length: BINS }, (_, i) => quantiles[Math.round((i / BINS) * last)] ?? 0);
  const edges = [...new Set(inner)];
  const greatest = quantiles[last] ?? 0;
  const counts = new Array<number>(edges.length + 2).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const bin = value > greatest ? edges.length + 1 : edges.filter((edge) => edge <= value).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/**
 * The population stability index, Σ (q − p)·ln(q / p) over categories: the symmetrized divergence of Kullback and Leibler
 * (Siddiqi, Credit Risk Scorecards, 2006, which calls less than 0.1 no change and more than 0.25 a large one). Half an
 * answer is added to each category, so that an empty one is no infinite change.
 */
export function stabilityIndex(before: readonly number[], now: readonly number[]): number {
  const shares = (counts: readonly number[]): number[] => {
    const all = counts.reduce((sum, count) => sum + count + 0.5, 0);
    return counts.map((count) => (count + 0.5) / all);
  };
  const [p, q] = [shares(before), shares(now)];
  return p.reduce((sum, share, i) => {
    const other = q[i] ?? share;
    return sum + (other - share) * Math.log(other / share);
  }, 0);
}
