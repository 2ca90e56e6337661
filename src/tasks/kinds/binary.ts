/** @file binary: yes or no. Sigmoid, binary cross entropy, one tuned threshold. */
import { f32At } from "../../arrays.js";
import { sigmoid } from "../../decoding/activations.js";
import { decoders } from "../../decoding/decoders.js";
import type { BinarySpec, CommonTaskOptions, TokenTaskOptions } from "../../flow/graph.js";
import { checkOptions } from "../../options.js";
import {
  SIGMOID_CROSS_ENTROPY,
  UNFITTED,
  isMissing,
  parseTruth,
  sigmoidCrossEntropy,
  type TaskBehaviour,
} from "../behaviour.js";
import { logitOf, mean, rowsOf, SURELY } from "../constants.js";
import { endToEndTruth } from "../end-to-end.js";
import { byAccuracy } from "../judgements.js";
import { binaryMetrics } from "../metrics.js";
import { COMMON_OPTIONS, problemWithAxis } from "../names.js";

/** A yes-or-no question. Label cells: 0, 1, true, false. */
export function binary(options: CommonTaskOptions & TokenTaskOptions = {}): BinarySpec {
  checkOptions("binary", options, COMMON_OPTIONS);
  return { kind: "binary", ...options };
}

export const binaryBehaviour: TaskBehaviour<BinarySpec> = {
  ...decoders.binary,
  answeredBy: "network",
  head: () => "dense",
  logitNames: () => null,
  classes: () => null,
  choices: () => null,
  options: () => ({}),
  problemWith: problemWithAxis,
  parseLabel(_spec, [cell], _unitScale, out, at) {
    if (isMissing(cell)) {
      out[at] = Number.NaN;
      return null;
    }
    const truth = parseTruth(cell);
    if (truth === undefined) return "is not a yes-or-no label; use 0, 1, true, false, or leave it empty";
    out[at] = truth;
    return null;
  },
  imageScales: () => [],
  onPicture: () => "stays",
  ...UNFITTED,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(_spec, logits, labels, row, gradient) {
    const y = f32At(labels.answers, row);
    if (Number.isNaN(y)) return 0;
    const at = row * logits.stride + logits.offset;
    const z = f32At(logits.data, at);
    if (gradient !== null) gradient[at] = sigmoid(z) - y;
    return sigmoidCrossEntropy(z, y);
  },
  lossForm: () => SIGMOID_CROSS_ENTROPY,
  target: (_spec, labels, row) => f32At(labels.answers, row),
  scoreNames: () => ["score"],
  questions: () => [null],
  tuner: () => null,
  constants(_spec, labels, mask) {
    const known = rowsOf(mask)
      .map((row) => f32At(labels.answers, row))
      .filter((answer) => !Number.isNaN(answer));
    // by its score the share of yes, and for metrics of decisions either answer
    return known.length === 0 ? [] : [[logitOf(mean(known))], [SURELY], [-SURELY]];
  },
  isEvaluated: () => true,
  metrics: binaryMetrics,
  headlineMetric: () => "accuracy",
  endToEnd: endToEndTruth,
  judgement: byAccuracy,
  likelihood: () => "categorical",
  answerType: () => "truth",
  describe(_spec, answers, row) {
    const answer = f32At(answers, row);
    return Number.isNaN(answer) ? null : answer >= 0.5;
  },
};
