/** @file A layer → a small network around it, whose gradient reaches the layer's inputs too. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { InputSpec } from "../../src/data/dataset.js";
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import { Network, type SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { boundedRegression, multilabel } from "../../src/tasks/index.js";
import { type ParityCase, wave } from "./compare.js";

export interface LayerCase {
  readonly name: string;
  /** Shapes of the inputs, batch first. */
  readonly inputs: readonly (readonly number[])[];
  /** Inputs are integers below this. */
  readonly vocabulary?: number;
  /** Inputs of this row and step are 0, as a masking layer looks for them, and get no gradient. */
  readonly masked?: boolean;
  readonly random?: boolean;
  readonly cpuIsWrong?: string;
  readonly build: (...inputs: SymbolicTensor[]) => SymbolicTensor;
}

/** Adds a number to every number of the batch: its gradient is that of the layer's input. */
class Shift extends tfl.layers.Layer {
  static className = "ParityShift";
  readonly #shape: readonly number[];
  #shift: tfl.LayerVariable | null = null;

  constructor(shape: readonly number[]) {
    super({});
    this.#shape = shape;
  }

  override build(): void {
    this.#shift = this.addWeight("shift", [...this.#shape], "float32", tfl.initializers.zeros());
    this.built = true;
  }

  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [input] = Array.isArray(x) ? x : [x];
    return tf.add(input as tf.Tensor, (this.#shift as tfl.LayerVariable).read());
  }
}

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: { marks: multilabel({ labels: ["p", "q", "r"] }), size: boundedRegression({ max: 1 }) },
  }).flow("main", (flow, x, out) => {
    out.add(flow.marks(x.f));
    out.add(flow.size(x.f));
  }),
  "main",
);

export function networkCase(layerCase: LayerCase): ParityCase {
  const { inputs: shapes, build: _, ...rest } = layerCase;
  const count = shapes[0]?.[0] as number;
  return {
    ...rest,
    make: () => ({
      network: Network.build(graph, inputsOf(shapes), (symbols) => ({ f: trunkOf(layerCase, symbols) }), 3),
      inputs: Object.fromEntries(shapes.map((shape, i) => [`x${i}`, valuesOf(layerCase, shape, i)])),
      targets: targetsOf(count),
    }),
  };
}

function inputsOf(shapes: LayerCase["inputs"]): Record<string, InputSpec> {
  return Object.fromEntries(
    shapes.map((shape, i) => {
      const listLength = tf.util.sizeFromShape(shape.slice(1));
      const fixed = { kind: "numeric", standardize: false, missing: "error", statistics: null } as const;
      return [`x${i}`, { ...fixed, columns: [`x${i}`], listLength }];
    }),
  );
}

function trunkOf(layerCase: LayerCase, symbols: Readonly<Record<string, SymbolicTensor>>): SymbolicTensor {
  const isShifted = layerCase.vocabulary === undefined && layerCase.masked !== true;
  const inputs = layerCase.inputs.map((shape, i) => {
    const row = tfl.layers.reshape({ targetShape: shape.slice(1) }).apply(symbols[`x${i}`] as SymbolicTensor);
    return (isShifted ? new Shift(shape).apply(row as SymbolicTensor) : row) as SymbolicTensor;
  });
  const output = layerCase.build(...inputs);
  return output.shape.length === 2 ? output : (tfl.layers.flatten().apply(output) as SymbolicTensor);
}

/** Values of an input of a layer. */
export function valuesOf(
  { vocabulary, masked = false }: LayerCase,
  shape: readonly number[],
  input: number,
): Float32Array {
  const [, steps = 1, width = 1] = shape;
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => {
    const value = wave(i, 100 + input);
    if (vocabulary !== undefined) return Math.floor(Math.abs(value) * vocabulary);
    // the last step of every row but the first
    const isMasked = masked && i >= steps * width && Math.floor(i / width) % steps === steps - 1;
    return isMasked ? 0 : value;
  });
}

function targetsOf(count: number): BatchTargets {
  const mask = Uint8Array.from({ length: count }, () => 1);
  const marks = Float32Array.from({ length: count * 3 }, (_, i) => (wave(i, 7) > 0 ? 1 : 0));
  const size = Float32Array.from({ length: count }, (_, i) => Math.abs(wave(i, 8)));
  return {
    rows: count,
    labels: [marks, size].map((answers) => ({ answers, unitScale: null })),
    masks: [mask, mask],
  };
}
