/** @file Gradients of bounded length. */
import { f32At } from "../../arrays.js";

/** Euclidean norm of all gradients together. */
export function globalNorm(gradient: Float32Array): number {
  let sum = 0;
  // an index: the iterator of a typed array takes several times as long
  for (let i = 0; i < gradient.length; i++) sum += f32At(gradient, i) ** 2;
  return Math.sqrt(sum);
}

/**
 * Scales the gradient in place so that its norm is at most `maxNorm`: Pascanu, Mikolov & Bengio (2013).
 * @returns the norm before
 */
export function clipByGlobalNorm(gradient: Float32Array, maxNorm: number | null): number {
  const norm = globalNorm(gradient);
  if (maxNorm !== null && norm > maxNorm) {
    const factor = maxNorm / norm;
    for (let i = 0; i < gradient.length; i++) gradient[i] = f32At(gradient, i) * factor;
  }
  return norm;
}
