/** @file All replicas of a network together: opened, asked at the same time, and ended together. */
import * as tf from "@tensorflow/tfjs-core";
import { ReplicaError } from "../../errors.js";
import { addTo } from "../batches/arrays.js";
import { joinOutputs } from "../batches/shards.js";
import type { BackendName } from "../backends/choose.js";
import type { Network } from "../model/network.js";
import { errorFrom, type LinkEvents, type ReplicaLink } from "./links.js";
import type { OpenReply, Preparation, ReplicaSetup, Reply, ReplyTo, Request, Weights } from "./messages.js";
import { openProcesses } from "./processes.js";
import type { ShardGroup, ShardRequest, ShardResults } from "./shard-group.js";
import { openThreads } from "./threads.js";
import { exchangeSize } from "./sync-layers.js";

/** Threads share memory; processes are for what may be loaded only once in each, and for a GPU each. */
export type ReplicaTransport = "threads" | "processes";

export interface ReplicaOptions {
  readonly replicas: number;
  readonly transport: ReplicaTransport;
  readonly backend: BackendName;
  /** Where the backend's package may lie, too. */
  readonly projectDir?: string | null;
  readonly freeze?: readonly string[];
  /** null: the network needs nothing of the user's code. */
  readonly preparation?: Preparation | null;
  /** Most heap of each replica's JavaScript; default: Node's own. Tensors lie elsewhere. */
  readonly heapMegabytes?: number;
  /** Environment of each replica's process, beside this one's. */
  readonly environments?: readonly Readonly<Record<string, string>>[];
  /** The one replica of this group is one of several that other processes have; default: all are here. */
  readonly place?: RankPlace;
}

/** Where the replica of a process stands among those of a job. */
export interface RankPlace {
  /** From 0. */
  readonly rank: number;
  readonly ranks: number;
  /** Waits for all ranks. @returns the values of all, in the order of the ranks */
  gather(values: Float64Array): Promise<Float64Array>;
}

type Asked = Exclude<Request, { readonly kind: "close" }>;

/** Replicas of one network. Owns their threads or processes: `close` ends them. */
export class ReplicaGroup implements ShardGroup {
  readonly size: number;
  readonly #transport: ReplicaTransport;
  readonly #links: readonly ReplicaLink[];
  readonly #waiting: (((reply: Reply) => void) | null)[];
  /** Latest weights given to each replica. */
  readonly #given: (Weights | null)[];
  #fail: (error: Error) => void = () => {};
  /** Rejects when a replica ends or fails; nothing is asked any more then. */
  readonly #failure: Promise<never>;
  #isClosed = false;

  private constructor(options: ReplicaOptions, exchange: number) {
    const { replicas, transport } = options;
    this.size = replicas;
    this.#transport = transport;
    this.#waiting = Array.from({ length: replicas }, () => null);
    this.#given = Array.from({ length: replicas }, () => null);
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // whoever asks next is told
    this.#failure.catch(() => {});
    const eventsOf = (rank: number): LinkEvents => ({
      onReply: (reply) => this.#receive(rank, reply),
      onEnd: (how) => {
        if (!this.#isClosed) this.#fail(this.#ended(rank, how));
      },
      onFailure: (error) => this.#fail(error),
    });
    const given = { ...options, gather: options.place?.gather };
    this.#links = transport === "threads" ? openThreads(given, exchange, eventsOf) : openProcesses(given, eventsOf);
  }

  /**
   * Starts the replicas of a network, with its weights as they are.
   * @throws ReplicaError, BackendError, ConfigError where one cannot be opened; none is left behind then
   */
  static async open(network: Network, options: ReplicaOptions): Promise<ReplicaGroup> {
    const setup = await describeNetwork(network, options);
    const group = new ReplicaGroup(options, exchangeSize(network.layers));
    try {
      const first = options.place?.rank ?? 0;
      const opened = await group.ask("open", (rank) => ({ kind: "open", setup: { ...setup, rank: first + rank } }));
      assertSame(opened, network);
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /**
   * Asks every replica at the same time.
   * @param requestOf null: the replica is not asked
   * @returns replies in the order of the ranks, of those that were asked
   * @throws what a replica throws, and ReplicaError where one has ended
   */
  async ask<K extends keyof ReplyTo>(
    _kind: K,
    requestOf: (rank: number) => Extract<Asked, { readonly kind: K }> | null,
  ): Promise<ReplyTo[K][]> {
    const replies = this.#links.flatMap((_, rank) => {
      const request = requestOf(rank);
      return request === null ? [] : [this.askOne(rank, request)];
    });
    return Promise.race([this.#failure, Promise.all(replies)]) as Promise<ReplyTo[K][]>;
  }

  /** Asks one replica; one request at a time. */
  async askOne<A extends Asked>(rank: number, request: A): Promise<ReplyTo[A["kind"]]> {
    const answered = new Promise<Reply>((resolve) => {
      this.#waiting[rank] = resolve;
    });
    this.#links[rank]?.send(request);
    return (await Promise.race([this.#failure, answered])) as ReplyTo[A["kind"]];
  }

  async step(weights: Weights, requestOf: (rank: number) => ShardRequest, sum: Float32Array): Promise<ShardResults> {
    const replies = await this.ask("step", (rank) => ({
      ...requestOf(rank),
      weights: this.weightsFor(rank, weights),
    }));
    // in the order of the ranks, so that the same replicas round alike
    for (const { gradient } of replies) addTo(sum, gradient);
    return {
      sums: replies.map((reply) => reply.sums),
      outputs: joinOutputs(replies.map((reply) => reply.outputs)),
      statistics: replies[0]?.statistics ?? null,
    };
  }

  /** The weights, where a replica does not have them yet; null where it has. They must not change after. */
  weightsFor(rank: number, weights: Weights | null): Weights | null {
    if (weights === null || this.#given[rank] === weights) return null;
    this.#given[rank] = weights;
    return weights;
  }

  #receive(rank: number, reply: Reply): void {
    if (reply.kind === "error") {
      this.#fail(errorFrom(reply, rank));
      return;
    }
    const waiting = this.#waiting[rank];
    this.#waiting[rank] = null;
    waiting?.(reply);
  }

  #ended(rank: number, how: string): ReplicaError {
    const what = this.#transport === "threads" ? "thread" : "process";
    return new ReplicaError(
      `Replica ${rank + 1} of ${this.size} (a ${what}) has ended ${how}. The last checkpoint is kept. If memory has run out, go on with fewer --replicas or a smaller batch.`,
      { replica: rank + 1, replicas: this.size, how },
    );
  }

  /** Ends all replicas, whatever they are doing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fail(new ReplicaError("The replicas have been closed."));
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

async function describeNetwork(
  network: Network,
  { replicas, place, backend, projectDir, freeze = [], preparation = null }: ReplicaOptions,
): Promise<Omit<ReplicaSetup, "rank">> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await network.model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
  const parts = [artifacts?.weightData ?? new ArrayBuffer(0)].flat().map((part) => new Uint8Array(part as ArrayBuffer));
  const weights = new Uint8Array(new SharedArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0)));
  let at = 0;
  for (const part of parts) {
    weights.set(part, at);
    at += part.length;
  }
  return {
    replicas: place?.ranks ?? replicas,
    backend,
    projectDir: projectDir ?? null,
    graph: network.graph,
    inputs: network.inputs,
    freeze,
    topology: artifacts?.modelTopology,
    weightSpecs: artifacts?.weightSpecs ?? [],
    weights,
    preparation,
  };
}

function assertSame(opened: readonly OpenReply[], network: Network): void {
  const sizeOf = (variables: readonly tf.Variable[]) => variables.reduce((sum, { size }) => sum + size, 0);
  const [parameters, statistics] = [sizeOf(network.trainable), sizeOf(network.statistics)];
  for (const { parameterCount, statisticsCount } of opened) {
    if (parameterCount !== parameters || statisticsCount !== statistics) {
      throw new Error(`a replica has ${parameterCount} parameters where the network has ${parameters}`);
    }
  }
}
