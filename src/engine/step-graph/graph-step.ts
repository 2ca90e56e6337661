/** @file A step as one run of a TensorFlow graph, traced at the first batch of each shape. */
import { CoolError } from "../../errors.js";
import { joinArrays } from "../batches/arrays.js";
import { joinLogits, partsOfBatch, seedOfPart, shardOf } from "../batches/shards.js";
import type { LogitValues } from "../model/layout.js";
import { type BatchLoss, batchLoss, countTerms, joinLosses } from "../optimization/losses.js";
import type { Network } from "../model/network.js";
import { AVERAGE, createUpdater, updaterSlots } from "../optimization/weight-average.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import type { TensorflowBackend } from "../backends/tensorflow/binding.js";
import { taskWithForeignLoss } from "./logit-gradient.js";
import type { Output } from "./graph-def.js";
import { maskedRoom } from "./masked-room.js";
import { PARAMETERS, STATISTICS } from "./network-inputs.js";
import { FEW_ROWS, recordByFew } from "./op-trail.js";
import { ACCUMULATED, type TracedUpdate, traceUpdate } from "./apply-gradient.js";
import { type StepShape, type TracedBatch, type TracedStep, traceStep } from "./trace-step.js";
import { type Traced, TracedGraph } from "./traced-graph.js";
import { UntraceableError } from "./untraceable.js";
import { EagerSteps } from "../optimization/eager-step.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome, WeightsKind } from "../optimization/step-engine.js";

/** How far apart the norms of the traced and the eager gradient may be. */
const TOLERANCE = 1e-3;

/** A batch or a part of one, and the graph for it. */
interface Part {
  readonly batch: TracedBatch;
  readonly traced: TracedStep;
}

/** A step, and a part of the graph that is compared with what was computed while it was recorded. */
interface ProbedStep extends Traced {
  readonly step: TracedStep;
  readonly probe: Part;
}

/** All but the update, which a comparison does not ask for. */
function normOutputs({ outputs }: TracedStep): readonly Output[] {
  return outputs.slice(0, -1);
}

/**
 * Trains copies of the network's weights inside a TensorFlow session. A network that cannot be traced is trained
 * eagerly instead, after one warning.
 */
export class GraphSteps implements StepEngine {
  readonly #network: Network;
  readonly #config: StepConfig;
  readonly #graph: TracedGraph;
  readonly #steps = new Map<string, TracedStep>();
  /** Of the sum of the gradients of a batch in parts. */
  #update: TracedUpdate | null = null;
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
      ...(this.#parts > 1 ? { [ACCUMULATED]: new Float32Array(parameters.length) } : {}),
    });
  }

  get #parts(): number {
    return this.#config.accumulate ?? 1;
  }

  async step(batch: StepBatch): Promise<StepOutcome> {
    // lets the next batch begin to be read, maybe in another thread, before this one waits for the library
    const parts = this.#eager === null ? await this.#tracedParts(batch) : null;
    if (parts === null) return (this.#eager as EagerSteps).step(batch);
    const [only] = parts;
    return this.#parts === 1 && only !== undefined ? this.#runWhole(only) : this.#runParts(parts, batch);
  }

  #runWhole({ traced, batch }: Part): StepOutcome {
    const { sites } = traced;
    const combined = sites?.combine(this.#graph.run(traced.feeds(batch, this.#updates), sites.outputs), batch.seed);
    const results = this.#graph.run(traced.feeds(batch, this.#updates, combined?.feeds), traced.outputs);
    const { logits, norm: gradientNorm, applied } = traced.read(batch, results);
    if (applied) this.#updates += 1;
    return { loss: this.#lossOf(batch, logits), gradientNorm, logits, applied, pairs: combined?.pairs ?? [] };
  }

  #runParts(parts: readonly Part[], { learningRate }: StepBatch): StepOutcome {
    const statistics = this.#graph.read(STATISTICS);
    const done = parts.map(({ traced, batch }) => {
      const { logits } = traced.read(batch, this.#graph.run(traced.feeds(batch, this.#updates), traced.outputs));
      return { logits, loss: this.#lossOf(batch, logits) };
    });
    const update = this.#update as TracedUpdate;
    const [norm, flag] = this.#graph.run(update.feeds(this.#updates, learningRate), update.outputs);
    const applied = flag?.[0] === 1;
    if (applied) this.#updates += 1;
    // the parts have moved the averages of batch normalization
    else this.#graph.write(STATISTICS, statistics);
    return {
      loss: joinLosses(done.map(({ loss }) => loss)),
      gradientNorm: norm?.[0] as number,
      logits: joinLogits(done.map(({ logits }) => logits)),
      applied,
      pairs: [],
    };
  }

  #lossOf({ targets, factors, denominators }: TracedBatch, logits: LogitValues): BatchLoss {
    const all = joinArrays([logits.sample, logits.token, logits.masked]);
    return batchLoss(this.#network.layout, all, targets, null, denominators, factors);
  }

  /** All are traced before the first one runs; null where steps run eagerly from now on. */
  async #tracedParts(batch: StepBatch): Promise<readonly Part[] | null> {
    const parts: Part[] = [];
    for (const [i, part] of this.#partsOf(batch).entries()) {
      const traced = await this.#tracedStep(part, this.#parts === 1 ? null : i === 0 ? "first" : "next");
      if (traced === null) return null;
      parts.push({ batch: part, traced });
    }
    return parts;
  }

  #partsOf(batch: StepBatch): readonly TracedBatch[] {
    if (this.#parts === 1) return [batch];
    const { layout } = this.#network;
    const denominators = countTerms(layout, batch.targets);
    return partsOfBatch(layout, batch.inputs, batch.targets, this.#parts).map(({ inputs, targets }, i) => ({
      ...batch,
      ...{ inputs, targets, denominators, seed: seedOfPart(batch.seed, i) },
    }));
  }

  /** null where steps run eagerly from now on. */
  async #tracedStep(batch: TracedBatch, part: StepShape["part"]): Promise<TracedStep | null> {
    const shape = { ...shapeOf(this.#network, batch), part };
    const key = `${shape.rows} ${shape.length} ${shape.masked} ${shape.isMixed} ${part}`;
    const traced = this.#steps.get(key);
    if (traced !== undefined) return traced;
    try {
      assertTraceable(this.#network);
      await this.writeBack("trained");
      const { step, probe } = this.#graph.grow(() => this.#trace(batch, shape));
      this.#assertSame(probe);
      if (part !== null) this.#update ??= this.#graph.grow(() => traceUpdate(this.#graph, this.#config));
      this.#steps.set(key, step);
      return step;
    } catch (error) {
      // what is wrong with the network is wrong eagerly, too
      if (error instanceof CoolError) throw error;
      await this.#goEager(error as Error);
      return null;
    }
  }

  /** A step of the batch, by that of its first rows where it follows from them, and what can be compared with a recording. */
  #trace(batch: TracedBatch, shape: StepShape): ProbedStep {
    let few: Part | null = null;
    return recordByFew(
      shape.rows,
      (rows, compute) => {
        const isLast = rows === FEW_ROWS.last;
        const { inputs, targets } = shardOf(this.#network.layout, batch.inputs, batch.targets, { before: 0, rows });
        const own = { ...batch, inputs, targets };
        const graph = isLast ? this.#graph : this.#graph.scratch();
        const how = { compute, isPredicted: false };
        const traced = traceStep(graph, this.#network, this.#config, own, { ...shape, rows }, how);
        few = { batch: own, traced };
      },
      (compute, isPredicted) => {
        const how = { compute, isPredicted };
        const step = traceStep(this.#graph, this.#network, this.#config, batch, shape, how);
        const probe = isPredicted && few !== null ? few : { batch, traced: step };
        return {
          ...{ step, probe },
          outputs: [...step.outputs, ...normOutputs(probe.traced)],
          placeholders: [...step.placeholders, ...probe.traced.placeholders],
          before: step.before ?? [],
        };
      },
    );
  }

  /** @throws UntraceableError where the graph computes something else than what was recorded */
  #assertSame({ traced, batch }: Part): void {
    const { norm } = traced.read(batch, this.#graph.run(traced.feeds(batch, this.#updates), normOutputs(traced)));
    const { recordedNorm } = traced;
    if (recordedNorm === null || !Number.isFinite(recordedNorm)) return;
    if (Math.abs(norm - recordedNorm) <= TOLERANCE * recordedNorm) return;
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

function shapeOf({ layout }: Network, { targets }: StepBatch): Omit<StepShape, "part"> {
  const { rows, length = 0, masked, mixed } = targets;
  const room = layout.maskedWidth === 0 ? 0 : maskedRoom(masked?.length ?? 0, rows * length);
  return { rows, length, masked: room, isMixed: mixed !== undefined };
}

/** The first line of what went wrong, without a point at its end. */
function reasonOf({ message }: Error): string {
  return message.split("\n", 1)[0]?.replace(/\.$/, "") ?? "";
}
