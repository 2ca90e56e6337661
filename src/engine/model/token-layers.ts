/** @file Padding taken out of sequences, by stock layers alone: a saved model opens without us. */
import { ConfigError } from "../../errors.js";
import type { Layers, SymbolicTensor } from "./trunk.js";

type Applied = { apply(inputs: SymbolicTensor | SymbolicTensor[]): unknown };

const apply = (layer: Applied, inputs: SymbolicTensor | SymbolicTensor[]): SymbolicTensor =>
  layer.apply(inputs) as SymbolicTensor;

/** Ids count from 1, and 0 is padding: the smaller of 1 and the id is 1 where there is a token. [batch, length] */
function presenceOf(layers: Layers, ids: SymbolicTensor): SymbolicTensor {
  return apply(layers.reLU({ maxValue: 1 }), ids);
}

/** [batch, length] → [batch, length, 1] */
function asColumn(layers: Layers, perToken: SymbolicTensor): SymbolicTensor {
  return apply(layers.permute({ dims: [2, 1] }), apply(layers.repeatVector({ n: 1 }), perToken));
}

/**
 * Zeros where a sequence is padding. Put it after an embedding and after every layer with a bias that the next
 * convolution reads: then a row's answers do not depend on how long the other rows of its batch are.
 * @param tokens [batch, length, n]
 * @param ids the token input that the padding is seen from, [batch, length]
 */
export function maskPadding(layers: Layers, tokens: SymbolicTensor, ids: SymbolicTensor): SymbolicTensor {
  return apply(layers.multiply(), [tokens, asColumn(layers, presenceOf(layers, ids))]);
}

// e^−128 is 0 in single precision
const SHARPNESS = 128;
// far below whatever a layer puts out
const FAR_BELOW = 1e9;

/**
 * Average or maximum over the tokens of each row, without its padding: [batch, length, n] → [batch, n]. Zeros for a row
 * without tokens.
 * @param tokens [batch, length, n]
 * @param ids the token input that the padding is seen from, [batch, length]
 */
export function poolTokens(
  layers: Layers,
  tokens: SymbolicTensor,
  ids: SymbolicTensor,
  pooling: "average" | "max" = "average",
): SymbolicTensor {
  const presence = presenceOf(layers, ids);
  switch (pooling) {
    case "average": {
      // a softmax of 128 and 0 shares 1 among the tokens; the product is for rows that have none
      const scaled = apply(layers.rescaling({ scale: SHARPNESS }), presence);
      const shares = apply(layers.multiply(), [apply(layers.softmax({ axis: -1 }), scaled), presence]);
      return apply(layers.dot({ axes: [1, 1] }), [shares, tokens]);
    }
    case "max": {
      const column = asColumn(layers, presence);
      const penalty = apply(layers.rescaling({ scale: FAR_BELOW, offset: -FAR_BELOW }), column);
      const largest = apply(layers.globalMaxPooling1d({}), apply(layers.add(), [tokens, penalty]));
      return apply(layers.multiply(), [largest, apply(layers.globalMaxPooling1d({}), column)]);
    }
    default:
      throw new ConfigError(`poolTokens(…, ${JSON.stringify(pooling satisfies never)}): write "average" or "max".`, {});
  }
}
