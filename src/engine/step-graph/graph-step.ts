/** @file A step as one run of a TensorFlow graph, traced at the first batch of each shape. */
import { CoolError } from "../../errors.js";
import { joinArrays } from "../batches/arrays.js";
import { batchLoss } from "../optimization/losses.js";
import type { Network } from "../model/network.js";
import { AVERAGE, createUpdater, updaterSlots } from "../optimization/weight-average.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import type { TensorflowBackend } from "../backends/tensorflow/binding.js";
import { taskWithForeignLoss } from "./logit-gradient.js";
import { maskedRoom } from "./masked-room.js";
import { PARAMETERS, STATISTICS } from "./network-inputs.js";
import { type StepShape, type TracedStep, traceStep } from "./trace-step.js";
import { TracedGraph } from "./traced-graph.js";
import { UntraceableError } from "./untraceable.js";
import { EagerSteps } from "../optimization/eager-step.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome, WeightsKind } from "../optimization/step-engine.js";

/** How far apart the norms of the traced and the eager gradient may be. */
const TOLERANCE = 1e-3;

/**
 * Trains copies of the network's weights inside a TensorFlow session. A network that cannot be traced is trained
 * eagerly instead, after one warning.
 */
export class GraphSteps implements StepEngine {
  readonly #network: Network;
  readonly #config: StepConfig;
  readonly #graph: TracedGraph;
  readonly #steps = new Map<string, TracedStep>();
  readonly #warn: (message: string) => void;
  readonly parameterCount: number;
  #updates: number;
  /** What the network's variables hold. */
  #written: WeightsKind = "trained";
  #eager: EagerSteps | null = null;

  /** @param warn is told once where steps run eagerly, and why */
  constructor(
    backend: TensorflowBackend,
    network: Network,
    config: StepConfig,
    restored: OptimizerState | undefined,
    warn: (message: string) => void,
  ) {
    this.#network = network;
    this.#config = config;
    this.#warn = warn;
    const parameters = readParameters(network.trainable);
    this.parameterCount = parameters.length;
    // checks the state that is restored
    const { updates, slots } = createUpdater(config, parameters.length, restored).state;
    this.#updates = updates;
    this.#graph = new TracedGraph(backend, {
      [PARAMETERS]: parameters,
      [STATISTICS]: readParameters(network.statistics),
      ...slots,
    });
  }

  async step(batch: StepBatch): Promise<StepOutcome> {
    // lets the next batch begin to be read, maybe in another thread, before this one waits for the library
    const traced = this.#eager === null ? await this.#tracedStep(batch) : null;
    if (traced === null) return (this.#eager as EagerSteps).step(batch);
    return this.#run(traced, batch);
  }

  #run(traced: TracedStep, batch: StepBatch): StepOutcome {
    const results = this.#graph.run(traced.feeds(batch, this.#updates), traced.outputs);
    const { logits, norm: gradientNorm, applied } = traced.read(batch, results);
    if (applied) this.#updates += 1;
    const loss = batchLoss(
      this.#network.layout,
      joinArrays([logits.sample, logits.token, logits.masked]),
      batch.targets,
      null,
      undefined,
      batch.factors,
    );
    return { loss, gradientNorm, logits, applied };
  }

  /** null where steps run eagerly from now on. */
  async #tracedStep(batch: StepBatch): Promise<TracedStep | null> {
    const shape = shapeOf(this.#network, batch);
    const key = `${shape.rows} ${shape.length} ${shape.masked} ${shape.isMixed}`;
    const traced = this.#steps.get(key);
    if (traced !== undefined) return traced;
    try {
      assertTraceable(this.#network);
      await this.writeBack("trained");
      const step = this.#graph.grow(() => traceStep(this.#graph, this.#network, this.#config, batch, shape));
      this.#assertSame(step, batch);
      this.#steps.set(key, step);
      return step;
    } catch (error) {
      // what is wrong with the network is wrong eagerly, too
      if (error instanceof CoolError) throw error;
      await this.#goEager(error as Error);
      return null;
    }
  }

  /** @throws UntraceableError where the graph computes something else than what was recorded */
  #assertSame(step: TracedStep, batch: StepBatch): void {
    // without the update, which nothing here asks for
    const { norm } = step.read(batch, this.#graph.run(step.feeds(batch, this.#updates), step.outputs.slice(0, -1)));
    const { recordedNorm } = step;
    if (!Number.isFinite(recordedNorm) || Math.abs(norm - recordedNorm) <= TOLERANCE * recordedNorm) return;
    throw new UntraceableError(`the graph's gradient has the norm ${norm} and the eager one ${recordedNorm}`);
  }

  async #goEager(error: Error): Promise<void> {
    this.#warn(
      `Training steps run op by op instead of as one TensorFlow graph, because ${reasonOf(error)}. They give the same results, more slowly.`,
    );
    this.#eager = new EagerSteps(this.#network, this.#config, await this.optimizerState());
    this.#graph.dispose();
  }

  async writeBack(kind: WeightsKind): Promise<void> {
    if (this.#eager !== null) return this.#eager.writeBack(kind);
    const isAveraged = kind === "averaged" && this.#updates > 0 && updaterSlots(this.#config).includes(AVERAGE);
    // without a step the network still has what the graph began with
    if (this.#steps.size === 0 && !isAveraged && this.#written === "trained") return;
    this.#written = kind;
    writeParameters(this.#network.trainable, this.#graph.read(isAveraged ? AVERAGE : PARAMETERS));
    writeParameters(this.#network.statistics, this.#graph.read(STATISTICS));
  }

  async optimizerState(): Promise<OptimizerState> {
    if (this.#eager !== null) return this.#eager.optimizerState();
    const slots = updaterSlots(this.#config).map((name) => [name, this.#graph.read(name)] as const);
    return { updates: this.#updates, slots: Object.fromEntries(slots) };
  }

  async dispose(): Promise<void> {
    this.#graph.dispose();
  }
}

/** @throws UntraceableError for what is known not to work in a graph */
function assertTraceable({ layout }: Network): void {
  const foreign = taskWithForeignLoss(layout);
  if (foreign !== null) throw new UntraceableError(`the loss of "${foreign.path}" is a function of its own`);
}

function shapeOf({ layout }: Network, { targets }: StepBatch): StepShape {
  const { rows, length = 0, masked, mixed } = targets;
  const room = layout.maskedWidth === 0 ? 0 : maskedRoom(masked?.length ?? 0, rows * length);
  return { rows, length, masked: room, isMixed: mixed !== undefined };
}

/** The first line of what went wrong, without a point at its end. */
function reasonOf({ message }: Error): string {
  return message.split("\n", 1)[0]?.replace(/\.$/, "") ?? "";
}
