/** @file What every optimizer is, and the vectors that it keeps between steps. */
import { StoreError } from "../../../errors.js";
import type { OptimizerState } from "../../model/training-state.js";

/** Updates a parameter vector in place, step by step. */
export interface Optimizer {
  /**
   * @param parameters changed in place
   * @param gradient same length, not changed
   */
  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void;
  readonly state: OptimizerState;
}

/**
 * A copy of a slot of an earlier optimizer, or zeros where there was none.
 * @throws StoreError where the earlier one has no such slot, or one of another size
 */
export function slot(restored: OptimizerState | undefined, name: string, size: number): Float32Array {
  if (restored === undefined) return new Float32Array(size);
  const kept = restored.slots[name];
  if (kept?.length !== size) {
    throw new StoreError(
      `The optimizer's state holds ${kept?.length ?? "no"} numbers of "${name}" for ${size} parameters: it belongs to another network or optimizer. Start a new run.`,
      { slot: name, expected: size, found: kept?.length ?? null },
    );
  }
  return kept.slice();
}
