/** @file Layers of one model built once more upon other tensors, with the same settings and weights. */
import type { serialization } from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at } from "../../../arrays.js";
import type { Layer } from "../layer-graph.js";
import type { SymbolicTensor } from "../trunk.js";

/** Settings of a layer, as `getConfig` gives them. */
export type LayerConfig = ReturnType<Layer["getConfig"]>;

export interface ReplayOptions {
  /** Tensors to be built upon, by those of the model whose place they take. */
  readonly given: ReadonlyMap<SymbolicTensor, SymbolicTensor>;
  /** Changes the settings of a copy, its name among them; default: as they are. */
  readonly configure?: (layer: Layer, config: LayerConfig) => LayerConfig;
  /** Whether layers of models within the model become layers of their own. */
  readonly flatten: boolean;
}

export interface Replayed {
  /** In the order of the outputs asked for. */
  readonly outputs: readonly SymbolicTensor[];
  /** Copies by what they are copies of, each after those that it reads. */
  readonly copies: ReadonlyMap<Layer, Layer>;
}

/** A copy does not fit what it is built upon. */
export class LayerMisfit extends Error {
  readonly layer: string;

  constructor(layer: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.layer = layer;
  }
}

/**
 * Builds copies of the layers that lead from given tensors to outputs. A layer that is called several times stays one
 * layer with one set of weights.
 * @throws LayerMisfit where the weights of a layer, or the layer itself, do not fit the given tensors
 */
export function replayLayers(outputs: readonly SymbolicTensor[], options: ReplayOptions): Replayed {
  const copies = new Map<Layer, Layer>();
  const made = new Map(options.given);
  return { outputs: outputs.map((output) => replay(output, made, copies, options)), copies };
}

/** @param made tensors that have been built upon so far; grows */
function replay(
  output: SymbolicTensor,
  made: Map<SymbolicTensor, SymbolicTensor>,
  copies: Map<Layer, Layer>,
  options: ReplayOptions,
): SymbolicTensor {
  // a list of its own instead of recursion: a model may be deeper than the stack
  const waiting = [output];
  for (let tensor = waiting.at(-1); tensor !== undefined; tensor = waiting.at(-1)) {
    const missing = made.has(tensor) ? [] : tensor.inputs.filter((input) => !made.has(input));
    if (missing.length > 0) {
      waiting.push(...missing);
      continue;
    }
    waiting.pop();
    if (!made.has(tensor)) call(tensor, made, copies, options);
  }
  return made.get(output) as SymbolicTensor;
}

/** Builds the call of a layer that puts out a tensor; everything that it reads has been made. */
function call(
  tensor: SymbolicTensor,
  made: Map<SymbolicTensor, SymbolicTensor>,
  copies: Map<Layer, Layer>,
  options: ReplayOptions,
): void {
  const { sourceLayer: layer, nodeIndex } = tensor;
  const node = at(layer.inboundNodes, nodeIndex);
  const inputs = node.inputTensors.map((input) => made.get(input) as SymbolicTensor);
  if (inputs.length === 0) throw new LayerMisfit(layer.name, new Error("it reads another input of the model"));
  if (options.flatten && layer instanceof tfl.LayersModel) {
    const within = new Map(layer.inputs.map((input, i) => [input, at(inputs, i)]));
    node.outputTensors.forEach((output, i) => {
      made.set(output, replay(at(layer.outputs, i), within, copies, options));
    });
    return;
  }
  try {
    const known = copies.get(layer);
    const copy = known ?? copyOf(layer, options);
    const results = [copy.apply(at(inputs, 1) === undefined ? at(inputs, 0) : inputs, node.callArgs)].flat();
    node.outputTensors.forEach((output, i) => {
      made.set(output, results[i] as SymbolicTensor);
    });
    if (known !== undefined) return;
    copies.set(layer, copy);
    copy.setWeights(layer.getWeights());
  } catch (error) {
    throw error instanceof LayerMisfit ? error : new LayerMisfit(layer.name, error);
  }
}

function copyOf(layer: Layer, { configure = (_, config) => config }: ReplayOptions): Layer {
  const Class = layer.constructor as serialization.SerializableConstructor<Layer>;
  const copy = Class.fromConfig(Class, configure(layer, layer.getConfig()));
  // the weights are known, so none need be drawn
  copy.setFastWeightInitDuringBuild(true);
  return copy;
}
