/** @file classification: one of several classes. Softmax, cross entropy. */
import { decoders } from "../../decoding/decoders.js";
import type { ClassificationSpec } from "../../flow/graph.js";
import { checkOptions, LIST, TEXTS } from "../../options.js";
import { MIXED, OFF_PICTURE, isMissing, type TaskBehaviour } from "../behaviour.js";
import { at, f32At } from "../../arrays.js";
import { leastLoss, logShareOf, rowsOf } from "../constants.js";
import { meanOfShares } from "../ensembles.js";
import {
  balancedClassWeights,
  REGION_OPTIONS,
  crossEntropyForm,
  fittedWeights,
  hasOwnLoss,
  problemWithLoss,
  problemWithWeights,
  softClass,
  softmaxLoss,
  WEIGHTS,
} from "../cross-entropy.js";
import { endToEndClass } from "../end-to-end.js";
import { byAccuracy } from "../judgements.js";
import { classificationMetrics } from "../metrics.js";
import { ELEMENT_OPTIONS, describeUnknownName, positionOf, problemWithElements, problemWithNames } from "../names.js";

/** Options of {@link classification}. */
type ClassificationOptions<Class extends string> = Omit<
  ClassificationSpec,
  "kind" | "classes" | "fittedWeights" | "size"
> & {
  readonly classes: readonly Class[];
};

/**
 * One of several classes. Label cells: a class name or its index.
 * @param options.classWeights how much a label of each class counts in the loss, or `balanced`; with it and
 *   `labelSmoothing` the loss is that of PyTorch's `CrossEntropyLoss(weight, label_smoothing)`
 * @param options.loss `focal`, with its `focus`
 */
export function classification<const Class extends string>(
  options: ClassificationOptions<Class>,
): ClassificationSpec<Class> {
  checkOptions<ClassificationOptions<Class>>("classification", options, {
    ...ELEMENT_OPTIONS,
    ...REGION_OPTIONS,
    classes: LIST,
    classWeights: WEIGHTS,
    colours: TEXTS,
  });
  return { kind: "classification", ...options };
}

/** null: all classes count alike. */
function weightsOf({ classWeights, fittedWeights: fitted }: ClassificationSpec): readonly number[] | null {
  return classWeights === "balanced" ? fittedWeights(fitted) : (classWeights ?? null);
}

/** Colours of masks: one of its own for each class. */
function problemWithColours({ per, colours, classes }: ClassificationSpec): string | null {
  if (colours === undefined) return null;
  if (per !== "pixel") return 'has colours, which are those of masks; add per: "pixel", or remove them';
  const odd = colours.find((colour) => !/^#[0-9a-f]{6}$/i.test(colour));
  if (odd !== undefined) return `has the colour ${JSON.stringify(odd)}; write it as "#rrggbb"`;
  if (colours.length !== classes.length) {
    return `has ${colours.length} colours for ${classes.length} classes; give one for each, in their order`;
  }
  const isDouble = new Set(colours.map((colour) => colour.toLowerCase())).size < colours.length;
  return isDouble ? "has a colour twice; give each class one of its own" : null;
}

export const classificationBehaviour: TaskBehaviour<ClassificationSpec> = {
  ...decoders.classification,
  head: () => "dense",
  logitNames: (spec) => spec.classes,
  classes: (spec) => spec.classes,
  choices: (spec) => spec.classes,
  options: ({ classes }) => ({ classes: classes.join(", ") }),
  problemWith(spec) {
    if (spec.classes.length < 2) return "has fewer than two classes; ask a binary task instead";
    return (
      problemWithNames("class", spec.classes) ??
      problemWithWeights("classWeights", spec.classWeights, spec.classes) ??
      problemWithLoss(spec) ??
      problemWithElements(spec) ??
      problemWithColours(spec)
    );
  },
  parseLabel(spec, [cell], _scales, out, at) {
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
  ...OFF_PICTURE,
  ...MIXED,
  fitted(spec, train) {
    if (spec.classWeights !== "balanced") return spec;
    const { answers, mask } = train();
    const counts = new Array<number>(spec.classes.length).fill(0);
    for (let row = 0; row < mask.length; row++) {
      if (mask[row] === 1) counts[f32At(answers, row)] = at(counts, f32At(answers, row)) + 1;
    }
    return { ...spec, fittedWeights: balancedClassWeights(counts) };
  },
  declared: ({ fittedWeights: _, ...spec }) => spec,
  lossTerms(spec, labels, row) {
    const y = f32At(labels.answers, row);
    return Number.isNaN(y) ? 0 : (weightsOf(spec)?.[y] ?? 1);
  },
  lossSum(spec, logits, labels, row, gradient) {
    const y = f32At(labels.answers, row);
    if (Number.isNaN(y)) return 0;
    return softmaxLoss(spec, weightsOf(spec), logits, row, spec.classes.length, y, gradient);
  },
  lossForm: (spec) => crossEntropyForm("softmax", spec),
  target: (spec, labels, row, i) =>
    softClass(spec, weightsOf(spec), spec.classes.length, f32At(labels.answers, row), i).target,
  targetWeight: (spec, labels, row, i) =>
    softClass(spec, weightsOf(spec), spec.classes.length, f32At(labels.answers, row), i).weight,
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
    const own = hasOwnLoss(spec) ? leastLoss(classificationBehaviour, spec, labels, mask) : [];
    return known === 0 ? [] : [counts.map((count) => logShareOf(count / known)), ...own];
  },
  ensemble: (spec, members) => meanOfShares(members, spec.classes.length),
  isEvaluated: () => true,
  metrics: classificationMetrics,
  headlineMetric: () => "accuracy_1",
  endToEnd: endToEndClass("accuracy_1", ({ classes }) => classes, false),
  judgement: byAccuracy,
  likelihood: () => "categorical",
  answerType: () => "text",
};
