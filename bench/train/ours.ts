/** @file Our side of the training benchmark, in a process of its own. Prints one JSON line. */
import { parseArgs } from "node:util";
import { type BackendChoice, type BackendName, openBackend } from "../../src/engine/backends/choose.js";
import { Network } from "../../src/engine/model/network.js";
import { ReplicaGroup } from "../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { openStepEngine } from "../../src/engine/step-graph/open-step-engine.js";
import type { GradientConflicts } from "../../src/engine/optimization/conflicts.js";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { median, print, printProgress } from "../report.js";
import type { Measurement } from "../torch.js";
import { stepFlops } from "./flops.js";
import { peakOfMatMul } from "./peak.js";
import { type BenchmarkBatch, type NetworkName, networks, randomBatches } from "./networks.js";

export interface MeasureOptions {
  readonly network: NetworkName;
  /** Steps that count, of a batch each. */
  readonly steps: number;
  /** Steps before the clock starts. */
  readonly warmup: number;
  /** Of the network; 1: it trains in this thread. */
  readonly replicas: number;
  readonly accumulate: number;
  readonly conflicts: GradientConflicts;
}

export interface OwnMeasurement extends Measurement {
  /** Of the products and sums of layers, forward and backward. */
  readonly flops_per_step: number;
}

/** Trains a benchmark network on random batches on a backend, the current one. */
async function measure(options: MeasureOptions, backend: BackendName): Promise<OwnMeasurement> {
  const benchmark = networks[options.network]();
  const { batchSize } = benchmark;
  const network = Network.build(benchmark.graph, benchmark.inputs, benchmark.trunk, 0);
  const learningRate = 1e-3;
  const config = {
    // without weight decay AdamW is Adam
    optimizer: { kind: "adamw", learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    batchSize,
    clipNorm: null,
    seed: 0,
    ...{ accumulate: options.accumulate, conflicts: options.conflicts },
  } as const;
  const { replicas } = options;
  const group = replicas === 1 ? null : await ReplicaGroup.open(network, { replicas, transport: "threads", backend });
  const engine =
    group === null
      ? await openStepEngine(network, config, { warn: printProgress })
      : new ReplicaSteps(network, config, group);
  const trainer = new Trainer(network, config, undefined, engine);
  const batches = randomBatches(benchmark);
  const step = async (index: number): Promise<void> => {
    const { inputs, targets } = batches[index % batches.length] as BenchmarkBatch;
    await trainer.step(inputs, targets, learningRate);
  };

  for (let i = 0; i < options.warmup; i++) await step(i);
  const stepMs: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < options.steps; i++) {
    const start = performance.now();
    await step(i);
    stepMs.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  // kibibytes
  const peakRss = process.resourceUsage().maxRSS / 1024;
  const flops = stepFlops(network.layers, batchSize);
  await engine.dispose();
  await group?.close();
  network.dispose();
  const seconds = stepMs.reduce((sum, ms) => sum + ms, 0) / 1000;
  return {
    images_per_second: (batchSize * options.steps) / seconds,
    step_ms_median: median(stepMs),
    cpu_ms_per_step: (user + system) / 1000 / options.steps,
    peak_rss_mb: peakRss,
    peak_gflops: await peakOfMatMul(),
    flops_per_step: flops,
  };
}

const { values } = parseArgs({
  options: {
    network: { type: "string", default: "multitask" },
    steps: { type: "string", default: "100" },
    warmup: { type: "string", default: "10" },
    backend: { type: "string", default: "auto" },
    replicas: { type: "string", default: "1" },
    accumulate: { type: "string", default: "1" },
    conflicts: { type: "string", default: "add" },
  },
});
const backend = await openBackend(values.backend as BackendChoice);
const counts = { steps: Number(values.steps), warmup: Number(values.warmup), replicas: Number(values.replicas) };
const recipe = { accumulate: Number(values.accumulate), conflicts: values.conflicts as GradientConflicts };
const measurement = await measure({ network: values.network as NetworkName, ...counts, ...recipe }, backend.name);
print(JSON.stringify({ network: values.network, backend: backend.name, threads: backend.threads, ...measurement }));
