/** @file Layers that look up, scale, move and repeat numbers. */
import { at } from "../../../arrays.js";
import type { OnnxGraph } from "../graph.js";
import { lookedUp, times } from "../products.js";
import { channelsFirst, channelsLast, product, reduce, type Value, plainValue } from "../values.js";
import { activated } from "./activations.js";
import {
  assertChannelsLast,
  constantOf,
  isOn,
  type LayerWriter,
  numberOf,
  numbersOf,
  single,
  textOf,
  unsupported,
  weightOf,
} from "./writing.js";

/** A tensor of another shape. @param shape sizes, 0: as it is, −1: whatever is left */
function reshaped(graph: OnnxGraph, input: Value, sizes: readonly number[], shape: Value["shape"]): Value {
  const seen = channelsLast(graph, input);
  return plainValue(graph.op("Reshape", [seen.name, graph.int64(sizes)]), shape);
}

const embedding: LayerWriter = single((layer, input, graph) => {
  const table = weightOf(layer, "embeddings");
  const ids = graph.op("Cast", [input.name], { to: 6 });
  const name = lookedUp(graph, table.values, table.shape, ids);
  const mask = isOn(layer, "mask_zero") ? graph.op("Not", [graph.op("Equal", [input.name, graph.float(0)])]) : null;
  return plainValue(name, [...input.shape, at(table.shape, 1)], mask);
});

/** Steps whose numbers are all one value do not count. */
const masking: LayerWriter = single((layer, input, graph) => {
  const seen = channelsLast(graph, input);
  const differs = graph.op("Not", [graph.op("Equal", [seen.name, graph.float(numberOf(layer, "mask_value", 0))])]);
  const counts = graph.op("Cast", [differs], { to: 1 });
  const any = reduce(graph, "ReduceMax", counts, [seen.shape.length - 1]);
  const mask = graph.op("Cast", [graph.op("Squeeze", [any, graph.int64([seen.shape.length - 1])])], { to: 9 });
  return { ...seen, name: graph.op("Mul", [seen.name, any]), mask };
});

const rescaling: LayerWriter = single((layer, input, graph) => {
  const scaled = graph.op("Mul", [input.name, graph.float(numberOf(layer, "scale", 1))]);
  const offset = numberOf(layer, "offset", 0);
  return { ...input, name: offset === 0 ? scaled : graph.op("Add", [scaled, graph.float(offset)]) };
});

const flatten: LayerWriter = single((layer, input, graph) => {
  const sizes = input.shape.slice(1);
  const known = sizes.every((size) => size !== null);
  if (textOf(layer, "data_format", "channels_last") === "channels_first")
    throw unsupported(layer, "its data format is channels_first");
  return reshaped(graph, input, [0, -1], [at(input.shape, 0), known ? product(sizes.map(Number)) : null]);
});

const reshape: LayerWriter = single((layer, input, graph) => {
  const target = numbersOf(layer, "target_shape", 1).map((size) => (Number.isNaN(size) ? -1 : size));
  const sizes = input.shape.slice(1);
  const whole = sizes.every((size) => size !== null) ? product(sizes.map(Number)) : null;
  const rest = target.reduce((left, size) => (size > 0 ? left / size : left), whole ?? Number.NaN);
  const shape = target.map((size) => (size > 0 ? size : Number.isNaN(rest) ? null : rest));
  return reshaped(graph, input, [0, ...target], [at(input.shape, 0), ...shape]);
});

const permute: LayerWriter = single((layer, input, graph) => {
  const seen = channelsLast(graph, input);
  const perm = [0, ...numbersOf(layer, "dims", 1)];
  const name = graph.op("Transpose", [seen.name], { perm });
  return plainValue(
    name,
    perm.map((axis) => at(seen.shape, axis)),
  );
});

const repeat: LayerWriter = single((layer, input, graph) => {
  const count = numberOf(layer, "n", 1);
  const column = graph.op("Unsqueeze", [input.name, graph.int64([1])]);
  const name = graph.op("Tile", [column, graph.int64([1, count, 1])]);
  return plainValue(name, [at(input.shape, 0), count, at(input.shape, 1)]);
});

/** tfjs resizes from the corner: out / scale. */
const upSampling: LayerWriter = single((layer, input, graph) => {
  assertChannelsLast(layer);
  const size = numbersOf(layer, "size", 2, 2);
  const isNearest = textOf(layer, "interpolation", "nearest") === "nearest";
  const seen = channelsFirst(graph, input);
  const name = graph.op("Resize", [seen.name, "", graph.floats([1, 1, ...size])], {
    mode: isNearest ? "nearest" : "linear",
    coordinate_transformation_mode: "asymmetric",
    ...(isNearest ? { nearest_mode: "floor" } : {}),
  });
  const shape = input.shape.map((side, axis) =>
    side === null || axis === 0 || axis === 3 ? side : side * at(size, axis - 1),
  );
  return { ...seen, name, shape };
});

/** Rows and columns before and after the picture: [[top, bottom], [left, right]]. */
function margins(value: unknown): [[number, number], [number, number]] {
  const pair = (side: unknown): [number, number] => {
    if (Array.isArray(side)) return [Number(side[0]), Number(side[1])];
    return [Number(side), Number(side)];
  };
  if (Array.isArray(value)) return [pair(value[0]), pair(value[1])];
  return [pair(value ?? 1), pair(value ?? 1)];
}

const zeroPadding: LayerWriter = single((layer, input, graph) => {
  assertChannelsLast(layer);
  const [[top, bottom], [left, right]] = margins(layer.config.padding);
  const seen = channelsLast(graph, input);
  const pads = graph.int64([0, top, left, 0, 0, bottom, right, 0]);
  const grown = [0, top + bottom, left + right, 0];
  const shape = seen.shape.map((side, axis) => (side === null ? null : side + at(grown, axis)));
  return plainValue(graph.op("Pad", [seen.name, pads, graph.float(0)], { mode: "constant" }), shape);
});

const cropping: LayerWriter = single((layer, input, graph) => {
  assertChannelsLast(layer);
  const [[top, bottom], [left, right]] = margins(layer.config.cropping);
  const seen = channelsLast(graph, input);
  const [height, width] = [at(seen.shape, 1), at(seen.shape, 2)];
  if (height === null || width === null) throw unsupported(layer, "its input has no fixed size");
  const ends = [height - bottom, width - right];
  const name = graph.op("Slice", [seen.name, graph.int64([top, left]), graph.int64(ends), graph.int64([1, 2])]);
  return plainValue(name, [at(seen.shape, 0), at(ends, 0) - top, at(ends, 1) - left, at(seen.shape, 3)]);
});

/** Another layer on every step: steps become rows, and rows steps again. */
export const timeDistributed =
  (inner: LayerWriter): LayerWriter =>
  (layer, inputs, graph) =>
    single((_layer, input) => {
      const seen = channelsLast(graph, input);
      const rest = seen.shape.slice(2);
      if (rest.some((size) => size === null)) throw unsupported(layer, "its steps have no fixed size");
      const rows = reshaped(graph, seen, [-1, ...rest.map(Number)], [null, ...rest]);
      const result = channelsLast(graph, inner(layer, [rows], graph));
      const after = result.shape.slice(1).map(Number);
      // batch and steps may both be free: they are what they were
      const before = graph.op("Slice", [graph.op("Shape", [seen.name]), graph.int64([0]), graph.int64([2])]);
      const sizes = graph.op("Concat", [before, graph.int64(after)], { axis: 0 });
      const shape = [...seen.shape.slice(0, 2), ...result.shape.slice(1)];
      return plainValue(graph.op("Reshape", [result.name, sizes]), shape, input.mask);
    })(layer, inputs, graph);

/** A dense layer, on the last axis of whatever there is. */
const dense: LayerWriter = single((layer, input, graph) => {
  const { values, shape } = weightOf(layer, "kernel");
  const seen = channelsLast(graph, input);
  const made = times(graph, seen.name, values, shape);
  const name = isOn(layer, "use_bias", true) ? graph.op("Add", [made, constantOf(graph, layer, "bias")]) : made;
  return activated(graph, layer, { ...seen, name, shape: [...seen.shape.slice(0, -1), at(shape, 1)] });
});

export const shapeLayers: Readonly<Record<string, LayerWriter>> = {
  Dense: dense,
  Embedding: embedding,
  Masking: masking,
  Rescaling: rescaling,
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeat,
  UpSampling2D: upSampling,
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
};
