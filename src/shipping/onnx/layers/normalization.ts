/** @file Normalizations, and what drops out in training alone. */
import { at } from "../../../arrays.js";
import { axisOf, channelsLast, reduce } from "../values.js";
import { isOn, type LayerWriter, numberOf, numbersOf, single, unsupported, weightOf } from "./writing.js";

/** Averages are known: one factor and one summand for each channel. */
const batchNormalization: LayerWriter = single((layer, input, graph) => {
  const [mean, variance] = [weightOf(layer, "moving_mean").values, weightOf(layer, "moving_variance").values];
  const gamma = isOn(layer, "scale", true) ? weightOf(layer, "gamma").values : null;
  const beta = isOn(layer, "center", true) ? weightOf(layer, "beta").values : null;
  const epsilon = numberOf(layer, "epsilon", 1e-3);
  const factors = variance.map((each, i) => (gamma === null ? 1 : at(gamma, i)) / Math.sqrt(each + epsilon));
  const summands = mean.map((each, i) => (beta === null ? 0 : at(beta, i)) - each * at(factors, i));
  const rank = input.shape.length;
  const axis = axisOf(numberOf(layer, "axis", -1), rank);
  // what is normalized along the channels can stay as it lies
  const seen = axis === rank - 1 ? input : channelsLast(graph, input);
  const place = seen.layout === "first" ? 1 : axis;
  const shape = Array.from({ length: rank }, (_, i) => (i === place ? mean.length : 1));
  const scaled = graph.op("Mul", [seen.name, graph.floats(factors, shape)]);
  return { ...seen, name: graph.op("Add", [scaled, graph.floats(summands, shape)]) };
});

const layerNormalization: LayerWriter = single((layer, input, graph) => {
  const seen = channelsLast(graph, input);
  const rank = seen.shape.length;
  const axes = numbersOf(layer, "axis", 1, -1).map((axis) => axisOf(axis, rank));
  const centred = graph.op("Sub", [seen.name, reduce(graph, "ReduceMean", seen.name, axes)]);
  const variance = reduce(graph, "ReduceMean", graph.op("Mul", [centred, centred]), axes);
  const deviation = graph.op("Sqrt", [graph.op("Add", [variance, graph.float(numberOf(layer, "epsilon", 1e-3))])]);
  const shape = seen.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  if (shape.some((size) => size === null)) throw unsupported(layer, "it normalizes along an axis of any length");
  const constant = (name: string): string => graph.floats(weightOf(layer, name).values, shape.map(Number));
  const normal = graph.op("Div", [centred, deviation]);
  const scaled = isOn(layer, "scale", true) ? graph.op("Mul", [normal, constant("gamma")]) : normal;
  return { ...seen, name: isOn(layer, "center", true) ? graph.op("Add", [scaled, constant("beta")]) : scaled };
});

/** Does nothing where nothing trains. */
const identity: LayerWriter = single((_layer, input) => input);

export const normalizationLayers: Readonly<Record<string, LayerWriter>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Dropout: identity,
  SpatialDropout1D: identity,
  AlphaDropout: identity,
  GaussianDropout: identity,
  GaussianNoise: identity,
  ActivityRegularization: identity,
};
