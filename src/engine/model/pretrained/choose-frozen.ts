/** @file Which layers of a saved model keep their weights. */
import { ConfigError, UnknownNameError } from "../../../errors.js";
import { type Layer, layersBefore } from "../layer-graph.js";
import type { FreezeChoice } from "./pretrained.js";

/**
 * @param layers of the model up to the output that is taken, each after those that it reads
 * @param model its name, for messages
 * @throws UnknownNameError, ConfigError where a name or a place is none of the model's
 */
export function chooseFrozen(choice: FreezeChoice, layers: readonly Layer[], model: string): ReadonlySet<Layer> {
  if (typeof choice === "boolean") return new Set(choice ? layers : []);
  if ("upTo" in choice) return upTo(named(choice.upTo, layers, model), layers);
  if (typeof choice === "object" && "depth" in choice) return deep(choice.depth, layers, model);
  return new Set((choice as readonly string[]).flatMap((name) => select(name, layers, model)));
}

function select(name: string, layers: readonly Layer[], model: string): Layer[] {
  if (!name.endsWith("*")) return [named(name, layers, model)];
  const selected = layers.filter((layer) => layer.name.startsWith(name.slice(0, -1)));
  if (selected.length > 0) return selected;
  throw new ConfigError(
    `pretrained: freeze names "${name}", but no layer of ${model} begins so. Its layers: ${shown(layers)}.`,
    { freeze: name, model },
  );
}

function named(name: string, layers: readonly Layer[], model: string): Layer {
  const found = layers.find((layer) => layer.name === name);
  if (found !== undefined) return found;
  throw new UnknownNameError(
    "layer",
    name,
    layers.map((layer) => layer.name),
    `${model}, which freeze names`,
  );
}

/** The layer and all that it reads, directly or not. */
function upTo(last: Layer, layers: readonly Layer[]): ReadonlySet<Layer> {
  const before = layersBefore(last.inboundNodes.flatMap(({ outputTensors }) => outputTensors));
  return new Set(layers.filter((layer) => before.has(layer)));
}

/** As many layers with weights from the beginning, and what follows them up to the next one. */
function deep(depth: number, layers: readonly Layer[], model: string): ReadonlySet<Layer> {
  const weighted = layers.filter(({ weights }) => weights.length > 0);
  if (depth > weighted.length) {
    throw new ConfigError(
      `pretrained: freeze is { depth: ${depth} }, but ${model} has ${weighted.length} layers with weights. Take fewer, or freeze: true.`,
      { depth, layers: weighted.length },
    );
  }
  const next = weighted[depth];
  return new Set(next === undefined ? layers : layers.slice(0, layers.indexOf(next)));
}

function shown(layers: readonly Layer[]): string {
  const names = layers.map(({ name }) => name);
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")}, … (${names.length} in all)`;
}
