/** @file Pools. */
import { at } from "../../../arrays.js";
import { channelsFirst, type Value } from "../values.js";
import { afterWindow, paddingAttributes, paddingOf, spatial } from "./windows.js";
import { assertChannelsLast, type LayerWriter, numbersOf, single } from "./writing.js";

const pool = (type: "MaxPool" | "AveragePool", axes: number): LayerWriter =>
  single((layer, input, graph) => {
    assertChannelsLast(layer);
    const kernel = numbersOf(layer, "pool_size", axes, 2);
    const strides = layer.config.strides == null ? kernel : numbersOf(layer, "strides", axes);
    const window = { kernel, strides, dilations: kernel.map(() => 1), padding: paddingOf(layer) };
    const [seen, sizes] = [channelsFirst(graph, input), spatial(input)];
    const name = graph.op(type, [seen.name], { kernel_shape: kernel, strides, ...paddingAttributes(sizes, window) });
    const shape = [at(input.shape, 0), ...afterWindow(sizes, window), at(input.shape, input.shape.length - 1)];
    return { name, shape, layout: "first", mask: null };
  });

const globalPool = (type: "GlobalMaxPool" | "GlobalAveragePool"): LayerWriter =>
  single((layer, input, graph): Value => {
    assertChannelsLast(layer);
    const pooled = graph.op(type, [channelsFirst(graph, input).name]);
    const shape = [at(input.shape, 0), at(input.shape, input.shape.length - 1)];
    return { name: graph.op("Flatten", [pooled], { axis: 1 }), shape, layout: "last", mask: null };
  });

export const poolingLayers: Readonly<Record<string, LayerWriter>> = {
  MaxPooling1D: pool("MaxPool", 1),
  MaxPooling2D: pool("MaxPool", 2),
  MaxPooling3D: pool("MaxPool", 3),
  AveragePooling1D: pool("AveragePool", 1),
  AveragePooling2D: pool("AveragePool", 2),
  AveragePooling3D: pool("AveragePool", 3),
  GlobalMaxPooling1D: globalPool("GlobalMaxPool"),
  GlobalMaxPooling2D: globalPool("GlobalMaxPool"),
  GlobalAveragePooling1D: globalPool("GlobalAveragePool"),
  GlobalAveragePooling2D: globalPool("GlobalAveragePool"),
};
