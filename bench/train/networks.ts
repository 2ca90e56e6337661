/** @file The two benchmark networks and random batches for them; torch_train.py is their twin. */
import type { ImageInputSpec } from "../../src/data/dataset.js";
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import type { Layers, SymbolicTensor, TrunkFunction } from "../../src/engine/model/network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { behaviourOf, binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

export const BATCH = 32;
const SIZE = 64;
// as torch_train.py
const BATCHES = 8;
const ASKED = [1, 10 / 11, 2 / 11, 8 / 11];
const ASKED_OF_PERSONS = 7 / 11;

export const NETWORKS = ["multitask", "convnet"] as const;
export type NetworkName = (typeof NETWORKS)[number];

export const IMAGE: ImageInputSpec = { kind: "image", column: "image", size: [SIZE, SIZE], channels: 3 };

export interface BenchmarkNetwork {
  readonly graph: FlowGraph;
  readonly trunk: TrunkFunction;
}

export const networks: Readonly<Record<NetworkName, () => BenchmarkNetwork>> = {
  multitask: () => ({ graph: multitaskGraph(), trunk: multitaskTrunk }),
  convnet: () => ({ graph: convnetGraph(), trunk: convnetTrunk }),
};

function multitaskGraph(): FlowGraph {
  const position = boundedRegression({ max: SIZE });
  const tasks = defineTasks({
    features: ["features"],
    tasks: {
      yes_or_no: binary(),
      position,
      colors: multilabel({ labels: ["red", "green", "blue"] }),
      kind: classification({ classes: ["a", "b", "c", "d", "e", "f", "g"] }),
    },
  }).flow("all", (flow, x, out) => {
    for (let i = 0; i < 4; i++) out.add(flow.yes_or_no(x.features).as(`yes_or_no_${i}`));
    for (let i = 0; i < 8; i++) out.add(flow.position(x.features).as(`position_${i}`));
    out.add(flow.colors(x.features));
    out.add(flow.kind(x.features));
  });
  return traceFlow(tasks, "all");
}

function convnetGraph(): FlowGraph {
  const tasks = defineTasks({
    features: ["features"],
    tasks: { digit: classification({ classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] }) },
  }).flow("all", (flow, x, out) => {
    out.add(flow.digit(x.features));
  });
  return traceFlow(tasks, "all");
}

const multitaskTrunk: TrunkFunction = ({ image }, layers) => {
  const convolved = [16, 32, 64].reduce((x, filters) => conv(layers, x, filters, 2), image as SymbolicTensor);
  return { features: layers.globalAveragePooling2d({}).apply(convolved) as SymbolicTensor };
};

const convnetTrunk: TrunkFunction = ({ image }, layers) => {
  const pool = (x: SymbolicTensor) => layers.maxPooling2d({ poolSize: 2 }).apply(x) as SymbolicTensor;
  const convolved = [32, 64, 64].reduce((x, filters) => pool(conv(layers, x, filters, 1)), image as SymbolicTensor);
  return { features: layers.globalAveragePooling2d({}).apply(convolved) as SymbolicTensor };
};

function conv(layers: Layers, x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const layer = layers.conv2d({ filters, kernelSize: 3, strides, padding: "same", activation: "relu" });
  return layer.apply(x) as SymbolicTensor;
}

export interface BenchmarkBatch {
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/** Random pixels, labels and masks. What they say does not matter to the speed of a step. */
export function randomBatches(graph: FlowGraph): readonly BenchmarkBatch[] {
  return Array.from({ length: BATCHES }, () => ({
    inputs: { image: Uint8Array.from({ length: BATCH * SIZE * SIZE * 3 }, () => Math.random() * 256) },
    targets: randomTargets(graph),
  }));
}

function randomTargets(graph: FlowGraph): BatchTargets {
  return {
    rows: BATCH,
    labels: graph.tasks.map(({ spec }) => ({ answers: randomAnswers(spec), unitScale: null })),
    masks: graph.tasks.map((_, task) => {
      const share = graph.tasks.length === 1 ? 1 : (ASKED[task] ?? ASKED_OF_PERSONS);
      return Uint8Array.from({ length: BATCH }, () => (Math.random() < share ? 1 : 0));
    }),
  };
}

function randomAnswers(spec: FlowGraph["tasks"][number]["spec"]): Float32Array {
  const length = BATCH * answerWidth(spec);
  if (spec.kind === "boundedRegression") return Float32Array.from({ length }, () => Math.random() * spec.max);
  const values = spec.kind === "classification" ? behaviourOf(spec).logitWidth(spec) : 2;
  return Float32Array.from({ length }, () => Math.floor(Math.random() * values));
}
