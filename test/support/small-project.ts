/** @file A conditional flow on tiny images, its data made in memory, for tests of the engine. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { ImageInputSpec, InputSource, InputSpec } from "../../src/data/dataset.js";
import { createRandom } from "../../src/data/rng.js";
import { readInputs } from "../../src/engine/batches/batch-reader.js";
import { type BatchTargets, gatherTargets } from "../../src/engine/batches/targets.js";
import { layOutHeads } from "../../src/engine/model/layout.js";
import type { Network, SymbolicTensor, TrunkFunction } from "../../src/engine/model/network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import type { OptimizerConfig } from "../../src/engine/optimization/optimizer.js";
import { EagerSteps } from "../../src/engine/optimization/eager-step.js";
import { Trainer, type TrainerConfig } from "../../src/engine/optimization/trainer.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph, TaskSpec } from "../../src/flow/graph.js";
import { activeRows, answerWidth, bothMasks, labelledRows, type RowMask } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression, classification, type Labels, multilabel } from "../../src/tasks/index.js";

const definitions = defineTasks({
  features: ["common", "place"],
  tasks: {
    present: binary(),
    x: boundedRegression({ max: 64, lossWeight: 20 }),
    colors: multilabel({ labels: ["red", "green", "blue"] }),
    shirt: classification({ classes: ["a", "b", "c", "d"], lossWeight: 0.5 }),
    y: boundedRegression({ max: 64, lossWeight: 20 }),
  },
})
  .flow("person", (flow, x, out) => {
    out.add(flow.x(x.place));
    out.add(flow.colors(x.common));
    out.add(flow.shirt(x.common));
    out.add(flow.y(x.place));
  })
  .flow("all", (flow, x, out) => {
    out.add(flow.present(x.common));
    out.add(flow.person(x).given(out.present));
  });

/** Five tasks, four of them asked only of rows with `present`, on two features. */
export const graph: FlowGraph = traceFlow(definitions, "all");
export const layout = layOutHeads(graph);

export const IMAGE: ImageInputSpec = { kind: "image", column: "image", size: [8, 8], channels: 3 };
export const INPUTS: Readonly<Record<string, InputSpec>> = { image: IMAGE };

type Layers = Parameters<TrunkFunction>[1];
type Layer = tfl.layers.Layer;

/** Two convolutions and a dense layer per feature, smooth everywhere; `extra` comes after the first convolution. */
export function trunkWith(extra: (layers: Layers) => readonly Layer[] = () => []): TrunkFunction {
  return ({ image }, layers) => {
    const conv = (filters: number) =>
      layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" });
    const stack = [conv(4), ...extra(layers), conv(6), layers.flatten()];
    const shared = chain(image as SymbolicTensor, stack);
    return {
      common: chain(shared, [layers.dense({ units: 7, activation: "tanh" })]),
      place: chain(shared, [layers.dense({ units: 5, activation: "tanh" })]),
    };
  };
}

export const plainTrunk = trunkWith();
export const dropoutTrunk = trunkWith((layers) => [layers.dropout({ rate: 0.3 })]);
/** Everything that has a state or a penalty of its own. */
export const richTrunk = trunkWith((layers) => [
  layers.batchNormalization({ momentum: 0.9 }),
  layers.dropout({ rate: 0.3 }),
  layers.conv2d({ filters: 4, kernelSize: 1, kernelRegularizer: "l1l2" }),
]);

function chain(x: SymbolicTensor, layers: readonly Layer[]): SymbolicTensor {
  return layers.reduce((input, layer) => layer.apply(input) as SymbolicTensor, x);
}

/** What training reads of a dataset. */
export interface SmallData {
  readonly rows: Int32Array;
  readonly inputs: Readonly<Record<string, InputSource>>;
  readonly labels: readonly Labels[];
  /** Active by ground truth and labelled. */
  readonly masks: readonly RowMask[];
}

/** Random images and labels, a tenth of the numbers missing. */
export function makeData(count: number, seed = "data"): SmallData {
  const random = createRandom(seed);
  const labels = graph.tasks.map(({ spec }) => ({ answers: randomAnswers(spec, count, random.next), unitScale: null }));
  const answers = labels.map((label) => label.answers);
  const active = activeRows(graph, answers, count);
  return {
    rows: Int32Array.from({ length: count }, (_, row) => row),
    inputs: { image: randomImages(count, random.int) },
    labels,
    masks: graph.tasks.map(({ index, spec }) =>
      bothMasks(active[index] as RowMask, labelledRows(spec, answers[index] as Float32Array)),
    ),
  };
}

function randomAnswers(spec: TaskSpec, count: number, next: () => number): Float32Array {
  return Float32Array.from({ length: count * answerWidth(spec) }, () => {
    if (next() < 0.1) return Number.NaN;
    if (spec.kind === "boundedRegression") return next() * 64;
    return Math.floor(next() * (spec.kind === "classification" ? spec.classes.length : 2));
  });
}

/** [count, 8, 8, 3] */
function randomImages(count: number, int: (bound: number) => number): InputSource {
  const size = 8 * 8 * 3;
  const pixels = Uint8Array.from({ length: count * size }, () => int(256));
  return {
    spec: IMAGE,
    read: (rows) =>
      Uint8Array.from({ length: rows.length * size }, (_, i) => {
        const row = rows[Math.floor(i / size)] as number;
        return pixels[row * size + (i % size)] as number;
      }),
    close: () => {},
  };
}

/** Inputs and targets of some rows. */
export function batchOf(
  network: Network,
  data: SmallData,
  rows: ArrayLike<number> = data.rows,
): { readonly inputs: InputBatch; readonly targets: BatchTargets } {
  return {
    inputs: readInputs(network, data, rows),
    targets: gatherTargets(network.layout, data.labels, data.masks, rows),
  };
}

export const ADAMW: OptimizerConfig = {
  kind: "adamw",
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 1e-3,
};
export const SGD: OptimizerConfig = {
  kind: "sgd",
  learningRate: 1e-2,
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
};

export function trainerOf(network: Network, changes: Partial<TrainerConfig> = {}): Trainer {
  return new Trainer(network, { optimizer: ADAMW, batchSize: 8, clipNorm: null, seed: 5, ...changes });
}

/** Values of all weights, in the order of `network.trainable`, then the statistics. */
export function weightsOf(network: Network): Float32Array[] {
  return [...network.trainable, ...network.statistics].map((variable) => valuesOf(variable as tf.Tensor));
}

/** A flat vector over all of `network.trainable`, weight by weight. */
export function splitWeights(flat: Float32Array, network: Network): Float32Array[] {
  let at = 0;
  return network.trainable.map(({ size }) => {
    at += size;
    return flat.slice(at - size, at);
  });
}

export function setWeight(variable: tf.Variable, values: Float32Array): void {
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
}

/** A copy: the cpu backend hands out its own array. */
export function valuesOf(tensor: tf.Tensor): Float32Array {
  return (tensor.dataSync() as Float32Array).slice();
}

/** Tensors and the memory blocks under them. */
export function counts(): { readonly tensors: number; readonly blocks: number } {
  const { numTensors, numDataBuffers } = tf.memory();
  return { tensors: numTensors, blocks: numDataBuffers };
}

/** Logits of each task by the model's own layers, as plain tfjs computes them. */
export function predictPlainly(network: Network, data: SmallData, rows: ArrayLike<number>): Float32Array[] {
  const { image } = readInputs(network, data, rows);
  const pixels = Float32Array.from(image as Uint8Array, (byte) => byte / 255);
  return tf.tidy(() => {
    const outputs = network.model.predict(tf.tensor(pixels, [rows.length, 8, 8, 3])) as tf.Tensor[];
    return outputs.map(valuesOf);
  });
}

/** The flat gradient of a trainer's latest step, clipped, in the order of `network.trainable`. */
export function latestGradient({ engine }: Trainer): Float32Array {
  if (engine instanceof EagerSteps) return engine.gradient;
  throw new Error("only the eager engine keeps its gradient");
}
