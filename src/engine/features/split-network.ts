/** @file A network in two: what is frozen from a picture on, and what trains behind it. */
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at, f32At, u8At } from "../../arrays.js";
import { type InputSpec, type InputValues, vectorSpec } from "../../data/dataset.js";
import { headLayers, type Layer, withInnerLayers } from "../model/layer-graph.js";
import { Network, type SymbolicTensor } from "../model/network.js";
import { replayLayers } from "../model/pretrained/replay-layers.js";

/** What a frozen trunk puts out, and where it lies among all that it puts out for a picture. */
export interface FrozenFeature {
  /** Name of the input of the part behind it that takes its place. */
  readonly name: string;
  /** Numbers per picture. */
  readonly size: number;
  readonly offset: number;
}

/** What reads one picture or text alone, and always puts out the same for it: frozen layers, or a model beside the network. */
export interface FrozenTrunk {
  /** Name of the input: pictures, or texts where it is a model beside the network. */
  readonly input: string;
  readonly features: readonly FrozenFeature[];
  /** Numbers per picture of all features together. */
  readonly width: number;
  /** Whether sizes are of one token of a text, and there are features for each. */
  readonly perToken?: boolean;
  /** sha256 over all that it computes by, hex. */
  readonly digest: string;
  /**
   * All features of some rows, [rows, width]; for each token [rows, length, width].
   * @param values pixels [rows, height, width, channels], 0 to 255; or ids [rows, length], counted from 1, 0: padding
   */
  compute(values: InputValues, rows: number): Float32Array | Promise<Float32Array>;
}

/** A network whose frozen part runs by itself. */
export interface SplitNetwork {
  readonly trunks: readonly FrozenTrunk[];
  /** The part that trains, with features among its inputs. The one who splits disposes it. */
  readonly tail: Network;
  /** Brings the whole network up to date with the part that trains. */
  writeBack(): void;
}

/**
 * Splits a network behind its frozen layers.
 * @param freeze as the network was built with
 * @returns null where nothing with weights is frozen from a picture on
 */
export function splitNetwork(whole: Network, freeze: readonly string[] = []): SplitNetwork | null {
  const { graph, inputs: specs, model } = whole;
  const heads = new Set(graph.tasks.flatMap(({ path }) => headLayers(model, path)));
  const origins = frozenTensors(model, specs, heads);
  const borders = bordersOf(model, origins);
  const trunks = Object.keys(specs).flatMap((input) => {
    const own = borders.filter((tensor) => origins.get(tensor) === input);
    const entrance = model.inputs.find((tensor) => nameOf(tensor) === input);
    if (entrance === undefined || own.length === 0) return [];
    return [trunkOf(input, entrance, own)];
  });
  if (trunks.length === 0) return null;
  const tail = buildTail(whole, trunks, borders, freeze);
  return {
    trunks,
    tail,
    writeBack: () => whole.change((to) => copyWeights(tail.model, to)),
  };
}

/** Tensors that are the same for a picture at every step, by the image input that they come from alone. */
function frozenTensors(
  model: tfl.LayersModel,
  specs: Readonly<Record<string, InputSpec>>,
  heads: ReadonlySet<Layer>,
): ReadonlyMap<SymbolicTensor, string> {
  const origins = new Map<SymbolicTensor, string>();
  for (const input of model.inputs) {
    if (specs[nameOf(input)]?.kind === "image") origins.set(input, nameOf(input));
  }
  // layers come in the order in which they can be computed
  for (const layer of model.layers) {
    if (heads.has(layer) || !isConstant(layer)) continue;
    for (const { inputTensors, outputTensors } of layer.inboundNodes) {
      const [origin, ...more] = new Set(inputTensors.map((tensor) => origins.get(tensor) ?? null));
      if (origin == null || more.length > 0) continue;
      for (const tensor of outputTensors) if (isFixed(tensor)) origins.set(tensor, origin);
    }
  }
  return origins;
}

/** An input's name: that of its tensor counts up through the process. */
function nameOf({ sourceLayer }: SymbolicTensor): string {
  return sourceLayer.name;
}

function isFixed({ shape }: SymbolicTensor): boolean {
  return shape.slice(1).every((size) => size !== null);
}

const NOISY = new Set(["Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "GaussianNoise"]);

/** Whether a layer computes the same in every step: it trains nothing, penalizes nothing, and does nothing at random. */
function isConstant(layer: Layer): boolean {
  return layer.trainableWeights.length === 0 && layer.losses.length === 0 && !withInnerLayers([layer]).some(changes);
}

/** Noise, and averages that move. */
function changes(layer: Layer): boolean {
  const kind = layer.getClassName();
  return layer.trainable && (NOISY.has(kind) || kind === "BatchNormalization");
}

/** Frozen tensors that something else reads, unless next to nothing leads to them. */
function bordersOf(model: tfl.LayersModel, origins: ReadonlyMap<SymbolicTensor, string>): SymbolicTensor[] {
  const read = new Set(model.outputs.filter((tensor) => origins.has(tensor)));
  for (const tensor of tensorsBefore(model.outputs)) {
    if (origins.has(tensor)) continue;
    for (const input of tensor.inputs) if (origins.has(input)) read.add(input);
  }
  const behind = [...read].filter((tensor) => [...tensorsBefore([tensor])].some(isWorthwhile));
  return [...new Set(behind.map(withoutReshapes))];
}

/** Whether a layer is worth being run once alone: one that changes the pixels of the input one by one is not. */
function isWorthwhile(tensor: SymbolicTensor): boolean {
  if (!hasWeights(tensor)) return false;
  const { kernelSize } = tensor.sourceLayer.getConfig();
  const isPointwise = Array.isArray(kernelSize) && kernelSize.every((size) => size === 1);
  return !(isPointwise && tensor.inputs.every(({ inputs }) => inputs.length === 0));
}

function hasWeights({ sourceLayer }: SymbolicTensor): boolean {
  return sourceLayer.weights.length > 0;
}

/** What layers without weights made no smaller is cut before them: it may be read in several shapes. */
function withoutReshapes(tensor: SymbolicTensor): SymbolicTensor {
  let cut = tensor;
  for (;;) {
    const [input, ...more] = cut.inputs;
    if (input === undefined || more.length > 0 || hasWeights(cut) || sizeOf(input) > sizeOf(cut)) return cut;
    cut = input;
  }
}

/** Some tensors, and all that they are computed from. */
function tensorsBefore(tensors: readonly SymbolicTensor[]): ReadonlySet<SymbolicTensor> {
  const seen = new Set(tensors);
  // a set hands out what is added while it is walked
  for (const tensor of seen) for (const input of tensor.inputs) seen.add(input);
  return seen;
}

function trunkOf(input: string, entrance: SymbolicTensor, borders: readonly SymbolicTensor[]): FrozenTrunk {
  const model = tfl.model({ inputs: entrance, outputs: [...borders] });
  let width = 0;
  const features = borders.map((tensor, i) => {
    const feature = { name: `${input}.frozen.${i}`, size: sizeOf(tensor), offset: width };
    width += feature.size;
    return feature;
  });
  return {
    ...{ input, features, width },
    digest: digestOf(model, borders),
    compute(pixels: Uint8Array, rows) {
      let values: Float32Array = new Float32Array(0);
      // tidy looks for tensors among all the numbers that it is given back
      tf.tidy(() => {
        const seen = tf.tensor(toUnit(pixels), [rows, ...(entrance.shape.slice(1) as number[])]);
        const outputs = [model.apply(seen, { training: false })].flat();
        const flat = outputs.map((output) => tf.reshape(output as tf.Tensor, [rows, -1]));
        values = tf.concat(flat, 1).dataSync<"float32">();
      });
      return values;
    },
  };
}

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

function toUnit(bytes: Uint8Array): Float32Array {
  const unit = new Float32Array(bytes.length);
  for (let i = 0; i < unit.length; i++) unit[i] = f32At(BYTE_TO_UNIT, u8At(bytes, i));
  return unit;
}

function sizeOf({ shape }: SymbolicTensor): number {
  return shape.slice(1).reduce<number>((size, axis) => size * (axis ?? 1), 1);
}

/** Of what is computed, whatever its layers are called. */
function digestOf({ layers }: tfl.LayersModel, borders: readonly SymbolicTensor[]): string {
  const hash = createHash("sha256");
  const placeOf = ({ sourceLayer, nodeIndex, tensorIndex }: SymbolicTensor): number[] => [
    layers.indexOf(sourceLayer),
    nodeIndex,
    tensorIndex,
  ];
  for (const layer of layers) {
    const { name: _, ...config } = layer.getConfig();
    const reads = layer.inboundNodes.map(({ inputTensors }) => inputTensors.map(placeOf));
    hash.update(JSON.stringify([layer.getClassName(), config, reads]));
    for (const weight of layer.getWeights()) {
      const values = weight.dataSync();
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  }
  return hash.update(JSON.stringify(borders.map(placeOf))).digest("hex");
}

/** The part behind the borders, with copies of its layers upon inputs of its own. */
function buildTail(
  { graph, inputs: specs, model, layers }: Network,
  trunks: readonly FrozenTrunk[],
  borders: readonly SymbolicTensor[],
  freeze: readonly string[],
): Network {
  const features = trunks.flatMap((trunk) => trunk.features);
  const given = new Map<SymbolicTensor, SymbolicTensor>([
    ...model.inputs.map((input) => [input, tfl.input({ name: nameOf(input), shape: input.shape.slice(1) })] as const),
    ...features.map((feature, i) => [at(borders, i), featureInput(feature, at(borders, i))] as const),
  ]);
  const { outputs } = replayLayers(model.outputs, { given, flatten: false });
  const used = [...tensorsBefore(outputs)].filter(({ inputs }) => inputs.length === 0);
  const tailSpecs = Object.fromEntries([
    ...Object.entries(specs).filter(([name]) => used.some((tensor) => nameOf(tensor) === name)),
    ...features.map((feature) => [feature.name, vectorSpec(feature.name, feature.size)] as const),
  ]);
  const inputs = Object.keys(tailSpecs).map((name) => used.find((tensor) => nameOf(tensor) === name));
  const tail = Network.fromModel(
    graph,
    tailSpecs,
    tfl.model({ inputs: inputs.filter((tensor) => tensor !== undefined), outputs: [...outputs] }),
    { freeze: freeze.filter((name) => !graph.features.includes(name)) },
  );
  assertSameOrder(layers, tail.layers);
  return tail;
}

/** A border's place in the part behind it: the feature as a vector, and again in its own shape. */
function featureInput({ name, size }: FrozenFeature, { shape }: SymbolicTensor): SymbolicTensor {
  const vector = tfl.input({ name, shape: [size] });
  if (shape.length === 2) return vector;
  const targetShape = shape.slice(1) as number[];
  return tfl.layers.reshape({ name: `${name}.shaped`, targetShape }).apply(vector) as SymbolicTensor;
}

/** An optimizer's state lies in the order of the weights: it must be the same in the whole and in its part. */
function assertSameOrder(whole: readonly Layer[], tail: readonly Layer[]): void {
  const trained = (layers: readonly Layer[]): string =>
    layers.flatMap(({ name, trainableWeights }) => (trainableWeights.length > 0 ? [name] : [])).join(" ");
  if (trained(whole) !== trained(tail)) throw new Error("the part that trains has its layers in another order");
}

function copyWeights(from: tfl.LayersModel, to: tfl.LayersModel): void {
  for (const layer of from.layers) {
    if (layer.weights.length > 0) to.getLayer(layer.name).setWeights(layer.getWeights());
  }
}
