/** @file binary: yes or no. Sigmoid, binary cross entropy, one tuned threshold. */
import { f32At } from "../../arrays.js";
import { decoders } from "../../decoding/decoders.js";
import type { BinarySpec } from "../../flow/graph.js";
import { checkOptions } from "../../options.js";
import { MIXED, OFF_PICTURE, type FitLabels, isMissing, parseTruth, type TaskBehaviour } from "../behaviour.js";
import { knownNumbers, leastLoss, logitOf, mean, SURELY } from "../constants.js";
import { meanOfProbabilities } from "../ensembles.js";
import {
  balancedPositiveWeight,
  REGION_OPTIONS,
  crossEntropyForm,
  fittedWeights,
  hasOwnLoss,
  problemWithLoss,
  sigmoidLoss,
  softTruth,
  WEIGHT,
} from "../cross-entropy.js";
import { endToEndTruth } from "../end-to-end.js";
import { byAccuracy } from "../judgements.js";
import { binaryMetrics } from "../metrics.js";
import { ELEMENT_OPTIONS, problemWithElements } from "../names.js";

/**
 * A yes-or-no question. Label cells: 0, 1, true, false.
 * @param options.positiveWeight how much a label yes counts in the loss, a number or `balanced`: as in PyTorch's
 *   `BCEWithLogitsLoss(pos_weight)`
 * @param options.labelSmoothing part of each label that is shared by both answers
 * @param options.loss `focal` for questions that are almost always easy, with its `focus`
 */
export function binary(options: Omit<BinarySpec, "kind" | "fittedWeights" | "size"> = {}): BinarySpec {
  checkOptions<Omit<BinarySpec, "kind" | "fittedWeights" | "size">>("binary", options, {
    ...ELEMENT_OPTIONS,
    ...REGION_OPTIONS,
    positiveWeight: WEIGHT,
  });
  return { kind: "binary", ...options };
}

function weightOf({ positiveWeight = 1, fittedWeights: fitted }: BinarySpec): number {
  return positiveWeight === "balanced" ? (fittedWeights(fitted)[0] ?? 1) : positiveWeight;
}

export const binaryBehaviour: TaskBehaviour<BinarySpec> = {
  ...decoders.binary,
  head: () => "dense",
  logitNames: () => null,
  classes: () => null,
  choices: () => null,
  options: () => ({}),
  problemWith: (spec) => problemWithLoss(spec) ?? problemWithElements(spec),
  parseLabel(_spec, [cell], _scales, out, at) {
    if (isMissing(cell)) {
      out[at] = Number.NaN;
      return null;
    }
    const truth = parseTruth(cell);
    if (truth === undefined) return "is not a yes-or-no label; use 0, 1, true, false, or leave it empty";
    out[at] = truth;
    return null;
  },
  ...OFF_PICTURE,
  ...MIXED,
  fitted(spec, train) {
    if (spec.positiveWeight !== "balanced") return spec;
    const { answers, mask }: FitLabels = train();
    let [no, yes] = [0, 0];
    for (let row = 0; row < mask.length; row++) {
      if (mask[row] !== 1) continue;
      if (f32At(answers, row) >= 0.5) yes++;
      else no++;
    }
    return { ...spec, fittedWeights: [balancedPositiveWeight(no, yes)] };
  },
  declared: ({ fittedWeights: _, ...spec }) => spec,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const y = f32At(labels.answers, row);
    if (Number.isNaN(y)) return 0;
    const at = row * logits.stride + logits.offset;
    const z = f32At(logits.data, at);
    return sigmoidLoss(spec, weightOf(spec), z, y, gradient, at);
  },
  lossForm: (spec) => crossEntropyForm("sigmoid", spec),
  target: (spec, labels, row) => softTruth(spec, weightOf(spec), f32At(labels.answers, row)).target,
  targetWeight: (spec, labels, row) => softTruth(spec, weightOf(spec), f32At(labels.answers, row)).weight,
  scoreNames: () => ["score"],
  questions: () => [null],
  tuner: () => null,
  constants(spec, labels, mask) {
    const known = knownNumbers(mask, (row) => f32At(labels.answers, row));
    // by its score the share of yes, and for metrics of decisions either answer
    const own = hasOwnLoss(spec) ? leastLoss(binaryBehaviour, spec, labels, mask) : [];
    return known.length === 0 ? [] : [[logitOf(mean(known))], [SURELY], [-SURELY], ...own];
  },
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: binaryMetrics,
  headlineMetric: () => "accuracy",
  endToEnd: endToEndTruth,
  judgement: byAccuracy,
  likelihood: () => "categorical",
  answerType: () => "truth",
};
