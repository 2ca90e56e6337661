/** @file Calibrated probabilities as ONNX operators: what src/decoding/calibration.ts does with numbers. */
import { at } from "../../arrays.js";
import { IDENTITY, type ScoreMap, type TaskCalibration } from "../../decoding/calibration.js";
import type { OnnxGraph } from "./graph.js";
import { reduce } from "./values.js";

/** What is known of a task whose logits become probabilities. */
interface Logits {
  readonly name: string;
  readonly width: number;
  /** Along which its numbers lie. */
  readonly axis: number;
  readonly isChoice: boolean;
}

/** Calibrated probabilities of logits, in their shape. */
export function calibrateOnnx(graph: OnnxGraph, calibration: TaskCalibration, logits: Logits): string {
  const { name, width, axis, isChoice } = logits;
  const activate = (x: string): string => graph.op(isChoice ? "Softmax" : "Sigmoid", [x], isChoice ? { axis: -1 } : {});
  if (calibration.method === "temperature") {
    return activate(graph.op("Div", [name, graph.floats(calibration.temperatures)]));
  }
  const scores = activate(name);
  const { maps } = calibration;
  const columns = Array.from({ length: width }, (_, i) => {
    const own = graph.op("Slice", [scores, graph.int64([i]), graph.int64([i + 1]), graph.int64([axis])]);
    return mapped(graph, own, maps[i % maps.length] ?? IDENTITY);
  });
  const all = graph.op("Concat", columns, { axis });
  return isChoice ? normalized(graph, all, width, axis) : all;
}

/** Each piece of a map adds its slope times what of the score lies in it. [batch, 1] → [batch, 1] */
function mapped(graph: OnnxGraph, score: string, { scores, probabilities }: ScoreMap): string {
  const first = graph.floats([probabilities[0] ?? 0]);
  const widths = scores.slice(1).map((to, i) => to - at(scores, i));
  if (widths.length === 0) {
    // NaN stays NaN
    return graph.op("Add", [graph.op("Mul", [score, graph.float(0)]), first]);
  }
  const slopes = widths.map((width, i) => (at(probabilities, i + 1) - at(probabilities, i)) / width);
  const beyond = graph.op("Sub", [score, graph.floats(scores.slice(0, -1))]);
  const within = graph.op("Min", [graph.op("Max", [beyond, graph.float(0)]), graph.floats(widths)]);
  const risen = graph.op("MatMul", [within, graph.floats(slopes, [slopes.length, 1])]);
  return graph.op("Add", [risen, first]);
}

/** Rows that add up to 1; one that is all zero knows nothing. */
function normalized(graph: OnnxGraph, values: string, width: number, axis: number): string {
  const sum = reduce(graph, "ReduceSum", values, [axis]);
  const isNothing = graph.op("Equal", [sum, graph.float(0)]);
  const safe = graph.op("Where", [isNothing, graph.float(1), sum]);
  return graph.op("Where", [isNothing, graph.float(1 / width), graph.op("Div", [values, safe])]);
}
