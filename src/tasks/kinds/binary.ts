/** @file binary: yes or no. Sigmoid, binary cross entropy, one tuned threshold. */
import { f32At } from "../../arrays.js";
import type { BinarySpec, CommonTaskOptions, TokenTaskOptions } from "../../flow/graph.js";
import { checkOptions } from "../../options.js";
import {
  SIGMOID_CROSS_ENTROPY,
  UNFITTED,
  decide,
  isMissing,
  parseTruth,
  sigmoid,
  sigmoidCrossEntropy,
  type TaskBehaviour,
} from "../behaviour.js";
import { byAccuracy } from "../judgements.js";
import { binaryMetrics } from "../metrics.js";
import { COMMON_OPTIONS, problemWithAxis } from "../names.js";

/** A yes-or-no question. Label cells: 0, 1, true, false. */
export function binary(options: CommonTaskOptions & TokenTaskOptions = {}): BinarySpec {
  checkOptions("binary", options, COMMON_OPTIONS);
  return { kind: "binary", ...options };
}

export const binaryBehaviour: TaskBehaviour<BinarySpec> = {
  answeredBy: "network",
  head: () => "dense",
  logitWidth: () => 1,
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
  activate: (_spec, logits) => logits.map(sigmoid),
  decode: (_spec, activated, [threshold = 0.5]) => activated.map((score) => decide(score, threshold)),
  defaultThresholds: () => [0.5],
  scoreNames: () => ["score"],
  questions: () => [null],
  tuner: () => null,
  isEvaluated: () => true,
  metrics: binaryMetrics,
  headlineMetric: () => "accuracy",
  judgement: byAccuracy,
  likelihood: () => "categorical",
  answerType: () => "truth",
  describe(_spec, answers, row) {
    const answer = f32At(answers, row);
    return Number.isNaN(answer) ? null : answer >= 0.5;
  },
};
