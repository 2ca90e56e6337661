/** @file How fast a backend trains on this machine: a small convolutional network for a moment. */
import { at } from "../arrays.js";
import type { ImageInputSpec } from "../data/dataset.js";
import type { BackendName } from "../engine/backends/choose.js";
import type { OpenedBackend } from "../engine/backends/backend.js";
import type { SymbolicTensor, TrunkFunction } from "../engine/model/network.js";
import type { TrainerConfig } from "../engine/optimization/trainer.js";
import { BackendError } from "../errors.js";
import { defineTasks } from "../flow/define.js";
import { traceFlow } from "../flow/trace.js";
import { binary } from "../tasks/index.js";

export interface BackendSpeed {
  readonly name: BackendName;
  readonly version: string;
  /** What it computes on, in a few words. */
  readonly device: string;
  readonly threads: number;
  readonly imagesPerSecond: number;
}

const BATCH = 32;
const SIZE = 32;
const IMAGE: ImageInputSpec = { kind: "image", column: "image", size: [SIZE, SIZE], channels: 3 };

const trunk: TrunkFunction = ({ image }, layers) => {
  const conv = layers.conv2d({ filters: 16, kernelSize: 3, strides: 2, padding: "same", activation: "relu" });
  const pooled = layers.globalAveragePooling2d({}).apply(conv.apply(image as SymbolicTensor));
  return { features: pooled as SymbolicTensor };
};

/**
 * Trains steps of 32 images of 32 × 32 × 3 for about `milliseconds`, after one step to warm up.
 * @param projectDir the user's project, whose packages may be loaded
 * @throws BackendError where the backend does not load
 */
export async function measureBackend(
  name: BackendName,
  milliseconds: number,
  projectDir?: string,
): Promise<BackendSpeed> {
  return withTrainer(name, projectDir, async (step, { version, device, threads }) => {
    await step();
    const start = performance.now();
    let steps = 0;
    while (performance.now() - start < milliseconds) {
      await step();
      steps += 1;
    }
    const imagesPerSecond = (1000 * BATCH * steps) / (performance.now() - start);
    return { name, version, device, threads, imagesPerSecond };
  });
}

/** Steps of a proof, and how far their losses may be from those of the plain JavaScript backend. */
const PROOF_STEPS = 5;
const PROOF_TOLERANCE = 1e-3;

/**
 * Trains a few steps on the backend and on the plain JavaScript one, from the same weights.
 * @throws BackendError where the backend does not load, or computes something else
 */
export async function proveBackend(
  name: BackendName,
): Promise<{ readonly device: string; readonly losses: readonly number[] }> {
  const train = (backend: BackendName) =>
    withTrainer(backend, undefined, async (step, { device }) => {
      const losses: number[] = [];
      for (let i = 0; i < PROOF_STEPS; i++) losses.push(await step());
      return { device, losses };
    });
  const [expected, actual] = [await train("cpu"), await train(name)];
  const apart = actual.losses.map((loss, i) => Math.abs(loss / at(expected.losses, i) - 1));
  if (!apart.every((distance) => distance < PROOF_TOLERANCE)) {
    throw new BackendError(
      `The backend ${name} computes wrongly: its losses are ${actual.losses.join(", ")}, not ${expected.losses.join(", ")}.`,
      { name, losses: actual.losses, expected: expected.losses },
    );
  }
  return actual;
}

/** Lends a step of training, which returns its loss, on a small network that is always the same. */
async function withTrainer<T>(
  name: BackendName,
  projectDir: string | undefined,
  use: (step: () => Promise<number>, backend: OpenedBackend) => Promise<T>,
): Promise<T> {
  const [{ openBackend }, { Network }, { openStepEngine }, { Trainer }] = await Promise.all([
    import("../engine/backends/choose.js"),
    import("../engine/model/network.js"),
    import("../engine/step-graph/open-step-engine.js"),
    import("../engine/optimization/trainer.js"),
  ]);
  const backend = await openBackend(name, projectDir === undefined ? {} : { projectDir });
  const tasks = defineTasks({ features: ["features"], tasks: { bright: binary() } }).flow("all", (flow, x, out) => {
    out.add(flow.bright(x.features));
  });
  const network = Network.build(traceFlow(tasks, "all"), { image: IMAGE }, trunk, 0);
  const learningRate = 1e-3;
  const config: TrainerConfig = {
    optimizer: { kind: "sgd", learningRate, momentum: 0, nesterov: false, weightDecay: 0 },
    batchSize: BATCH,
    clipNorm: null,
    seed: 0,
  };
  // a network as plain as this one runs at a backend's full speed, or something is wrong with the backend
  const warn = (message: string): never => {
    throw new BackendError(message, { name });
  };
  try {
    const engine = await openStepEngine(network, config, { warn });
    try {
      const trainer = new Trainer(network, config, undefined, engine);
      return await use(async () => (await trainer.step(INPUTS, TARGETS, learningRate)).loss.total, backend);
    } finally {
      await engine.dispose();
    }
  } finally {
    network.dispose();
  }
}

const INPUTS = { image: Uint8Array.from({ length: BATCH * SIZE * SIZE * 3 }, (_, i) => (i * 7) % 256) };
const TARGETS = {
  rows: BATCH,
  labels: [{ answers: Float32Array.from({ length: BATCH }, (_, row) => row % 2), unitScale: null }],
  masks: [new Uint8Array(BATCH).fill(1)],
};
