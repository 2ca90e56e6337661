/** @file The numbers of a network's weights, to be looked at. */
import type { Network } from "./network.js";

/** All weights by name, e.g. `conv2d_1/kernel`, each flattened. */
export async function readWeights(network: Network): Promise<Record<string, Float32Array>> {
  const entries = network.model.weights.map(
    async (weight) => [weight.originalName, Float32Array.from(await weight.read().data())] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}
