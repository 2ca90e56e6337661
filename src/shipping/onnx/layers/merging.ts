/** @file Layers of several inputs. */
import { at } from "../../../arrays.js";
import type { OnnxGraph } from "../graph.js";
import type { SavedLayer } from "../saved-layers.js";
import { axisOf, channelsLast, range, reduce, type Value, plainValue } from "../values.js";
import { isOn, type LayerWriter, numberOf, unsupported } from "./writing.js";

/** All with their channels where the first has them, which costs nothing where they agree. */
function alike(layer: SavedLayer, inputs: readonly Value[], graph: OnnxGraph): readonly Value[] {
  if (inputs.some(({ mask }) => mask !== null)) {
    throw unsupported(layer, "it merges sequences of which some steps are masked");
  }
  const ranks = new Set(inputs.map(({ shape }) => shape.length));
  const isFirst = ranks.size === 1 && inputs.every(({ layout }) => layout === "first");
  return isFirst ? inputs : inputs.map((input) => channelsLast(graph, input));
}

/** One operator between every two of them; those of lower rank get axes after the batch, as in tfjs. */
const merge =
  (combine: (graph: OnnxGraph, names: readonly string[]) => string): LayerWriter =>
  (layer, inputs, graph) => {
    const values = alike(layer, inputs, graph);
    const rank = Math.max(...values.map(({ shape }) => shape.length));
    const widened = values.map((value): Value => {
      const missing = rank - value.shape.length;
      if (missing === 0) return value;
      const name = graph.op("Unsqueeze", [value.name, graph.int64(range(1, missing + 1))]);
      return {
        ...value,
        name,
        shape: [at(value.shape, 0), ...range(0, missing).map(() => 1), ...value.shape.slice(1)],
      };
    });
    const shape = range(0, rank).map((axis) =>
      widened.reduce<number | null>((size, value) => (size === null ? null : largerOf(size, at(value.shape, axis))), 1),
    );
    return {
      ...at(values, 0),
      name: combine(
        graph,
        widened.map(({ name }) => name),
      ),
      shape,
    };
  };

function largerOf(size: number, other: number | null): number | null {
  return other === null ? null : Math.max(size, other);
}

const inTurn =
  (type: "Add" | "Mul") =>
  (graph: OnnxGraph, names: readonly string[]): string =>
    names.reduce((left, right) => graph.op(type, [left, right]));

const concatenate: LayerWriter = (layer, inputs, graph) => {
  const values = alike(layer, inputs, graph);
  const first = at(values, 0);
  const rank = first.shape.length;
  const axis = axisOf(numberOf(layer, "axis", -1), rank);
  // with channels first, the last axis is the first after the batch, and the others move by one
  const place = first.layout === "last" || axis === 0 ? axis : axis === rank - 1 ? 1 : axis + 1;
  const name = graph.op(
    "Concat",
    values.map((value) => value.name),
    { axis: place },
  );
  const size = values.reduce<number | null>((sum, { shape }) => {
    const own = at(shape, axis);
    return sum === null || own === null ? null : sum + own;
  }, 0);
  return { ...first, name, shape: first.shape.map((side, i) => (i === axis ? size : side)) };
};

/** Sums of products along an axis of each: tfjs's `batchDot`. */
const dot: LayerWriter = (layer, inputs, graph) => {
  const [x, y] = alike(layer, inputs, graph).map((value) => channelsLast(graph, value));
  if (x === undefined || y === undefined || x.shape.length > 3 || y.shape.length > 3) {
    throw unsupported(layer, "it reads other than two tensors of at most three axes");
  }
  const [axisX, axisY] = axesOf(layer, x, y);
  const [left, right] = isOn(layer, "normalize")
    ? [normalized(graph, x.name, axisX), normalized(graph, y.name, axisY)]
    : [x.name, y.name];
  const [rankX, rankY] = [x.shape.length, y.shape.length];
  const batch = at(x.shape, 0);
  if (rankX === 2 && rankY === 2) {
    const sum = reduce(graph, "ReduceSum", graph.op("Mul", [left, right]), [1]);
    return plainValue(sum, [batch, 1]);
  }
  const column = (name: string, rank: number) => (rank === 3 ? name : graph.op("Unsqueeze", [name, graph.int64([2])]));
  const flip = (name: string) => graph.op("Transpose", [name], { perm: [0, 2, 1] });
  const a = axisX === 2 ? column(left, rankX) : flip(column(left, rankX));
  const b = axisY === 2 ? flip(column(right, rankY)) : column(right, rankY);
  const name = graph.op("MatMul", [a, b]);
  const rest = (shape: Value["shape"], axis: number) => shape.filter((_, i) => i !== 0 && i !== axis);
  const shape = [batch, ...rest(x.shape, axisX), ...rest(y.shape, axisY)];
  if (rankX === rankY) return plainValue(name, shape);
  return plainValue(graph.op("Squeeze", [name, graph.int64([rankX < rankY ? 1 : 2])]), shape);
};

function axesOf({ config }: SavedLayer, x: Value, y: Value): [number, number] {
  const { axes } = config;
  const [ofX, ofY] = Array.isArray(axes) ? [Number(axes[0]), Number(axes[1])] : [Number(axes), Number(axes)];
  return [axisOf(ofX, x.shape.length), axisOf(ofY, y.shape.length)];
}

function normalized(graph: OnnxGraph, name: string, axis: number): string {
  const squares = reduce(graph, "ReduceSum", graph.op("Mul", [name, name]), [axis]);
  const norm = graph.op("Sqrt", [graph.op("Max", [squares, graph.float(1e-7)])]);
  return graph.op("Div", [name, norm]);
}

export const mergingLayers: Readonly<Record<string, LayerWriter>> = {
  Concatenate: concatenate,
  Dot: dot,
  Add: merge(inTurn("Add")),
  Multiply: merge(inTurn("Mul")),
  Average: merge((graph, names) => graph.op("Mul", [inTurn("Add")(graph, names), graph.float(1 / names.length)])),
  Maximum: merge((graph, names) => graph.op("Max", names)),
  Minimum: merge((graph, names) => graph.op("Min", names)),
};
