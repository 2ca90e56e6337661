/** @file The forward pass of inference as one run of a TensorFlow graph. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt } from "../../arrays.js";
import type { InputValues } from "../../data/dataset.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { cutInputs } from "../batches/shards.js";
import { LOGIT_AXES, type LogitAxis, type LogitValues } from "../model/layout.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { readParameters } from "../model/parameters.js";
import type { TensorflowBackend } from "../backends/tensorflow/binding.js";
import type { Output } from "./graph-def.js";
import { maskedRoom, padIndices } from "./masked-room.js";
import { PARAMETERS, placeInputs, placeWeights, STATISTICS } from "./network-inputs.js";
import type { Feed } from "./session.js";
import { recordOps, type OpRecorder } from "./op-recorder.js";
import { type MakeCompute, recordByFew } from "./op-trail.js";
import { type RecordedGraph, type Traced, TracedGraph } from "./traced-graph.js";

interface TracedForward extends Traced {
  readonly matrices: readonly { readonly axis: LogitAxis; readonly width: number }[];
  feeds(inputs: InputBatch, masked: Int32Array | null): Feed[];
}

/** Computes logits with a copy of the network's weights. Owns a session: `dispose` frees it. */
export class GraphForward {
  readonly #network: Network;
  readonly #graph: TracedGraph;
  readonly #traced = new Map<string, TracedForward>();

  constructor(backend: TensorflowBackend, network: Network) {
    this.#network = network;
    this.#graph = new TracedGraph(backend, {
      [PARAMETERS]: readParameters(network.trainable),
      [STATISTICS]: readParameters(network.statistics),
    });
  }

  /** Takes up the network's weights as they are now. */
  load(): void {
    if (this.#traced.size === 0) return;
    this.#graph.write(PARAMETERS, readParameters(this.#network.trainable));
    this.#graph.write(STATISTICS, readParameters(this.#network.statistics));
  }

  /**
   * @param room rows that the graph is made for; a smaller batch is filled up
   * @param masked tokens whose hidden word is asked, as row × length + position; null: not asked at all
   * @throws UntraceableError where the network does what a graph cannot repeat
   */
  forward(inputs: InputBatch, rows: number, room: number, masked: Int32Array | null): LogitValues {
    const { layout } = this.#network;
    const full = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, fillUp(values, rows, room)]));
    const hidden =
      masked === null || layout.maskedWidth === 0
        ? 0
        : maskedRoom(masked.length, Math.max(...Object.values(full).map(({ length }) => length)));
    const sizes = Object.values(full).map(({ length }) => length);
    const key = `${room} ${hidden} ${sizes}`;
    const traced = this.#traced.get(key) ?? this.#trace(full, room, hidden);
    this.#traced.set(key, traced);
    const results = this.#graph.run(traced.feeds(full, masked), traced.outputs);
    const valuesOf = (axis: LogitAxis): Float32Array => {
      const at = traced.matrices.findIndex((own) => own.axis === axis);
      const values = results[at] as Float32Array | undefined;
      if (values === undefined) return NONE;
      const width = traced.matrices[at]?.width ?? 0;
      return axis === "masked"
        ? values.subarray(0, Math.max(1, masked?.length ?? 0) * width)
        : values.subarray(0, (values.length / room) * rows);
    };
    return { sample: valuesOf("sample"), token: valuesOf("token"), masked: valuesOf("masked") };
  }

  #trace(inputs: InputBatch, rows: number, hidden: number): TracedForward {
    return this.#graph.grow(() =>
      recordByFew(
        rows,
        (few, compute) =>
          this.#recordInto(this.#graph.scratch(), cutInputs(inputs, rows, 0, few), few, hidden, compute),
        (compute) => this.#recordInto(this.#graph, inputs, rows, hidden, compute),
      ),
    );
  }

  #recordInto(graph: RecordedGraph, inputs: InputBatch, rows: number, hidden: number, compute: MakeCompute) {
    const traced: TracedForward[] = [];
    tf.tidy(() => {
      const tensors = this.#network.inputTensors(inputs, rows);
      const record = (recorder: OpRecorder) => this.#record(graph, recorder, tensors, inputs, hidden);
      traced.push(recordOps(graph.backend, graph.builder, record, compute));
    });
    return itemAt(traced, 0);
  }

  #record(
    graph: RecordedGraph,
    recorder: OpRecorder,
    tensors: tf.Tensor[],
    inputs: InputBatch,
    hidden: number,
  ): TracedForward {
    const network = this.#network;
    const { builder } = graph;
    const feedInputs = placeInputs(builder, recorder, network, tensors);
    placeWeights(graph, recorder, PARAMETERS, network.trainable);
    placeWeights(graph, recorder, STATISTICS, network.statistics);
    const placeholder = hidden === 0 ? null : builder.placeholder(DTYPE.int32, [hidden]);
    const asked = placeholder === null ? null : tf.tensor1d(padIndices(null, hidden), "int32");
    if (placeholder !== null && asked !== null) recorder.place(asked, placeholder);
    const logits = network.logitsByAxis(tensors, false, asked);
    const matrices = LOGIT_AXES.flatMap((axis) => {
      const own = logits[axis];
      return own === null ? [] : [{ axis, width: own.shape[1], output: recorder.outputOf(own) }];
    });
    const feeds = (batch: InputBatch, masked: Int32Array | null): Feed[] => [
      ...feedInputs(batch),
      ...(placeholder === null ? [] : [maskedFeed(placeholder, masked, hidden)]),
    ];
    return {
      matrices,
      outputs: matrices.map(({ output }) => output),
      placeholders: feeds(inputs, null).map((feed) => feed.placeholder),
      feeds,
    };
  }

  dispose(): void {
    this.#graph.dispose();
  }
}

const NONE = new Float32Array(0);

function maskedFeed(placeholder: Output, masked: Int32Array | null, room: number): Feed {
  return { placeholder, dtype: DTYPE.int32, shape: [room], values: padIndices(masked, room) };
}

/** Rows of zeros after those of the batch. */
function fillUp(values: InputValues, rows: number, room: number): InputValues {
  if (rows === room) return values;
  const full = new (values.constructor as new (length: number) => InputValues)((values.length / rows) * room);
  full.set(values);
  return full;
}
