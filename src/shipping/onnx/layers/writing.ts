/** @file What the writers of layers share: settings of a layer, its weights, what it cannot do. */
import type { OnnxGraph } from "../graph.js";
import type { SavedLayer, Weight } from "../saved-layers.js";
import { UnsupportedLayer } from "../unsupported.js";
import type { Value } from "../values.js";

/** Writes one layer. */
export type LayerWriter = (layer: SavedLayer, inputs: readonly Value[], graph: OnnxGraph) => Value;

/** A layer of one input. */
export function single(write: (layer: SavedLayer, input: Value, graph: OnnxGraph) => Value): LayerWriter {
  return (layer, [input], graph) => {
    if (input === undefined) throw unsupported(layer, "it has no input");
    return write(layer, input, graph);
  };
}

export function unsupported({ name, className }: SavedLayer, why: string): UnsupportedLayer {
  return new UnsupportedLayer(name, className, why);
}

export function weightOf(layer: SavedLayer, name: string): Weight {
  const weight = layer.weights.get(name);
  if (weight === undefined) throw unsupported(layer, `it has no weight "${name}"`);
  return weight;
}

/** A weight as a constant of the graph. */
export function constantOf(graph: OnnxGraph, layer: SavedLayer, name: string): string {
  const { values, shape } = weightOf(layer, name);
  return graph.floats(values, shape);
}

export function numberOf({ config }: SavedLayer, key: string, fallback: number): number {
  const value = config[key];
  return typeof value === "number" ? value : fallback;
}

/** A setting that is a number or one for each axis. */
export function numbersOf({ config }: SavedLayer, key: string, count: number, fallback = 1): number[] {
  const value = config[key];
  if (Array.isArray(value)) return value.map(Number);
  return new Array<number>(count).fill(typeof value === "number" ? value : fallback);
}

export function textOf({ config }: SavedLayer, key: string, fallback: string): string {
  const value = config[key];
  return typeof value === "string" ? value : fallback;
}

export function isOn({ config }: SavedLayer, key: string, fallback = false): boolean {
  const value = config[key];
  return typeof value === "boolean" ? value : fallback;
}

/** @throws UnsupportedLayer where its channels come first */
export function assertChannelsLast(layer: SavedLayer): void {
  const format = textOf(layer, "data_format", "channels_last");
  if (!/^channels_?last$/i.test(format)) throw unsupported(layer, `its data format is ${format}`);
}
