/** @file How many replicas there are to be, and in what they live. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { ConfigError } from "../../errors.js";
import type { BackendInfo, BackendName } from "../backends/choose.js";
import type { Network } from "../model/network.js";
import type { ReplicaOptions, ReplicaTransport } from "./group.js";

export type ReplicaChoice = number | "auto";

export interface ReplicaPlan extends Pick<ReplicaOptions, "replicas" | "transport" | "environments"> {
  /** One line: how many and why. */
  readonly reason: string;
}

/** What a machine has to offer. */
export interface Machine {
  readonly physicalCores: number;
  /** Memory that may still be used. */
  readonly freeBytes: number;
  /** Ids of the GPUs that this process may use. */
  readonly gpus: readonly string[];
}

/** Backends that replicas run on. tfjs-node's library is loaded into a process once, so its replicas are processes. */
const transports: { readonly [Name in BackendName]: ReplicaTransport } = {
  wasm: "threads",
  cpu: "threads",
  tensorflow: "processes",
  webgpu: "processes",
};

/** Backends that have all of their device at work with one replica, and why. */
const alone: { readonly [Name in BackendName]?: string } = {
  tensorflow: "since TensorFlow uses every core by itself",
  webgpu: "since they would share one device",
};

/** In what copies of a network live on a backend, and whether one of them has all of its device at work. */
export function livingOn(name: BackendName): { readonly transport: ReplicaTransport; readonly isAlone: boolean } {
  return { transport: transports[name], isAlone: alone[name] !== undefined };
}

/** @throws ConfigError where as many replicas cannot be */
export function planReplicas(
  choice: ReplicaChoice,
  backend: BackendInfo,
  needs: { readonly batchSize: number; readonly bytesPerReplica: number },
  machine: Machine = thisMachine(),
): ReplicaPlan {
  const { batchSize } = needs;
  if (choice !== "auto" && choice > batchSize) {
    throw new ConfigError(
      `${choice} replicas share batches of ${batchSize} rows, so some would have none. Take at most ${batchSize} replicas, or a larger train.batchSize.`,
      { replicas: choice, batchSize },
    );
  }
  const transport = transports[backend.name];
  if (backend.name === "tensorflow" && / on the GPU\b/.test(backend.device)) return planGpus(choice, machine.gpus);
  const most = Math.min(machine.physicalCores, batchSize);
  const fitting = Math.max(1, Math.floor((0.8 * machine.freeBytes) / needs.bytesPerReplica));
  const whole = alone[backend.name];
  const replicas = choice !== "auto" ? choice : whole === undefined ? Math.min(most, fitting) : 1;
  const what = transport === "threads" ? "worker threads" : "processes";
  const environments =
    transport === "threads" ? [] : Array.from({ length: replicas }, () => threadsOf(replicas, machine));
  return { replicas, transport, environments, reason: `${replicas} ${what}, ${why()}` };

  function why(): string {
    if (choice !== "auto") return "as asked for";
    if (whole !== undefined) return whole;
    const per = `${gigabytes(needs.bytesPerReplica)} each, ${gigabytes(machine.freeBytes)} free`;
    if (fitting < most) return `since memory allows no more (${per})`;
    return most < machine.physicalCores ? "one per row of a batch" : "one per physical core";
  }
}

/** The environment of one of several processes that share this machine's cores. */
export function threadsOf(processes: number, machine: Pick<Machine, "physicalCores"> = thisMachine()) {
  return { TF_NUM_INTRAOP_THREADS: String(Math.max(1, Math.floor(machine.physicalCores / processes))) };
}

/** One process per GPU, which sees no other. */
function planGpus(choice: ReplicaChoice, gpus: readonly string[]): ReplicaPlan {
  const replicas = choice === "auto" ? Math.max(1, gpus.length) : choice;
  if (replicas > Math.max(1, gpus.length)) {
    throw new ConfigError(
      `${replicas} replicas need a GPU each, but there are ${gpus.length}. Take --replicas auto, or name more in CUDA_VISIBLE_DEVICES.`,
      { replicas, gpus },
    );
  }
  const environments = gpus
    .slice(0, replicas)
    .map((gpu) => ({ CUDA_VISIBLE_DEVICES: gpu, TF_FORCE_GPU_ALLOW_GROWTH: "true" }));
  const why = choice === "auto" ? "one per visible GPU" : "as asked for";
  return { replicas, transport: "processes", environments, reason: `${replicas} processes, ${why}` };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** What a worker needs before it has a network: the program, tfjs and its backend. */
const BYTES_OF_PROGRAM = 150 * 2 ** 20;
const BYTES_PER_FLOAT = 4;

/** About the memory of one replica: weights with their gradients, and what a pass over its rows keeps. */
export function bytesPerReplica(network: Network, rows: number): number {
  const weights = [...network.trainable, ...network.statistics].reduce((sum, { size }) => sum + size, 0);
  const perRow = network.layers.reduce((sum, layer) => sum + sizeOfOutput(layer.outputShape), 0);
  return BYTES_OF_PROGRAM + BYTES_PER_FLOAT * (6 * weights + 4 * rows * perRow);
}

/** Numbers of one row; an axis without a size, such as a sequence's, counts as 128. */
function sizeOfOutput(shape: unknown): number {
  const [first] = shape as readonly unknown[];
  if (Array.isArray(first)) return (shape as unknown[]).reduce((sum: number, each) => sum + sizeOfOutput(each), 0);
  return (shape as (number | null)[]).slice(1).reduce((size: number, axis) => size * (axis ?? 128), 1);
}

function thisMachine(): Machine {
  return { physicalCores: physicalCores(), freeBytes: freeBytes(), gpus: visibleGpus(process.env) };
}

/** Cores rather than their hyper-threads, as far as this process may use them. */
function physicalCores(): number {
  try {
    const processors = readFileSync("/proc/cpuinfo", "utf8").split("\n\n");
    const idOf = (text: string, key: string) => new RegExp(`^${key}\\s*: (\\d+)`, "m").exec(text)?.[1];
    const cores = new Set(
      processors.flatMap((text) => {
        const core = idOf(text, "core id");
        return core === undefined ? [] : [`${idOf(text, "physical id")}/${core}`];
      }),
    );
    return cores.size === 0 ? availableParallelism() : Math.min(cores.size, availableParallelism());
  } catch {
    return availableParallelism();
  }
}

/** Within what a container allows. */
function freeBytes(): number {
  const { constrainedMemory, memoryUsage } = process;
  const limit = constrainedMemory?.() ?? 0;
  const within = limit > 0 && limit < 2 ** 60 ? limit - memoryUsage.rss() : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(freemem(), within));
}

/** @param list asks the driver for the ids of all GPUs, one per line */
export function visibleGpus(
  { CUDA_VISIBLE_DEVICES }: Readonly<Record<string, string | undefined>>,
  list: () => string = listGpus,
): string[] {
  if (CUDA_VISIBLE_DEVICES !== undefined) {
    const ids = CUDA_VISIBLE_DEVICES.split(",").map((id) => id.trim());
    // CUDA stops at the first id that is none
    const end = ids.findIndex((id) => id === "" || id.startsWith("-"));
    return end < 0 ? ids : ids.slice(0, end);
  }
  return list()
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function listGpus(): string {
  try {
    const args = ["--query-gpu=index", "--format=csv,noheader"];
    return execFileSync("nvidia-smi", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
