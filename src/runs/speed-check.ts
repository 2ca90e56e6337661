/** @file How fast a backend trains on this machine: a small convolutional network for a moment. */
import type { ImageInputSpec } from "../data/dataset.js";
import type { BackendName } from "../engine/backend.js";
import type { SymbolicTensor, TrunkFunction } from "../engine/network.js";
import { defineTasks } from "../flow/define.js";
import { traceFlow } from "../flow/trace.js";
import { binary } from "../tasks/index.js";

export interface BackendSpeed {
  readonly name: BackendName;
  readonly version: string;
  readonly threads: number;
  readonly imagesPerSecond: number;
}

const BATCH = 8;
const SIZE = 32;
const IMAGE: ImageInputSpec = { kind: "image", column: "image", size: [SIZE, SIZE], channels: 3 };

const trunk: TrunkFunction = ({ image }, layers) => {
  const conv = layers.conv2d({ filters: 16, kernelSize: 3, strides: 2, padding: "same", activation: "relu" });
  const pooled = layers.globalAveragePooling2d({}).apply(conv.apply(image as SymbolicTensor));
  return { features: pooled as SymbolicTensor };
};

/**
 * Trains steps of 8 images of 32 × 32 × 3 for about `milliseconds`, after one step to warm up.
 * @throws BackendError where the backend does not load
 */
export async function measureBackend(name: BackendName, milliseconds: number): Promise<BackendSpeed> {
  const [{ openBackend }, { Network }, { Trainer }] = await Promise.all([
    import("../engine/backend.js"),
    import("../engine/network.js"),
    import("../engine/trainer.js"),
  ]);
  const { version, threads } = await openBackend(name);
  const tasks = defineTasks({ features: ["features"], tasks: { bright: binary() } }).flow("all", (flow, x, out) => {
    out.add(flow.bright(x.features));
  });
  const network = Network.build(traceFlow(tasks, "all"), { image: IMAGE }, trunk, 0);
  try {
    const learningRate = 1e-3;
    const trainer = new Trainer(network, {
      optimizer: { kind: "sgd", learningRate, momentum: 0, nesterov: false, weightDecay: 0 },
      batchSize: BATCH,
      clipNorm: null,
      seed: 0,
    });
    const step = async (): Promise<void> => void (await trainer.step(INPUTS, TARGETS, learningRate));
    await step();
    const start = performance.now();
    let steps = 0;
    while (performance.now() - start < milliseconds) {
      await step();
      steps += 1;
    }
    return { name, version, threads, imagesPerSecond: (1000 * BATCH * steps) / (performance.now() - start) };
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
