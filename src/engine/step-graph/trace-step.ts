/** @file A whole training step as one run of a graph: forward, masked losses, gradients, optimizer. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt } from "../../arrays.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import { withInnerLayers } from "../model/layer-graph.js";
import { type HeadLayout, LOGIT_AXES, type LogitAxis, type LogitValues, matricesOf } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { withSeededRandom } from "../model/seeded.js";
import type { StepBatch, StepConfig } from "../optimization/step-engine.js";
import { FeatureSites, type TracedSites } from "./feature-sites.js";
import type { TensorValues } from "../backends/tensorflow/binding.js";
import { FLOAT, type Output } from "./graph-def.js";
import { type GradientFeed, gradientFeeds, isCompact, logitGradient } from "./logit-gradient.js";
import { padIndices } from "./masked-room.js";
import { type FeedInputs, PARAMETERS, placeInputs, placeWeights, STATISTICS } from "./network-inputs.js";
import { type Noise, whileNoiseIsPlaced } from "./noise.js";
import type { Feed } from "./session.js";
import { recordOps, type OpRecorder } from "./op-recorder.js";
import { computeByLibrary, type MakeCompute } from "./op-trail.js";
import type { RecordedGraph, Traced } from "./traced-graph.js";
import { ACCUMULATED, normOf, placeUpdate } from "./apply-gradient.js";
import type { Alive } from "./updates.js";

/** Sizes of a batch that a traced step is made for. */
export interface StepShape {
  readonly rows: number;
  /** Tokens per row, 0 where there are none. */
  readonly length: number;
  /** Masked tokens that there is room for. */
  readonly masked: number;
  /** Whether pictures are mixtures of two, each with labels of its own. */
  readonly isMixed: boolean;
  /** Of a batch that is computed in parts: the first one begins the sum of the gradients. Null: it is whole. */
  readonly part: "first" | "next" | null;
}

/** A batch, or a part of one. */
export interface TracedBatch extends StepBatch {
  /** Loss terms per task to divide by. Default: its own. */
  readonly denominators?: readonly number[];
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
  /** Norm of the gradient in the eager step that was recorded, for comparison; null where nothing was computed. */
  readonly recordedNorm: number | null;
  /** Where tasks' gradients meet; null where they are just added. */
  readonly sites: TracedSites | null;
  /**
   * @param updates applied before
   * @param atFeatures gradients at the features of `sites`
   */
  feeds(batch: TracedBatch, updates: number, atFeatures?: readonly Feed[]): Feed[];
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
 * @param compute how ops are computed; default: by the library
 * @throws UntraceableError where the network does what a graph cannot repeat
 */
export function traceStep(
  graph: RecordedGraph,
  network: Network,
  config: StepConfig,
  batch: TracedBatch,
  shape: StepShape,
  { compute, isPredicted }: { readonly compute: MakeCompute; readonly isPredicted: boolean } = COMPUTED,
): TracedStep {
  const { backend, builder } = graph;
  // a reshaped tensor shares the data, where a clone may copy it
  const before = network.statistics.map((variable) => tf.reshape(variable as tf.Tensor, variable.shape));
  const record = (): TracedStep => {
    // older than the recording: what is placed needs no node
    const inputs = network.inputTensors(batch.inputs, shape.rows);
    const { step, norm } = withSeededRandom(batch.seed, () =>
      recordOps(
        backend,
        builder,
        (recorder) => new StepRecording(graph, recorder, network, batch, inputs, shape, config).step(),
        compute,
      ),
    );
    return { ...step, recordedNorm: isPredicted ? null : (norm.dataSync()[0] as number) };
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

const COMPUTED = { compute: computeByLibrary, isPredicted: false } as const;

/** One eager step while its ops are recorded: first what is fed gets its place, then the step runs, then the update. */
class StepRecording {
  readonly #graph: RecordedGraph;
  readonly #recorder: OpRecorder;
  readonly #network: Network;
  readonly #batch: TracedBatch;
  readonly #config: StepConfig;
  readonly #inputs: tf.Tensor[];
  readonly #feedInputs: FeedInputs;
  readonly #masked: PlacedMasked | null;
  readonly #shape: StepShape;
  readonly #noise: PlacedNoise[] = [];
  readonly #logits: PlacedLogits[] = [];
  readonly #sites: FeatureSites | null;

  constructor(
    graph: RecordedGraph,
    recorder: OpRecorder,
    network: Network,
    batch: TracedBatch,
    inputs: tf.Tensor[],
    shape: StepShape,
    config: StepConfig,
  ) {
    this.#graph = graph;
    this.#recorder = recorder;
    this.#network = network;
    this.#batch = batch;
    this.#shape = shape;
    this.#config = config;
    const { conflicts = "add" } = config;
    this.#sites = conflicts === "add" ? null : new FeatureSites(graph.builder, recorder, conflicts);
    this.#inputs = inputs;
    this.#feedInputs = placeInputs(graph.builder, recorder, network, inputs);
    placeWeights(graph, recorder, PARAMETERS, network.trainable);
    placeWeights(graph, recorder, STATISTICS, network.statistics);
    this.#masked = shape.masked === 0 ? null : this.#placeMasked(shape.masked);
  }

  /** @returns the step, and the norm of its gradient, whose value cannot be read while ops are recorded */
  step(): { readonly step: Omit<TracedStep, "recordedNorm">; readonly norm: tf.Tensor } {
    const statistics = placesOf(this.#recorder, this.#network);
    const gradient = this.#gradient();
    const keepMoved = (alive: Alive) => moved(this.#graph, this.#recorder, this.#network, statistics, alive);
    const { part } = this.#shape;
    const flat = this.#recorder.outputOf(gradient);
    const end = part === null ? placeUpdate(this.#graph, this.#config, flat, keepMoved) : this.#addUp(flat, keepMoved);
    const sites = this.#sites?.traced() ?? null;
    const feeds = (batch: TracedBatch, updates: number, atFeatures: readonly Feed[] = sites?.example ?? []): Feed[] => [
      ...this.#feeds(batch),
      ...atFeatures,
      ...end.feeds(updates, batch.learningRate),
    ];
    const step = {
      ...{ feeds, sites },
      placeholders: feeds(this.#batch, 0).map(({ placeholder }) => placeholder),
      outputs: [...this.#logits.map(({ logits }) => logits), end.norm, end.done],
      before: sites?.outputs ?? [],
      read: (batch: StepBatch, results: readonly TensorValues[]) =>
        readStep(this.#network.layout, this.#logits, batch, results),
    };
    return { step, norm: tf.sqrt(tf.sum(tf.square(gradient))) };
  }

  /** Of a part: its gradient is added to that of the parts before. */
  #addUp(gradient: Output, keepMoved: (alive: Alive) => readonly string[]) {
    const { builder } = this.#graph;
    const sum = this.#graph.variable(ACCUMULATED);
    if (sum === null) throw new Error(`no variable "${ACCUMULATED}" in the graph`);
    const isFirst = this.#shape.part === "first";
    const added = isFirst
      ? builder.assign(sum.handle, gradient)
      : builder.node("AssignAddVariableOp", [sum.handle, gradient], { dtype: FLOAT });
    const done = [added, ...keepMoved((value) => value)].map((node) => `^${node}`);
    return {
      norm: normOf(builder, gradient),
      done: builder.node("Identity", [builder.intScalar(1), ...done], { T: { type: DTYPE.int32 } }),
      feeds: (): Feed[] => [],
    };
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
    const logits = this.#network.logitsByAxis(
      this.#inputs,
      true,
      this.#masked?.tensor ?? null,
      this.#sites?.onFeature ?? undefined,
    );
    const losses = LOGIT_AXES.flatMap((axis) => {
      const own = logits[axis];
      return own === null ? [] : [this.#placeLoss(axis, own)];
    });
    // of several parts only the first one has them
    const penalties = this.#shape.part === "next" ? [] : this.#network.penalties();
    return [...losses, ...penalties].reduce((total, term) => tf.add(total, term));
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
    const { targets, factors, denominators } = this.#batch;
    const examples = gradientFeeds(layout, axis, targets, rows, factors, denominators);
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
          const gradient = gradients.reduce((sum, voice) => tf.add(sum, voice)) as tf.Tensor2D;
          this.#sites?.take(axis, gradient);
          return gradient;
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

  #feeds(batch: TracedBatch): Feed[] {
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
  { targets: batch, factors, denominators }: TracedBatch,
): Feed[] {
  const compact = isCompact(layout, axis);
  return gradientFeeds(layout, axis, batch, rows, factors, denominators).flatMap((values, i): Feed[] => {
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
  graph: RecordedGraph,
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
