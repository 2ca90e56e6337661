/** @file Operators of ONNX as those of TensorFlow: those that an exported network and its decisions are made of. */
import { at } from "../../arrays.js";
import type { Attribute as TfAttribute, Attributes, GraphBuilder, Output } from "../../engine/step-graph/graph-def.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { convolve, fromChannelsFirst, pooled } from "./windows.js";
import { int32s, int64s, type Operand, type OperatorNode, typeOf } from "./operand.js";

/** Writes one operator. @returns its output */
type Translate = (builder: GraphBuilder, node: OperatorNode) => Operand;

const floats = (output: Output): Operand => ({ output, dtype: DTYPE.float, numbers: null });
const truths = (output: Output): Operand => ({ output, dtype: DTYPE.bool, numbers: null });

/** An operator of one type of numbers, which it keeps. */
const alike =
  (op: string, more: Attributes = {}): Translate =>
  (builder, { inputs }) => {
    const { dtype } = at(inputs, 0);
    const outputs = inputs.map(({ output }) => output);
    return { output: builder.node(op, outputs, { T: typeOf(dtype), ...more }), dtype, numbers: null };
  };

/** The same between every two of several. */
const folded =
  (op: string): Translate =>
  (builder, { inputs }) => {
    const { dtype } = at(inputs, 0);
    const outputs = inputs.map(({ output }) => output);
    const output = outputs.reduce((left, right) => builder.node(op, [left, right], { T: typeOf(dtype) }));
    return { output, dtype, numbers: null };
  };

const comparison =
  (op: string, more: Attributes = {}): Translate =>
  (builder, { inputs }) => {
    const outputs = inputs.map(({ output }) => output);
    return truths(builder.node(op, outputs, { T: typeOf(at(inputs, 0).dtype), ...more }));
  };

const logical =
  (op: string): Translate =>
  (builder, { inputs }) =>
    truths(
      builder.node(
        op,
        inputs.map(({ output }) => output),
      ),
    );

/** Types of ONNX (`TensorProto.DataType`) as those of TensorFlow. */
const TYPES: Readonly<Record<number, number>> = {
  1: DTYPE.float,
  2: DTYPE.uint8,
  6: DTYPE.int32,
  7: DTYPE.int64,
  9: DTYPE.bool,
  11: DTYPE.double,
};

const reduction =
  (op: string): Translate =>
  (builder, { inputs, integers, integer }) => {
    const [x, axesInput] = inputs;
    const axes = axesInput === undefined ? integers("axes") : int64s(axesInput);
    const { output, dtype } = at(inputs, 0);
    const keep: TfAttribute = { boolean: integer("keepdims", 1) === 1 };
    const attributes = { T: typeOf(dtype), Tidx: typeOf(DTYPE.int32), keep_dims: keep };
    return {
      output: builder.node(op, [output, builder.intVector(axes)], attributes),
      dtype: x?.dtype ?? dtype,
      numbers: null,
    };
  };

/** Over all places between batch and channels, of whatever rank. */
const globalPool =
  (op: string): Translate =>
  (builder, { inputs }) => {
    const { output } = at(inputs, 0);
    const rank = builder.node("Rank", [output], { T: typeOf(DTYPE.float) });
    const axes = builder.node("Range", [builder.intScalar(2), rank, builder.intScalar(1)], {
      Tidx: typeOf(DTYPE.int32),
    });
    const attributes = { T: typeOf(DTYPE.float), Tidx: typeOf(DTYPE.int32), keep_dims: { boolean: true } };
    return floats(builder.node(op, [output, axes], attributes));
  };

/** Sizes of a tensor as int64. */
function shapeOf(builder: GraphBuilder, { output, dtype }: Operand): Output {
  return builder.node("Shape", [output], { T: typeOf(dtype), out_type: typeOf(DTYPE.int64) });
}

function concatenated(builder: GraphBuilder, parts: readonly Output[], axis: number, dtype: number): Output {
  const attributes = { T: typeOf(dtype), Tidx: typeOf(DTYPE.int32), N: { integer: parts.length } };
  return builder.node("ConcatV2", [...parts, builder.intScalar(axis)], attributes);
}

/** Of sizes from one up to another. */
function sliced(
  builder: GraphBuilder,
  value: Output,
  dtype: number,
  axes: readonly number[],
  from: readonly number[],
  to: readonly number[],
) {
  const rank = Math.max(...axes) + 1;
  const vector = (values: readonly number[]) =>
    builder.intVector(Array.from({ length: rank }, (_, axis) => values[axes.indexOf(axis)] ?? 0));
  const whole = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 0 : 2 ** axis)).reduce(
    (a, b) => a + b,
  );
  const masks = { ellipsis_mask: { integer: 0 }, new_axis_mask: { integer: 0 }, shrink_axis_mask: { integer: 0 } };
  const ones = builder.intVector(new Array<number>(rank).fill(1));
  return builder.node("StridedSlice", [value, vector(from), vector(to), ones], {
    ...{ T: typeOf(dtype), Index: typeOf(DTYPE.int32), begin_mask: { integer: whole }, end_mask: { integer: whole } },
    ...masks,
  });
}

function reshaped(builder: GraphBuilder, { output, dtype }: Operand, shape: Output): Operand {
  const attributes = { T: typeOf(dtype), Tshape: typeOf(DTYPE.int64) };
  return { output: builder.node("Reshape", [output, shape], attributes), dtype, numbers: null };
}

/** A shape in which 0 stands for the size that the tensor has there. */
function givenShape(builder: GraphBuilder, x: Operand, sizes: Operand): Output {
  if (sizes.numbers === null) return sizes.output;
  const wanted = int64s(sizes);
  if (!wanted.includes(0)) return sizes.output;
  const own = shapeOf(builder, x);
  const parts = wanted.map((size, axis) =>
    size === 0
      ? sliced(builder, own, DTYPE.int64, [0], [axis], [axis + 1])
      : builder.constant(DTYPE.int64, [1], int32s([size])),
  );
  return concatenated(builder, parts, 0, DTYPE.int64);
}

/** Softmax along any axis. */
const softmax: Translate = (builder, { inputs, integer }) => {
  const { output } = at(inputs, 0);
  const axis = integer("axis", -1);
  if (axis === -1) return floats(builder.node("Softmax", [output], { T: typeOf(DTYPE.float) }));
  const reduce = (op: string, value: Output) =>
    builder.node(op, [value, builder.intVector([axis])], {
      ...{ T: typeOf(DTYPE.float), Tidx: typeOf(DTYPE.int32), keep_dims: { boolean: true } },
    });
  const powers = builder.float("Exp", builder.float("Sub", output, reduce("Max", output)));
  return floats(builder.float("RealDiv", powers, reduce("Sum", powers)));
};

const resize: Translate = (builder, { inputs, text }) => {
  const [x, , scales] = inputs;
  const factors = scales?.numbers instanceof Float32Array ? [...scales.numbers] : [];
  const [, , high = 1, wide = 1] = factors;
  const op = text("mode") === "nearest" ? "ResizeNearestNeighbor" : "ResizeBilinear";
  return fromChannelsFirst(builder, at(inputs, 0).output, 4, (last) => {
    const value = { output: last, dtype: x?.dtype ?? DTYPE.float, numbers: null };
    const sizes = sliced(builder, shapeOf(builder, value), DTYPE.int64, [0], [1], [3]);
    const narrow = builder.node("Cast", [sizes], { SrcT: typeOf(DTYPE.int64), DstT: typeOf(DTYPE.int32) });
    const grown = builder.node("Mul", [narrow, builder.intVector([high, wide])], { T: typeOf(DTYPE.int32) });
    return builder.node(op, [last, grown], { T: typeOf(DTYPE.float) });
  });
};

/** By the type of ONNX. */
export const operators: Readonly<Record<string, Translate>> = {
  Identity: (_builder, { inputs }) => at(inputs, 0),
  Cast(builder, { inputs, integer }) {
    const { output, dtype } = at(inputs, 0);
    const wanted = TYPES[integer("to", 1)] ?? DTYPE.float;
    const attributes = { SrcT: typeOf(dtype), DstT: typeOf(wanted) };
    return { output: builder.node("Cast", [output], attributes), dtype: wanted, numbers: null };
  },
  Add: alike("AddV2"),
  Sub: alike("Sub"),
  Mul: alike("Mul"),
  Div: alike("RealDiv"),
  MatMul: alike("BatchMatMulV2", { adj_x: { boolean: false }, adj_y: { boolean: false } }),
  ...Object.fromEntries(
    ["Tanh", "Sigmoid", "Relu", "Selu", "Softplus", "Softsign", "Erf", "Sqrt", "LogSoftmax"].map((op) => [
      op,
      alike(op),
    ]),
  ),
  Elu(builder, { inputs, float }) {
    const { output } = at(inputs, 0);
    const alpha = float("alpha", 1);
    const whole = builder.float("Elu", output);
    if (alpha === 1) return floats(whole);
    // alpha (e^x − 1) below 0
    const below = builder.float(
      "Mul",
      builder.float("Minimum", whole, builder.floatScalar(0)),
      builder.floatScalar(alpha),
    );
    return floats(builder.float("AddV2", builder.float("Relu", output), below));
  },
  Min: folded("Minimum"),
  Max: folded("Maximum"),
  Clip(builder, { inputs }) {
    const [x, low, high] = inputs.map(({ output }) => output);
    return floats(builder.float("Minimum", builder.float("Maximum", x ?? "", low ?? ""), high ?? ""));
  },
  HardSigmoid(builder, { inputs, float }) {
    const scaled = builder.float("Mul", at(inputs, 0).output, builder.floatScalar(float("alpha", 0.2)));
    const moved = builder.float("AddV2", scaled, builder.floatScalar(float("beta", 0.5)));
    const above = builder.float("Maximum", moved, builder.floatScalar(0));
    return floats(builder.float("Minimum", above, builder.floatScalar(1)));
  },
  LeakyRelu: (builder, { inputs, float }) =>
    floats(
      builder.node("LeakyRelu", [at(inputs, 0).output], {
        T: typeOf(DTYPE.float),
        alpha: { float: float("alpha", 0.01) },
      }),
    ),
  PRelu(builder, { inputs }) {
    const [x, slope] = inputs.map(({ output }) => output);
    const below = builder.float("Minimum", x ?? "", builder.floatScalar(0));
    return floats(builder.float("AddV2", builder.float("Relu", x ?? ""), builder.float("Mul", below, slope ?? "")));
  },
  Softmax: softmax,
  IsNaN: comparison("IsNan"),
  Equal: comparison("Equal", { incompatible_shape_error: { boolean: true } }),
  Greater: comparison("Greater"),
  GreaterOrEqual: comparison("GreaterEqual"),
  Less: comparison("Less"),
  Not: logical("LogicalNot"),
  And: logical("LogicalAnd"),
  Or: logical("LogicalOr"),
  Where(builder, { inputs }) {
    const { dtype } = at(inputs, 1);
    const outputs = inputs.map(({ output }) => output);
    return { output: builder.node("SelectV2", outputs, { T: typeOf(dtype) }), dtype, numbers: null };
  },
  ReduceMean: reduction("Mean"),
  ReduceMax: reduction("Max"),
  ReduceSum: reduction("Sum"),
  GlobalMaxPool: globalPool("Max"),
  GlobalAveragePool: globalPool("Mean"),
  ArgMax(builder, { inputs, integer }) {
    const axis = builder.intScalar(integer("axis", 0));
    const attributes = { T: typeOf(DTYPE.float), Tidx: typeOf(DTYPE.int32), output_type: typeOf(DTYPE.int64) };
    const best = builder.node("ArgMax", [at(inputs, 0).output, axis], attributes);
    const kept = builder.node("ExpandDims", [best, axis], { T: typeOf(DTYPE.int64), Tdim: typeOf(DTYPE.int32) });
    return { output: kept, dtype: DTYPE.int64, numbers: null };
  },
  Gather(builder, { inputs, integer }) {
    const [table, ids] = [at(inputs, 0), at(inputs, 1)];
    const attributes = { Tparams: typeOf(table.dtype), Tindices: typeOf(ids.dtype), Taxis: typeOf(DTYPE.int32) };
    const operands = [table.output, ids.output, builder.intScalar(integer("axis", 0))];
    const output = builder.node("GatherV2", operands, { ...attributes, batch_dims: { integer: 0 } });
    return { output, dtype: table.dtype, numbers: null };
  },
  Transpose(builder, { inputs, integers }) {
    const { output, dtype } = at(inputs, 0);
    const attributes = { T: typeOf(dtype), Tperm: typeOf(DTYPE.int32) };
    return {
      output: builder.node("Transpose", [output, builder.intVector(integers("perm"))], attributes),
      dtype,
      numbers: null,
    };
  },
  Concat(builder, { inputs, integer }) {
    const { dtype } = at(inputs, 0);
    const parts = inputs.map(({ output }) => output);
    return { output: concatenated(builder, parts, integer("axis", 0), dtype), dtype, numbers: null };
  },
  Reshape: (builder, { inputs }) => reshaped(builder, at(inputs, 0), givenShape(builder, at(inputs, 0), at(inputs, 1))),
  Flatten(builder, { inputs }) {
    const x = at(inputs, 0);
    const first = sliced(builder, shapeOf(builder, x), DTYPE.int64, [0], [0], [1]);
    const rest = builder.constant(DTYPE.int64, [1], int32s([-1]));
    return reshaped(builder, x, concatenated(builder, [first, rest], 0, DTYPE.int64));
  },
  Shape: (builder, { inputs }) => ({ output: shapeOf(builder, at(inputs, 0)), dtype: DTYPE.int64, numbers: null }),
  Unsqueeze(builder, { inputs }) {
    const { output, dtype } = at(inputs, 0);
    const attributes = { T: typeOf(dtype), Tdim: typeOf(DTYPE.int32) };
    const grown = int64s(at(inputs, 1)).reduce(
      (value, axis) => builder.node("ExpandDims", [value, builder.intScalar(axis)], attributes),
      output,
    );
    return { output: grown, dtype, numbers: null };
  },
  Squeeze(builder, { inputs }) {
    const { output, dtype } = at(inputs, 0);
    const attributes = { T: typeOf(dtype), squeeze_dims: { integers: int64s(at(inputs, 1)) } };
    return { output: builder.node("Squeeze", [output], attributes), dtype, numbers: null };
  },
  Slice(builder, { inputs }) {
    const [x, starts, ends, axes] = inputs;
    const { output, dtype } = at(inputs, 0);
    const along = axes === undefined ? [0] : int64s(axes);
    const [from, to] = [starts, ends].map((one) => (one === undefined ? [] : int64s(one)));
    return { output: sliced(builder, output, x?.dtype ?? dtype, along, from ?? [], to ?? []), dtype, numbers: null };
  },
  Tile(builder, { inputs }) {
    const [x, counts] = [at(inputs, 0), at(inputs, 1)];
    const attributes = { T: typeOf(x.dtype), Tmultiples: typeOf(DTYPE.int64) };
    return { output: builder.node("Tile", [x.output, counts.output], attributes), dtype: x.dtype, numbers: null };
  },
  Pad(builder, { inputs }) {
    const [x, pads, value] = [at(inputs, 0), int64s(at(inputs, 1)), at(inputs, 2)];
    const rank = pads.length / 2;
    const pairs = Array.from({ length: rank }, (_, axis) => [at(pads, axis), at(pads, rank + axis)]).flat();
    const paddings = builder.constant(DTYPE.int32, [rank, 2], Int32Array.from(pairs));
    const attributes = { T: typeOf(x.dtype), Tpaddings: typeOf(DTYPE.int32) };
    return {
      output: builder.node("PadV2", [x.output, paddings, value.output], attributes),
      dtype: x.dtype,
      numbers: null,
    };
  },
  Resize: resize,
  Conv: convolve,
  MaxPool: pooled("MaxPool"),
  AveragePool: pooled("AvgPool"),
};
