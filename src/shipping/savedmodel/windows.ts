/** @file Convolutions and pools in TensorFlow, whose channels come last. */
import { at } from "../../arrays.js";
import type { GraphBuilder, Output } from "../../engine/step-graph/graph-def.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { permuted, range } from "../onnx/values.js";
import { type Operand, type OperatorNode, typeOf } from "./operand.js";
import { Untranslated } from "./untranslated.js";

/** Does with the channels last what is done with a tensor whose channels come first. */
export function fromChannelsFirst(
  builder: GraphBuilder,
  value: Output,
  rank: number,
  work: (last: Output) => Output,
): Operand {
  const turned = (x: Output, perm: readonly number[]): Output =>
    builder.node("Transpose", [x, builder.intVector(perm)], { T: typeOf(DTYPE.float), Tperm: typeOf(DTYPE.int32) });
  const last = turned(value, [0, ...range(2, rank), 1]);
  const output = turned(work(last), [0, rank - 1, ...range(1, rank - 1)]);
  return { output, dtype: DTYPE.float, numbers: null };
}

/** Sequences as pictures of one row. */
function asPictures(builder: GraphBuilder, x: Output, axes: number, work: (picture: Output) => Output): Output {
  if (axes > 1) return work(x);
  const axis = builder.intScalar(1);
  const picture = builder.node("ExpandDims", [x, axis], { T: typeOf(DTYPE.float), Tdim: typeOf(DTYPE.int32) });
  return builder.node("Squeeze", [work(picture)], { T: typeOf(DTYPE.float), squeeze_dims: { integers: [1] } });
}

/** Paddings are those of `same`, or none. */
function paddingOf({ integers, text }: OperatorNode): string {
  return text("auto_pad") === "SAME_UPPER" || integers("pads").some((size) => size > 0) ? "SAME" : "VALID";
}

/** One number for each axis of a tensor. */
function perAxis(node: OperatorNode, name: string, axes: number): { integers: readonly number[] } {
  const own = node.integers(name);
  const sizes = own.length === 0 ? new Array<number>(axes).fill(1) : own;
  return { integers: [1, ...(axes === 1 ? [1] : []), ...sizes, 1] };
}

export function convolve(builder: GraphBuilder, node: OperatorNode): Operand {
  const [x, kernel, bias] = node.inputs;
  const { numbers, shape = [] } = kernel ?? at(node.inputs, 1);
  if (!(numbers instanceof Float32Array)) throw new Untranslated("a convolution whose weights are computed");
  const axes = shape.length - 2;
  const group = node.integer("group", 1);
  const [filters, channels] = [at(shape, 0), at(shape, 1)];
  if (group > 1 && (channels > 1 || axes !== 2)) throw new Untranslated("a convolution in groups of several channels");
  const window = shape.slice(2);
  // [...window, channels, filters], or of each channel by itself [...window, channels, filters of each]
  const order = group > 1 ? [2, 3, 0, 1] : [...range(2, axes + 2), 1, 0];
  const sizes = group > 1 ? [...window, group, filters / group] : [...window, channels, filters];
  const own = builder.constant(DTYPE.float, axes === 1 ? [1, ...sizes] : sizes, permuted(numbers, shape, order));
  const op = group > 1 ? "DepthwiseConv2dNative" : axes === 3 ? "Conv3D" : "Conv2D";
  const attributes = {
    T: typeOf(DTYPE.float),
    strides: perAxis(node, "strides", axes),
    dilations: perAxis(node, "dilations", axes),
    padding: { string: paddingOf(node) },
    data_format: { string: axes === 3 ? "NDHWC" : "NHWC" },
    ...(axes === 3 || group > 1 ? {} : { use_cudnn_on_gpu: { boolean: true } }),
    ...(axes === 3 ? {} : { explicit_paddings: { integers: [] } }),
  };
  return fromChannelsFirst(builder, x?.output ?? "", axes + 2, (last) => {
    const made = asPictures(builder, last, axes, (picture) => builder.node(op, [picture, own], attributes));
    return bias === undefined ? made : builder.float("AddV2", made, bias.output);
  });
}

/** @param op without the number of axes */
export const pooled =
  (op: "MaxPool" | "AvgPool") =>
  (builder: GraphBuilder, node: OperatorNode): Operand => {
    const axes = node.integers("kernel_shape").length;
    const attributes = {
      T: typeOf(DTYPE.float),
      ksize: perAxis(node, "kernel_shape", axes),
      strides: perAxis(node, "strides", axes),
      padding: { string: paddingOf(node) },
      data_format: { string: axes === 3 ? "NDHWC" : "NHWC" },
      ...(op === "MaxPool" && axes < 3 ? { explicit_paddings: { integers: [] } } : {}),
    };
    const name = axes === 3 ? `${op}3D` : op;
    return fromChannelsFirst(builder, at(node.inputs, 0).output, axes + 2, (last) =>
      asPictures(builder, last, axes, (picture) => builder.node(name, [picture], attributes)),
    );
  };
