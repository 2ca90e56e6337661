/** @file Recurrent layers: a loop over the steps of a sequence. */
import { at } from "../../../arrays.js";
import type { OnnxGraph } from "../graph.js";
import { type Config, type SavedLayer, weightsUnder } from "../saved-layers.js";
import { channelsLast, type Value, plainValue } from "../values.js";
import { type Cell, cellOf, stacked } from "./cells.js";
import { isOn, type LayerWriter, single, textOf, unsupported } from "./writing.js";

/** How the steps of a sequence are gone through. */
interface Course {
  readonly isBackwards: boolean;
  /** Whether every step is put out, and whether in the order of the sequence where it is gone through backwards. */
  readonly steps: "last" | "all" | "all in order";
}

function loop(graph: OnnxGraph, layer: SavedLayer, input: Value, cell: Cell, { isBackwards, steps }: Course): Value {
  const isPicture = input.shape.length > 3;
  const seen = isPicture ? stepsFirst(graph, input) : channelsLast(graph, input).name;
  const body = graph.body();
  const states = cell.states.map(() => body.input(body.fresh("state"), "float", null));
  const x = body.input(body.fresh("step"), "float", null);
  const counts = input.mask === null ? null : body.input(body.fresh("counts"), "bool", null);
  const step = cell.step(body, x, states);
  if (counts !== null && cell.states.length > 2) throw unsupported(layer, "its cells are stacked behind a mask");
  // a step that does not count leaves everything as it was
  const kept = (next: string, before: string): string =>
    counts === null ? next : body.op("Where", [body.op("Unsqueeze", [counts, body.int64([1])]), next, before]);
  step.states.forEach((state, i) => {
    body.output(body.fresh("state"), kept(state, at(states, i)), "float", null);
  });
  body.output(body.fresh("output"), kept(step.output, at(states, 0)), "float", null);
  const scanned = [seen, ...(input.mask === null ? [] : [input.mask])];
  const outputs = graph.ops("Scan", [...zeros(graph, seen, cell), ...scanned], cell.states.length + 1, {
    body,
    num_scan_inputs: scanned.length,
    scan_input_axes: scanned.map(() => 1),
    scan_input_directions: scanned.map(() => Number(isBackwards)),
    scan_output_axes: [1],
    scan_output_directions: [Number(isBackwards && steps === "all in order")],
  });
  return result(graph, input, cell, steps, outputs);
}

/** [batch, steps, channels, height, width] of pictures in a sequence. */
function stepsFirst(graph: OnnxGraph, input: Value): string {
  return graph.op("Transpose", [channelsLast(graph, input).name], { perm: [0, 1, 4, 2, 3] });
}

/** States before the first step, of as many rows as there are. */
function zeros(graph: OnnxGraph, input: string, { states }: Cell): string[] {
  const batch = graph.op("Slice", [graph.op("Shape", [input]), graph.int64([0]), graph.int64([1])]);
  return states.map((sizes) =>
    graph.op("ConstantOfShape", [graph.op("Concat", [batch, graph.int64(sizes)], { axis: 0 })]),
  );
}

function result(graph: OnnxGraph, input: Value, cell: Cell, steps: Course["steps"], outputs: readonly string[]): Value {
  const every = at(outputs, outputs.length - 1);
  const [batch, length] = [at(input.shape, 0), at(input.shape, 1)];
  const [channels = 0, ...frame] = at(cell.states, cell.output);
  const isPicture = frame.length > 0;
  if (steps === "last") {
    const value: Value = {
      name: at(outputs, cell.output),
      shape: [batch, ...frame, channels],
      layout: "last",
      mask: null,
    };
    return isPicture ? { ...value, layout: "first" } : value;
  }
  const name = isPicture ? graph.op("Transpose", [every], { perm: [0, 1, 3, 4, 2] }) : every;
  return plainValue(name, [batch, length, ...frame, channels], input.mask);
}

function courseOf(layer: SavedLayer): Course {
  if (isOn(layer, "return_state")) throw unsupported(layer, "it puts out its states");
  if (isOn(layer, "stateful")) throw unsupported(layer, "it keeps its states between batches");
  return { isBackwards: isOn(layer, "go_backwards"), steps: isOn(layer, "return_sequences") ? "all" : "last" };
}

const recurrent: LayerWriter = single((layer, input, graph) =>
  loop(graph, layer, input, cellOf(layer, input), courseOf(layer)),
);

/** Cells of the user's choice, one after the other. */
const ofCells: LayerWriter = single((layer, input, graph) => {
  const { cells } = layer.config;
  const [cell] = [layer.config.cell].flat();
  const configs: readonly unknown[] = Array.isArray(cells) ? cells : [cell];
  const parts = configs.map((one, i) => {
    const prefix = configs.length > 1 ? `RNNCell_${i}/` : "";
    return cellOf(innerLayer(layer, one, weightsUnder(layer.weights, prefix)), input);
  });
  return loop(graph, layer, input, stacked(parts), courseOf(layer));
});

/** A layer that stands in the settings of another. */
export function innerLayer(outer: SavedLayer, inner: unknown, weights: SavedLayer["weights"]): SavedLayer {
  const { class_name: className, config } = recordOf(inner);
  if (typeof className !== "string") throw unsupported(outer, "the layer within it is not said");
  return { ...outer, className, config: recordOf(config), weights };
}

function recordOf(value: unknown): Config {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const bidirectional: LayerWriter = single((layer, input, graph) => {
  const both = (["forward_", "backward_"] as const).map((direction) => {
    const inner = innerLayer(layer, layer.config.layer, weightsUnder(layer.weights, direction));
    const { isBackwards, steps } = courseOf(inner);
    const isSecond = direction === "backward_";
    return loop(graph, inner, input, cellOf(inner, input), {
      isBackwards: isBackwards !== isSecond,
      steps: steps === "all" && isSecond ? "all in order" : steps,
    });
  });
  const [forward, backward] = [at(both, 0), at(both, 1)];
  const mode = textOf(layer, "merge_mode", "none");
  const rank = forward.shape.length;
  if (mode === "concat") {
    const name = graph.op("Concat", [forward.name, backward.name], { axis: rank - 1 });
    const shape = forward.shape.map((size, axis) => (axis === rank - 1 && size !== null ? 2 * size : size));
    return { ...forward, name, shape };
  }
  const sum = () => graph.op("Add", [forward.name, backward.name]);
  if (mode === "sum") return { ...forward, name: sum() };
  if (mode === "ave") return { ...forward, name: graph.op("Mul", [sum(), graph.float(0.5)]) };
  if (mode === "mul") return { ...forward, name: graph.op("Mul", [forward.name, backward.name]) };
  throw unsupported(layer, `its two directions are not merged (${mode})`);
});

export const recurrentLayers: Readonly<Record<string, LayerWriter>> = {
  SimpleRNN: recurrent,
  LSTM: recurrent,
  GRU: recurrent,
  ConvLSTM2D: recurrent,
  RNN: ofCells,
  Bidirectional: bidirectional,
};
