/** @file regression: any number. Linear, a cost of the error of the value standardized on the train split. */
import { f32At, u8At } from "../../arrays.js";
import { decoders, statisticsOf } from "../../decoding/decoders.js";
import type { RegressionSpec } from "../../flow/graph.js";
import type { AnswerColumn, RowMask } from "../../flow/masks.js";
import { checkOptions, oneOf, POSITIVE } from "../../options.js";
import { OFF_PICTURE, isMissing, type TaskBehaviour, UNWEIGHTED } from "../behaviour.js";
import { knownNumbers, leastLoss, mean, median } from "../constants.js";
import { meanOf } from "../ensembles.js";
import { costNamed, costOf, ERROR_LOSSES, type ErrorCost, problemWithDelta, slopeOf } from "../error-cost.js";
import { endToEndUnbounded } from "../end-to-end.js";
import { byAbsoluteError } from "../judgements.js";
import { unboundedMetrics } from "../metrics.js";
import { ELEMENT_OPTIONS, problemWithElements } from "../names.js";

/** Options of {@link regression}. */
export type RegressionOptions = Partial<Omit<RegressionSpec, "kind" | "statistics" | "size">>;

/**
 * A number without bounds. The labels are standardized by the mean and the standard deviation of those that train the
 * task, which are kept with the run; answers and gates are in label units.
 * @param options.loss of the standardized error: `squared` (default), `absolute`, `huber` (½·e² up to `delta`, linear
 *   beyond) or `log-cosh`
 * @param options.delta of `huber`, in standard deviations; default 1
 */
export function regression(options: RegressionOptions = {}): RegressionSpec {
  checkOptions<RegressionOptions>("regression", options, {
    ...ELEMENT_OPTIONS,
    loss: oneOf(...ERROR_LOSSES),
    delta: POSITIVE,
    pixelUnit: POSITIVE,
  });
  const { loss = "squared", ...rest } = options;
  return { kind: "regression", ...rest, loss, statistics: null };
}

function costFor({ loss, delta = 1 }: RegressionSpec): ErrorCost {
  return costNamed(loss, delta);
}

/** Label units → standard deviations from the mean. */
function standardize(spec: RegressionSpec, value: number): number {
  const { mean, deviation } = statisticsOf(spec);
  return (value - mean) / deviation;
}

/** Mean and population deviation, in two passes: sums of squares would cancel where labels are far from 0. */
function momentsOf(answers: AnswerColumn, train: RowMask): NonNullable<RegressionSpec["statistics"]> {
  const values = answers.filter((answer, row) => u8At(train, row) === 1 && !Number.isNaN(answer));
  if (values.length === 0) return { mean: 0, deviation: 1 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  // rounding alone must not become a deviation to divide by
  return { mean, deviation: deviation > Math.abs(mean) * 1e-7 ? deviation : 1 };
}

function problemWithUnit({ per, pixelUnit }: RegressionSpec): string | null {
  if (pixelUnit === undefined || per === "pixel") return null;
  return 'has pixelUnit, which is that of masks; add per: "pixel", or remove it';
}

export const regressionBehaviour: TaskBehaviour<RegressionSpec> = {
  ...decoders.regression,
  head: () => "dense",
  logitNames: () => null,
  classes: () => null,
  choices: () => null,
  options: ({ loss }) => ({ loss }),
  problemWith: (spec) => problemWithDelta(spec.loss, spec.delta) ?? problemWithElements(spec) ?? problemWithUnit(spec),
  parseLabel(_spec, [cell], _scales, out, at) {
    out[at] = Number.NaN;
    if (isMissing(cell)) return null;
    const value = typeof cell === "number" ? cell : Number(String(cell).trim());
    if (!Number.isFinite(value)) return "is not a number; write a number or leave it empty";
    out[at] = value;
    return null;
  },
  ...OFF_PICTURE,
  // what a patch of a picture is worth, nobody knows
  mixedBy: () => ["mixup"],
  fitted(spec, train) {
    const { answers, mask } = train();
    return { ...spec, statistics: momentsOf(answers, mask) };
  },
  declared: (spec) => ({ ...spec, statistics: null }),
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const label = f32At(labels.answers, row);
    if (Number.isNaN(label)) return 0;
    const at = row * logits.stride + logits.offset;
    const error = f32At(logits.data, at) - standardize(spec, label);
    const cost = costFor(spec);
    if (gradient !== null) gradient[at] = slopeOf(cost, error);
    return costOf(cost, error);
  },
  ...UNWEIGHTED,
  lossForm: (spec) => ({ activation: "linear", cost: costFor(spec) }),
  target: (spec, labels, row) => standardize(spec, f32At(labels.answers, row)),
  // standard deviations from the mean are no score
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const values = knownNumbers(mask, (row) => standardize(spec, f32At(labels.answers, row)));
    if (values.length === 0) return [];
    return [[median(values)], [mean(values)], ...leastLoss(regressionBehaviour, spec, labels, mask)];
  },
  ensemble(spec, members) {
    const inUnits = members.map((member) => statisticsOf(member.spec));
    const answer = (logits: Float32Array, i: number, member: number): number => {
      const { mean: centre = 0, deviation = 1 } = inUnits[member] ?? {};
      return centre + deviation * f32At(logits, i);
    };
    return meanOf(members, answer, (value) => standardize(spec, value));
  },
  isEvaluated: () => true,
  metrics: unboundedMetrics,
  headlineMetric: () => "mean_absolute_error",
  endToEnd: endToEndUnbounded,
  judgement: byAbsoluteError,
  likelihood: ({ loss }) => (loss === "squared" ? "gaussian" : "categorical"),
  answerType: () => "number",
};
