/** @file Every kind of task per token on short sequences, made in memory, for tests of the engine. */
import type { InputSpec, TokenSource, TokensInputSpec } from "../../src/data/dataset.js";
import { idCount, tokens } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import { readInputs, batchTokens } from "../../src/engine/batches/batch-reader.js";
import { gatherTargets } from "../../src/engine/batches/targets.js";
import { layOutHeads } from "../../src/engine/model/layout.js";
import { createBatchMasker } from "../../src/engine/batches/mask-tokens.js";
import type { Network, SymbolicTensor, TrunkFunction } from "../../src/engine/model/network.js";
import { maskPadding, poolTokens } from "../../src/engine/model/token-layers.js";
import { defineTasks } from "../../src/flow/define.js";
import { axisOf, type FlowGraph } from "../../src/flow/graph.js";
import { activeRows, answerWidth, bothMasks, labelledRows, offsetsOf, type RowMask } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { withVocabulary } from "../../src/project/elements/token-tasks.js";
import {
  binary,
  boundedRegression,
  classification,
  type Labels,
  maskedLanguageModeling,
  multilabel,
} from "../../src/tasks/index.js";

export const VOCABULARY = ["a", "b", "c", "d", "e", "f"];
const text = tokens({ column: "text", vocabulary: VOCABULARY, maxLength: 9, mask: true });
export const INPUTS: Readonly<Record<string, InputSpec>> = { text };

const definitions = defineTasks({
  features: ["tokens", "row"],
  tasks: {
    long: binary(),
    vowel: binary({ per: "token" }),
    kind: classification({ classes: ["x", "y", "z"], per: "token", lossWeight: 0.5 }),
    marks: multilabel({ labels: ["p", "q"], per: "token" }),
    size: boundedRegression({ max: 4, per: "token" }),
    hidden: maskedLanguageModeling({ input: "text", maskRate: 0.3, lossWeight: 2 }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.long(x.row));
  out.add(flow.vowel(x.tokens).given(out.long));
  out.add(flow.kind(x.tokens).given(out.vowel.not()));
  out.add(flow.marks(x.tokens));
  out.add(flow.size(x.tokens));
  out.add(flow.hidden(x.tokens));
});
export const graph: FlowGraph = withVocabulary(traceFlow(definitions, "all"), INPUTS);
export const layout = layOutHeads(graph);

export const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) =>
  layer.apply(x) as SymbolicTensor;

/** Every token by itself. */
export const tokenwise: TrunkFunction = ({ text: ids }, layers) => {
  const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 5 }), ids as SymbolicTensor);
  const words = apply(layers.dense({ units: 6, activation: "tanh" }), embedded);
  return { tokens: words, row: apply(layers.globalAveragePooling1d({}), embedded) };
};

/** Tokens with their neighbours. */
export const windowed: TrunkFunction = ({ text: ids }, layers) => {
  const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 5 }), ids as SymbolicTensor);
  const conv = layers.conv1d({ filters: 6, kernelSize: 3, padding: "same", activation: "tanh" });
  const words = apply(conv, embedded);
  return { tokens: words, row: apply(layers.globalAveragePooling1d({}), words) };
};

/** Tokens with their neighbours, and no padding. */
export const masked: TrunkFunction = ({ text: ids }, layers) => {
  const own = ids as SymbolicTensor;
  const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 5 }), own);
  const conv = layers.conv1d({ filters: 6, kernelSize: 3, padding: "same", activation: "tanh" });
  const words = apply(conv, maskPadding(layers, embedded, own));
  const pooled = [poolTokens(layers, words, own, "average"), poolTokens(layers, words, own, "max")];
  return { tokens: words, row: layers.concatenate().apply(pooled) as SymbolicTensor };
};

interface TokenData {
  readonly rows: Int32Array;
  readonly inputs: { readonly text: TokenSource };
  readonly labels: readonly Labels[];
  readonly offsets: Int32Array;
  readonly masks: readonly RowMask[];
}

/** Random sequences, one of them without tokens, and labels of which a fifth is missing. */
function makeTokens(count: number): TokenData {
  const random = createRandom("tokens");
  const sequences = Array.from({ length: count }, (_, row) =>
    Int32Array.from({ length: row === 2 ? 0 : 1 + random.int(9) }, () => 1 + random.int(VOCABULARY.length)),
  );
  const offsets = offsetsOf(sequences.map(({ length }) => length));
  const labels = graph.tasks.map(({ spec }): Labels => {
    const lines = axisOf(spec) === "token" ? (offsets.at(-1) as number) : count;
    const choices = spec.kind === "classification" ? 3 : 2;
    const draw = () => (random.next() < 0.2 ? Number.NaN : random.int(choices));
    const none = spec.kind === "maskedLanguageModeling";
    return {
      answers: Float32Array.from({ length: lines * answerWidth(spec) }, none ? () => Number.NaN : draw),
      unitScale: null,
    };
  });
  const answers = labels.map((label) => label.answers);
  const active = activeRows(graph, answers, count, offsets);
  const masks = graph.tasks.map(({ index, spec }) =>
    spec.kind === "maskedLanguageModeling"
      ? (active[index] as RowMask)
      : bothMasks(active[index] as RowMask, labelledRows(spec, answers[index] as Float32Array)),
  );
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

export const data = makeTokens(12);
export const masker = createBatchMasker(graph, INPUTS, 5) as NonNullable<ReturnType<typeof createBatchMasker>>;

/** Inputs and targets of some rows, tokens hidden (`targets`) or not (`plain`). */
export function batchOf(network: Network, rows: ArrayLike<number> = data.rows, epoch = 1) {
  const inputs = readInputs(network, data, rows);
  const tokens = batchTokens(network, data, inputs, rows.length);
  const plain = gatherTargets(network.layout, data.labels, data.masks, rows, tokens);
  return { inputs, plain, targets: masker(epoch, rows, inputs, plain) };
}
