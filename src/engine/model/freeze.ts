/** @file Which layers and heads training leaves alone. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { at } from "../../arrays.js";
import { ConfigError, UnknownNameError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { alwaysInfer, featureTensors, headLayers, type Layer, layersBefore, withInnerLayers } from "./layer-graph.js";

/** The parts that names of features, tasks and flows select. */
export interface FrozenNames {
  readonly features: ReadonlySet<string>;
  /** Paths of the tasks whose heads are frozen. */
  readonly tasks: ReadonlySet<string>;
}

/**
 * @param names features of the trunk, paths of tasks, paths of flows (all tasks in them)
 * @throws UnknownNameError for a name that is none of these
 */
export function frozenNames(graph: FlowGraph, names: readonly string[]): FrozenNames {
  const paths = graph.tasks.map(({ path }) => path);
  const flows = graph.flows.map(({ path }) => path);
  const known = new Set([...graph.features, ...flows, ...paths]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw new UnknownNameError("feature, task or flow", unknown, known, "train.freeze");
  const within = (path: string): boolean => names.some((name) => path === name || path.startsWith(`${name}.`));
  return {
    features: new Set(graph.features.filter((feature) => names.includes(feature))),
    tasks: new Set(paths.filter(within)),
  };
}

/** What is frozen, once the model is known. */
export interface FrozenParts {
  /** Names of the trunk's layers with weights, in the order of the model. */
  readonly layers: readonly string[];
  /** Paths of the tasks whose heads are frozen. */
  readonly tasks: readonly string[];
  /** Layers that lead to a frozen feature but go on training, because they lead elsewhere too. */
  readonly shared: readonly string[];
}

/**
 * Freezes the heads of tasks, and the layers that lead to frozen features and to no other. They keep their weights,
 * and their batch normalization its averages, by which it then normalizes as in inference. Dropout goes on dropping.
 * @throws ConfigError where a feature freezes nothing, or nothing is left to train
 */
export function freezeLayers(model: tfl.LayersModel, graph: FlowGraph, { features, tasks }: FrozenNames): FrozenParts {
  const tensors = featureTensors(model, graph);
  const open = layersBefore([...tensors].flatMap(([feature, tensor]) => (features.has(feature) ? [] : [tensor])));
  const leading = [...features].map((feature) => weightedLayers(model, tensors.get(feature)));
  leading.forEach((layers, i) => {
    if (layers.every((layer) => open.has(layer))) throw freezesNothing(at([...features], i), tensors, layers);
  });
  const closed = new Set(leading.flat().filter((layer) => !open.has(layer)));
  const heads = [...tasks].flatMap((path) => headLayers(model, path));
  for (const layer of [...closed, ...heads]) freezeLayer(layer);
  inferFrozen(model);
  const isFrozen = (layer: Layer): boolean => closed.has(layer) || isFrozenByItself(layer, heads);
  const parts = {
    layers: model.layers.filter(isFrozen).map(({ name }) => name),
    tasks: [...tasks],
    shared: [...new Set(leading.flat())].filter((layer) => open.has(layer)).map(({ name }) => name),
  };
  if (model.trainableWeights.length === 0) {
    throw new ConfigError("train.freeze leaves nothing to train. Take a feature or a task out of it.", { ...parts });
  }
  return parts;
}

/** Layers with weights that lead to a feature, in the order of the model. */
function weightedLayers(model: tfl.LayersModel, tensor: tfl.SymbolicTensor | undefined): Layer[] {
  const leading = layersBefore(tensor === undefined ? [] : [tensor]);
  return model.layers.filter((layer) => leading.has(layer) && layer.weights.length > 0);
}

function freezeLayer(layer: Layer): void {
  layer.trainable = false;
  for (const inner of withInnerLayers([layer])) {
    if (inner.getClassName() === "BatchNormalization") alwaysInfer(inner);
  }
}

/** A layer that the trunk itself, or the model that it was taken from, has frozen. */
function isFrozenByItself(layer: Layer, heads: readonly Layer[]): boolean {
  return !layer.trainable && layer.weights.length > 0 && !heads.includes(layer);
}

/** Layers that behave otherwise in training: where they are frozen, they must not. */
const TRAINS_OTHERWISE = new Set([
  "BatchNormalization",
  "Dropout",
  "SpatialDropout1D",
  "AlphaDropout",
  "GaussianDropout",
  "GaussianNoise",
]);

/** Layers that say so of themselves (`trainable: false`) behave as in inference, as their saved settings go on saying. */
function inferFrozen(model: tfl.LayersModel): void {
  for (const layer of withInnerLayers(model.layers)) {
    if (!layer.trainable && TRAINS_OTHERWISE.has(layer.getClassName())) alwaysInfer(layer);
  }
}

function freezesNothing(
  feature: string,
  tensors: ReadonlyMap<string, tfl.SymbolicTensor>,
  trained: readonly Layer[],
): ConfigError {
  const names = trained.map(({ name }) => name);
  const [why, wayOut] = !tensors.has(feature)
    ? ["no task reads it", "Remove it from the list."]
    : trained.length === 0
      ? ["no layer with weights leads to it", "Remove it from the list."]
      : [`its layers (${names.join(", ")}) lead to other features too`, "Name these features too, or remove it."];
  return new ConfigError(`train.freeze names "${feature}", but that freezes nothing: ${why}. ${wayOut}`, {
    feature,
    layers: names,
  });
}
