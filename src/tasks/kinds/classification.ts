/** @file classification: one of several classes. Softmax, cross entropy. */
import { decoders } from "../../decoding/decoders.js";
import type { ClassificationSpec, CommonTaskOptions, TokenTaskOptions } from "../../flow/graph.js";
import { checkOptions, LIST } from "../../options.js";
import { SOFTMAX_CROSS_ENTROPY, UNFITTED, isMissing, softmaxCrossEntropy, type TaskBehaviour } from "../behaviour.js";
import { at, f32At } from "../../arrays.js";
import { logShareOf, rowsOf } from "../constants.js";
import { endToEndClass } from "../end-to-end.js";
import { byAccuracy } from "../judgements.js";
import { classificationMetrics } from "../metrics.js";
import { COMMON_OPTIONS, describeUnknownName, positionOf, problemWithAxis, problemWithNames } from "../names.js";

/** One of several classes. Label cells: a class name or its index. */
export function classification<const Class extends string>(
  options: CommonTaskOptions & TokenTaskOptions & { readonly classes: readonly Class[] },
): ClassificationSpec<Class> {
  checkOptions("classification", options, { ...COMMON_OPTIONS, classes: LIST });
  return { kind: "classification", ...options };
}

export const classificationBehaviour: TaskBehaviour<ClassificationSpec> = {
  ...decoders.classification,
  answeredBy: "network",
  head: () => "dense",
  logitNames: (spec) => spec.classes,
  classes: (spec) => spec.classes,
  choices: (spec) => spec.classes,
  options: ({ classes }) => ({ classes: classes.join(", ") }),
  problemWith(spec) {
    if (spec.classes.length < 2) return "has fewer than two classes; ask a binary task instead";
    return problemWithNames("class", spec.classes) ?? problemWithAxis(spec);
  },
  parseLabel(spec, [cell], _unitScale, out, at) {
    out[at] = Number.NaN;
    if (isMissing(cell)) return null;
    // a name wins over an index, so that classes may be called "1", "2", "3"
    const text = String(cell).trim();
    const byName = positionOf(spec.classes, text);
    const index = byName >= 0 ? byName : /^\d+(\.0+)?$/.test(text) ? Number(text) : -1;
    if (index < 0 || index >= spec.classes.length) return describeUnknownName("class", text, spec.classes);
    out[at] = index;
    return null;
  },
  imageScales: () => [],
  onPicture: () => "stays",
  ...UNFITTED,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const y = f32At(labels.answers, row);
    if (Number.isNaN(y)) return 0;
    return softmaxCrossEntropy(logits, row, spec.classes.length, y, gradient);
  },
  lossForm: () => SOFTMAX_CROSS_ENTROPY,
  target: (_spec, labels, row, i) => (labels.answers[row] === i ? 1 : 0),
  scoreNames: (spec) => spec.classes,
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const counts = spec.classes.map(() => 0);
    let known = 0;
    for (const row of rowsOf(mask)) {
      const answer = f32At(labels.answers, row);
      if (Number.isNaN(answer)) continue;
      counts[answer] = at(counts, answer) + 1;
      known++;
    }
    return known === 0 ? [] : [counts.map((count) => logShareOf(count / known))];
  },
  isEvaluated: () => true,
  metrics: classificationMetrics,
  headlineMetric: () => "accuracy_1",
  endToEnd: endToEndClass("accuracy_1", ({ classes }) => classes, false),
  judgement: byAccuracy,
  likelihood: () => "categorical",
  answerType: () => "text",
  describe(spec, answers, row) {
    const answer = f32At(answers, row);
    return Number.isNaN(answer) ? null : (spec.classes[answer] ?? null);
  },
};
