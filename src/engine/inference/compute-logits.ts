/** @file Logits of one batch, computed on this thread's backend. */
import * as tf from "@tensorflow/tfjs-core";
import { tensorflowBackend } from "../backends/tensorflow/binding.js";
import type { InputBatch } from "../model/input-batch.js";
import type { LogitValues } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { UntraceableError } from "../step-graph/untraceable.js";

/** Computes the logits of one batch of inference. @param masked tokens whose hidden word is asked; null: none */
export type ComputeLogits = (inputs: InputBatch, rows: number, masked: Int32Array | null) => LogitValues;

/**
 * Kernel by kernel.
 * @param masked tokens whose hidden word is asked; default none
 * @param training whether dropout drops and batch normalization learns
 */
export function computeLogits(
  network: Network,
  inputs: InputBatch,
  rows: number,
  masked: Int32Array | null = null,
  training = false,
): LogitValues {
  return tf.tidy(() => {
    const logits = network.logitsByAxis(network.inputTensors(inputs, rows), training, masked);
    return { sample: floatsOf(logits.sample), token: floatsOf(logits.token), masked: floatsOf(logits.masked) };
  });
}

const NONE = new Float32Array(0);

function floatsOf(tensor: tf.Tensor | null): Float32Array {
  return tensor === null ? NONE : tensor.dataSync<"float32">();
}

/** So many batches repay the tracing of a graph. */
const WORTH_TRACING = 4;

/**
 * How to compute many batches: on TensorFlow as runs of one graph, where there can be one; else kernel by kernel.
 * @param batchSize no batch is larger
 * @param batches of one shape
 */
export async function openCompute(network: Network, batchSize: number, batches: number): Promise<ComputeLogits> {
  const byKernels: ComputeLogits = (inputs, rows, masked) => computeLogits(network, inputs, rows, masked);
  const backend = tensorflowBackend();
  if (backend === null || batches < WORTH_TRACING) return byKernels;
  const { GraphForward } = await import("../step-graph/graph-forward.js");
  const graph = network.cached(GraphForward, () => new GraphForward(backend, network));
  graph.load();
  return whileTraceable((inputs, rows, masked) => graph.forward(inputs, rows, batchSize, masked), byKernels);
}

/** The first way until it turns out that it cannot be traced, from then on the other. */
export function whileTraceable(byGraph: ComputeLogits, byKernels: ComputeLogits): ComputeLogits {
  let compute: ComputeLogits = (...batch) => {
    try {
      return byGraph(...batch);
    } catch (error) {
      if (!(error instanceof UntraceableError)) throw error;
      compute = byKernels;
      return byKernels(...batch);
    }
  };
  return (...batch) => compute(...batch);
}
