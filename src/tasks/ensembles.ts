/** @file Several networks asked the same: the logits of what they say together. */
import { at, f32At } from "../arrays.js";
import type { TaskSpec } from "../flow/graph.js";
import { logitOf, logShareOf, mean } from "./constants.js";

/** One network's answers to a task. */
export interface Member<Spec extends TaskSpec> {
  /** As it was fitted to the labels that trained this network. */
  readonly spec: Spec;
  /** [rows, logitWidth] */
  readonly logits: Float32Array;
}

/** Means of logits, for kinds that say nothing of what their scores mean. */
export function meanOfLogits(members: readonly { readonly logits: Float32Array }[]): Float32Array {
  return meanOf(
    members,
    (logits, i) => f32At(logits, i),
    (value) => value,
  );
}

/** Each logit by itself: that of the mean probability. */
export function meanOfProbabilities(members: readonly { readonly logits: Float32Array }[]): Float32Array {
  return meanOf(members, (logits, i) => 1 / (1 + Math.exp(-f32At(logits, i))), logitOf);
}

/** @param width classes: the logarithms of the mean shares after softmax */
export function meanOfShares(members: readonly { readonly logits: Float32Array }[], width: number): Float32Array {
  const sums = members.map(({ logits }) =>
    Float64Array.from({ length: logits.length / width }, (_, row) => {
      const own = logits.subarray(row * width, (row + 1) * width);
      const largest = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      return largest + Math.log(own.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    }),
  );
  const shareOf = (logits: Float32Array, i: number, member: number): number =>
    Math.exp(f32At(logits, i) - at(at(sums, member), Math.floor(i / width)));
  return meanOf(members, shareOf, logShareOf);
}

/** Means of some function of the logits, and its inverse. */
export function meanOf(
  members: readonly { readonly logits: Float32Array }[],
  to: (logits: Float32Array, i: number, member: number) => number,
  back: (mean: number) => number,
): Float32Array {
  const [first] = members;
  return Float32Array.from({ length: first?.logits.length ?? 0 }, (_, i) => {
    const value = mean(members.map(({ logits }, member) => to(logits, i, member)));
    // kept: what one network does not know, they do not know together
    return Number.isNaN(value) ? Number.NaN : back(value);
  });
}
