/**
 * @file Memory of a training step on a very wide output: a softmax over 8,000 classes for every token. Prints one JSON
 * line with the peak resident memory of each process.
 */
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { tokens } from "../../src/data/inputs/inputs.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { batchLoss } from "../../src/engine/optimization/losses.js";
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../src/engine/model/network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import type { OptimizerConfig } from "../../src/engine/optimization/optimizer.js";
import { computeLogits } from "../../src/engine/inference/compute-logits.js";
import { predictLogits } from "../../src/engine/inference/predict.js";
import { replicaAnswerer } from "../../src/engine/replicas/forward.js";
import { ReplicaGroup } from "../../src/engine/replicas/group.js";
import { cutInputs, shardPlaces } from "../../src/engine/batches/shards.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { classification } from "../../src/tasks/index.js";
import { print, typescript } from "../report.js";

/** Peak resident memory in MB. */
export interface MemoryMeasurement {
  readonly way: "one" | "balanced" | "gathered";
  readonly coordinator: number;
  /** Of the largest replica; null where there is none. */
  readonly replica: number | null;
}

const WORDS = 1000;
const CLASSES = 8000;
const REPLICAS = 2;
const LEARNING_RATE = 1e-3;

const { values: flags } = parseArgs({
  options: {
    way: { type: "string", default: "balanced" },
    rows: { type: "string", default: "32" },
    length: { type: "string", default: "64" },
    steps: { type: "string", default: "3" },
  },
});
const rows = Number(flags.rows);
const length = Number(flags.length);

const optimizer: OptimizerConfig = {
  kind: "adamw",
  learningRate: LEARNING_RATE,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};
const config = { optimizer, batchSize: rows, clipNorm: null, seed: 0 };
const text = tokens({
  column: "text",
  vocabulary: Array.from({ length: WORDS }, (_, i) => `w${i}`),
  maxLength: length,
});
const word = classification({ classes: Array.from({ length: CLASSES }, (_, i) => `c${i}`), per: "token" });
const definitions = defineTasks({ features: ["words"], tasks: { word } }).flow("all", (flow, x, out) => {
  out.add(flow.word(x.words));
});
const trunk: TrunkFunction = ({ text: ids }, layers) => {
  const embedded = layers.embedding({ inputDim: WORDS + 2, outputDim: 32 }).apply(ids as SymbolicTensor);
  return { words: layers.dense({ units: 32, activation: "tanh" }).apply(embedded) as SymbolicTensor };
};

function build(): Network {
  return Network.build(traceFlow(definitions, "all"), { text }, trunk, 0);
}

function randomBatch(): { readonly inputs: InputBatch; readonly targets: BatchTargets } {
  const lines = rows * length;
  const answers = Float32Array.from({ length: lines }, () => Math.floor(Math.random() * CLASSES));
  return {
    inputs: { text: Int32Array.from({ length: lines }, () => 1 + Math.floor(Math.random() * WORDS)) },
    targets: { rows, length, labels: [{ answers, unitScale: null }], masks: [new Uint8Array(lines).fill(1)] },
  };
}

/** Highest resident memory of a process so far, in MB. */
function peakOf(pid: number | "self"): number {
  const [, kilobytes = "NaN"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** Steps and a validation of as many rows, in this process or on replicas that reduce what they put out. */
async function train(group: ReplicaGroup | null, network: Network): Promise<void> {
  const steps = group === null ? undefined : new ReplicaSteps(network, config, group);
  const trainer = new Trainer(network, config, undefined, steps);
  for (let i = 0; i < Number(flags.steps); i++) {
    const { inputs, targets } = randomBatch();
    await trainer.step(inputs, targets, LEARNING_RATE, undefined, () => {});
  }
  const { inputs, targets } = randomBatch();
  const offsets = Int32Array.from({ length: rows + 1 }, (_, row) => row * length);
  const read = (some: Int32Array): InputBatch =>
    cutInputs(inputs, rows, some[0] as number, (some.at(-1) as number) + 1);
  const answerer = group === null ? {} : { answerer: replicaAnswerer(group, () => steps?.weights ?? null) };
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  await predictLogits(network, all, read, {
    batchSize: 16,
    labelled: { labels: targets.labels, offsets },
    ...answerer,
  });
}

/** Processes that this one has started. */
function replicaPids(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/**
 * The way of plain data parallelism: the first replica is the coordinating side too, to which the others send their
 * logits; it joins them, computes the loss and its gradient, and hands each its part.
 */
async function gather(network: Network): Promise<number> {
  const [program, ...args] = typescript("bench/replicas/memory.ts");
  const children = Array.from({ length: REPLICAS - 1 }, () =>
    fork(program as string, [...args, "--way", "raw"], { serialization: "advanced" }),
  );
  for (let i = 0; i < Number(flags.steps); i++) {
    const { inputs, targets } = randomBatch();
    const places = shardPlaces(rows, REPLICAS);
    const logits = new Float32Array(rows * length * CLASSES);
    await Promise.all(
      places.map(async ({ before, rows: own }, rank) => {
        const shard = cutInputs(inputs, rows, before, before + own);
        const child = children[rank - 1];
        const answered = new Promise<Float32Array>((resolve) => {
          if (child === undefined) resolve(computeLogits(network, shard, own).token);
          else child.once("message", (part) => resolve(part as never)).send({ inputs: shard, rows: own });
        });
        logits.set(await answered, before * length * CLASSES);
      }),
    );
    const gradient = new Float32Array(logits.length);
    batchLoss(network.layout, logits, targets, gradient);
    for (const [rank, { before, rows: own }] of places.entries()) {
      const [from, to] = [before * length * CLASSES, (before + own) * length * CLASSES];
      children[rank - 1]?.send({ gradient: gradient.slice(from, to) });
    }
  }
  const largest = Math.max(...children.map(({ pid }) => peakOf(pid as number)));
  for (const child of children) child.kill();
  return largest;
}

/** A replica that keeps nothing to itself. */
function answerRaw(network: Network): void {
  process.on("message", ({ inputs, rows: own }: { readonly inputs?: InputBatch; readonly rows: number }) => {
    if (inputs !== undefined) process.send?.(computeLogits(network, inputs, own).token);
  });
}

await openBackend("wasm");
const network = build();
if (flags.way === "raw") answerRaw(network);
else {
  let replica: number | null = null;
  if (flags.way === "gathered") replica = await gather(network);
  else if (flags.way === "one") await train(null, network);
  else {
    const options = { replicas: REPLICAS, transport: "processes", backend: "wasm" } as const;
    const group = await ReplicaGroup.open(network, options);
    await train(group, network);
    replica = Math.max(...replicaPids().map(peakOf));
    await group.close();
  }
  print(JSON.stringify({ way: flags.way, coordinator: peakOf("self"), replica }));
}
