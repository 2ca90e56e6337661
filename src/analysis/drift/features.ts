/** @file What a trunk makes of rows beside what it makes of train: can they be told apart, and which are furthest? */
import { f64At } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { mannWhitney } from "../statistics/mann-whitney.js";
import type { DriftTest } from "./tests.js";

/** Rows of numbers, [rows, width]. */
export interface Vectors {
  readonly values: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** An area under the ROC curve from which on a change counts. */
export const AUC_LIMIT = 0.6;
/** Fewer rows of either cannot be split to learn and to judge. */
const FEWEST = 20;
const MOST = 1000;
/** Share of the mean variance that is put in the place of the covariance, which few rows say little of. */
const SHRINKAGE = 0.1;

/**
 * A classifier two-sample test (Lopez-Paz & Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017; of the tests for
 * shift that Rabanser et al. compare in Failing Loudly, NeurIPS 2019): a linear discriminant learns on half of the rows to
 * tell new from old, and is judged on the other half. With nothing to learn its area under the ROC curve is ½.
 */
export function classifierTest(train: Vectors, now: Vectors, seed = "drift"): DriftTest {
  const facts = {
    kind: "features",
    name: "features",
    test: "classifier",
    shown: "AUC",
    train: 0.5,
    rows: { train: train.rows, now: now.rows },
  } as const;
  if (Math.min(train.rows, now.rows) < FEWEST || train.width === 0) {
    const effect = { name: "auc", value: null, limit: AUC_LIMIT } as const;
    return { ...facts, statistic: null, p: null, effect, now: null, interval: null };
  }
  const random = createRandom(seed);
  const halves = (rows: number): readonly [number[], number[]] => {
    const order = random.shuffle(Array.from({ length: rows }, (_, row) => row)).slice(0, 2 * MOST);
    const middle = Math.floor(order.length / 2);
    return [order.slice(0, middle), order.slice(middle)];
  };
  const [[oldLearned, oldJudged], [newLearned, newJudged]] = [halves(train.rows), halves(now.rows)];
  const [before, after] = [momentsOf(train, oldLearned), momentsOf(now, newLearned)];
  const pooled = before.covariance.map((value, i) => (value + f64At(after.covariance, i)) / 2);
  const factor = cholesky(shrunk(pooled, train.width), train.width);
  const apart = after.mean.map((value, i) => value - f64At(before.mean, i));
  const direction = solve(factor, apart, train.width);
  const scores = (of: Vectors, rows: readonly number[]): Float64Array =>
    Float64Array.from(rows, (row) => {
      let sum = 0;
      for (let i = 0; i < of.width; i++) sum += (of.values[row * of.width + i] ?? 0) * f64At(direction, i);
      return sum;
    });
  const { auc, p } = mannWhitney(scores(train, oldJudged), scores(now, newJudged));
  return {
    ...facts,
    ...{ statistic: auc, p, now: auc, interval: areaInterval(auc, oldJudged.length, newJudged.length) },
    effect: { name: "auc", value: auc, limit: AUC_LIMIT },
  };
}

/** Hanley & McNeil's interval of an area under the ROC curve (Radiology 143, 1982). */
function areaInterval(auc: number, m: number, n: number): readonly [number, number] {
  const [q1, q2] = [auc / (2 - auc), (2 * auc * auc) / (1 + auc)];
  const variance = (auc * (1 - auc) + (n - 1) * (q1 - auc * auc) + (m - 1) * (q2 - auc * auc)) / (m * n);
  const reach = 1.959963984540054 * Math.sqrt(variance);
  return [Math.max(0, auc - reach), Math.min(1, auc + reach)];
}

/** How far rows are from train, and what share of train is nearer. */
export interface Distances {
  readonly distance: Float64Array;
  readonly beyond: Float64Array;
}

/**
 * Mahalanobis distances from the mean of train (of features: Lee et al., A Simple Unified Framework for Detecting
 * Out-of-Distribution Samples, NeurIPS 2018), with a shrunk covariance; 1 is the median of train.
 */
export function distancesFrom(train: Vectors, now: Vectors): Distances {
  const { width } = train;
  const all = Array.from({ length: train.rows }, (_, row) => row);
  const { mean, covariance } = momentsOf(train, all);
  const factor = cholesky(shrunk(covariance, width), width);
  const distancesOf = (of: Vectors): Float64Array =>
    Float64Array.from({ length: of.rows }, (_, row) => {
      const apart = Float64Array.from(
        { length: width },
        (_unused, i) => (of.values[row * width + i] ?? 0) - f64At(mean, i),
      );
      const half = forward(factor, apart, width);
      return Math.sqrt(half.reduce((sum, value) => sum + value * value, 0));
    });
  const known = distancesOf(train).sort();
  const own = distancesOf(now);
  const usual = known[known.length >> 1] || 1;
  const beyond = own.map((one) => countBelow(known, one) / Math.max(1, known.length));
  return { distance: own.map((one) => one / usual), beyond };
}

function countBelow(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (f64At(sorted, middle) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function momentsOf({ values, width }: Vectors, rows: readonly number[]) {
  const mean = new Float64Array(width);
  for (const row of rows) for (let i = 0; i < width; i++) mean[i] = f64At(mean, i) + (values[row * width + i] ?? 0);
  for (let i = 0; i < width; i++) mean[i] = f64At(mean, i) / rows.length;
  const covariance = new Float64Array(width * width);
  const apart = new Float64Array(width);
  for (const row of rows) {
    for (let i = 0; i < width; i++) apart[i] = (values[row * width + i] ?? 0) - f64At(mean, i);
    for (let i = 0; i < width; i++) {
      const own = f64At(apart, i);
      for (let j = 0; j <= i; j++) covariance[i * width + j] = f64At(covariance, i * width + j) + own * f64At(apart, j);
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      const value = f64At(covariance, i * width + j) / Math.max(1, rows.length - 1);
      covariance[i * width + j] = value;
      covariance[j * width + i] = value;
    }
  }
  return { mean, covariance };
}

function shrunk(covariance: Float64Array, width: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += f64At(covariance, i * width + i);
  // numbers that never change in train are no reason to divide by 0
  const usual = trace / Math.max(1, width) || 1;
  const out = covariance.map((value) => (1 - SHRINKAGE) * value);
  for (let i = 0; i < width; i++) out[i * width + i] = f64At(out, i * width + i) + SHRINKAGE * usual;
  return out;
}

/** The lower factor L of a positive definite matrix L·Lᵀ. */
function cholesky(matrix: Float64Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = f64At(matrix, i * width + j);
      for (let k = 0; k < j; k++) sum -= f64At(factor, i * width + k) * f64At(factor, j * width + k);
      factor[i * width + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / f64At(factor, j * width + j);
    }
  }
  return factor;
}

/** L⁻¹·b */
function forward(factor: Float64Array, b: Float64Array, width: number): Float64Array {
  const out = Float64Array.from(b);
  for (let i = 0; i < width; i++) {
    let sum = f64At(out, i);
    for (let k = 0; k < i; k++) sum -= f64At(factor, i * width + k) * f64At(out, k);
    out[i] = sum / f64At(factor, i * width + i);
  }
  return out;
}

/** (L·Lᵀ)⁻¹·b */
function solve(factor: Float64Array, b: Float64Array, width: number): Float64Array {
  const out = forward(factor, b, width);
  for (let i = width - 1; i >= 0; i--) {
    let sum = f64At(out, i);
    for (let k = i + 1; k < width; k++) sum -= f64At(factor, k * width + i) * f64At(out, k);
    out[i] = sum / f64At(factor, i * width + i);
  }
  return out;
}
