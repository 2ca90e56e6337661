/** @file What layers compute with their weights, in the precision that a model is written in. */
import { at } from "../../arrays.js";
import type { Attribute, OnnxGraph } from "./graph.js";
import { quantize, type Quantized, ZERO } from "./precision.js";

/** The weights in 8 bits where the graph keeps such weights so. */
function inBytes(graph: OnnxGraph, values: Float32Array, shape: readonly number[], axis: number): Quantized | null {
  const { precision, smallest } = graph.weightForm;
  return precision !== "int8" || values.length < smallest ? null : quantize(values, shape, axis);
}

/** Whole numbers of a product → floats. @param scales of the weights, in a shape that meets the channels */
function rescaled(graph: OnnxGraph, sums: string, inputScale: string, scales: string): string {
  const floats = graph.op("Cast", [sums], { to: 1 });
  return graph.op("Mul", [floats, graph.op("Mul", [inputScale, scales])]);
}

/** x W. @param shape [inputs, outputs] */
export function times(graph: OnnxGraph, x: string, values: Float32Array, shape: readonly number[]): string {
  const bytes = inBytes(graph, values, shape, 1);
  if (bytes === null) return graph.op("MatMul", [x, graph.weights(values, shape)]);
  const [whole = "", scale = "", zero = ""] = graph.quantized(x);
  const sums = graph.op("MatMulInteger", [whole, graph.uint8(bytes.values, shape), zero, graph.uint8([ZERO], [])]);
  return rescaled(graph, sums, scale, graph.floats(bytes.scales));
}

/**
 * A convolution, channels first.
 * @param shape [filters, channels of a group, ...window]
 * @param bias [filters]
 */
export function convolution(
  graph: OnnxGraph,
  x: string,
  values: Float32Array,
  shape: readonly number[],
  bias: Float32Array | null,
  attributes: Readonly<Record<string, Attribute>>,
): string {
  // a filter of one channel has few weights, and much to lose
  const bytes = attributes.group === 1 ? inBytes(graph, values, shape, 0) : null;
  if (bytes === null) {
    const biases = bias === null ? [] : [graph.floats(bias)];
    return graph.op("Conv", [x, graph.weights(values, shape), ...biases], attributes);
  }
  const [whole = "", scale = "", zero = ""] = graph.quantized(x);
  const weights = graph.uint8(bytes.values, shape);
  const sums = graph.op("ConvInteger", [whole, weights, zero, graph.uint8([ZERO], [])], attributes);
  const perFilter = [at(shape, 0), ...shape.slice(2).map(() => 1)];
  const made = rescaled(graph, sums, scale, graph.floats(bytes.scales, perFilter));
  return bias === null ? made : graph.op("Add", [made, graph.floats(bias, perFilter)]);
}

/** Rows of a table. @param shape [rows, numbers] @param ids any shape */
export function lookedUp(graph: OnnxGraph, values: Float32Array, shape: readonly number[], ids: string): string {
  const bytes = inBytes(graph, values, shape, 0);
  if (bytes === null) return graph.op("Gather", [graph.weights(values, shape), ids], { axis: 0 });
  const rows = graph.op("Gather", [graph.uint8(bytes.values, shape), ids], { axis: 0 });
  const scales = graph.op("Gather", [graph.floats(bytes.scales, [at(shape, 0), 1]), ids], { axis: 0 });
  const centred = graph.op("Sub", [graph.op("Cast", [rows], { to: 1 }), graph.float(ZERO)]);
  return graph.op("Mul", [centred, scales]);
}
