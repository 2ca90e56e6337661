/** @file Numbers that all ranks get from each other beside the steps: the first weights, and sums in the middle of a pass. */
import type * as tfl from "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { joinArrays } from "../../batches/arrays.js";
import type { Network } from "../../model/network.js";
import type { RankPlace } from "../group.js";
import type { Communicator } from "./communicator.js";

/** All ranks go on with the weights of rank 0, trained or frozen. */
export async function castWeights(network: Network, ranks: Communicator): Promise<void> {
  const { weights } = network.model;
  const values = weights.map((weight: tfl.LayerVariable) => weight.read().dataSync() as Float32Array);
  const told = await ranks.cast(new Uint8Array(joinArrays(values).buffer), 0);
  if (ranks.rank === 0) return;
  const given = new Float32Array(told.slice().buffer);
  let at = 0;
  for (const [i, weight] of weights.entries()) {
    const { length } = values[i] as Float32Array;
    const own = given.slice(at, at + length);
    at += length;
    const value = tf.tensor(own, weight.shape as number[]);
    weight.write(value);
    value.dispose();
  }
}

/** What layers gather that see the whole batch. */
export function exchangeOf(ranks: Communicator): RankPlace["gather"] {
  return async (values) => {
    const own = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const all = await ranks.gather(own);
    const joined = new Float64Array(all.length * values.length);
    for (const [rank, bytes] of all.entries()) {
      joined.set(new Float64Array(bytes.slice().buffer), rank * values.length);
    }
    return joined;
  };
}
