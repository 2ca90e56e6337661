/** @file Convolutions. */
import { at } from "../../../arrays.js";
import type { OnnxGraph } from "../graph.js";
import { convolution } from "../products.js";
import type { SavedLayer, Weight } from "../saved-layers.js";
import { channelsFirst, permuted, range, type Value } from "../values.js";
import { activated } from "./activations.js";
import { afterWindow, paddingAttributes, paddingOf, spatial, type Window } from "./windows.js";
import { assertChannelsLast, isOn, type LayerWriter, numbersOf, single, weightOf } from "./writing.js";

/** A convolution without its activation. @param kernel of tfjs, [...window, channels, filters] */
export function convolve(
  graph: OnnxGraph,
  input: Value,
  kernel: Weight,
  bias: Weight | null,
  { strides, dilations, padding }: Omit<Window, "kernel">,
): Value {
  const axes = kernel.shape.length - 2;
  const window: Window = { kernel: kernel.shape.slice(0, axes), strides, dilations, padding };
  const order = [axes + 1, axes, ...range(0, axes)];
  const weights = {
    values: permuted(kernel.values, kernel.shape, order),
    shape: order.map((axis) => at(kernel.shape, axis)),
  };
  return slide(graph, input, weights, bias, window, 1);
}

/** @param weights [filters, channels of a group, ...window] */
function slide(
  graph: OnnxGraph,
  input: Value,
  { values, shape }: Weight,
  bias: Weight | null,
  window: Window,
  group: number,
): Value {
  const seen = channelsFirst(graph, input);
  const sizes = spatial(input);
  const filters = at(shape, 0);
  const name = convolution(graph, seen.name, values, shape, bias?.values ?? null, {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    group,
    ...paddingAttributes(sizes, window),
  });
  return { name, shape: [at(input.shape, 0), ...afterWindow(sizes, window), filters], layout: "first", mask: null };
}

export function windowOf(layer: SavedLayer, axes: number): Omit<Window, "kernel"> {
  assertChannelsLast(layer);
  return {
    strides: numbersOf(layer, "strides", axes),
    dilations: numbersOf(layer, "dilation_rate", axes),
    padding: paddingOf(layer),
  };
}

function biasOf(layer: SavedLayer): Weight | null {
  return isOn(layer, "use_bias", true) ? weightOf(layer, "bias") : null;
}

const plain: LayerWriter = single((layer, input, graph) => {
  const kernel = weightOf(layer, "kernel");
  const window = windowOf(layer, kernel.shape.length - 2);
  return activated(graph, layer, convolve(graph, input, kernel, biasOf(layer), window));
});

/** One filter or several for each channel by itself. */
function depthwise(
  graph: OnnxGraph,
  layer: SavedLayer,
  input: Value,
  bias: Weight | null,
  changes: Partial<Window> = {},
): Value {
  const { values, shape } = weightOf(layer, "depthwise_kernel");
  const [height, width, channels, multiplier] = [at(shape, 0), at(shape, 1), at(shape, 2), at(shape, 3)];
  const filters = channels * multiplier;
  const weights = { values: permuted(values, shape, [2, 3, 0, 1]), shape: [filters, 1, height, width] };
  const window = { ...windowOf(layer, 2), ...changes, kernel: [height, width] };
  return slide(graph, input, weights, bias, window, channels);
}

const POINT = { strides: [1, 1], dilations: [1, 1], padding: "valid" } as const;

/** tfjs: a transposed convolution of the shape that the padding leaves. */
const transposed: LayerWriter = single((layer, input, graph) => {
  const { values, shape } = weightOf(layer, "kernel");
  const [kernel, filters] = [shape.slice(0, 2), at(shape, 2)];
  const { strides, padding } = windowOf(layer, 2);
  const weights = graph.weights(permuted(values, shape, [3, 2, 0, 1]), [at(shape, 3), filters, ...kernel]);
  const spare = kernel.map((size, axis) => size - at(strides, axis));
  const totals = spare.map((size) => (padding === "same" ? Math.max(size, 0) : 0));
  const before = totals.map((total) => Math.floor(total / 2));
  const seen = channelsFirst(graph, input);
  const bias = biasOf(layer);
  const name = graph.op("ConvTranspose", [seen.name, weights, ...(bias === null ? [] : [graph.floats(bias.values)])], {
    kernel_shape: kernel,
    strides,
    pads: [...before, ...totals.map((total, axis) => total - at(before, axis))],
    output_padding: spare.map((size) => Math.max(-size, 0)),
  });
  const sizes = spatial(input).map((size, axis) => {
    if (size === null) return null;
    return size * at(strides, axis) + (padding === "same" ? 0 : Math.max(at(spare, axis), 0));
  });
  const value: Value = { name, shape: [at(input.shape, 0), ...sizes, filters], layout: "first", mask: null };
  return activated(graph, layer, value);
});

export const convolutionLayers: Readonly<Record<string, LayerWriter>> = {
  Conv1D: plain,
  Conv2D: plain,
  Conv3D: plain,
  Conv2DTranspose: transposed,
  DepthwiseConv2D: single((layer, input, graph) =>
    // tfjs leaves the dilation of this layer out, and so does the network that was trained
    activated(graph, layer, depthwise(graph, layer, input, biasOf(layer), { dilations: [1, 1] })),
  ),
  SeparableConv2D: single((layer, input, graph) => {
    const apart = depthwise(graph, layer, input, null);
    return activated(graph, layer, convolve(graph, apart, weightOf(layer, "pointwise_kernel"), biasOf(layer), POINT));
  }),
};
