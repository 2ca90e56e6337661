/** @file Logits of whole rows, as tests ask a network for them. */
import { computeLogits } from "../../src/engine/inference/compute-logits.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import type { Network } from "../../src/engine/model/network.js";

/** [rows, layout.width] of one batch, kernel by kernel. */
export function rowLogits(network: Network, inputs: InputBatch, rows: number): Float32Array {
  return computeLogits(network, inputs, rows).sample;
}
