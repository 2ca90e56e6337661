/** @file Makes tfjs's own randomness (initializers, dropout, noise layers) follow a seed. */
import { createRandom } from "../../data/rng.js";

/**
 * Runs `work` with `Math.random` replaced by a seeded generator. tfjs seeds its unseeded random ops from
 * `Math.random`, and gives a dropout layer with a fixed seed the same mask at every step; this scope gives a new,
 * reproducible mask per step instead. `work` must be synchronous, so nothing else can run inside the scope.
 */
export function withSeededRandom<T>(seed: string, work: () => T): T {
  const random = createRandom(seed);
  const original = Math.random;
  Math.random = () => random.next();
  try {
    return work();
  } finally {
    Math.random = original;
  }
}
