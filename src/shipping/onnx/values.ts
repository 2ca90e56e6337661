/** @file Tensors of a network on their way through ONNX, whose convolutions want channels first. */
import { at } from "../../arrays.js";
import type { OnnxGraph } from "./graph.js";

/** A tensor. Its shape is that of tfjs, channels last, whatever lies in memory. */
export interface Value {
  readonly name: string;
  /** Batch first; null: free. */
  readonly shape: readonly (number | null)[];
  /** Where the channels of pictures, volumes and sequences lie. */
  readonly layout: "last" | "first";
  /** Which steps count, [batch, steps] of truth values; null: all. */
  readonly mask: string | null;
}

/** A value with its channels last, without a mask. */
export function plainValue(name: string, shape: Value["shape"], mask: string | null = null): Value {
  return { name, shape, layout: "last", mask };
}

/** The same tensor with its channels last. */
export function channelsLast(graph: OnnxGraph, value: Value): Value {
  if (value.layout === "last") return value;
  const rank = value.shape.length;
  const perm = [0, ...range(2, rank), 1];
  return { ...value, name: graph.op("Transpose", [value.name], { perm }), layout: "last" };
}

/** The same tensor with its channels first. */
export function channelsFirst(graph: OnnxGraph, value: Value): Value {
  if (value.layout === "first") return value;
  const rank = value.shape.length;
  const perm = [0, rank - 1, ...range(1, rank - 1)];
  return { ...value, name: graph.op("Transpose", [value.name], { perm }), layout: "first" };
}

/** Numbers from one up to, not including, another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((size, side) => size * side, 1);
}

/** An axis as it is counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Means, sums or largest numbers along axes, which stay with size 1. */
export function reduce(
  graph: OnnxGraph,
  type: "ReduceMean" | "ReduceMax" | "ReduceSum",
  name: string,
  axes: readonly number[],
): string {
  // sums took their axes as an input from opset 13 on, the others from 18 on
  const asInput = type === "ReduceSum" || graph.opset >= 18;
  if (asInput) return graph.op(type, [name, graph.int64(axes)], { keepdims: 1 });
  return graph.op(type, [name], { axes, keepdims: 1 });
}

/** Numbers with their axes in another order. @param order which axis of the given ones each new axis is */
export function permuted(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
  const sizes = order.map((axis) => at(shape, axis));
  const steps = order.map((axis) => at(strides, axis));
  const out = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = at(values, from);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      index[axis] = at(index, axis) + 1;
      from += at(steps, axis);
      if (at(index, axis) < at(sizes, axis)) break;
      from -= at(steps, axis) * at(sizes, axis);
      index[axis] = 0;
    }
  }
  return out;
}
