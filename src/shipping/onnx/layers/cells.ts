/** @file Cells of recurrent layers: one step, as operators in the body of a loop. */
import { at } from "../../../arrays.js";
import type { OnnxGraph } from "../graph.js";
import type { SavedLayer, Weight } from "../saved-layers.js";
import type { Value } from "../values.js";
import { activationOf } from "./activations.js";
import { convolve, windowOf } from "./convolutions.js";
import { afterWindow } from "./windows.js";
import { isOn, numberOf, unsupported, weightOf } from "./writing.js";

/** What a cell puts out, and what it keeps for the next step. */
interface Step {
  readonly output: string;
  readonly states: readonly string[];
}

export interface Cell {
  /** Sizes of each state and of the output, without the batch. */
  readonly states: readonly (readonly number[])[];
  /** Which of the states is also what it puts out. */
  readonly output: number;
  step(graph: OnnxGraph, x: string, states: readonly string[]): Step;
}

/** The cell of a recurrent layer. @param input what the layer reads, [batch, steps, …] */
export function cellOf(layer: SavedLayer, input: Value): Cell {
  const make = cells[layer.className.replace(/Cell$/, "")];
  if (make === undefined) throw unsupported(layer, "there is no writer for its cell");
  return make(layer, input);
}

const units = (layer: SavedLayer): number => numberOf(layer, "units", 0);

/** x W + b */
function projected(graph: OnnxGraph, layer: SavedLayer, x: string): string {
  const { values, shape } = weightOf(layer, "kernel");
  const product = graph.op("MatMul", [x, graph.weights(values, shape)]);
  if (!isOn(layer, "use_bias", true)) return product;
  return graph.op("Add", [product, graph.floats(weightOf(layer, "bias").values)]);
}

function split(graph: OnnxGraph, name: string, count: number, size: number, axis = 1): string[] {
  return graph.ops("Split", [name, graph.int64(new Array<number>(count).fill(size))], count, { axis });
}

/** Some columns of a matrix. */
function columns({ values, shape }: Weight, from: number, to: number): Weight {
  const [rows, stride] = [at(shape, 0), at(shape, 1)];
  const own = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++)
    own.set(values.subarray(row * stride + from, row * stride + to), row * (to - from));
  return { values: own, shape: [rows, to - from] };
}

const simple = (layer: SavedLayer): Cell => ({
  states: [[units(layer)]],
  output: 0,
  step(graph, x, [h = ""]) {
    const { values, shape } = weightOf(layer, "recurrent_kernel");
    const before = graph.op("MatMul", [h, graph.weights(values, shape)]);
    const output = activationOf(
      layer,
      "activation",
      "tanh",
    )(graph, graph.op("Add", [projected(graph, layer, x), before]));
    return { output, states: [output] };
  },
});

/** Hochreiter & Schmidhuber (1997), with forget gates; gates in the order of Keras: input, forget, cell, output. */
function gated(graph: OnnxGraph, layer: SavedLayer, gates: readonly string[], cell: string): Step {
  const [activation, gate] = [
    activationOf(layer, "activation", "tanh"),
    activationOf(layer, "recurrent_activation", "hard_sigmoid"),
  ];
  const [i, f, o] = [gate(graph, at(gates, 0)), gate(graph, at(gates, 1)), gate(graph, at(gates, 3))];
  const kept = graph.op("Mul", [f, cell]);
  const next = graph.op("Add", [kept, graph.op("Mul", [i, activation(graph, at(gates, 2))])]);
  const output = graph.op("Mul", [o, activation(graph, next)]);
  return { output, states: [output, next] };
}

const lstm = (layer: SavedLayer): Cell => ({
  states: [[units(layer)], [units(layer)]],
  output: 0,
  step(graph, x, [h = "", c = ""]) {
    const { values, shape } = weightOf(layer, "recurrent_kernel");
    const before = graph.op("MatMul", [h, graph.weights(values, shape)]);
    const all = graph.op("Add", [projected(graph, layer, x), before]);
    return gated(graph, layer, split(graph, all, 4, units(layer)), c);
  },
});

/** Cho et al. (2014); gates in the order of Keras: update, reset, candidate. */
const gru = (layer: SavedLayer): Cell => ({
  states: [[units(layer)]],
  output: 0,
  step(graph, x, [h = ""]) {
    if (isOn(layer, "reset_after")) throw unsupported(layer, "its gates are reset after the product");
    const size = units(layer);
    const gate = activationOf(layer, "recurrent_activation", "hard_sigmoid");
    const recurrent = weightOf(layer, "recurrent_kernel");
    const times = (name: string, { values, shape }: Weight) => graph.op("MatMul", [name, graph.weights(values, shape)]);
    const own = split(graph, projected(graph, layer, x), 3, size);
    const before = split(graph, times(h, columns(recurrent, 0, 2 * size)), 2, size);
    const [z, r] = [0, 1].map((i) => gate(graph, graph.op("Add", [at(own, i), at(before, i)])));
    const reset = times(graph.op("Mul", [r ?? "", h]), columns(recurrent, 2 * size, 3 * size));
    const candidate = activationOf(layer, "activation", "tanh")(graph, graph.op("Add", [at(own, 2), reset]));
    const kept = graph.op("Mul", [z ?? "", h]);
    const taken = graph.op("Mul", [graph.op("Sub", [graph.float(1), z ?? ""]), candidate]);
    const output = graph.op("Add", [kept, taken]);
    return { output, states: [output] };
  },
});

/** Shi et al. (2015): an LSTM whose products are convolutions. States and steps have their channels first. */
const convLstm = (layer: SavedLayer, input: Value): Cell => {
  const [kernel, recurrent] = [weightOf(layer, "kernel"), weightOf(layer, "recurrent_kernel")];
  const filters = numberOf(layer, "filters", 0);
  const window = windowOf(layer, 2);
  const frame = input.shape.slice(2);
  const after = afterWindow(frame.slice(0, 2), { ...window, kernel: kernel.shape.slice(0, 2) });
  if (after.some((size) => size === null)) throw unsupported(layer, "its pictures have no fixed size");
  const sizes = [filters, ...after.map(Number)];
  const picture = (name: string, shape: Value["shape"]): Value => ({ name, shape, layout: "first", mask: null });
  return {
    states: [sizes, sizes],
    output: 0,
    step(graph, x, [h = "", c = ""]) {
      const bias = isOn(layer, "use_bias", true) ? weightOf(layer, "bias") : null;
      const own = convolve(graph, picture(x, [null, ...frame]), kernel, bias, window);
      const state = picture(h, [null, ...after, filters]);
      const before = convolve(graph, state, recurrent, null, { strides: [1, 1], dilations: [1, 1], padding: "same" });
      const all = graph.op("Add", [own.name, before.name]);
      return gated(graph, layer, split(graph, all, 4, filters), c);
    },
  };
};

const cells: Readonly<Record<string, (layer: SavedLayer, input: Value) => Cell>> = {
  SimpleRNN: simple,
  LSTM: lstm,
  GRU: gru,
  ConvLSTM2D: convLstm,
};

/** One cell after the other. */
export function stacked(parts: readonly Cell[]): Cell {
  return {
    states: parts.flatMap(({ states }) => states),
    output: parts.slice(0, -1).reduce((count, { states }) => count + states.length, 0) + (parts.at(-1)?.output ?? 0),
    step(graph, x, states) {
      let [output, from] = [x, 0];
      const kept = parts.flatMap((part) => {
        const step = part.step(graph, output, states.slice(from, from + part.states.length));
        output = step.output;
        from += part.states.length;
        return step.states;
      });
      return { output, states: kept };
    },
  };
}
