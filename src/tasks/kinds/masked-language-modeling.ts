/** @file maskedLanguageModeling: which tokens were hidden. Softmax over the vocabulary, cross entropy. */
import { f32At } from "../../arrays.js";
import { decoders } from "../../decoding/decoders.js";
import type { CommonTaskOptions, MaskedLanguageModelingSpec, TaskNode } from "../../flow/graph.js";
import { checkOptions, TRUTH } from "../../options.js";
import {
  UNMIXED,
  OFF_PICTURE,
  SOFTMAX_CROSS_ENTROPY,
  softmaxCrossEntropy,
  type TaskBehaviour,
  UNWEIGHTED,
} from "../behaviour.js";
import type { MetricTable } from "../metrics.js";

/** Options of {@link maskedLanguageModeling}. */
export interface MaskedLanguageModelingOptions extends Pick<CommonTaskOptions, "lossWeight"> {
  /** Name of a token input declared with `mask: true`. */
  readonly input: string;
  /** Fraction of a row's tokens to mask; default 0.15. */
  readonly maskRate?: number;
  /** Whether valid and test are evaluated too; default false: the task only trains the trunk. */
  readonly evaluate?: boolean;
}

/**
 * Guesses masked tokens from the tokens around them: Devlin et al., "BERT: Pre-training of Deep Bidirectional
 * Transformers for Language Understanding" (2019), §3.1. In training every row has `maskRate` of its tokens chosen
 * anew each epoch (at least one), of which 80 % become the mask, 10 % a random token and 10 % stay. It has no label
 * column, and is asked neither in predictions nor in explanations.
 */
export function maskedLanguageModeling(options: MaskedLanguageModelingOptions): MaskedLanguageModelingSpec {
  checkOptions<MaskedLanguageModelingOptions>("maskedLanguageModeling", options, {
    input: null,
    maskRate: null,
    evaluate: TRUTH,
    lossWeight: null,
  });
  const { maskRate = 0.15, evaluate = false, ...rest } = options;
  return { kind: "maskedLanguageModeling", ...rest, maskRate, evaluate, vocabulary: null };
}

// counted while it trains: logits over a vocabulary, at every token of a split, are too many to keep
const GUESS_METRICS: MetricTable<MaskedLanguageModelingSpec> = {
  facts: () => [
    { name: "perplexity", higherIsBetter: false, tunable: false, onDemand: false },
    { name: "accuracy_1", higherIsBetter: true, tunable: false, onDemand: false },
  ],
  values: () => ["perplexity", "accuracy_1"].map((name) => ({ name, value: null, count: 0 })),
};

/** A task whose labels are tokens that the network is not shown. */
export type MaskedNode = TaskNode & { readonly spec: MaskedLanguageModelingSpec };

export function isMasked(task: TaskNode): task is MaskedNode {
  return task.spec.kind === "maskedLanguageModeling";
}

export const maskedLanguageModelingBehaviour: TaskBehaviour<MaskedLanguageModelingSpec> = {
  ...decoders.maskedLanguageModeling,
  head: () => "dense",
  logitNames: ({ vocabulary }) => vocabulary ?? [],
  classes: () => null,
  choices: () => null,
  options: ({ input, maskRate }) => ({ input, maskRate }),
  problemWith({ input, maskRate }) {
    if (typeof input !== "string" || input === "") return 'names no input; write e.g. input: "text"';
    if (maskRate > 0 && maskRate < 1) return null;
    return `has maskRate ${maskRate}; it must be more than 0 and less than 1`;
  },
  // a label is the token that was hidden; no cell says it
  parseLabel(_spec, _cells, _scales, out, at) {
    out[at] = Number.NaN;
    return null;
  },
  ...OFF_PICTURE,
  ...UNMIXED,
  // the vocabulary is the input's, and not read from labels
  fitted: (spec) => spec,
  declared: (spec) => ({ ...spec, vocabulary: null }),
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const token = f32At(labels.answers, row);
    return Number.isNaN(token) ? 0 : softmaxCrossEntropy(logits, row, vocabularySize(spec), token, gradient);
  },
  ...UNWEIGHTED,
  lossForm: () => SOFTMAX_CROSS_ENTROPY,
  target: (_spec, labels, row, i) => (labels.answers[row] === i ? 1 : 0),
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  // its labels are made while it trains
  constants: () => [],
  ensemble: () => new Float32Array(0),
  isEvaluated: ({ evaluate }) => evaluate,
  metrics: GUESS_METRICS,
  headlineMetric: () => "perplexity",
  endToEnd: null,
  judgement: null,
  likelihood: () => "categorical",
  answerType: () => "text",
};

function vocabularySize({ vocabulary }: MaskedLanguageModelingSpec): number {
  if (vocabulary === null) throw new Error("the vocabulary is known once the data has been read");
  return vocabulary.length;
}
