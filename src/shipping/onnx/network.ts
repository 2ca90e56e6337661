/** @file The layers of a network as ONNX operators. */
import type { OnnxGraph } from "./graph.js";
import { writeLayer } from "./layers/index.js";
import type { SavedLayer, SavedLayers } from "./saved-layers.js";
import { UnsupportedLayer } from "./unsupported.js";
import { channelsLast, type Value } from "./values.js";

/**
 * Writes the layers that lead to some outputs, each once.
 * @param inputs of the network by name, as its layers see them
 * @param wanted names of the layers whose outputs are asked for
 * @returns their outputs, channels last
 * @throws UnsupportedLayer
 */
export function writeNetwork(
  graph: OnnxGraph,
  { layers }: SavedLayers,
  inputs: Readonly<Record<string, Value>>,
  wanted: readonly string[],
): Map<string, Value> {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const needed = needs(byName, wanted);
  const values = new Map<string, Value>();
  for (const layer of layers) {
    if (!needed.has(layer.name)) continue;
    if (layer.className === "InputLayer") {
      const input = inputs[layer.name];
      if (input === undefined) throw new UnsupportedLayer(layer.name, layer.className, "nothing feeds it");
      values.set(layer.name, input);
      continue;
    }
    const read = layer.inputs.map((name) => {
      const value = values.get(name);
      if (value === undefined)
        throw new UnsupportedLayer(layer.name, layer.className, `it reads "${name}" before it is there`);
      return value;
    });
    values.set(layer.name, writeLayer(layer, read, graph));
  }
  return new Map(
    wanted.flatMap((name): [string, Value][] => {
      const value = values.get(name);
      return value === undefined ? [] : [[name, channelsLast(graph, value)]];
    }),
  );
}

function needs(byName: ReadonlyMap<string, SavedLayer>, wanted: readonly string[]): ReadonlySet<string> {
  const needed = new Set<string>();
  const waiting = [...wanted];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    waiting.push(...(byName.get(name)?.inputs ?? []));
  }
  return needed;
}
