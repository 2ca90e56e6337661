/** @file One replica and several in turn, on random batches, in a process of their own. Prints one JSON line. */
import { parseArgs } from "node:util";
import { type BackendChoice, openBackend } from "../../src/engine/backend.js";
import { Network } from "../../src/engine/network.js";
import type { OptimizerConfig } from "../../src/engine/optimizer.js";
import { ReplicaGroup } from "../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { Trainer } from "../../src/engine/trainer.js";
import { median, print } from "../report.js";
import { BATCH, type BenchmarkBatch, IMAGE, type NetworkName, networks, randomBatches } from "../train/networks.js";

/** Speed of one and of several replicas, from rounds in turn. */
export interface Measurement {
  readonly network: NetworkName;
  readonly backend: string;
  readonly replicas: number;
  readonly one: number;
  readonly several: number;
  /** Median over rounds of several ÷ one. */
  readonly ratio: number;
}

const { values } = parseArgs({
  options: {
    network: { type: "string", default: "multitask" },
    backend: { type: "string", default: "auto" },
    replicas: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
  },
});
// without weight decay AdamW is Adam, as in torch_train.py
const optimizer: OptimizerConfig = {
  kind: "adamw",
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
};
const config = { optimizer, batchSize: BATCH, clipNorm: null, seed: 0 };
const name = values.network as NetworkName;
const replicas = Number(values.replicas);
const { graph, trunk } = networks[name]();
const batches = randomBatches(graph);

/** Images per second over some seconds. */
async function speedOf(trainer: Trainer, seconds: number): Promise<number> {
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < seconds * 1000) {
    const { inputs, targets } = batches[steps % batches.length] as BenchmarkBatch;
    await trainer.step(inputs, targets, optimizer.learningRate);
    steps++;
  }
  return (steps * BATCH) / ((performance.now() - start) / 1000);
}

const backend = await openBackend(values.backend as BackendChoice);
const network = Network.build(graph, { image: IMAGE }, trunk, 0);
const twin = Network.build(graph, { image: IMAGE }, trunk, 0);
const group = await ReplicaGroup.open(twin, { replicas, transport: "threads", backend: backend.name });
const one = new Trainer(network, config);
const several = new Trainer(twin, config, undefined, new ReplicaSteps(twin, config, group));
for (const trainer of [one, several]) await speedOf(trainer, 1);
const rounds: { readonly one: number; readonly several: number }[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const seconds = Number(values.seconds);
  rounds.push({ one: await speedOf(one, seconds), several: await speedOf(several, seconds) });
}
await group.close();
print(
  JSON.stringify({
    network: name,
    backend: backend.name,
    replicas,
    one: median(rounds.map((round) => round.one)),
    several: median(rounds.map((round) => round.several)),
    ratio: median(rounds.map((round) => round.several / round.one)),
    rounds,
  }),
);
