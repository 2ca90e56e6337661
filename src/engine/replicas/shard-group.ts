/** @file Who computes the shards of a batch: replicas on this machine, or the ranks of a job, of which each computes its own. */
import type { BatchOutputs } from "../batches/outputs.js";
import type { ShardPlace } from "../batches/shards.js";
import type { StepRequest, Weights } from "./messages.js";

/** What came of the shards of a batch, beside their gradients. */
export interface ShardResults {
  /** Of the loss terms of each task, by shard. */
  readonly sums: readonly (readonly number[])[];
  /** Of the whole batch. */
  readonly outputs: BatchOutputs;
  /** Averages of batch normalization after the pass. */
  readonly statistics: Float32Array | null;
}

/** A request but for the weights, which a replica may have. */
export type ShardRequest = Omit<StepRequest, "weights">;

/** Replicas that share every batch. */
export interface ShardGroup {
  /** Shards of a batch. */
  readonly size: number;
  /**
   * Computes all shards, each where its replica is.
   * @param requestOf what the replica of a rank is to compute; asked only for those that are here
   * @param sum the gradients of all are added to it, in the order of their ranks
   */
  step(weights: Weights, requestOf: (rank: number) => ShardRequest, sum: Float32Array): Promise<ShardResults>;
  /** The rows of a batch that are computed here; undefined: all of them are. */
  readonly ownRows?: (rows: number) => ShardPlace;
}
