/** @file The table of layers that can be written as ONNX. */
import type { OnnxGraph } from "../graph.js";
import type { SavedLayer } from "../saved-layers.js";
import type { Value } from "../values.js";
import { activationLayers } from "./activations.js";
import { convolutionLayers } from "./convolutions.js";
import { mergingLayers } from "./merging.js";
import { normalizationLayers } from "./normalization.js";
import { poolingLayers } from "./pooling.js";
import { innerLayer, recurrentLayers } from "./recurrent.js";
import { shapeLayers, timeDistributed } from "./shapes.js";
import { type LayerWriter, unsupported } from "./writing.js";

const writers: Readonly<Record<string, LayerWriter>> = {
  ...activationLayers,
  ...convolutionLayers,
  ...mergingLayers,
  ...normalizationLayers,
  ...poolingLayers,
  ...recurrentLayers,
  ...shapeLayers,
  TimeDistributed: timeDistributed((layer, inputs, graph) =>
    writeLayer(innerLayer(layer, layer.config.layer, layer.weights), inputs, graph),
  ),
};

/** Writes one layer. @throws UnsupportedLayer that names it */
export function writeLayer(layer: SavedLayer, inputs: readonly Value[], graph: OnnxGraph): Value {
  const write = Object.hasOwn(writers, layer.className) ? writers[layer.className] : undefined;
  if (write === undefined) throw unsupported(layer, "there is no writer for layers of its class");
  return write(layer, inputs, graph);
}
