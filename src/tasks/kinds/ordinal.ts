/** @file ordinal: one of several grades in order. Ranks by CORAL: Cao, Mirjalili & Raschka (2020). */
import { f32At } from "../../arrays.js";
import { sigmoid } from "../../decoding/activations.js";
import { decoders } from "../../decoding/decoders.js";
import type { CommonTaskOptions, OrdinalSpec, TokenTaskOptions } from "../../flow/graph.js";
import { checkOptions, LIST } from "../../options.js";
import {
  MIXED,
  OFF_PICTURE,
  isMissing,
  SIGMOID_CROSS_ENTROPY,
  sigmoidCrossEntropy,
  type TaskBehaviour,
  UNFITTED,
  UNWEIGHTED,
} from "../behaviour.js";
import { knownNumbers, logitOf, mean, SURELY } from "../constants.js";
import { meanOfProbabilities } from "../ensembles.js";
import { endToEndClass } from "../end-to-end.js";
import { byAbsoluteError } from "../judgements.js";
import { levelMetrics } from "../metrics.js";
import { COMMON_OPTIONS, describeUnknownName, positionOf, problemWithAxis, problemWithNames } from "../names.js";

/**
 * One of several levels, from the lowest to the highest. Label cells: a level's name or its index. One score of the
 * feature is compared with a threshold for each level but the lowest, which gives the probabilities of "at least" it:
 * Cao, Mirjalili & Raschka, "Rank consistent ordinal regression for neural networks" (CORAL, 2020).
 */
export function ordinal<const Level extends string>(
  options: CommonTaskOptions & TokenTaskOptions & { readonly levels: readonly Level[] },
): OrdinalSpec<Level> {
  checkOptions("ordinal", options, { ...COMMON_OPTIONS, levels: LIST });
  return { kind: "ordinal", ...options };
}

/** One logit for each level but the lowest: that the answer is at least that one. */
function logitCount({ levels }: OrdinalSpec): number {
  return levels.length - 1;
}

function logitNames({ levels }: OrdinalSpec): readonly string[] {
  return levels.slice(1).map((level) => `at least ${level}`);
}

/** Whether a label is above level i: 1 or 0; NaN where it is missing. */
function isAbove(label: number, i: number): number {
  return Number.isNaN(label) ? label : Number(label > i);
}

export const ordinalBehaviour: TaskBehaviour<OrdinalSpec> = {
  ...decoders.ordinal,
  head: () => "shared",
  logitNames,
  classes: ({ levels }) => levels,
  choices: () => null,
  options: ({ levels }) => ({ levels: levels.join(", ") }),
  problemWith(spec) {
    if (spec.levels.length < 2) return "has fewer than two levels; name them from the lowest to the highest";
    return problemWithNames("level", spec.levels) ?? problemWithAxis(spec);
  },
  parseLabel(spec, [cell], _scales, out, at) {
    out[at] = Number.NaN;
    if (isMissing(cell)) return null;
    // a name wins over an index, so that levels may be called "1", "2", "3"
    const text = String(cell).trim();
    const byName = positionOf(spec.levels, text);
    const index = byName >= 0 ? byName : /^\d+(\.0+)?$/.test(text) ? Number(text) : -1;
    if (index < 0 || index >= spec.levels.length) return describeUnknownName("level", text, spec.levels);
    out[at] = index;
    return null;
  },
  ...OFF_PICTURE,
  ...MIXED,
  ...UNFITTED,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const label = f32At(labels.answers, row);
    if (Number.isNaN(label)) return 0;
    const at = row * logits.stride + logits.offset;
    let sum = 0;
    for (let i = 0; i < logitCount(spec); i++) {
      const z = f32At(logits.data, at + i);
      const y = isAbove(label, i);
      if (gradient !== null) gradient[at + i] = sigmoid(z) - y;
      sum += sigmoidCrossEntropy(z, y);
    }
    return sum;
  },
  ...UNWEIGHTED,
  lossForm: () => SIGMOID_CROSS_ENTROPY,
  target: (_spec, labels, row, i) => isAbove(f32At(labels.answers, row), i),
  scoreNames: logitNames,
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const known = knownNumbers(mask, (row) => f32At(labels.answers, row));
    if (known.length === 0) return [];
    const places = Array.from({ length: logitCount(spec) }, (_, i) => i);
    const sure = (level: number) => places.map((i) => (level > i ? SURELY : -SURELY));
    const counts = spec.levels.map(() => 0);
    for (const answer of known) counts[answer] = (counts[answer] ?? 0) + 1;
    return [
      // what they decode to is the median
      places.map((i) => logitOf(mean(known.map((answer) => isAbove(answer, i))))),
      sure(counts.indexOf(Math.max(...counts))),
      sure(Math.round(mean(known))),
    ];
  },
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: levelMetrics,
  headlineMetric: () => "mean_absolute_error",
  endToEnd: endToEndClass("accuracy", ({ levels }) => levels, true),
  judgement: byAbsoluteError,
  likelihood: () => "categorical",
  answerType: () => "text",
};
