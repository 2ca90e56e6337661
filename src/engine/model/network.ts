/** @file The network: the user's trunk and one head per task, as a LayersModel whose heads train merged. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at, f32At } from "../../arrays.js";
import { type InputSpec, type InputValues, inputShape } from "../../data/dataset.js";
import { type FlowGraph, pixelsPerSample } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import { trainDilated } from "../backends/dilated.js";
import { broadcastNormalization } from "../backends/layer-normalization.js";
import { trainNormalization } from "../backends/normalization.js";
import { type FrozenParts, freezeLayers, frozenNames } from "./freeze.js";
import { buildHead, fixSharedHeads } from "./heads.js";
import { type Layer, withInnerLayers } from "./layer-graph.js";
import { type HeadLayout, type LogitAxis, layOutHeads, type TaskColumns } from "./layout.js";
import { asMatrix, groupHeads, MergedHeads, type OnFeature } from "./merged-heads.js";
import { withSeededRandom } from "./seeded.js";
import { changedLength, isSequence } from "./padded-tokens.js";
import type { InputBatch } from "./input-batch.js";
import { buildTrunk, modelOf, type TrunkFunction } from "./trunk.js";

export type { Layers, SymbolicTensor, TrunkFunction } from "./trunk.js";
export type LayersModel = tfl.LayersModel;

/** Logits of one batch, axis by axis; null where no task has a head along the axis. */
export interface BatchLogits {
  /** [rows, layout.width] */
  readonly sample: tf.Tensor2D | null;
  /** [rows × padded length, layout.tokenWidth] */
  readonly token: tf.Tensor2D | null;
  /** [masked tokens, layout.maskedWidth]; a row for the first token where none is masked. */
  readonly masked: tf.Tensor2D | null;
}

/** What training leaves alone. */
export interface NetworkOptions {
  /** Names of features, tasks and flows that get no update. */
  readonly freeze?: readonly string[];
}

/** Owns the model's tensors: `dispose` frees them. */
export class Network {
  readonly graph: FlowGraph;
  readonly layout: HeadLayout;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly frozen: FrozenParts;
  readonly #full: tfl.LayersModel;
  readonly #trunk: tfl.LayersModel;
  readonly #heads: readonly MergedHeads[];
  /** Logits of tasks with heads of their own, which train with the trunk: indices among its outputs. */
  readonly #customOutputs: readonly { readonly output: number; readonly axis: LogitAxis }[];
  readonly #cachedValues = new Map<object, { dispose(): void }>();

  private constructor(
    graph: FlowGraph,
    inputs: Readonly<Record<string, InputSpec>>,
    full: tfl.LayersModel,
    { freeze = [] }: NetworkOptions,
  ) {
    this.graph = graph;
    this.inputs = inputs;
    this.layout = layOutHeads(graph);
    this.#full = full;
    trainDilated(withInnerLayers(full.layers));
    trainNormalization(withInnerLayers(full.layers));
    broadcastNormalization(withInnerLayers(full.layers));
    fixSharedHeads(full, graph);
    const frozen = frozenNames(graph, freeze);
    this.frozen = freezeLayers(full, graph, frozen);
    const withHead = (head: string): readonly TaskColumns[] =>
      this.layout.columns.filter(({ task: { spec } }) => behaviourOf(spec).head(spec) === head);
    const groups = groupHeads(withHead("dense"), frozen.tasks);
    const features = groups.map((group) => layerOf(full, at(group, 0)).input as tfl.SymbolicTensor);
    const customHeads = [...withHead("shared"), ...withHead("custom")];
    const own = customHeads.map((columns) => layerOf(full, columns).output as tfl.SymbolicTensor);
    // two features may be the same tensor, but a model's outputs must differ
    const outputs = [...new Set([...features, ...own])];
    this.#trunk = tfl.model({ inputs: full.inputs, outputs });
    this.#heads = groups.map((group, i) => {
      const isFrozen = frozen.tasks.has(at(group, 0).task.path);
      return new MergedHeads(full, group, outputs.indexOf(at(features, i)), isFrozen);
    });
    this.#customOutputs = customHeads.map(({ axis }, i) => ({ axis, output: outputs.indexOf(at(own, i)) }));
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
    options: NetworkOptions = {},
  ): Network {
    return withSeededRandom(`${seed}/weights`, () => {
      const { inputs: symbols, features } = buildTrunk(graph, inputs, trunk);
      const { columns } = layOutHeads(graph);
      const heads = graph.tasks.flatMap((task) => {
        const { width } = at(columns, task.index);
        const feature = task.feature === null ? undefined : features[task.feature];
        return feature === undefined ? [] : [buildHead(task, feature, width)];
      });
      return new Network(graph, inputs, modelOf(symbols, heads), options);
    });
  }

  /** Wraps a loaded model: one output per task of the graph that has a head, made by a layer named by its path. */
  static fromModel(
    graph: FlowGraph,
    inputs: Readonly<Record<string, InputSpec>>,
    model: tfl.LayersModel,
    options: NetworkOptions = {},
  ): Network {
    return new Network(graph, inputs, model, options);
  }

  /** Everything that a training step changes by gradient: the trunk's weights, then the heads'. */
  get trainable(): tf.Variable[] {
    const trunk = this.#trunk.trainableWeights.map((weight) => weight.read() as tf.Variable);
    return [...trunk, ...this.#heads.flatMap(({ trainable }) => trainable)];
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
    return this.logitsOf(this.inputTensors(batch, rows), training);
  }

  /** Inputs of a batch as the trunk sees them, in the order of `inputs`. Call inside `tf.tidy`. */
  inputTensors(batch: InputBatch, rows: number): tf.Tensor[] {
    return Object.entries(this.inputs).map(([name, spec]) => inputTensor(spec, batch[name] as InputValues, rows));
  }

  /** The same as {@link logits}, of tensors: a gradient with respect to them can be taken. */
  logitsOf(inputs: tf.Tensor[], training: boolean): tf.Tensor2D {
    const { sample } = this.logitsByAxis(inputs, training, null);
    if (sample === null) throw new Error("no task of the graph is asked once per row");
    return sample;
  }

  /**
   * Logits of all axes. Call inside `tf.tidy`.
   * @param masked tokens whose hidden word is asked, as row × length + position; null: not asked at all
   * @param onFeature stands between the features and the dense heads that read them
   */
  logitsByAxis(
    inputs: tf.Tensor[],
    training: boolean,
    masked: Int32Array | tf.Tensor1D | null,
    onFeature?: OnFeature,
  ): BatchLogits {
    const applied = this.#trunk.apply(inputs, { training }) as tf.Tensor | tf.Tensor[];
    const features = Array.isArray(applied) ? applied : [applied];
    this.#assertLengths(inputs, features);
    const logitsIn = (axis: LogitAxis): tf.Tensor2D[] => [
      ...this.#heads.filter((heads) => heads.axis === axis).map((heads) => heads.logits(features, masked, onFeature)),
      ...this.#customOutputs.filter((own) => own.axis === axis).map(({ output }) => asMatrix(at(features, output))),
    ];
    return {
      sample: sideBySide(logitsIn("sample")),
      token: sideBySide(logitsIn("token")),
      masked: masked === null ? null : sideBySide(logitsIn("masked")),
    };
  }

  /** @throws ConfigError where a feature of tasks per token is not as long as the tokens */
  #assertLengths(inputs: readonly tf.Tensor[], features: readonly tf.Tensor[]): void {
    // pixels have their places from the start
    if (pixelsPerSample(this.graph) !== null) return;
    const tokens = inputs[Object.values(this.inputs).findIndex(isSequence)]?.shape[1];
    for (const { axis, output } of [...this.#heads, ...this.#customOutputs]) {
      const length = features[output]?.shape[1];
      if (axis !== "sample" && length !== tokens) throw changedLength(tokens, length);
    }
  }

  /** The plain LayersModel with the current weights: logits of each task with a head, in the order of the graph. */
  get model(): tfl.LayersModel {
    for (const heads of this.#heads) heads.split();
    return this.#full;
  }

  /** Layers of the trunk, and of heads of tasks' own; dense heads run merged. */
  get layers(): readonly Layer[] {
    return this.#trunk.layers;
  }

  /** Changes the weights of the plain model, and goes on with these. */
  change<T>(work: (model: tfl.LayersModel) => T): T {
    const result = work(this.model);
    for (const heads of this.#heads) heads.reread();
    return result;
  }

  /**
   * Something that is made once for this network, and disposed with it.
   * @param key what it is
   */
  cached<T extends { dispose(): void }>(key: new (...args: never[]) => T, make: () => T): T {
    const cached = this.#cachedValues.get(key) ?? make();
    this.#cachedValues.set(key, cached);
    return cached as T;
  }

  dispose(): void {
    for (const cached of this.#cachedValues.values()) cached.dispose();
    for (const heads of this.#heads) heads.dispose();
    this.#full.dispose();
  }
}

function sideBySide(parts: readonly tf.Tensor2D[]): tf.Tensor2D | null {
  if (parts.length < 2) return parts[0] ?? null;
  return tf.concat([...parts], 1);
}

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Values of one input as the trunk sees them: pixels 0…255 → [0, 1], numbers and ids as they are. */
function inputTensor(spec: InputSpec, values: InputValues, rows: number): tf.Tensor {
  const shape = inputShape(spec);
  const fixed = shape.reduce<number>((size, axis) => size * (axis ?? 1), rows);
  const seen = spec.kind === "image" ? toUnit(values) : new Float32Array(values);
  return tf.tensor(seen, [rows, ...shape.map((axis) => axis ?? values.length / fixed)], "float32");
}

function toUnit(bytes: InputValues): Float32Array {
  const unit = new Float32Array(bytes.length);
  for (let i = 0; i < unit.length; i++) unit[i] = f32At(BYTE_TO_UNIT, bytes[i] as number);
  return unit;
}

/** The last layer of a task's head. */
function layerOf(full: tfl.LayersModel, { task }: TaskColumns): tfl.layers.Layer {
  return full.getLayer(task.path);
}
