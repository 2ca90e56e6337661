/** @file The network: the user's trunk and one head per task, as a LayersModel whose heads train merged. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec } from "../data/dataset.js";
import { ConfigError, UnknownNameError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { type HeadLayout, layOutHeads, type TaskColumns } from "./losses.js";
import { withSeededRandom } from "./seeded.js";

export type SymbolicTensor = tfl.SymbolicTensor;
export type LayersModel = tfl.LayersModel;
/** The tfjs-layers functions (`layers.conv2d`, `layers.dense`, …) that a trunk is built of. */
export type Layers = typeof tfl.layers;

/** Builds the trunk: named inputs → named features, each [batch, n]. */
export type TrunkFunction = (
  inputs: Readonly<Record<string, SymbolicTensor>>,
  layers: Layers,
) => Readonly<Record<string, SymbolicTensor>>;

/** Values of the named inputs of one batch: pixels as 0…255, [rows, height, width, channels] flattened. */
export type InputBatch = Readonly<Record<string, Uint8Array>>;

/** Dense heads that read the same feature, trained as one matmul. */
interface HeadGroup {
  readonly feature: number;
  readonly columns: readonly TaskColumns[];
  /** [features, units of all tasks] */
  readonly kernel: tf.Variable;
  /** [units of all tasks] */
  readonly bias: tf.Variable;
}

/** Owns the model's tensors: `dispose` frees them. */
export class Network {
  readonly graph: FlowGraph;
  readonly layout: HeadLayout;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly #full: tfl.LayersModel;
  readonly #trunk: tfl.LayersModel;
  readonly #groups: readonly HeadGroup[];

  private constructor(graph: FlowGraph, inputs: Readonly<Record<string, InputSpec>>, full: tfl.LayersModel) {
    this.graph = graph;
    this.inputs = inputs;
    this.layout = layOutHeads(graph);
    this.#full = full;
    const used = graph.features.filter((feature) => graph.tasks.some((task) => task.feature === feature));
    const firstHead = (feature: string) => graph.tasks.find((task) => task.feature === feature)?.path ?? "";
    this.#trunk = tfl.model({
      inputs: full.inputs,
      outputs: used.map((feature) => full.getLayer(firstHead(feature)).input as tfl.SymbolicTensor),
    });
    this.#groups = used.map((feature, index) => {
      const columns = this.layout.columns.filter(({ task }) => task.feature === feature);
      return mergeHeads(full, index, columns);
    });
  }

  /**
   * Builds trunk and heads with fresh weights that follow `seed`.
   * @throws ConfigError where the trunk's outputs do not fit the declared features
   */
  static build(
    graph: FlowGraph,
    inputs: Readonly<Record<string, InputSpec>>,
    trunk: TrunkFunction,
    seed: number,
  ): Network {
    return withSeededRandom(`${seed}/weights`, () => {
      const symbols = Object.fromEntries(
        Object.entries(inputs).map(([name, spec]) => [name, tfl.input({ name, shape: inputShape(spec) })]),
      );
      const features = runTrunk(graph, trunk, symbols);
      const heads = graph.tasks.map((task) => {
        const { width } = layOutHeads(graph).columns[task.index] as TaskColumns;
        const dense = tfl.layers.dense({ name: task.path, units: width });
        return dense.apply(features[task.feature] as tfl.SymbolicTensor) as tfl.SymbolicTensor;
      });
      return new Network(graph, inputs, tfl.model({ inputs: Object.values(symbols), outputs: heads }));
    });
  }

  /** Wraps a loaded model: one output per task of the graph, made by a dense layer named by the task's path. */
  static fromModel(graph: FlowGraph, inputs: Readonly<Record<string, InputSpec>>, model: tfl.LayersModel): Network {
    return new Network(graph, inputs, model);
  }

  /** Everything that a training step changes by gradient: the trunk's weights, then the heads'. */
  get trainable(): tf.Variable[] {
    const trunk = this.#trunk.trainableWeights.map((weight) => weight.read() as tf.Variable);
    return [...trunk, ...this.#groups.flatMap(({ kernel, bias }) => [kernel, bias])];
  }

  /**
   * Logits of all tasks, [rows, layout.width]. Call inside `tf.tidy`.
   * @param training whether dropout drops and batch normalization learns
   */
  logits(batch: InputBatch, rows: number, training: boolean): tf.Tensor2D {
    const inputs = Object.entries(this.inputs).map(([name, spec]) => inputTensor(spec, batch[name], rows));
    const output = this.#trunk.apply(inputs, { training }) as tf.Tensor | tf.Tensor[];
    const features = Array.isArray(output) ? output : [output];
    const parts = this.#groups.map(
      ({ feature, kernel, bias }) =>
        tf.add(tf.matMul(features[feature] as tf.Tensor2D, kernel as unknown as tf.Tensor2D), bias) as tf.Tensor2D,
    );
    return parts.length === 1 ? (parts[0] as tf.Tensor2D) : tf.concat(parts, 1);
  }

  /** The plain LayersModel with the current weights: one output of logits per task, in the order of the graph. */
  get model(): tfl.LayersModel {
    for (const group of this.#groups) splitHeads(this.#full, group);
    return this.#full;
  }

  dispose(): void {
    for (const { kernel, bias } of this.#groups) tf.dispose([kernel, bias]);
    this.#full.dispose();
  }
}

function inputShape(spec: InputSpec): number[] {
  switch (spec.kind) {
    case "image":
      return [...spec.size, spec.channels];
    default:
      return spec.kind satisfies never;
  }
}

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Pixels 0…255 → [0, 1]. */
function inputTensor(spec: InputSpec, values: Uint8Array | undefined, rows: number): tf.Tensor {
  const shape = [rows, ...inputShape(spec)];
  const scaled = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < scaled.length; i++) scaled[i] = BYTE_TO_UNIT[values?.[i] ?? 0] as number;
  return tf.tensor(scaled, shape, "float32");
}

function runTrunk(
  graph: FlowGraph,
  trunk: TrunkFunction,
  symbols: Readonly<Record<string, tfl.SymbolicTensor>>,
): Readonly<Record<string, tfl.SymbolicTensor>> {
  const named = new Proxy(symbols, {
    get(target, key) {
      if (typeof key === "symbol" || Object.hasOwn(target, key)) return Reflect.get(target, key);
      throw new UnknownNameError("input", key, Object.keys(target), "the trunk function");
    },
  });
  const features = trunk(named, tfl.layers);
  const missing = graph.features.find((name) => !Object.hasOwn(features, name));
  if (missing !== undefined) {
    throw new ConfigError(
      `The trunk returns no "${missing}", which is declared in features. It returns ${Object.keys(features).join(", ") || "nothing"}.`,
      { feature: missing },
    );
  }
  for (const [name, symbol] of Object.entries(features)) {
    if (!graph.features.includes(name)) {
      throw new UnknownNameError("feature", name, graph.features, "the trunk's outputs");
    }
    if (symbol.shape.length !== 2) {
      throw new ConfigError(
        `The trunk's "${name}" has shape [${symbol.shape.map((d) => d ?? "batch").join(", ")}], but heads read [batch, n]. End it with layers.flatten() or a global pooling layer.`,
        { feature: name, shape: symbol.shape },
      );
    }
  }
  return features;
}

function mergeHeads(full: tfl.LayersModel, feature: number, columns: readonly TaskColumns[]): HeadGroup {
  const weights = columns.map(({ task }) => full.getLayer(task.path).getWeights());
  const [kernel, bias] = tf.tidy(() => [
    tf.concat(
      weights.map(([k]) => k as tf.Tensor),
      1,
    ),
    tf.concat(weights.map(([, b]) => b as tf.Tensor)),
  ]) as [tf.Tensor, tf.Tensor];
  const group = { feature, columns, kernel: tf.variable(kernel), bias: tf.variable(bias) };
  tf.dispose([kernel, bias]);
  return group;
}

/** Copies the merged weights back into the dense layer of each task. */
function splitHeads(full: tfl.LayersModel, group: HeadGroup): void {
  tf.tidy(() => {
    const widths = group.columns.map(({ width }) => width);
    const kernels = tf.split(group.kernel as tf.Tensor, widths, 1);
    const biases = tf.split(group.bias as tf.Tensor, widths);
    group.columns.forEach(({ task }, i) => {
      full.getLayer(task.path).setWeights([kernels[i] as tf.Tensor, biases[i] as tf.Tensor]);
    });
  });
}
