/** @file What the coordinating side and its replicas say to each other: plain data and typed arrays. */
import type { InputSpec } from "../../data/dataset.js";
import type { Facts } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { BackendName } from "../backends/choose.js";
import type { ShardPlace } from "../batches/shards.js";
import type { BatchTargets } from "../batches/targets.js";
import type { InputBatch } from "../model/input-batch.js";
import type { BatchOutputs } from "../batches/outputs.js";
import type { BatchLabels, BatchAnswers } from "../inference/answer-batches.js";

/** A module that a replica loads before its network, and what to call its default export with. */
export interface Preparation {
  /** file: URL */
  readonly module: string;
  readonly argument: unknown;
}

/** Everything that a replica builds its network from. */
export interface ReplicaSetup {
  /** From 0. */
  readonly rank: number;
  readonly replicas: number;
  readonly backend: BackendName;
  /** Where the backend's package may lie; null: beside the program alone. */
  readonly projectDir: string | null;
  readonly graph: FlowGraph;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly freeze: readonly string[];
  readonly topology: unknown;
  readonly weightSpecs: readonly unknown[];
  readonly weights: Uint8Array;
  /** Registers the user's own functions and layers. */
  readonly preparation: Preparation | null;
}

/** Weights that change, flat, in the order of `network.trainable` and `network.statistics`. */
export interface Weights {
  readonly parameters: Float32Array;
  readonly statistics: Float32Array;
}

export interface StepRequest {
  readonly kind: "step";
  /** null: those of the request before. */
  readonly weights: Weights | null;
  readonly place: ShardPlace;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
  readonly factors: readonly number[];
  /** Loss terms of the whole batch, per task. */
  readonly denominators: readonly number[];
  readonly seed: string;
  /** Whether the penalties of regularizers count: in one shard of each batch. */
  readonly penalties: boolean;
}

export interface StepReply {
  readonly kind: "step";
  /** Of the loss terms of each task. */
  readonly sums: readonly number[];
  /** Flat, divided by the denominators of the whole batch. */
  readonly gradient: Float32Array;
  /** After the step; of the first replica alone, since they are the same on all. */
  readonly statistics: Float32Array | null;
  readonly outputs: BatchOutputs;
}

export interface ForwardRequest {
  readonly kind: "forward";
  readonly weights: Weights | null;
  readonly rows: number;
  readonly inputs: InputBatch;
  readonly answers: BatchLabels | null;
}

export interface ForwardReply {
  readonly kind: "forward";
  readonly outputs: BatchAnswers;
}

export interface OpenRequest {
  readonly kind: "open";
  readonly setup: ReplicaSetup;
}

export interface OpenReply {
  readonly kind: "open";
  readonly parameterCount: number;
  readonly statisticsCount: number;
}

export interface CloseRequest {
  readonly kind: "close";
}

/** An error as data. `isExpected`: a CoolError, whose message is for people. */
export interface ErrorReply {
  readonly kind: "error";
  readonly isExpected: boolean;
  readonly name: string;
  readonly message: string;
  readonly facts: Facts;
}

/** Numbers that all replicas need from all: asked by a replica between processes, which share no memory. */
export interface GatherMessage {
  readonly kind: "gather";
  readonly values: Float64Array;
}

export type Request = OpenRequest | StepRequest | ForwardRequest | CloseRequest;
export type Reply = OpenReply | StepReply | ForwardReply | ErrorReply;
/** The reply to each kind of request. */
export interface ReplyTo {
  readonly open: OpenReply;
  readonly step: StepReply;
  readonly forward: ForwardReply;
}
