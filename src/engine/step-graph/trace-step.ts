/** @file A whole training step as one run of a graph: forward, masked losses, gradients, optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt } from "../../arrays.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { withInnerLayers } from "../model/layer-graph.js";
import { type HeadLayout, type LogitPart, type PartValues, partsOf } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { withSeededRandom } from "../model/seeded.js";
import type { StepBatch, StepConfig } from "../optimization/step-engine.js";
import type { TensorValues } from "../backends/tensorflow/binding.js";
import { type GraphBuilder, type Output, outputOf } from "./graph-def.js";
import { isCompact, logitGradient, gradientFeed } from "./logit-gradient.js";
import { padIndices } from "./masked-lines.js";
import { PARAMETERS, placeInputs, placeWeights, STATISTICS } from "./network-inputs.js";
import { type Noise, whileNoiseIsPlaced } from "./noise.js";
import type { Feed } from "./session.js";
import { recordOps, type OpRecorder } from "./op-recorder.js";
import type { Traced, TracedGraph } from "./traced-graph.js";
import { type Alive, buildUpdate } from "./updates.js";

/** Sizes of a batch that a traced step is made for. */
export interface StepShape {
  readonly rows: number;
  /** Tokens per row, 0 where there are none. */
  readonly length: number;
  /** Room for masked tokens. */
  readonly maskedLines: number;
}

/** What a run of the graph gives back. */
export interface StepValues {
  readonly logits: PartValues;
  /** Of the gradient, before clipping. */
  readonly norm: number;
  readonly applied: boolean;
}

/** A step of one shape. */
export interface TracedStep extends Traced {
  /** Norm of the gradient in the eager step that was recorded, for comparison. */
  readonly recordedNorm: number;
  /** @param updates applied before */
  feeds(batch: StepBatch, updates: number): Feed[];
  /** @param results of `outputs` */
  read(batch: StepBatch, results: readonly TensorValues[]): StepValues;
}

interface PlacedNoise extends Noise {
  readonly placeholder: Output;
}

interface PlacedPart {
  readonly part: LogitPart;
  readonly lines: number;
  readonly width: number;
  readonly logits: Output;
  readonly targets: Output;
  readonly weights: Output;
}

const PARTS: readonly LogitPart[] = ["sample", "token", "masked"];

/**
 * Runs a step eagerly and records it into the graph, with the optimizer's update after it; the network stays as it is.
 * @throws UntraceableError where the network does what a graph cannot repeat
 */
export function traceStep(
  graph: TracedGraph,
  network: Network,
  config: StepConfig,
  batch: StepBatch,
  shape: StepShape,
): TracedStep {
  const { backend, builder } = graph;
  // a reshaped tensor shares the data, where a clone may copy it
  const before = network.statistics.map((variable) => tf.reshape(variable as tf.Tensor, variable.shape));
  const record = (): TracedStep => {
    const inputs = network.inputTensors(batch.inputs, shape.rows);
    const { step, norm } = withSeededRandom(batch.seed, () =>
      recordOps(backend, builder, (recorder) => recordStep(graph, recorder, network, config, batch, shape, inputs)),
    );
    return { ...step, recordedNorm: norm.dataSync()[0] as number };
  };
  try {
    // tidy takes functions of tensors only, as far as its type goes
    const traced: TracedStep[] = [];
    tf.tidy(() => void traced.push(record()));
    return itemAt(traced, 0);
  } finally {
    for (const [i, variable] of network.statistics.entries()) variable.assign(itemAt(before, i));
    tf.dispose(before);
  }
}

function recordStep(
  graph: TracedGraph,
  recorder: OpRecorder,
  network: Network,
  config: StepConfig,
  batch: StepBatch,
  shape: StepShape,
  inputs: tf.Tensor[],
): { readonly step: Omit<TracedStep, "recordedNorm">; readonly norm: tf.Tensor } {
  const { builder } = graph;
  const { layout } = network;
  const feedInputs = placeInputs(builder, recorder, network, inputs);
  placeWeights(graph, recorder, PARAMETERS, network.trainable);
  placeWeights(graph, recorder, STATISTICS, network.statistics);
  const masked = placeMasked(builder, recorder, batch, shape);
  const noise: PlacedNoise[] = [];
  const placeNoise = (drawn: Noise): tf.Tensor => {
    const placeholder = builder.placeholder(DTYPE.float, drawn.shape);
    noise.push({ ...drawn, placeholder });
    const tensor = tf.tensor(drawn.draw(), [...drawn.shape]);
    recorder.place(tensor, placeholder);
    return tensor;
  };
  const parts: PlacedPart[] = [];
  const statistics = placesOf(recorder, network);
  const objective = (): tf.Scalar => {
    const logits = network.partLogits(inputs, true, masked?.tensor ?? null);
    const losses = PARTS.flatMap((part) => {
      const own = logits[part];
      if (own === null) return [];
      const placed = placePart(builder, recorder, layout, part, own, batch);
      parts.push(placed.part);
      return [placed.loss];
    });
    return [...losses, ...network.penalties()].reduce((total, term) => tf.add(total, term));
  };
  const { grads } = whileNoiseIsPlaced(withInnerLayers(network.layers), placeNoise, () =>
    tf.variableGrads(objective, network.trainable),
  );
  const gradient = tf.concat(
    // a layer may have weights that its output does not depend on
    network.trainable.map(({ name, size }) => tf.reshape(grads[name] ?? tf.zeros([size]), [size])),
  );
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  const clipped = config.clipNorm === null ? gradient : tf.mul(gradient, tf.minimum(1, tf.div(config.clipNorm, norm)));
  const finite = recorder.outputOf(tf.isFinite(norm));
  const alive: Alive = (value) => outputOf(builder.node("Switch", [value, finite], { T: { type: DTYPE.float } }), 1);
  const update = buildUpdate(graph, config.optimizer, alive(recorder.outputOf(clipped)), alive);
  const applied = reportDone(builder, finite, [...update.done, ...moved(graph, recorder, network, statistics, alive)]);
  const feeds = (next: StepBatch, updates: number): Feed[] => [
    ...feedInputs(next.inputs),
    ...withSeededRandom(next.seed, () => noise.map(feedNoise)),
    ...parts.flatMap((part) => feedPart(layout, part, next)),
    ...(masked === null ? [] : [masked.feed(next)]),
    ...update.feeds(updates, next.learningRate),
  ];
  const step = {
    feeds,
    placeholders: feeds(batch, 0).map(({ placeholder }) => placeholder),
    outputs: [...parts.map(({ logits }) => logits), recorder.outputOf(norm), applied],
    read: (next: StepBatch, results: readonly TensorValues[]) => readStep(layout, parts, next, results),
  };
  return { step, norm };
}

/** Masked tokens of a batch as indices that are fed; null where no task asks for them. */
function placeMasked(builder: GraphBuilder, recorder: OpRecorder, { targets }: StepBatch, { maskedLines }: StepShape) {
  if (maskedLines === 0) return null;
  const shape = [maskedLines];
  const placeholder = builder.placeholder(DTYPE.int32, shape);
  // the lines that are left over count for nothing
  const tensor = tf.tensor1d(padIndices(targets.masked, maskedLines), "int32");
  recorder.place(tensor, placeholder);
  const feed = (next: StepBatch): Feed => ({
    placeholder,
    dtype: DTYPE.int32,
    shape,
    values: padIndices(next.targets.masked, maskedLines),
  });
  return { tensor, feed };
}

/** The loss of one part: its value stays with the host, which needs the logits in any case; its gradient is in the graph. */
function placePart(
  builder: GraphBuilder,
  recorder: OpRecorder,
  layout: HeadLayout,
  part: LogitPart,
  logits: tf.Tensor2D,
  { targets, factors }: StepBatch,
): { readonly part: PlacedPart; readonly loss: tf.Scalar } {
  const [lines, width] = logits.shape;
  const compact = isCompact(layout, part);
  const example = gradientFeed(layout, part, targets, lines, factors);
  const wanted = tf.tensor(example.targets, compact ? [lines] : [lines, width]);
  const weights = tf.tensor2d(example.weights, [lines, compact ? 1 : width]);
  const places = {
    targets: builder.placeholder(compact ? DTYPE.int32 : DTYPE.float, wanted.shape),
    weights: builder.placeholder(DTYPE.float, weights.shape),
  };
  recorder.place(wanted, places.targets);
  recorder.place(weights, places.weights);
  const op = tf.customGrad((input, save) => {
    // what is not saved is gone when the gradient is computed
    (save as tf.GradSaveFunc)([input as tf.Tensor, wanted, weights]);
    return {
      value: tf.scalar(0),
      gradFunc: (_: tf.Tensor, [z, y, w]: tf.Tensor[]) =>
        logitGradient(layout, part, z as tf.Tensor2D, y as tf.Tensor, w as tf.Tensor),
    };
  });
  return { part: { part, lines, width, logits: recorder.outputOf(logits), ...places }, loss: op(logits) as tf.Scalar };
}

function feedPart(
  layout: HeadLayout,
  { part, lines, width, targets, weights }: PlacedPart,
  { targets: batch, factors }: StepBatch,
): Feed[] {
  const compact = isCompact(layout, part);
  const values = gradientFeed(layout, part, batch, lines, factors);
  return [
    compact
      ? { placeholder: targets, dtype: DTYPE.int32, shape: [lines], values: values.targets }
      : { placeholder: targets, dtype: DTYPE.float, shape: [lines, width], values: values.targets },
    { placeholder: weights, dtype: DTYPE.float, shape: [lines, compact ? 1 : width], values: values.weights },
  ];
}

function feedNoise({ placeholder, shape, draw }: PlacedNoise): Feed {
  return { placeholder, dtype: DTYPE.float, shape, values: draw() };
}

/** Averages that the forward pass has moved; @returns nodes that are done once they are kept */
function moved(
  graph: TracedGraph,
  recorder: OpRecorder,
  network: Network,
  before: readonly Output[],
  alive: Alive,
): string[] {
  const vector = graph.variable(STATISTICS);
  const after = placesOf(recorder, network);
  if (vector === null || after.every((output, i) => output === before[i])) return [];
  const { builder } = graph;
  const flat = builder.join(after.map((output) => builder.reshape(output, [-1])));
  return [builder.assign(vector.handle, alive(flat))];
}

function placesOf(recorder: OpRecorder, { statistics }: Network): Output[] {
  return statistics.map((variable) => recorder.outputOf(variable as tf.Tensor));
}

/** @returns true once all of `done` is, or false at once where it will not be */
function reportDone(builder: GraphBuilder, finite: Output, done: readonly string[]): Output {
  const T = { type: DTYPE.bool };
  const gate = builder.node("Switch", [finite, finite], { T });
  const no = builder.node("Identity", [gate], { T });
  const yes = builder.node("Identity", [outputOf(gate, 1), ...done.map((node) => `^${node}`)], { T });
  return builder.node("Merge", [no, yes], { T, N: { integer: 2 } });
}

function readStep(
  layout: HeadLayout,
  parts: readonly PlacedPart[],
  { targets }: StepBatch,
  results: readonly TensorValues[],
): StepValues {
  const known = partsOf(layout, targets);
  const valuesOf = (part: LogitPart): Float32Array => {
    const at = parts.findIndex((placed) => placed.part === part);
    const { lines, stride } = known[part];
    return at < 0 ? NONE : (results[at] as Float32Array).subarray(0, lines * stride);
  };
  return {
    logits: { sample: valuesOf("sample"), token: valuesOf("token"), masked: valuesOf("masked") },
    norm: results[parts.length]?.[0] as number,
    applied: results[parts.length + 1]?.[0] === 1,
  };
}

const NONE = new Float32Array(0);
