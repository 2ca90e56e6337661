/** @file Replicas on sequences: padding, hidden tokens, noise in recurrent layers, and answers too wide to travel. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { InputSpec, TokenSource, TokensInputSpec } from "../../../src/data/dataset.js";
import { idCount, tokens } from "../../../src/data/inputs/inputs.js";
import { createRandom } from "../../../src/data/rng.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { readInputs } from "../../../src/engine/batches/batch-reader.js";
import { guessMasked } from "../../../src/engine/inference/guess-masked.js";
import { createBatchMasker } from "../../../src/engine/batches/mask-tokens.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { predictLogits } from "../../../src/engine/inference/predict.js";
import { replicaAnswerer } from "../../../src/engine/replicas/forward.js";
import { ReplicaGroup, type ReplicaTransport } from "../../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../../src/engine/replicas/steps.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import { defineTasks } from "../../../src/flow/define.js";
import { axisOf, type FlowGraph } from "../../../src/flow/graph.js";
import { activeRows, bothMasks, labelledRows, offsetsOf, type RowMask } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { withVocabulary } from "../../../src/project/elements/token-tasks.js";
import { binary, classification, type Labels, maskedLanguageModeling } from "../../../src/tasks/index.js";
import { ADAMW, weightsOf } from "../../support/small-project.js";

const WORDS = ["a", "b", "c", "d", "e", "f"];
// more than are kept one by one
const CLASSES = Array.from({ length: 300 }, (_, i) => `class ${i}`);
const text = tokens({ column: "text", vocabulary: WORDS, maxLength: 9, mask: true });
const INPUTS: Readonly<Record<string, InputSpec>> = { text };
const definitions = defineTasks({
  features: ["tokens", "row"],
  tasks: {
    long: binary(),
    vowel: binary({ per: "token" }),
    word: classification({ classes: CLASSES, per: "token", lossWeight: 0.5 }),
    hidden: maskedLanguageModeling({ input: "text", maskRate: 0.3, lossWeight: 2 }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.long(x.row));
  out.add(flow.vowel(x.tokens).given(out.long));
  out.add(flow.word(x.tokens));
  out.add(flow.hidden(x.tokens));
});
const graph: FlowGraph = withVocabulary(traceFlow(definitions, "all"), INPUTS);

/** Every kind of layer that draws numbers. */
const noisy: TrunkFunction = ({ text: ids }, layers) => {
  const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
  const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 5 }), ids as SymbolicTensor);
  const stack = [
    layers.gaussianNoise({ stddev: 0.1 }),
    layers.lstm({ units: 6, returnSequences: true, dropout: 0.2, recurrentDropout: 0.2 }),
    layers.spatialDropout1d({ rate: 0.2 }),
    layers.timeDistributed({ layer: layers.dropout({ rate: 0.1 }) }),
    layers.gaussianDropout({ rate: 0.1 }),
    layers.batchNormalization({}),
  ];
  const words = stack.reduce((x, layer) => apply(layer, x), embedded);
  const pooled = apply(layers.globalAveragePooling1d({}), words);
  return { tokens: words, row: apply(layers.alphaDropout({ rate: 0.1 }), pooled) };
};

/** Random sequences, one of them without tokens, and labels of which a fifth is missing. */
function makeData(count: number) {
  const random = createRandom("sequences");
  const sequences = Array.from({ length: count }, (_, row) =>
    Int32Array.from({ length: row === 2 ? 0 : 1 + random.int(9) }, () => 1 + random.int(WORDS.length)),
  );
  const offsets = offsetsOf(sequences.map(({ length }) => length));
  const labels = graph.tasks.map(({ spec }): Labels => {
    const length = axisOf(spec) === "token" ? (offsets.at(-1) as number) : count;
    const choices = spec.kind === "classification" ? CLASSES.length : 2;
    const isHidden = spec.kind === "maskedLanguageModeling";
    const draw = () => (isHidden || random.next() < 0.2 ? Number.NaN : random.int(choices));
    return { answers: Float32Array.from({ length }, draw), unitScale: null };
  });
  const answers = labels.map((label) => label.answers);
  const active = activeRows(graph, answers, count, offsets);
  const masks = graph.tasks.map(({ index, spec }): RowMask => {
    const own = active[index] as RowMask;
    return spec.kind === "maskedLanguageModeling"
      ? own
      : bothMasks(own, labelledRows(spec, answers[index] as Float32Array));
  });
  const source: TokenSource = {
    spec: text as TokensInputSpec,
    lengths: Int32Array.from(sequences, ({ length }) => length),
    read(rows) {
      const own = Array.from(rows, (row) => sequences[row] as Int32Array);
      const longest = Math.max(1, ...own.map(({ length }) => length));
      const out = new Int32Array(own.length * longest);
      for (const [i, sequence] of own.entries()) out.set(sequence, i * longest);
      return out;
    },
    close() {},
  };
  return { rows: Int32Array.from(sequences, (_, row) => row), inputs: { text: source }, labels, offsets, masks };
}

const data = makeData(12);
const mask = createBatchMasker(graph, INPUTS, 5) as NonNullable<ReturnType<typeof createBatchMasker>>;
const config = { optimizer: ADAMW, batchSize: 5, clipNorm: null, seed: 5 };
const groups: ReplicaGroup[] = [];

// every replica loads the program again, which takes seconds on a busy machine
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  await openBackend("cpu");
});
afterEach(async () => {
  await Promise.all(groups.splice(0).map((group) => group.close()));
});
afterAll(() => tf.disposeVariables());

async function openGroup(network: Network, replicas: number, transport: ReplicaTransport = "threads") {
  const group = await ReplicaGroup.open(network, { replicas, transport, backend: "cpu" });
  groups.push(group);
  return group;
}

async function epoch(network: Network, group: ReplicaGroup | null) {
  const steps = group === null ? undefined : new ReplicaSteps(network, config, group);
  const trainer = new Trainer(network, config, undefined, steps);
  return trainer.finishEpoch(data, data.rows, data.masks, 1e-2, { mask });
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Largest difference over the largest value; NaN beside NaN is no difference. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  const bothNaN = (i: number) => Number.isNaN(a[i]) && Number.isNaN(b[i]);
  const finite = Array.from(b, (value, i) => (bothNaN(i) ? 0 : value));
  return largest(finite.map((value, i) => (bothNaN(i) ? 0 : (a[i] as number) - value))) / largest(finite);
}

const NETWORK_SEED = 3;

test.each([
  [2, "threads"],
  [3, "threads"],
  [2, "processes"],
] as const)("%i replicas in %s train an epoch of noisy sequences as one network does", async (replicas, transport) => {
  const one = Network.build(graph, INPUTS, noisy, NETWORK_SEED);
  const expected = await epoch(one, null);
  const several = Network.build(graph, INPUTS, noisy, NETWORK_SEED);
  const report = await epoch(several, await openGroup(several, replicas, transport));
  expect(apart(report.logits, expected.logits)).toBeLessThan(1e-5);
  report.tokenOutputs.forEach((outputs, i) => {
    expect(apart(outputs, expected.tokenOutputs[i] ?? [])).toBeLessThan(1e-5);
  });
  expect(report.masked?.count).toBe(expected.masked?.count);
  expect(report.masked?.hits).toBe(expected.masked?.hits);
  expect(report.masked?.lossSum).toBeCloseTo(expected.masked?.lossSum as number, 4);
  weightsOf(several).forEach((weight, i) => {
    expect(apart(weight, weightsOf(one)[i] ?? [])).toBeLessThan(1e-5);
  });
});

test("answers of very many classes come from replicas as summaries, the same as from this thread", async () => {
  const network = Network.build(graph, INPUTS, noisy, NETWORK_SEED);
  const read = (rows: Int32Array) => readInputs(network, data, rows);
  const options = { batchSize: 5, labelled: data };
  const here = await predictLogits(network, data.rows, read, options);
  const group = await openGroup(network, 2);
  const answerer = replicaAnswerer(group);
  const there = await predictLogits(network, data.rows, read, { ...options, answerer });
  expect(there).toEqual(here);
  const positions = data.offsets.at(-1) as number;
  expect(there.map(({ length }) => length)).toEqual([12, positions, positions * 12, 0]);
  // each line begins with the loss of its label
  const losses = Array.from({ length: positions }, (_, line) => there[2]?.[line * 12] as number);
  expect(losses.map(Number.isNaN)).toEqual([...(data.labels[2]?.answers ?? [])].map(Number.isNaN));
});

test("hidden tokens are guessed by replicas as by this thread", async () => {
  const network = Network.build(graph, INPUTS, noisy, NETWORK_SEED);
  const here = await guessMasked(network, data, data.rows, data.masks, mask, { batchSize: 5 });
  const answerer = replicaAnswerer(await openGroup(network, 3));
  expect(await guessMasked(network, data, data.rows, data.masks, mask, { batchSize: 5, answerer })).toEqual(here);
  expect(here.count).toBeGreaterThan(0);
});
