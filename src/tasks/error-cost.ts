/** @file What an error costs, and the slope of that cost: losses of tasks whose answers are numbers. */

import type { ErrorLoss } from "../flow/graph.js";

/**
 * `huber` is factor · Huber's loss with that delta: ½·e² up to |e| = delta, delta·(|e| − ½·delta) beyond (Huber,
 * "Robust Estimation of a Location Parameter", 1964). A factor of 1 / delta makes it the smooth L1 loss.
 */
export type ErrorCost =
  | { readonly kind: "squared" }
  | { readonly kind: "absolute" }
  | { readonly kind: "huber"; readonly delta: number; readonly factor: number }
  | { readonly kind: "log-cosh" };

/** Losses of an error by the names of options. */
export const ERROR_LOSSES = ["squared", "absolute", "huber", "log-cosh"] as const satisfies readonly ErrorLoss[];

/** @param delta where `huber` becomes linear */
export function costNamed(loss: ErrorLoss, delta: number): ErrorCost {
  return loss === "huber" ? { kind: loss, delta, factor: 1 } : { kind: loss };
}

/** What is wrong with the delta of a loss, in words that follow the task's name; null if nothing. */
export function problemWithDelta(loss: ErrorLoss, delta: number | undefined): string | null {
  if (delta === undefined || loss === "huber") return null;
  return `has a delta, which is the bend of the loss "huber", but its loss is "${loss}"; remove the delta`;
}

/** Cost of an error, 0 or more. */
export function costOf(cost: ErrorCost, error: number): number {
  const size = Math.abs(error);
  switch (cost.kind) {
    case "squared":
      return error * error;
    case "absolute":
      return size;
    case "huber": {
      const { delta, factor } = cost;
      return factor * (size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta));
    }
    case "log-cosh":
      // log cosh e, in the form that cannot overflow
      return size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
    default:
      return cost satisfies never;
  }
}

/** ∂cost/∂error; of |e| 0 where it has a kink. */
export function slopeOf(cost: ErrorCost, error: number): number {
  switch (cost.kind) {
    case "squared":
      return 2 * error;
    case "absolute":
      return Math.sign(error);
    case "huber":
      return cost.factor * Math.min(Math.max(error, -cost.delta), cost.delta);
    case "log-cosh":
      return Math.tanh(error);
    default:
      return cost satisfies never;
  }
}
