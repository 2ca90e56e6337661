/** @file The benchmark networks and random batches for them; torch_train.py is their twin. */
import type { InputSpec, InputValues } from "../../src/data/dataset.js";
import type { BatchTargets } from "../../src/engine/batches/targets.js";
import type { TrunkFunction } from "../../src/engine/model/network.js";
import type { InputBatch } from "../../src/engine/model/input-batch.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { behaviourOf, binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";
import { convnetTrunk, mobilenetTrunk, multitaskTrunk, tokensTrunk, unetTrunk } from "./trunks.js";

// as torch_train.py
const SIZE = 64;
/** Tokens per row, none of them padding. */
export const LENGTH = 64;
const WORDS = 1000;
const BATCHES = 8;
const ASKED = [1, 10 / 11, 2 / 11, 8 / 11];
const ASKED_OF_PERSONS = 7 / 11;

export const NETWORKS = ["multitask", "convnet", "mobilenet", "unet", "tokens"] as const;
export type NetworkName = (typeof NETWORKS)[number];

export interface BenchmarkNetwork {
  readonly graph: FlowGraph;
  readonly trunk: TrunkFunction;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly batchSize: number;
}

export const networks: Readonly<Record<NetworkName, () => BenchmarkNetwork>> = {
  multitask: () => ({ graph: multitaskGraph(), trunk: multitaskTrunk, inputs: pictures(SIZE), batchSize: 32 }),
  convnet: () => ({ graph: classGraph(), trunk: convnetTrunk, inputs: pictures(SIZE), batchSize: 32 }),
  mobilenet: () => ({ graph: classGraph(), trunk: mobilenetTrunk, inputs: pictures(224), batchSize: 8 }),
  unet: () => ({ graph: classGraph(), trunk: unetTrunk, inputs: pictures(SIZE), batchSize: 16 }),
  tokens: () => ({ graph: classGraph(), trunk: tokensTrunk, inputs: sentences(), batchSize: 32 }),
};

function pictures(size: number): Readonly<Record<string, InputSpec>> {
  return { image: { kind: "image", column: "image", size: [size, size], channels: 3 } };
}

function sentences(): Readonly<Record<string, InputSpec>> {
  const vocabulary = Array.from({ length: WORDS }, (_, i) => `word${i}`);
  const words = { kind: "tokens", column: "words", vocabulary, maxLength: LENGTH } as const;
  return { words: { ...words, unknown: "error", split: "whitespace" } };
}

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

function classGraph(): FlowGraph {
  const tasks = defineTasks({
    features: ["features"],
    tasks: { digit: classification({ classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] }) },
  }).flow("all", (flow, x, out) => {
    out.add(flow.digit(x.features));
  });
  return traceFlow(tasks, "all");
}

export interface BenchmarkBatch {
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
}

/** Random pixels, words, labels and masks. What they say does not matter to the speed of a step. */
export function randomBatches({ graph, inputs, batchSize }: BenchmarkNetwork): readonly BenchmarkBatch[] {
  const values = ([name, spec]: [string, InputSpec]) => [name, randomValues(spec, batchSize)] as const;
  return Array.from({ length: BATCHES }, () => ({
    inputs: Object.fromEntries(Object.entries(inputs).map(values)),
    targets: randomTargets(graph, batchSize),
  }));
}

function randomValues(spec: InputSpec, rows: number): InputValues {
  if (spec.kind === "image") {
    const [height, width] = spec.size;
    return Uint8Array.from({ length: rows * height * width * spec.channels }, () => Math.random() * 256);
  }
  return Int32Array.from({ length: rows * LENGTH }, () => 1 + Math.floor(Math.random() * WORDS));
}

function randomTargets(graph: FlowGraph, rows: number): BatchTargets {
  return {
    rows,
    labels: graph.tasks.map(({ spec }) => ({ answers: randomAnswers(spec, rows), unitScale: null })),
    masks: graph.tasks.map((_, task) => {
      const share = graph.tasks.length === 1 ? 1 : (ASKED[task] ?? ASKED_OF_PERSONS);
      return Uint8Array.from({ length: rows }, () => (Math.random() < share ? 1 : 0));
    }),
  };
}

function randomAnswers(spec: FlowGraph["tasks"][number]["spec"], rows: number): Float32Array {
  const length = rows * answerWidth(spec);
  if (spec.kind === "boundedRegression") return Float32Array.from({ length }, () => Math.random() * spec.max);
  const values = spec.kind === "classification" ? behaviourOf(spec).logitWidth(spec) : 2;
  return Float32Array.from({ length }, () => Math.floor(Math.random() * values));
}
