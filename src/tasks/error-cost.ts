/** @file What an error costs, and the slope of that cost: losses of tasks whose answers are numbers. */

/**
 * `huber` is factor · Huber's loss with that delta: ½·e² up to |e| = delta, delta·(|e| − ½·delta) beyond (Huber,
 * "Robust Estimation of a Location Parameter", 1964). A factor of 1 / delta makes it the smooth L1 loss.
 */
export type ErrorCost =
  | { readonly kind: "squared" }
  | { readonly kind: "absolute" }
  | { readonly kind: "huber"; readonly delta: number; readonly factor: number }
  | { readonly kind: "log-cosh" };

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
