/** @file Variables ↔ one flat vector, in their order. */
import * as tf from "@tensorflow/tfjs-core";

/** Values of variables, one after the other, in a new vector. */
export function readParameters(variables: readonly tf.Variable[]): Float32Array {
  const all = new Float32Array(variables.reduce((total, variable) => total + variable.size, 0));
  let at = 0;
  for (const variable of variables) {
    all.set(variable.dataSync() as Float32Array, at);
    at += variable.size;
  }
  return all;
}

/** Gives variables their stretches of a vector. @param parameters as many numbers as the variables have together */
export function writeParameters(variables: readonly tf.Variable[], parameters: Float32Array): void {
  let at = 0;
  for (const variable of variables) {
    // a new tensor each time: backends may keep what they prepared from the old one, or the array itself
    const values = parameters.slice(at, at + variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
    at += variable.size;
  }
}
