/** @file One replica: the same network as the others, on its own backend, answering requests one after the other. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { ConfigError, CoolError } from "../../errors.js";
import { lacksDefinition } from "../../tasks/index.js";
import { openBackend } from "../backends/choose.js";
import type { BatchTargets } from "../batches/targets.js";
import type { LogitValues } from "../model/layout.js";
import { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { type BatchOutputs, outputsOfBatch } from "../batches/outputs.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import { answerHere } from "../inference/answer-batches.js";
import { computeGradient } from "../optimization/gradients.js";
import type { Exchange } from "./exchange.js";
import type {
  ErrorReply,
  ForwardReply,
  ForwardRequest,
  OpenReply,
  Preparation,
  ReplicaSetup,
  Request,
  StepReply,
  StepRequest,
  Weights,
} from "./messages.js";
import { type ShardScope, syncLayers } from "./sync-layers.js";

/** Answers the requests of the coordinating side. Keeps nothing between them but the weights that it was given. */
export class Replica {
  readonly #exchange: Exchange;
  #opened: OpenedReplica | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  async open(setup: ReplicaSetup): Promise<OpenReply> {
    this.#opened = await OpenedReplica.open(setup, this.#exchange);
    return this.#opened.description;
  }

  answer(request: Exclude<Request, { readonly kind: "open" | "close" }>): StepReply | ForwardReply {
    if (this.#opened === null) throw new Error("the replica has not been opened");
    switch (request.kind) {
      case "step":
        return this.#opened.step(request);
      case "forward":
        return this.#opened.forward(request);
      default:
        return request satisfies never;
    }
  }
}

/** An error as a message. */
export function errorReply(error: unknown): ErrorReply {
  if (error instanceof CoolError) {
    const { error: name, message, facts } = error.toJSON();
    return { kind: "error", isExpected: true, name, message, facts: JSON.parse(JSON.stringify(facts)) };
  }
  const { name, message } = error as Error;
  return { kind: "error", isExpected: false, name, message, facts: {} };
}

class OpenedReplica {
  readonly #setup: ReplicaSetup;
  readonly #network: Network;
  readonly #scope: ShardScope;
  /** Shared, so that between threads it travels without a copy. */
  readonly #gradient: Float32Array;

  private constructor(setup: ReplicaSetup, network: Network, scope: ShardScope) {
    this.#setup = setup;
    this.#network = network;
    this.#scope = scope;
    this.#gradient = new Float32Array(
      new SharedArrayBuffer(sizeOf(network.trainable) * Float32Array.BYTES_PER_ELEMENT),
    );
  }

  static async open(setup: ReplicaSetup, exchange: Exchange): Promise<OpenedReplica> {
    const { graph, inputs, freeze, preparation, projectDir } = setup;
    await openBackend(setup.backend, projectDir === null ? {} : { projectDir });
    if (graph.tasks.some(({ spec }) => lacksDefinition(spec))) await prepare(preparation);
    const missing = graph.tasks.find(({ spec }) => lacksDefinition(spec));
    if (missing !== undefined) throw noFunctions(missing.path);
    const scope: ShardScope = { exchange, place: null };
    const model = await loadModel(setup);
    syncLayers(model, scope);
    return new OpenedReplica(setup, Network.fromModel(graph, inputs, model, { freeze }), scope);
  }

  get description(): OpenReply {
    return {
      kind: "open",
      parameterCount: this.#gradient.length,
      statisticsCount: sizeOf(this.#network.statistics),
    };
  }

  step({ weights, place, inputs, targets, factors, denominators, seed, penalties }: StepRequest): StepReply {
    this.#take(weights);
    const isFirst = this.#setup.rank === 0;
    this.#scope.place = place;
    try {
      const options = { factors, denominators, seed, penalties };
      const { loss, logits } = computeGradient(this.#network, inputs, targets, this.#gradient, options);
      return {
        kind: "step",
        sums: loss.tasks.map(({ sum }) => sum),
        gradient: this.#gradient,
        statistics: isFirst ? readParameters(this.#network.statistics) : null,
        outputs: place.rows === 0 ? this.#noOutputs() : this.#outputs(logits, inputs, targets),
      };
    } finally {
      this.#scope.place = null;
    }
  }

  forward({ weights, rows, inputs, answers }: ForwardRequest): ForwardReply {
    this.#take(weights);
    const outputs = answerHere(this.#network, inputs, rows, answers);
    return { kind: "forward", outputs: { ...outputs, sample: outputs.sample.slice() } };
  }

  /** What is too big to travel stays here. */
  #outputs(logits: LogitValues, inputs: InputBatch, targets: BatchTargets): BatchOutputs {
    const outputs = outputsOfBatch(this.#network, logits, inputs, targets.rows, targets);
    // a copy, without what else lies in the memory under it
    return { ...outputs, sample: outputs.sample.slice() };
  }

  #noOutputs(): BatchOutputs {
    const none = new Float32Array(0);
    const { columns } = this.#network.layout;
    return { sample: none, tokens: columns.filter(({ axis }) => axis === "token").map(() => none), hits: 0 };
  }

  #take(weights: Weights | null): void {
    if (weights === null) return;
    writeParameters(this.#network.trainable, weights.parameters);
    writeParameters(this.#network.statistics, weights.statistics);
  }
}

function sizeOf(variables: readonly tf.Variable[]): number {
  return variables.reduce((sum, { size }) => sum + size, 0);
}

async function loadModel({ topology, weightSpecs, weights, preparation }: ReplicaSetup): Promise<tfl.LayersModel> {
  const artifacts = {
    modelTopology: topology as object,
    weightSpecs: weightSpecs as tf.io.WeightsManifestEntry[],
    weightData: weights.slice().buffer as ArrayBuffer,
  };
  try {
    return await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  } catch (error) {
    if (preparation === null) throw error;
    // a layer of the user's own class, which the configuration registers
    await prepare(preparation);
    return tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  }
}

async function prepare(preparation: Preparation | null): Promise<void> {
  if (preparation === null) return;
  const module = (await import(preparation.module)) as { readonly default: (argument: unknown) => Promise<unknown> };
  await module.default(preparation.argument);
}

function noFunctions(path: string): ConfigError {
  return new ConfigError(
    `The functions of the custom task "${path}" cannot be had in a replica: they are not in the project's configuration, or not the same there. Define them in cool.config.ts (or a file that it imports), or take --replicas 1.`,
    { task: path },
  );
}
