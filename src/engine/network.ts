/** @file The network: the user's trunk and one head per task, as a LayersModel whose heads train merged. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec, InputValues } from "../data/dataset.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import { type HeadLayout, layOutHeads, type TaskColumns } from "./losses.js";
import { withSeededRandom } from "./seeded.js";
import { buildTrunk, inputShape, modelOf, type TrunkFunction } from "./trunk.js";

export type { Layers, SymbolicTensor, TrunkFunction } from "./trunk.js";
export type LayersModel = tfl.LayersModel;

/** Values of the named inputs of one batch, row by row: pixels as 0…255, numbers, ids. */
export type InputBatch = Readonly<Record<string, InputValues>>;

/** Dense heads that read the same feature, trained as one matmul. */
interface HeadGroup {
  /** Position of the feature among the trunk's outputs. */
  readonly output: number;
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
    const tensors = used.map((feature) => featureTensor(graph, full, feature));
    // two features may be the same tensor, but a model's outputs must differ
    const outputs = [...new Set(tensors)];
    this.#trunk = tfl.model({ inputs: full.inputs, outputs });
    this.#groups = used.map((feature, i) => {
      const columns = this.layout.columns.filter(({ task }) => task.feature === feature);
      return mergeHeads(full, outputs.indexOf(tensors[i] as tfl.SymbolicTensor), columns);
    });
  }

  /**
   * Builds trunk and heads with fresh weights that follow `seed`.
   * @throws ConfigError, UnknownNameError where the trunk does not fit the inputs or the declared features
   */
  static build(
    graph: FlowGraph,
    inputs: Readonly<Record<string, InputSpec>>,
    trunk: TrunkFunction,
    seed: number,
  ): Network {
    return withSeededRandom(`${seed}/weights`, () => {
      const { inputs: symbols, features } = buildTrunk(graph, inputs, trunk);
      const { columns } = layOutHeads(graph);
      const heads = graph.tasks.map((task) => {
        const { width } = columns[task.index] as TaskColumns;
        const dense = tfl.layers.dense({ name: task.path, units: width });
        return dense.apply(features[task.feature] as tfl.SymbolicTensor) as tfl.SymbolicTensor;
      });
      return new Network(graph, inputs, modelOf(symbols, heads));
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

  /** Weights without a gradient; a forward pass in training changes some: the averages of batch normalization. */
  get statistics(): tf.Variable[] {
    return this.#trunk.nonTrainableWeights.map((weight) => weight.read() as tf.Variable);
  }

  /** Penalties of the trunk's regularizers, a scalar each. Call inside `tf.tidy`. */
  penalties(): tf.Scalar[] {
    return this.#trunk.calculateLosses();
  }

  /**
   * Logits of all tasks, [rows, layout.width]. Call inside `tf.tidy`.
   * @param training whether dropout drops and batch normalization learns
   */
  logits(batch: InputBatch, rows: number, training: boolean): tf.Tensor2D {
    const inputs = Object.entries(this.inputs).map(([name, spec]) =>
      inputTensor(spec, batch[name] as InputValues, rows),
    );
    const applied = this.#trunk.apply(inputs, { training }) as tf.Tensor | tf.Tensor[];
    const features = Array.isArray(applied) ? applied : [applied];
    const parts = this.#groups.map(
      ({ output, kernel, bias }) =>
        tf.add(tf.matMul(features[output] as tf.Tensor2D, kernel as unknown as tf.Tensor2D), bias) as tf.Tensor2D,
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

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Values of one input as the trunk sees them: pixels 0…255 → [0, 1], numbers and ids as they are. */
function inputTensor(spec: InputSpec, values: InputValues, rows: number): tf.Tensor {
  const shape = inputShape(spec);
  const known = shape.reduce<number>((size, axis) => size * (axis ?? 1), rows);
  const seen = spec.kind === "image" ? toUnit(values) : new Float32Array(values);
  return tf.tensor(seen, [rows, ...shape.map((axis) => axis ?? values.length / known)], "float32");
}

function toUnit(bytes: InputValues): Float32Array {
  const unit = new Float32Array(bytes.length);
  for (let i = 0; i < unit.length; i++) unit[i] = BYTE_TO_UNIT[bytes[i] as number] as number;
  return unit;
}

/** The tensor that the heads of a feature read. */
function featureTensor(graph: FlowGraph, full: tfl.LayersModel, feature: string): tfl.SymbolicTensor {
  const reader = graph.tasks.find((task) => task.feature === feature) as TaskNode;
  return full.getLayer(reader.path).input as tfl.SymbolicTensor;
}

function mergeHeads(full: tfl.LayersModel, output: number, columns: readonly TaskColumns[]): HeadGroup {
  const weights = columns.map(({ task }) => full.getLayer(task.path).getWeights());
  const [kernel, bias] = tf.tidy(() => [
    tf.concat(
      weights.map(([k]) => k as tf.Tensor),
      1,
    ),
    tf.concat(weights.map(([, b]) => b as tf.Tensor)),
  ]) as [tf.Tensor, tf.Tensor];
  const group = { output, columns, kernel: tf.variable(kernel), bias: tf.variable(bias) };
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
