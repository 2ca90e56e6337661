/** @file Heads: a task's layers from its feature to its logits, dense or the user's own. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { ConfigError, CoolError, messageOf } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { flowFacts } from "../../flow/kinds.js";
import { behaviourOf, functionsOf, isCustom } from "../../tasks/index.js";
import type { Layers, SymbolicTensor } from "./trunk.js";

/**
 * Applies a task's head to its feature. Its last layer has the task's path as its name.
 * @param feature [batch, n]; of a task per token [batch, length, n], per pixel [batch, height, width, n]
 * @returns logits, the same with `width` instead of n: at a pixel a dense layer is a 1 × 1 convolution
 * @throws ConfigError that names task and type where the user's head fails, or what it puts out does not fit
 */
export function buildHead(task: TaskNode, feature: SymbolicTensor, width: number): SymbolicTensor {
  const form = behaviourOf(task.spec).head(task.spec);
  if (form === "custom") return buildCustomHead(task, feature, width);
  if (form === "shared") return buildSharedHead(task, feature, width);
  return tfl.layers.dense({ name: task.path, units: width }).apply(feature) as SymbolicTensor;
}

/**
 * One score, to which every logit adds a bias of its own: CORAL's layer, whose biases begin evenly from 1 down to 0, in
 * the order that the logits are to have. Of the second layer only the biases train.
 */
function buildSharedHead({ path }: TaskNode, feature: SymbolicTensor, width: number): SymbolicTensor {
  const score = tfl.layers.dense({ name: `${path}.score`, units: 1, useBias: false }).apply(feature);
  const layer = tfl.layers.dense({ name: path, units: width, kernelInitializer: "ones" });
  const logits = layer.apply(score) as SymbolicTensor;
  const biases = Float32Array.from({ length: width }, (_, i) => (width - i) / width);
  tf.tidy(() => layer.setWeights([tf.ones([1, width]), tf.tensor1d(biases)]));
  return logits;
}

/** Leaves the kernel of ones alone by which the logits of shared heads have one score. */
export function fixSharedHeads(model: tfl.LayersModel, { tasks }: FlowGraph): void {
  for (const { path, spec } of tasks) {
    if (behaviourOf(spec).head(spec) !== "shared") continue;
    const [kernel] = model.getLayer(path).trainableWeights;
    if (kernel !== undefined) kernel.trainable = false;
  }
}

function buildCustomHead(task: TaskNode, feature: SymbolicTensor, width: number): SymbolicTensor {
  const output = callHead(task, feature, width);
  if (!(output instanceof tfl.SymbolicTensor)) {
    const what = output instanceof Promise ? "a promise" : String(output);
    throw headError(task, `returns ${what}; expected the output of a layer: layers.dense({ units: width }).apply(…)`);
  }
  const { shape } = output;
  const expected = isPerElement(task.spec) ? ["batch", "length", width] : ["batch", width];
  if (shape.length !== expected.length || shape.at(-1) !== width) {
    const got = shape.map((size, axis) => size ?? (axis === 0 ? "batch" : "length")).join(", ");
    throw headError(
      task,
      `puts out [${got}]; expected [${expected.join(", ")}]. End it with layers.dense({ units: width }), or correct the definition's width`,
      { expected: width, got: shape },
    );
  }
  // does nothing, but gives the model's output the name that every other task's has
  return tfl.layers.activation({ name: task.path, activation: "linear" }).apply(output) as SymbolicTensor;
}

function callHead(task: TaskNode, feature: SymbolicTensor, width: number): unknown {
  const { path, spec } = task;
  const head = (isCustom(spec) ? functionsOf(spec).head : undefined) as
    | ((parts: { feature: SymbolicTensor; layers: Layers; width: number; name: string }) => unknown)
    | undefined;
  try {
    return head?.({ feature, layers: layersUnder(path), width, name: path });
  } catch (error) {
    if (error instanceof CoolError) throw error;
    throw headError(task, `fails: ${messageOf(error)}`, {}, error);
  }
}

function headError({ path, spec }: TaskNode, problem: string, facts: object = {}, cause?: unknown): ConfigError {
  const type = flowFacts(spec).typeName(spec);
  return new ConfigError(
    `The head of the task "${path}" (of the type "${type}") ${problem}.`,
    { task: path, type, function: "head", ...facts },
    cause === undefined ? undefined : { cause },
  );
}

/** The functions of tfjs-layers, whose layers are named under a path: two tasks of one type must not share names. */
function layersUnder(path: string): Layers {
  const counts = new Map<string, number>();
  const nameOf = (kind: string, given: string | undefined): string => {
    if (given !== undefined) return given === path || given.startsWith(`${path}.`) ? given : `${path}.${given}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${path}.${kind}_${count}`;
  };
  return new Proxy(tfl.layers, {
    get(layers, key) {
      const make: unknown = Reflect.get(layers, key);
      // constructors (Layer, RNN) are capitalised
      if (typeof make !== "function" || typeof key !== "string" || /^[A-Z]/.test(key)) return make;
      return (options: { readonly name?: string } = {}) => make({ ...options, name: nameOf(key, options.name) });
    },
  });
}
