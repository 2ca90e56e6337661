/** @file multilabel: any subset of several labels. Sigmoid, binary cross entropy, one tuned threshold per label. */
import { f32At } from "../../arrays.js";
import { decoders } from "../../decoding/decoders.js";
import type { MultilabelSpec } from "../../flow/graph.js";
import { checkOptions, LIST, TEXT } from "../../options.js";
import { MIXED, OFF_PICTURE, isMissing, parseTruth, type TaskBehaviour } from "../behaviour.js";
import { knownNumbers, leastLoss, logitOf, mean, SURELY } from "../constants.js";
import { meanOfProbabilities } from "../ensembles.js";
import {
  balancedPositiveWeight,
  CROSS_ENTROPY_OPTIONS,
  crossEntropyForm,
  fittedWeights,
  hasOwnLoss,
  problemWithLoss,
  problemWithWeights,
  sigmoidLoss,
  softTruth,
  WEIGHT_OR_WEIGHTS,
} from "../cross-entropy.js";
import { endToEndLabels } from "../end-to-end.js";
import { byExactMatch } from "../judgements.js";
import { multilabelMetrics } from "../metrics.js";
import {
  COMMON_OPTIONS,
  describeUnknownName,
  NO_LABEL,
  positionOf,
  problemWithAxis,
  problemWithNames,
} from "../names.js";

/**
 * Any subset of several labels. Label cells: a delimited string (`RBC,WBC`), a JSON list, a list column, or one
 * 0/1 column per label. `[]` or `none` means labelled with none; an empty cell means missing.
 * @param options.positiveWeight how much a label that is there counts in the loss: a number, one per label, or `balanced`
 * @param options.labelSmoothing part of each label that is shared by yes and no
 * @param options.loss `focal`, with its `focus`
 */
export function multilabel<const Label extends string>(options: MultilabelOptions<Label>): MultilabelSpec<Label> {
  checkOptions<MultilabelOptions<Label>>("multilabel", options, {
    ...COMMON_OPTIONS,
    ...CROSS_ENTROPY_OPTIONS,
    column: TEXT_OR_TEXTS,
    labels: LIST,
    delimiter: TEXT,
    positiveWeight: WEIGHT_OR_WEIGHTS,
  });
  return { kind: "multilabel", ...options };
}

/** Options of {@link multilabel}. */
type MultilabelOptions<Label extends string> = Omit<MultilabelSpec, "kind" | "labels" | "fittedWeights"> & {
  readonly labels: readonly Label[];
};

/** How much a label that is there counts. @param i which one */
function weightOf({ positiveWeight = 1, fittedWeights: fitted }: MultilabelSpec, i: number): number {
  if (positiveWeight === "balanced") return fittedWeights(fitted)[i] ?? 1;
  return typeof positiveWeight === "number" ? positiveWeight : (positiveWeight[i] ?? 1);
}

const TEXT_OR_TEXTS = {
  accepts: (value: unknown) => (Array.isArray(value) ? value.every(TEXT.accepts) : TEXT.accepts(value)),
  expected: "a column, or a list of one column per label",
};

export const multilabelBehaviour: TaskBehaviour<MultilabelSpec> = {
  ...decoders.multilabel,
  head: () => "dense",
  logitNames: (spec) => spec.labels,
  classes: () => null,
  choices: () => null,
  options: ({ labels }) => ({ labels: labels.join(", ") }),
  problemWith(spec) {
    if (spec.labels.length === 0) return "has no labels; name at least one";
    const problem = problemWithNames("label", spec.labels);
    if (problem !== null) return problem;
    if (spec.labels.includes(NO_LABEL) && !Array.isArray(spec.column)) {
      return `has the label "${NO_LABEL}", which in a cell means none of the labels; rename it, or give one column per label`;
    }
    if (Array.isArray(spec.column) && spec.column.length !== spec.labels.length) {
      return `has ${spec.labels.length} labels but ${spec.column.length} columns; give one column per label, in the order of the labels`;
    }
    if (spec.per === "token" && Array.isArray(spec.column)) {
      return "is asked per token, so its labels are lists in one column; name that column";
    }
    return (
      problemWithWeights("positiveWeight", spec.positiveWeight, spec.labels) ??
      problemWithLoss(spec) ??
      problemWithAxis(spec)
    );
  },
  parseLabel(spec, cells, _scales, out, at) {
    if (Array.isArray(spec.column)) return parseFlags(spec, cells, out, at);
    out.fill(Number.NaN, at, at + spec.labels.length);
    const names = parseNames(cells[0], spec.delimiter ?? ",");
    if (names === null) return null;
    out.fill(0, at, at + spec.labels.length);
    for (const name of names) {
      const index = positionOf(spec.labels, name);
      if (index < 0) return describeUnknownLabel(name, spec);
      out[at + index] = 1;
    }
    return null;
  },
  ...OFF_PICTURE,
  ...MIXED,
  fitted(spec, train) {
    if (spec.positiveWeight !== "balanced") return spec;
    const { answers, mask } = train();
    const width = spec.labels.length;
    const weights = spec.labels.map((_, i) => {
      let [no, yes] = [0, 0];
      for (let row = 0; row < mask.length; row++) {
        const answer = f32At(answers, row * width + i);
        if (mask[row] !== 1 || Number.isNaN(answer)) continue;
        if (answer >= 0.5) yes++;
        else no++;
      }
      return balancedPositiveWeight(no, yes);
    });
    return { ...spec, fittedWeights: weights };
  },
  declared: ({ fittedWeights: _, ...spec }) => spec,
  lossTerms(spec, labels, row) {
    let known = 0;
    for (let i = 0; i < spec.labels.length; i++) {
      if (!Number.isNaN(labels.answers[row * spec.labels.length + i])) known++;
    }
    return known;
  },
  lossSum(spec, logits, labels, row, gradient) {
    const at = row * logits.stride + logits.offset;
    let sum = 0;
    for (let i = 0; i < spec.labels.length; i++) {
      const y = f32At(labels.answers, row * spec.labels.length + i);
      if (Number.isNaN(y)) continue;
      const z = f32At(logits.data, at + i);
      sum += sigmoidLoss(spec, weightOf(spec, i), z, y, gradient, at + i);
    }
    return sum;
  },
  lossForm: (spec) => crossEntropyForm("sigmoid", spec),
  target: (spec, labels, row, i) =>
    softTruth(spec, weightOf(spec, i), f32At(labels.answers, row * spec.labels.length + i)).target,
  targetWeight: (spec, labels, row, i) =>
    softTruth(spec, weightOf(spec, i), f32At(labels.answers, row * spec.labels.length + i)).weight,
  scoreNames: (spec) => spec.labels,
  questions: (spec) => spec.labels,
  tuner: () => null,
  constants(spec, labels, mask) {
    const width = spec.labels.length;
    const shares = spec.labels.map((_, i) => mean(knownNumbers(mask, (row) => f32At(labels.answers, row * width + i))));
    if (shares.every(Number.isNaN)) return [];
    const all = (logit: number) => spec.labels.map(() => logit);
    const own = hasOwnLoss(spec) ? leastLoss(multilabelBehaviour, spec, labels, mask) : [];
    return [shares.map((share) => (Number.isNaN(share) ? 0 : logitOf(share))), all(SURELY), all(-SURELY), ...own];
  },
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: multilabelMetrics,
  headlineMetric: () => "accuracy",
  endToEnd: endToEndLabels(({ labels }) => labels),
  judgement: byExactMatch,
  likelihood: () => "categorical",
  answerType: () => "text",
};

function parseFlags(spec: MultilabelSpec, cells: readonly unknown[], out: Float32Array, at: number): string | null {
  for (let i = 0; i < spec.labels.length; i++) {
    const cell = cells[i];
    const truth = isMissing(cell) ? Number.NaN : parseTruth(cell);
    if (truth === undefined) {
      return `(label "${spec.labels[i]}") is not a yes-or-no label; use 0, 1, true, false, or leave it empty`;
    }
    out[at + i] = truth;
  }
  return null;
}

/** Names in a cell; null = missing, [] = labelled with none. */
function parseNames(cell: unknown, delimiter: string): readonly string[] | null {
  if (isMissing(cell)) return null;
  if (Array.isArray(cell)) return cell.map((name) => String(name).trim());
  const text = String(cell).trim();
  if (text.toLowerCase() === "none") return [];
  if (text.startsWith("[")) {
    const list = parseJsonList(text);
    if (list !== undefined) return list.map((name) => String(name).trim());
  }
  return text
    .split(delimiter)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** What else a list of labels is written with, in the order tried. */
const OTHER_DELIMITERS = [";", "|", ",", "/", " "];

/** What to say of a name that is no label: that it is a list with another delimiter, or the nearest label. */
function describeUnknownLabel(name: string, { labels, delimiter = "," }: MultilabelSpec): string {
  const isList = (other: string): boolean => {
    const parts = name.split(other).map((part) => part.trim());
    return parts.length > 1 && parts.every((part) => positionOf(labels, part) >= 0);
  };
  const other = OTHER_DELIMITERS.find((one) => one !== delimiter && isList(one));
  if (other === undefined) return describeUnknownName("label", name, labels);
  return `lists labels with ${JSON.stringify(other)} between them, not ${JSON.stringify(delimiter)}; say multilabel({ delimiter: ${JSON.stringify(other)}, … })`;
}

function parseJsonList(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
