/** @file What computes training steps: the one seam between the epoch loop and how a step is run. */
import type { BatchLoss } from "./losses.js";
import type { ShardPlace } from "../batches/shards.js";
import type { BatchTargets } from "../batches/targets.js";
import type { LogitValues } from "../model/layout.js";
import type { InputBatch } from "../model/input-batch.js";
import type { GradientConflicts, TaskPair } from "./conflicts.js";
import type { UpdateConfig } from "./weight-average.js";
import type { OptimizerState } from "../model/training-state.js";
import type { BatchOutputs } from "../batches/outputs.js";

export interface StepConfig extends UpdateConfig {
  /** Largest norm of all gradients together; null: no clipping. */
  readonly clipNorm: number | null;
  /**
   * Parts that a batch is computed in, one after the other, so that a large one fits into memory: gradients add up to
   * those of the whole, but batch normalization sees only its part. Default 1.
   */
  readonly accumulate?: number | undefined;
  /** Default `add`. The others compare gradients over a whole batch: neither in parts nor on replicas. */
  readonly conflicts?: GradientConflicts | undefined;
}

/** Weights as the steps left them, or their moving average; the same where none is kept. */
export type WeightsKind = "trained" | "averaged";

/** What one update is made from. */
export interface StepBatch {
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
  /** Factor of each task's masked mean in the total loss, in the order of the graph. */
  readonly factors: readonly number[];
  readonly learningRate: number;
  /** Of dropout and noise. */
  readonly seed: string;
  /** The rows that the inputs are of, where they are not those of the whole batch. */
  readonly place?: ShardPlace | undefined;
}

export interface StepOutcome {
  /** Sums and terms of the tasks; the total is Σ factor × masked mean. */
  readonly loss: BatchLoss;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** Logits of the forward pass, in views that the next step may overwrite. */
  readonly logits: LogitValues;
  /** What is kept of them, where it was made beside the logits: of these only `sample` is there then. */
  readonly outputs?: BatchOutputs;
  /** Tasks that met at a feature, where their gradients are not just added. */
  readonly pairs?: readonly TaskPair[];
  /** False where the loss or the gradient is not finite: everything is then as before the step. */
  readonly applied: boolean;
}

/**
 * Computes steps, and owns the parameters and the optimizer's state while it does. Parameters and slots are flat
 * vectors in the order of `network.trainable`, so that a run may go on with another engine.
 */
export interface StepEngine {
  step(batch: StepBatch): Promise<StepOutcome>;
  /** Brings the network's variables up to date; another step goes on from the trained weights in any case. */
  writeBack(kind: WeightsKind): Promise<void>;
  /** The optimizer's, after the latest step. */
  optimizerState(): Promise<OptimizerState>;
  readonly parameterCount: number;
  /** The rows of a batch whose inputs it needs, by how many there are; undefined: those of all. */
  readonly ownRows?: ((rows: number) => ShardPlace) | undefined;
  /** Frees what the engine holds; the network stays. */
  dispose(): Promise<void>;
}
