/** @file The user's trunk function: run once, what it returns checked against the declared features. */
import * as tfl from "@tensorflow/tfjs-layers";
import { type InputSpec, inputShape } from "../../data/dataset.js";
import { ConfigError, CoolError, messageOf, UnknownNameError } from "../../errors.js";
import { type Axis, axisOf, type FlowGraph, isPerElement, isPerPixel, type PixelSize } from "../../flow/graph.js";

export type SymbolicTensor = tfl.SymbolicTensor;
/** The tfjs-layers functions (`layers.conv2d`, `layers.dense`, …) that a trunk is built of. */
export type Layers = typeof tfl.layers;

type NamedTensors = Readonly<Record<string, SymbolicTensor>>;

type InputSpecs = Readonly<Record<string, InputSpec>>;

/** Builds the trunk: named inputs (and what they are made of) → named features, each [batch, n], [batch, length, n] for tasks per token, or [batch, height, width, n] for tasks per pixel. */
export type TrunkFunction = (inputs: NamedTensors, layers: Layers, specs: InputSpecs) => NamedTensors;

/**
 * Runs the trunk function on fresh inputs.
 * @throws ConfigError where it fails or does not return the declared features; UnknownNameError where it reads an
 * input, or returns a feature, that is not declared
 */
export function buildTrunk(
  graph: FlowGraph,
  specs: InputSpecs,
  trunk: TrunkFunction,
): { readonly inputs: NamedTensors; readonly features: NamedTensors } {
  const inputs = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, tfl.input({ name, shape: inputShape(spec) })]),
  );
  const returned: unknown = explained("The trunk function fails", () => trunk(onlyKnown(inputs), tfl.layers, specs));
  return { inputs, features: checkedFeatures(graph, returned) };
}

/**
 * The model of a trunk and its heads.
 * @throws ConfigError where the layers do not make a network that can be trained as they say
 */
export function modelOf(inputs: NamedTensors, outputs: SymbolicTensor[]): tfl.LayersModel {
  const model = explained("The trunk's layers do not make a network", () =>
    tfl.model({ inputs: Object.values(inputs), outputs }),
  );
  const unused = Object.keys(inputs).find((name) => !model.layers.some((layer) => layer.name === name));
  if (unused !== undefined) {
    throw new ConfigError(
      `The input "${unused}" reaches no task. Use it in the trunk, or remove it from data.inputs.`,
      { input: unused },
    );
  }
  for (const layer of model.layers) checkLayer(layer);
  return model;
}

/** Names that are not there throw, instead of being undefined. */
function onlyKnown(inputs: NamedTensors): NamedTensors {
  return new Proxy(inputs, {
    get(target, key) {
      if (typeof key === "symbol" || Object.hasOwn(target, key)) return Reflect.get(target, key);
      throw new UnknownNameError("input", key, Object.keys(target), "the trunk function");
    },
  });
}

function checkedFeatures(graph: FlowGraph, returned: unknown): NamedTensors {
  if (typeof returned !== "object" || returned === null || returned instanceof Promise) {
    const what = returned instanceof Promise ? "a promise" : String(returned);
    throw new ConfigError(
      `The trunk function returns ${what} instead of its features. Return { ${graph.features.join(", ")} }.`,
    );
  }
  const features = Object.entries(returned as Record<string, unknown>);
  for (const [name] of features) {
    if (!graph.features.includes(name)) {
      throw new UnknownNameError("feature", name, graph.features, "the trunk's outputs");
    }
  }
  const missing = graph.features.find((name) => !Object.hasOwn(returned, name));
  if (missing !== undefined) {
    const present = features.map(([name]) => name).join(", ") || "nothing";
    throw new ConfigError(`The trunk returns no "${missing}", which is declared in features. It returns ${present}.`, {
      feature: missing,
    });
  }
  for (const [name, feature] of features) checkFeature(name, feature, readersOf(graph, name), sizeOf(graph));
  return Object.fromEntries(features) as NamedTensors;
}

/** What the tasks that read a feature have one answer for. A feature that none reads is as good as one per row. */
function readersOf({ tasks }: FlowGraph, feature: string): Axis {
  const readers = tasks.filter((task) => task.feature === feature);
  const perElement = readers.find(({ spec }) => isPerElement(spec));
  const axis = perElement === undefined ? "sample" : axisOf(perElement.spec);
  const perRow = readers.find(({ spec }) => !isPerElement(spec));
  if (perElement !== undefined && perRow !== undefined) {
    throw new ConfigError(
      `The feature "${feature}" is read by "${perRow.path}", once per row, and by "${perElement.path}", once per ${axis}. Declare a feature for each: [batch, n] and ${axis === "pixel" ? "[batch, height, width, n]" : "[batch, length, n]"}.`,
      { feature, tasks: [perRow.path, perElement.path] },
    );
  }
  return perElement === undefined ? "sample" : axis;
}

/** Of the pictures whose pixels are asked about. */
function sizeOf({ tasks }: FlowGraph): PixelSize | null {
  for (const { spec } of tasks) if (isPerPixel(spec)) return spec.size;
  return null;
}

function checkFeature(
  name: string,
  feature: unknown,
  axis: Axis,
  size: PixelSize | null,
): asserts feature is SymbolicTensor {
  if (!(feature instanceof tfl.SymbolicTensor)) {
    throw new ConfigError(
      `The trunk's "${name}" is not the output of a layer. Apply the layer to its input: layers.flatten().apply(x).`,
      { feature: name },
    );
  }
  const { shape } = feature;
  if (axis === "sample" && shape.length !== 2) {
    throw new ConfigError(
      `The trunk's "${name}" has shape ${describeShape(shape)}, but heads read [batch, n]. End it with layers.flatten() or a global pooling layer.`,
      { feature: name, shape },
    );
  }
  if (axis === "pixel" && size !== null) checkFeatureMap(name, shape, size);
  if (axis === "token" && (shape.length !== 3 || shape[2] === null)) {
    throw new ConfigError(
      `The trunk's "${name}" has shape ${describeShape(shape)}, but heads of tasks per token read [batch, length, n]. Take it before the sequence is flattened or pooled.`,
      { feature: name, shape },
    );
  }
}

/** @throws ConfigError where a feature has no place for each pixel of the picture */
function checkFeatureMap(name: string, shape: readonly (number | null)[], [height, width]: PixelSize): void {
  const [, ownHeight, ownWidth, channels] = shape;
  if (shape.length === 4 && ownHeight === height && ownWidth === width && channels !== null) return;
  const wayOut =
    shape.length === 4
      ? "Bring it to the size of the picture with layers.upSampling2d({ size }) or layers.conv2dTranspose({ strides }), or ask for smaller pictures"
      : "Take it before it is flattened or pooled";
  throw new ConfigError(
    `The trunk's "${name}" has shape ${describeShape(shape)}, but heads of tasks per pixel read a feature map of the picture's size, [batch, ${height}, ${width}, n]. ${wayOut}.`,
    { feature: name, shape, size: [height, width] },
  );
}

/** What tfjs-layers accepts but cannot be trained as written. */
function checkLayer(layer: tfl.layers.Layer): void {
  const empty = layer.inboundNodes
    .flatMap((node) => node.outputTensors)
    .find(({ shape }) => shape.some((size) => size !== null && size < 1));
  if (empty !== undefined) {
    throw new ConfigError(
      `The trunk's layer "${layer.name}" puts out ${describeShape(empty.shape)}: its window is larger than its input. Use fewer strides and pools, padding: "same", or larger inputs.`,
      { layer: layer.name, shape: empty.shape },
    );
  }
  // the update is ours: it does not project weights back after a step
  if (layer.trainableWeights.some(({ constraint }) => constraint != null)) {
    throw new ConfigError(
      `The trunk's layer "${layer.name}" has a constraint on its weights, which training does not apply. Remove it, or take a regularizer.`,
      { layer: layer.name },
    );
  }
}

function describeShape(shape: readonly (number | null)[]): string {
  return `[${shape.map((size, axis) => size ?? (axis === 0 ? "batch" : "length")).join(", ")}]`;
}

/** Errors of tfjs-layers and of the user's code become errors about the configuration. */
function explained<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CoolError) throw error;
    throw new ConfigError(`${what}: ${messageOf(error)}`, {}, { cause: error });
  }
}
