/** @file Tasks whose gradients at a shared feature point against each other, and what is made of them. */
import { at, f32At, f64At } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { projectOnDualCone } from "./dual-cone.js";

/**
 * What is done where tasks' gradients point against each other at a feature that they share: nothing (they are added),
 * PCGrad, or UPGrad.
 */
export type GradientConflicts = "add" | "project" | "upgrad";

/** Two tasks that both had a gradient at a feature in a step. */
export interface TaskPair {
  /** Indices of the tasks in the graph, the smaller one first. */
  readonly tasks: readonly [number, number];
  /** Whether their gradients pointed against each other: a negative product. */
  readonly isConflict: boolean;
}

/** The gradient of one task at a feature. */
export interface TaskGradient {
  readonly task: number;
  readonly values: Float32Array;
}

/** What a feature's gradient is made of those of its tasks. */
export interface CombinedGradients {
  readonly sum: Float32Array;
  /** Which pairs were in conflict as they came. */
  readonly pairs: readonly TaskPair[];
}

/**
 * @param gradients of equal length; those that are zero take no part
 * @param seed of what is drawn
 */
export function combineGradients(
  method: Exclude<GradientConflicts, "add">,
  gradients: readonly TaskGradient[],
  seed: string,
): CombinedGradients {
  switch (method) {
    case "project":
      return projectConflicts(gradients, seed);
    case "upgrad":
      return addWithoutConflict(gradients);
    default:
      return method satisfies never;
  }
}

/**
 * PCGrad: Yu et al., "Gradient Surgery for Multi-Task Learning" (2020), Algorithm 1. From each task's gradient the part
 * that points against another's is taken away, one other after the other in a random order; they are then added.
 */
function projectConflicts(gradients: readonly TaskGradient[], seed: string): CombinedGradients {
  const own = withoutZeros(gradients);
  const products = productsOf(own);
  const random = createRandom(seed);
  // how much of each gradient is in the sum: what is taken away are multiples of gradients, so products tell all
  const weights = new Float64Array(own.length);
  for (const i of own.keys()) {
    const projected = new Float64Array(own.length);
    projected[i] = 1;
    for (const j of random.shuffle([...own.keys()].filter((other) => other !== i))) {
      const product = dot(projected, at(products, j));
      if (product < 0) projected[j] = f64At(projected, j) - product / at(at(products, j), j);
    }
    for (let j = 0; j < own.length; j++) weights[j] = f64At(weights, j) + f64At(projected, j);
  }
  return { sum: weightedSum(gradients, own, weights), pairs: pairsOf(own, products) };
}

/**
 * UPGrad: Quinton & Rey, "Jacobian Descent for Multi-Objective Optimization" (2024), section 3. Each task's gradient is
 * projected onto the dual cone of all, so that a small step along it makes no task's loss rise; they are then added. The
 * paper takes their mean: the sum is it times their number, and without conflicts that of the plain gradients, to which
 * the learning rate and lossWeights belong.
 */
function addWithoutConflict(gradients: readonly TaskGradient[]): CombinedGradients {
  const own = withoutZeros(gradients);
  const products = productsOf(own);
  const weights = new Float64Array(own.length).fill(1);
  for (let i = 0; i < own.length; i++) {
    const added = projectOnDualCone(products, i);
    for (let j = 0; j < own.length; j++) weights[j] = f64At(weights, j) + f64At(added, j);
  }
  return { sum: weightedSum(gradients, own, weights), pairs: pairsOf(own, products) };
}

/** @param weights of `own`, those of all gradients that are not zero */
function weightedSum(
  [first]: readonly TaskGradient[],
  own: readonly TaskGradient[],
  weights: Float64Array,
): Float32Array {
  // gradients that are nearly opposed have large weights, whose sum nearly cancels
  const sum = new Float64Array(first?.values.length ?? 0);
  for (const [i, { values }] of own.entries()) {
    const weight = f64At(weights, i);
    for (let k = 0; k < sum.length; k++) sum[k] = f64At(sum, k) + weight * f32At(values, k);
  }
  return Float32Array.from(sum);
}

function withoutZeros(gradients: readonly TaskGradient[]): readonly TaskGradient[] {
  return gradients.filter(({ values }) => values.some((value) => value !== 0));
}

function productsOf(gradients: readonly TaskGradient[]): number[][] {
  const products = gradients.map(() => new Array<number>(gradients.length).fill(0));
  for (const [i, a] of gradients.entries()) {
    for (let j = 0; j <= i; j++) {
      const product = dotProduct(a.values, at(gradients, j).values);
      at(products, i)[j] = product;
      at(products, j)[i] = product;
    }
  }
  return products;
}

function dotProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += f32At(a, i) * f32At(b, i);
  return sum;
}

function pairsOf(own: readonly TaskGradient[], products: readonly (readonly number[])[]): TaskPair[] {
  return own.flatMap((a, i) =>
    own.slice(i + 1).map((b, k): TaskPair => {
      const tasks = [Math.min(a.task, b.task), Math.max(a.task, b.task)] as const;
      return { tasks, isConflict: at(at(products, i), i + 1 + k) < 0 };
    }),
  );
}

function dot(a: Float64Array, b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += f64At(a, i) * at(b, i);
  return sum;
}

/** How often pairs of tasks were in conflict: by the tasks' indices, `0 2`, of so many steps so many. */
export type ConflictCounts = Readonly<Record<string, readonly [steps: number, conflicts: number]>>;

/** The counts with those of one more step. */
export function countConflicts(counts: ConflictCounts, pairs: readonly TaskPair[]): ConflictCounts {
  const next: Record<string, readonly [number, number]> = { ...counts };
  for (const { tasks, isConflict } of pairs) {
    const key = tasks.join(" ");
    const [steps, conflicts] = next[key] ?? [0, 0];
    next[key] = [steps + 1, conflicts + Number(isConflict)];
  }
  return next;
}
