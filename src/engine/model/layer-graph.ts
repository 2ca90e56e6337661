/** @file Layers of a model by what they lead to, and layers made to behave otherwise for a while. */
import * as tfl from "@tensorflow/tfjs-layers";
import { at } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { type Call, type Layer, replaceCall } from "../backends/replace-call.js";

export { type Call, type Layer, replaceCall } from "../backends/replace-call.js";

/** Every layer that a tensor is computed by. */
export function layersBefore(tensors: readonly tfl.SymbolicTensor[]): ReadonlySet<Layer> {
  const layers = new Set<Layer>();
  const seen = new Set<tfl.SymbolicTensor>();
  const waiting = [...tensors];
  for (let tensor = waiting.pop(); tensor !== undefined; tensor = waiting.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    layers.add(tensor.sourceLayer);
    waiting.push(...tensor.inputs);
  }
  return layers;
}

/** Layers of a task's head: named by its path or, in a head of several, under it. */
export function headLayers(model: tfl.LayersModel, path: string): Layer[] {
  return model.layers.filter(({ name }) => name === path || name.startsWith(`${path}.`));
}

/** The tensor of each feature that heads read. */
export function featureTensors(model: tfl.LayersModel, graph: FlowGraph): Map<string, tfl.SymbolicTensor> {
  const tensors = new Map<string, tfl.SymbolicTensor>();
  for (const { path, feature } of graph.tasks) {
    if (feature === null || tensors.has(feature)) continue;
    const [first] = headLayers(model, path);
    if (first !== undefined) tensors.set(feature, at([first.input].flat(), 0));
  }
  return tensors;
}

/** Layers with those inside of them: of models used as layers, and of wrappers. */
export function withInnerLayers(layers: Iterable<Layer>): Layer[] {
  return [...layers].flatMap((layer) => [layer, ...withInnerLayers(innerLayers(layer))]);
}

function innerLayers(layer: Layer): readonly Layer[] {
  if (layer instanceof tfl.LayersModel) return layer.layers;
  const { layer: wrapped, forwardLayer, backwardLayer } = layer as unknown as Readonly<Record<string, unknown>>;
  return [wrapped, forwardLayer, backwardLayer].filter((inner) => inner instanceof tfl.layers.Layer);
}

/** The layer always behaves as in inference: batch normalization neither reads nor moves with the batch. */
export function alwaysInfer(layer: Layer): void {
  replaceCall(layer, (original) => (inputs, options) => original(inputs, { ...options, training: false }));
}

/** Runs `work` while layers behave as in inference, whatever the pass says. `work` must be synchronous. */
export function whileInferring<T>(layers: readonly Layer[], work: () => T): T {
  return whileReplaced(
    layers,
    (original) => (inputs, options) => original(inputs, { ...options, training: false }),
    work,
  );
}

/** Runs `work` while layers compute something else. `work` must be synchronous. */
export function whileReplaced<T>(
  layers: readonly Layer[],
  replacement: (original: Call, layer: Layer) => Call,
  work: () => T,
): T {
  const replaced = layers.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"));
  for (const layer of layers) replaceCall(layer, (original) => replacement(original, layer));
  try {
    return work();
  } finally {
    layers.forEach((layer, i) => {
      // uncovers the method of the layer's class
      Reflect.deleteProperty(layer, "call");
      const before = replaced[i];
      if (before !== undefined) Object.defineProperty(layer, "call", before);
    });
  }
}
