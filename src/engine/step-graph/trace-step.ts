/** @file A whole training step as one run of a graph: forward, masked losses, gradients, optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt } from "../../arrays.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { withInnerLayers } from "../model/layer-graph.js";
import { type HeadLayout, LOGIT_AXES, type LogitAxis, type LogitValues, matricesOf } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { withSeededRandom } from "../model/seeded.js";
import type { StepBatch, StepConfig } from "../optimization/step-engine.js";
import type { TensorValues } from "../backends/tensorflow/binding.js";
import { type GraphBuilder, type Output, outputOf } from "./graph-def.js";
import { type GradientFeed, gradientFeeds, isCompact, logitGradient } from "./logit-gradient.js";
import { padIndices } from "./masked-room.js";
import { type FeedInputs, PARAMETERS, placeInputs, placeWeights, STATISTICS } from "./network-inputs.js";
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
  /** Masked tokens that there is room for. */
  readonly masked: number;
  /** Whether pictures are mixtures of two, each with labels of its own. */
  readonly isMixed: boolean;
}

/** What a run of the graph gives back. */
export interface StepValues {
  readonly logits: LogitValues;
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

/** Masked tokens as indices that are fed. */
interface PlacedMasked {
  readonly tensor: tf.Tensor1D;
  readonly placeholder: Output;
}

/** One matrix of logits, and what its loss is fed: once, or for each of two pictures that are mixed. */
interface PlacedLogits {
  readonly axis: LogitAxis;
  readonly rows: number;
  readonly width: number;
  readonly logits: Output;
  readonly voices: readonly PlacedVoice[];
}

interface PlacedVoice {
  readonly targets: Output;
  readonly weights: Output;
}

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
    // older than the recording: what is placed needs no node
    const inputs = network.inputTensors(batch.inputs, shape.rows);
    const { step, norm } = withSeededRandom(batch.seed, () =>
      recordOps(backend, builder, (recorder) =>
        new StepRecording(graph, recorder, network, batch, inputs, shape).step(config),
      ),
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

/** One eager step while its ops are recorded: first what is fed gets its place, then the step runs, then the update. */
class StepRecording {
  readonly #graph: TracedGraph;
  readonly #recorder: OpRecorder;
  readonly #network: Network;
  readonly #batch: StepBatch;
  readonly #inputs: tf.Tensor[];
  readonly #feedInputs: FeedInputs;
  readonly #masked: PlacedMasked | null;
  readonly #shape: StepShape;
  readonly #noise: PlacedNoise[] = [];
  readonly #logits: PlacedLogits[] = [];

  constructor(
    graph: TracedGraph,
    recorder: OpRecorder,
    network: Network,
    batch: StepBatch,
    inputs: tf.Tensor[],
    shape: StepShape,
  ) {
    this.#graph = graph;
    this.#recorder = recorder;
    this.#network = network;
    this.#batch = batch;
    this.#shape = shape;
    this.#inputs = inputs;
    this.#feedInputs = placeInputs(graph.builder, recorder, network, inputs);
    placeWeights(graph, recorder, PARAMETERS, network.trainable);
    placeWeights(graph, recorder, STATISTICS, network.statistics);
    this.#masked = shape.masked === 0 ? null : this.#placeMasked(shape.masked);
  }

  /** @returns the step, and the norm of its gradient, whose value cannot be read while ops are recorded */
  step({ clipNorm, ...config }: StepConfig): {
    readonly step: Omit<TracedStep, "recordedNorm">;
    readonly norm: tf.Tensor;
  } {
    const { builder } = this.#graph;
    const statistics = placesOf(this.#recorder, this.#network);
    const gradient = this.#gradient();
    const norm = tf.sqrt(tf.sum(tf.square(gradient)));
    const clipped = clipNorm === null ? gradient : tf.mul(gradient, tf.minimum(1, tf.div(clipNorm, norm)));
    const finite = this.#recorder.outputOf(tf.isFinite(norm));
    const alive: Alive = (value) => outputOf(builder.node("Switch", [value, finite], { T: { type: DTYPE.float } }), 1);
    const update = buildUpdate(this.#graph, config, alive(this.#recorder.outputOf(clipped)), alive);
    const kept = [...update.done, ...moved(this.#graph, this.#recorder, this.#network, statistics, alive)];
    const feeds = (batch: StepBatch, updates: number): Feed[] => [
      ...this.#feeds(batch),
      ...update.feeds(updates, batch.learningRate),
    ];
    const step = {
      feeds,
      placeholders: feeds(this.#batch, 0).map(({ placeholder }) => placeholder),
      outputs: [
        ...this.#logits.map(({ logits }) => logits),
        this.#recorder.outputOf(norm),
        reportDone(builder, finite, kept),
      ],
      read: (batch: StepBatch, results: readonly TensorValues[]) =>
        readStep(this.#network.layout, this.#logits, batch, results),
    };
    return { step, norm };
  }

  /** The flat gradient, in the order of `network.trainable`. */
  #gradient(): tf.Tensor {
    const { trainable, layers } = this.#network;
    const placeNoise = (noise: Noise) => this.#placeNoise(noise);
    const { grads } = whileNoiseIsPlaced(withInnerLayers(layers), placeNoise, () =>
      tf.variableGrads(() => this.#objective(), trainable),
    );
    // a layer may have weights that its output does not depend on
    return tf.concat(trainable.map(({ name, size }) => tf.reshape(grads[name] ?? tf.zeros([size]), [size])));
  }

  #objective(): tf.Scalar {
    const logits = this.#network.logitsByAxis(this.#inputs, true, this.#masked?.tensor ?? null);
    const losses = LOGIT_AXES.flatMap((axis) => {
      const own = logits[axis];
      return own === null ? [] : [this.#placeLoss(axis, own)];
    });
    return [...losses, ...this.#network.penalties()].reduce((total, term) => tf.add(total, term));
  }

  #placeMasked(room: number): PlacedMasked {
    const placeholder = this.#graph.builder.placeholder(DTYPE.int32, [room]);
    // what is left over of the room counts for nothing
    const tensor = tf.tensor1d(padIndices(this.#batch.targets.masked, room), "int32");
    this.#recorder.place(tensor, placeholder);
    return { tensor, placeholder };
  }

  #placeNoise(noise: Noise): tf.Tensor {
    const placeholder = this.#graph.builder.placeholder(DTYPE.float, noise.shape);
    this.#noise.push({ ...noise, placeholder });
    const tensor = tf.tensor(noise.draw(), [...noise.shape]);
    this.#recorder.place(tensor, placeholder);
    return tensor;
  }

  /**
   * The loss of one matrix of logits: its value stays with the host, which needs the logits in any case; its gradient
   * is in the graph.
   */
  #placeLoss(axis: LogitAxis, logits: tf.Tensor2D): tf.Scalar {
    const { layout } = this.#network;
    const [rows, width] = logits.shape;
    const examples = gradientFeeds(layout, axis, this.#batch.targets, rows, this.#batch.factors);
    const voices = examples.map((example) => this.#placeVoice(example, [rows, width], isCompact(layout, axis)));
    const fed = voices.flatMap(({ tensors }) => tensors);
    const op = tf.customGrad((input, save) => {
      // what is not saved is gone when the gradient is computed
      (save as tf.GradSaveFunc)([input as tf.Tensor, ...fed]);
      return {
        value: tf.scalar(0),
        gradFunc: (_: tf.Tensor, [z, ...saved]: tf.Tensor[]) => {
          const gradients = voices.map((__, i) =>
            logitGradient(layout, axis, z as tf.Tensor2D, itemAt(saved, 2 * i), itemAt(saved, 2 * i + 1)),
          );
          return gradients.reduce((sum, gradient) => tf.add(sum, gradient));
        },
      };
    });
    this.#logits.push({
      ...{ axis, rows, width, logits: this.#recorder.outputOf(logits) },
      voices: voices.map(({ placed }) => placed),
    });
    return op(logits) as tf.Scalar;
  }

  #placeVoice({ targets, weights }: GradientFeed, [rows, width]: readonly [number, number], compact: boolean) {
    const { builder } = this.#graph;
    const tensors = [
      tf.tensor(targets, compact ? [rows] : [rows, width]),
      tf.tensor2d(weights, [rows, compact ? 1 : width]),
    ] as const;
    const placed: PlacedVoice = {
      targets: builder.placeholder(compact ? DTYPE.int32 : DTYPE.float, tensors[0].shape),
      weights: builder.placeholder(DTYPE.float, tensors[1].shape),
    };
    this.#recorder.place(tensors[0], placed.targets);
    this.#recorder.place(tensors[1], placed.weights);
    return { tensors, placed };
  }

  #feeds(batch: StepBatch): Feed[] {
    const masked = this.#masked;
    const room = this.#shape.masked;
    return [
      ...this.#feedInputs(batch.inputs),
      ...withSeededRandom(batch.seed, () => this.#noise.map(feedNoise)),
      ...this.#logits.flatMap((placed) => feedLoss(this.#network.layout, placed, batch)),
      ...(masked === null
        ? []
        : [
            {
              placeholder: masked.placeholder,
              dtype: DTYPE.int32,
              shape: [room],
              values: padIndices(batch.targets.masked, room),
            },
          ]),
    ];
  }
}

function feedLoss(
  layout: HeadLayout,
  { axis, rows, width, voices }: PlacedLogits,
  { targets: batch, factors }: StepBatch,
): Feed[] {
  const compact = isCompact(layout, axis);
  return gradientFeeds(layout, axis, batch, rows, factors).flatMap((values, i): Feed[] => {
    const { targets, weights } = itemAt(voices, i);
    return [
      compact
        ? { placeholder: targets, dtype: DTYPE.int32, shape: [rows], values: values.targets }
        : { placeholder: targets, dtype: DTYPE.float, shape: [rows, width], values: values.targets },
      { placeholder: weights, dtype: DTYPE.float, shape: [rows, compact ? 1 : width], values: values.weights },
    ];
  });
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
  placed: readonly PlacedLogits[],
  { targets }: StepBatch,
  results: readonly TensorValues[],
): StepValues {
  const matrices = matricesOf(layout, targets);
  const valuesOf = (axis: LogitAxis): Float32Array => {
    const at = placed.findIndex((own) => own.axis === axis);
    const { rows, stride } = matrices[axis];
    return at < 0 ? NONE : (results[at] as Float32Array).subarray(0, rows * stride);
  };
  return {
    logits: { sample: valuesOf("sample"), token: valuesOf("token"), masked: valuesOf("masked") },
    norm: results[placed.length]?.[0] as number,
    applied: results[placed.length + 1]?.[0] === 1,
  };
}

const NONE = new Float32Array(0);
