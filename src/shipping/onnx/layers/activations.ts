/** @file Activations, by themselves and at the end of other layers. */
import type { OnnxGraph } from "../graph.js";
import type { SavedLayer } from "../saved-layers.js";
import { axisOf, channelsLast, type Value } from "../values.js";
import { type LayerWriter, numberOf, single, textOf, unsupported, weightOf } from "./writing.js";

type Activation = (graph: OnnxGraph, x: string) => string;

const sigmoid: Activation = (graph, x) => graph.op("Sigmoid", [x]);
const softplus: Activation = (graph, x) => graph.op("Softplus", [x]);
const half = (graph: OnnxGraph, x: string, factor: string): string =>
  graph.op("Mul", [graph.op("Mul", [x, graph.float(0.5)]), graph.op("Add", [factor, graph.float(1)])]);

const activations: Readonly<Record<string, Activation>> = {
  linear: (_graph, x) => x,
  relu: (graph, x) => graph.op("Relu", [x]),
  relu6: (graph, x) => graph.op("Clip", [x, graph.float(0), graph.float(6)]),
  elu: (graph, x) => graph.op("Elu", [x]),
  selu: (graph, x) => graph.op("Selu", [x]),
  sigmoid,
  hardsigmoid: (graph, x) => graph.op("HardSigmoid", [x], { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  softplus,
  softsign: (graph, x) => graph.op("Softsign", [x]),
  tanh: (graph, x) => graph.op("Tanh", [x]),
  softmax: (graph, x) => graph.op("Softmax", [x], { axis: -1 }),
  logsoftmax: (graph, x) => graph.op("LogSoftmax", [x], { axis: -1 }),
  swish: (graph, x) => graph.op("Mul", [x, sigmoid(graph, x)]),
  mish: (graph, x) => graph.op("Mul", [x, graph.op("Tanh", [softplus(graph, x)])]),
  gelu: (graph, x) => half(graph, x, graph.op("Erf", [graph.op("Mul", [x, graph.float(Math.SQRT1_2)])])),
  gelunew(graph, x) {
    const cube = graph.op("Mul", [graph.op("Mul", [x, x]), x]);
    const inner = graph.op("Add", [x, graph.op("Mul", [cube, graph.float(0.044715)])]);
    return half(graph, x, graph.op("Tanh", [graph.op("Mul", [inner, graph.float(Math.sqrt(2 / Math.PI))])]));
  },
};

/** Those that read more than one number for each, along the last axis. */
const ALONG_CHANNELS: ReadonlySet<string> = new Set(["softmax", "logsoftmax"]);

/** The activation that a setting names, as an operator on a tensor with its channels last. */
export function activationOf(layer: SavedLayer, key: string, fallback: string): Activation {
  const name = textOf(layer, key, fallback);
  const activation = activations[keyOf(name)];
  if (activation === undefined) throw unsupported(layer, `there is no writer for its activation ${name}`);
  return activation;
}

function keyOf(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** What a layer's `activation` makes of its result. */
export function activated(graph: OnnxGraph, layer: SavedLayer, value: Value): Value {
  const activation = activationOf(layer, "activation", "linear");
  const isAlong = ALONG_CHANNELS.has(keyOf(textOf(layer, "activation", "linear")));
  const seen = isAlong ? channelsLast(graph, value) : value;
  return { ...seen, name: activation(graph, seen.name) };
}

/** A layer that does the same with each number. */
const eachNumber = (write: (graph: OnnxGraph, layer: SavedLayer, x: string) => string): LayerWriter =>
  single((layer, input, graph) => ({ ...input, name: write(graph, layer, input.name) }));

export const activationLayers: Readonly<Record<string, LayerWriter>> = {
  Activation: single((layer, input, graph) => activated(graph, layer, input)),
  ReLU: eachNumber((graph, { config }, x) => {
    const relu = graph.op("Relu", [x]);
    return typeof config.max_value === "number" ? graph.op("Min", [relu, graph.float(config.max_value)]) : relu;
  }),
  LeakyReLU: eachNumber((graph, layer, x) =>
    graph.op("LeakyRelu", [x], { alpha: { float: numberOf(layer, "alpha", 0.3) } }),
  ),
  ELU: eachNumber((graph, layer, x) => graph.op("Elu", [x], { alpha: { float: numberOf(layer, "alpha", 1) } })),
  ThresholdedReLU: eachNumber((graph, layer, x) => {
    const passes = graph.op("Greater", [x, graph.float(numberOf(layer, "theta", 1))]);
    return graph.op("Mul", [x, graph.op("Cast", [passes], { to: 1 })]);
  }),
  PReLU: single((layer, input, graph) => {
    const { values, shape } = weightOf(layer, "alpha");
    const seen = channelsLast(graph, input);
    return { ...seen, name: graph.op("PRelu", [seen.name, graph.floats(values, shape)]) };
  }),
  Softmax: single((layer, input, graph) => {
    const seen = channelsLast(graph, input);
    const axis = axisOf(numberOf(layer, "axis", -1), seen.shape.length);
    return { ...seen, name: graph.op("Softmax", [seen.name], { axis }) };
  }),
};
