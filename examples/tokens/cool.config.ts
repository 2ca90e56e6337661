/** @file Sentences word by word: which words are hidden, what part of speech each is, which ask for something. */
import {
  binary,
  classification,
  defineProject,
  defineTasks,
  idCount,
  maskedLanguageModeling,
  maskPadding,
  poolTokens,
  type SymbolicTensor,
  tokens,
} from "dnn-cool";
import { ensureSentences, PARTS, VOCABULARY } from "./generate.js";

// mask: one more id stands for a word that is hidden
const text = tokens({ column: "text", vocabulary: VOCABULARY, maxLength: 16, mask: true });

const tasks = defineTasks({
  features: ["words", "sentence"],
  tasks: {
    hidden_word: maskedLanguageModeling({ input: "text", evaluate: true }),
    part: classification({ classes: PARTS, per: "token" }),
    person: binary({ per: "token" }),
    request: binary(),
    asks: binary({ per: "token" }),
  },
}).flow("reading", (flow, x, out) => {
  out.add(flow.hidden_word(x.words));
  out.add(flow.part(x.words));
  // of each noun
  out.add(flow.person(x.words).given(out.part.is("noun")));
  out.add(flow.request(x.sentence));
  // of each word of a request
  out.add(flow.asks(x.words).given(out.request));
});

export default defineProject({
  name: "tokens",
  tasks,
  flow: "reading",
  data: {
    prepare: ({ projectDir, log }) => ensureSentences(projectDir, log),
    table: "sentences.jsonl",
    inputs: { text },
    split: { train: 0.8, valid: 0.1, test: 0.1, seed: 7 },
  },
  trunk: ({ text: ids }, layers) => {
    const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
    // "same": one place per word; padding is masked, so that no sentence is read otherwise beside a longer one
    const window = (words: SymbolicTensor) =>
      apply(
        layers.conv1d({ filters: 48, kernelSize: 5, padding: "same", activation: "relu" }),
        maskPadding(layers, words, ids),
      );
    const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 24 }), ids);
    const words = window(window(embedded));
    return { words, sentence: poolTokens(layers, words, ids, "max") };
  },
  train: { epochs: 12, batchSize: 32, optimizer: { kind: "adamw", learningRate: 3e-3 } },
});
