/** @file A network's inputs and weights as parts of a graph. */
import type * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import type { InputValues } from "../../data/dataset.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import type { GraphBuilder, Output } from "./graph-def.js";
import { FLOAT } from "./graph-def.js";
import type { Feed } from "./session.js";
import type { OpRecorder } from "./op-recorder.js";
import type { RecordedGraph } from "./traced-graph.js";
import { UntraceableError } from "./untraceable.js";

/** Names of the flat vectors that hold a network's weights. */
export const PARAMETERS = "parameters";
export const STATISTICS = "statistics";

/** Values of one batch → feeds. */
export type FeedInputs = (batch: InputBatch) => Feed[];

/**
 * Gives the inputs of a network placeholders: pixels travel as bytes and become [0, 1] on the device.
 * @param tensors of an example batch, in the order of `network.inputs`
 */
export function placeInputs(
  builder: GraphBuilder,
  recorder: OpRecorder,
  { inputs }: Pick<Network, "inputs">,
  tensors: readonly tf.Tensor[],
): FeedInputs {
  const places = Object.entries(inputs).map(([name, { kind }], i) => {
    const tensor = at(tensors, i);
    const { shape } = tensor;
    const dtype = kind === "image" ? DTYPE.uint8 : DTYPE.float;
    const placeholder = builder.placeholder(dtype, shape);
    recorder.place(tensor, kind === "image" ? bytesToUnit(builder, placeholder) : placeholder);
    return { name, feed: { placeholder, dtype, shape } };
  });
  return (batch) =>
    places.map(({ name, feed }) => ({ ...feed, values: valuesAs(feed.dtype, batch[name] as InputValues) }));
}

function bytesToUnit(builder: GraphBuilder, bytes: Output): Output {
  const numbers = builder.node("Cast", [bytes], { SrcT: { type: DTYPE.uint8 }, DstT: FLOAT });
  return builder.float("RealDiv", numbers, builder.floatScalar(255));
}

function valuesAs(dtype: number, values: InputValues): Uint8Array | Float32Array {
  if (dtype === DTYPE.uint8) return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** Gives the variables their places in the flat vector of that name. */
export function placeWeights(
  graph: RecordedGraph,
  recorder: OpRecorder,
  name: string,
  variables: readonly tf.Variable[],
): void {
  const vector = graph.variable(name);
  if (vector === null) return;
  const { builder } = graph;
  const other = variables.find(({ dtype }) => dtype !== "float32");
  if (other !== undefined) throw new UntraceableError(`the weight ${other.name} is of type ${other.dtype}`);
  const pieces = builder.cut(
    vector.value,
    variables.map(({ size }) => size),
  );
  for (const [i, variable] of variables.entries()) {
    recorder.place(variable as tf.Tensor, builder.reshape(at(pieces, i), variable.shape));
  }
}
