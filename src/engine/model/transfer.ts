/** @file Weights of one model taken into another: which layer of the one is which of the other. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at as itemAt } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { noModelAt } from "./pretrained/no-model.js";
import { readSavedModel, readWeightData, reasonOf } from "./saved-checkpoint.js";
import { featureTensors, headLayers, type Layer, layersBefore } from "./layer-graph.js";

/** A model to start from. */
export interface WeightSource {
  readonly model: tfl.LayersModel;
  /** Of the run that it is from; null for any other model. */
  readonly graph: FlowGraph | null;
}

/** Which layers began with weights of another model; those without weights are not counted. */
export interface Transfer {
  readonly taken: readonly { readonly layer: string; readonly from: string }[];
  /** Layers that kept their fresh weights. */
  readonly fresh: readonly string[];
}

/** A layer with weights, or a head of several. */
interface Part {
  readonly layer: Layer;
  /** Class and shapes of the weights: only equal ones can be taken. */
  readonly signature: string;
}

/**
 * Copies the weights of every layer that both models have. A head is known by the path of its task. A layer of the
 * trunk is known by its name, where that was given by hand; the others, whose names tfjs counts up through the process,
 * by their place: for each feature of both trunks, the longest common subsequence of the layers that lead to it in
 * topological order, equal in class and shapes. A model that is not a run's has one sequence of all layers.
 */
export function transferWeights(target: tfl.LayersModel, graph: FlowGraph, source: WeightSource): Transfer {
  const pairs = new Map<Layer, Layer>();
  const heads = new Set(graph.tasks.flatMap(({ path }) => headLayers(target, path)));
  for (const { path } of graph.tasks) pairHeads(target, source.model, path, pairs);
  const trunk = partsOf(target.layers.filter((layer) => !heads.has(layer)));
  const ends = new Set((source.graph?.tasks ?? []).flatMap(({ path }) => headLayers(source.model, path)));
  const taken = new Set(pairs.values());
  const offered = partsOf(source.model.layers.filter((layer) => !ends.has(layer) && !taken.has(layer)));
  const named = pairByName(trunk, offered, pairs);
  for (const [own, other] of stretches(target, graph, source)) {
    const free = (parts: readonly Part[], among: ReadonlySet<Layer> | null, used: ReadonlySet<Layer>): Part[] =>
      parts.filter(({ layer }) => !named.has(layer) && !used.has(layer) && (among === null || among.has(layer)));
    const matched = longestCommonSubsequence(
      free(trunk, own, new Set(pairs.keys())),
      free(offered, other, new Set(pairs.values())),
    );
    for (const [mine, theirs] of matched) pairs.set(mine.layer, theirs.layer);
  }
  for (const [mine, theirs] of pairs) mine.setWeights(theirs.getWeights());
  const all = target.layers.filter(hasWeights);
  return {
    taken: all.flatMap((layer) => {
      const from = pairs.get(layer);
      return from === undefined ? [] : [{ layer: layer.name, from: from.name }];
    }),
    fresh: all.filter((layer) => !pairs.has(layer)).map(({ name }) => name),
  };
}

function hasWeights(layer: Layer): boolean {
  return layer.weights.length > 0;
}

function partsOf(layers: readonly Layer[]): Part[] {
  return layers.filter(hasWeights).map((layer) => ({ layer, signature: signatureOf(layer) }));
}

function signatureOf(layer: Layer): string {
  return `${layer.getClassName()} ${JSON.stringify(layer.getWeights().map(({ shape }) => shape))}`;
}

/** A head of several layers is taken whole or not at all. */
function pairHeads(target: tfl.LayersModel, source: tfl.LayersModel, path: string, pairs: Map<Layer, Layer>): void {
  const mine = partsOf(headLayers(target, path));
  const theirs = partsOf(headLayers(source, path));
  const fits = mine.length === theirs.length && mine.every(({ signature }, i) => signature === theirs[i]?.signature);
  if (!fits) return;
  mine.forEach(({ layer }, i) => {
    pairs.set(layer, theirs[i]?.layer as Layer);
  });
}

/**
 * Pairs layers by names that were given by hand.
 * @returns layers of both models whose name the other has too: where their shapes differ they stay alone
 */
function pairByName(trunk: readonly Part[], offered: readonly Part[], pairs: Map<Layer, Layer>): Set<Layer> {
  const byName = new Map(offered.map((part) => [part.layer.name, part]));
  const named = new Set<Layer>();
  for (const mine of trunk) {
    const theirs = byName.get(mine.layer.name);
    if (theirs === undefined || hasAutomaticName(mine.layer) || hasAutomaticName(theirs.layer)) continue;
    named.add(mine.layer).add(theirs.layer);
    if (mine.signature === theirs.signature) pairs.set(mine.layer, theirs.layer);
  }
  return named;
}

/** Such as `conv2d_Conv2D3` (tfjs) and `conv2d_3` (Keras): made of the class and a count. */
function hasAutomaticName(layer: Layer): boolean {
  const kind = layer.getClassName().toLowerCase();
  const rest = layer.name.toLowerCase().replaceAll("_", "");
  return new RegExp(`^(${kind}){1,2}\\d*$`).test(rest);
}

/** Layers of the target, and those of the source among which to look for them; null: all. */
function stretches(
  target: tfl.LayersModel,
  graph: FlowGraph,
  source: WeightSource,
): (readonly [ReadonlySet<Layer> | null, ReadonlySet<Layer> | null])[] {
  const everything = [null, null] as const;
  if (source.graph === null) return [everything];
  const [mine, theirs] = [featureTensors(target, graph), featureTensors(source.model, source.graph)];
  const common = [...mine].flatMap(([feature, tensor]) => {
    const other = theirs.get(feature);
    return other === undefined ? [] : [[layersBefore([tensor]), layersBefore([other])] as const];
  });
  return [...common, everything];
}

/**
 * The most pairs of equal signatures that keep the order of both; among those, the earliest.
 * Wagner & Fischer, The string-to-string correction problem (1974).
 */
function longestCommonSubsequence(a: readonly Part[], b: readonly Part[]): (readonly [Part, Part])[] {
  // lengths[i][j]: of the suffixes that begin at i and j
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const equal = (i: number, j: number): boolean => a[i]?.signature === b[j]?.signature;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      (lengths[i] as Uint32Array)[j] = equal(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: (readonly [Part, Part])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (equal(i, j)) pairs.push([itemAt(a, i++), itemAt(b, j++)]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

/**
 * A LayersModel that tfjs has saved. The caller disposes it.
 * @param path its model.json, or the folder that holds it
 * @throws ConfigError where there is none, or none that can be read
 */
export async function readLayersModel(path: string): Promise<tfl.LayersModel> {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "model.json") : path;
  try {
    const saved = readSavedModel(file);
    const { modelTopology } = saved;
    const weightSpecs = saved.weightsManifest.flatMap(({ weights }) => weights);
    const weightData = readWeightData(file, saved);
    return await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "it is not there" : (noModelAt(file) ?? reasonOf(error));
    throw new ConfigError(
      `The model ${file} cannot be read: ${reason}. Give the model.json of a LayersModel, with its weights beside it.`,
      { file, reason },
      { cause: error },
    );
  }
}
