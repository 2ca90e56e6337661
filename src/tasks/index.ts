/** @file The table of task kinds. */
import type { BehaviourTable, Labels, TaskBehaviour } from "./behaviour.js";
import type { ConstantLogits } from "./constants.js";
import { axisOf, type SpecOf, type TaskKind, type TaskSpec } from "../flow/graph.js";
import { binaryBehaviour } from "./kinds/binary.js";
import { boundedRegressionBehaviour } from "./kinds/bounded-regression.js";
import { boxBehaviour } from "./kinds/box.js";
import { classificationBehaviour } from "./kinds/classification.js";
import { knownBehaviour } from "./kinds/known.js";
import { maskedLanguageModelingBehaviour } from "./kinds/masked-language-modeling.js";
import { multilabelBehaviour } from "./kinds/multilabel.js";
import { ordinalBehaviour } from "./kinds/ordinal.js";
import { pointBehaviour } from "./kinds/point.js";
import { regressionBehaviour } from "./kinds/regression.js";
import { customBehaviour } from "./custom/custom.js";
import type { MetricFacts } from "./metrics.js";
import { pixelBehaviours } from "./pixels/behaviours.js";
import { isSummarized, repeatSummary, summaryBehaviour } from "./summary.js";

export type * from "./behaviour.js";
export { binary } from "./kinds/binary.js";
export { boundedRegression, isMeasure, type MeasureNode } from "./kinds/bounded-regression.js";
export { type BoxOptions, box } from "./kinds/box.js";
export { ERROR_LOSSES } from "./error-cost.js";
export { classification } from "./kinds/classification.js";
export { known } from "./kinds/known.js";
export type { ConstantLogits } from "./constants.js";
export { isMasked, type MaskedNode, maskedLanguageModeling } from "./kinds/masked-language-modeling.js";
export type { MetricFacts } from "./metrics.js";
export { isOverlap, overlapLoss } from "./pixels/dice.js";
export { multilabel } from "./kinds/multilabel.js";
export { ordinal } from "./kinds/ordinal.js";
export { type PointOptions, point } from "./kinds/point.js";
export { type RegressionOptions, regression } from "./kinds/regression.js";
export { definitionsOf, functionsOf, isCustom, lacksDefinition } from "./custom/custom.js";
export {
  allLogits,
  decodedScore,
  isSummarized,
  type KeptAnswers,
  keptAnswers,
  scoringNumbers,
  summarize,
} from "./summary.js";

/** Name of the unweighted masked mean of a task's loss, among the metrics. */
export const LOSS = "loss";

const behaviours = {
  binary: binaryBehaviour,
  classification: classificationBehaviour,
  multilabel: multilabelBehaviour,
  boundedRegression: boundedRegressionBehaviour,
  regression: regressionBehaviour,
  ordinal: ordinalBehaviour,
  box: boxBehaviour,
  point: pointBehaviour,
  maskedLanguageModeling: maskedLanguageModelingBehaviour,
  known: knownBehaviour,
  custom: customBehaviour,
} satisfies BehaviourTable;

const perPixel = { ...behaviours, ...pixelBehaviours };

function tableFor(spec: TaskSpec): BehaviourTable {
  return axisOf(spec) === "pixel" ? perPixel : behaviours;
}

/** How tasks of this spec's kind behave. Pass the same spec to its functions. */
export function behaviourOf<S extends TaskSpec>(spec: S): TaskBehaviour<S> {
  // the tables pair every kind with its own spec; the compiler cannot follow the index
  return tableFor(spec)[spec.kind] as unknown as TaskBehaviour<S>;
}

/** How answers of a task behave once the engine has put them out: those of very many classes as summaries. */
export function scoringOf<S extends TaskSpec>(spec: S): TaskBehaviour<S> {
  return isSummarized(spec) ? (summaryBehaviour as unknown as TaskBehaviour<S>) : behaviourOf(spec);
}

/** Constant logits as the engine would put them out, [rows, logitWidth], or summaries of very many classes. */
export function repeatLogits(spec: TaskSpec, logits: ConstantLogits, labels: Labels, rows: number): Float32Array {
  if (isSummarized(spec)) return repeatSummary(spec, logits, labels, rows);
  const repeated = new Float32Array(rows * logits.length);
  const [first = 0, ...more] = logits;
  if (more.length === 0) return repeated.fill(first);
  for (let row = 0; row < rows; row++) repeated.set(logits, row * logits.length);
  return repeated;
}

/** Whether the task has rows in the evaluation of valid and test. */
export function isEvaluated(spec: TaskSpec): boolean {
  return behaviourOf(spec).isEvaluated(spec);
}

/** Names of all metrics of a task, those on demand too, the loss first; empty for a task that is not evaluated. */
export function metricNames(spec: TaskSpec): string[] {
  if (!isEvaluated(spec)) return [];
  return [
    LOSS,
    ...scoringOf(spec)
      .metrics.facts(spec)
      .map(({ name }) => name),
  ];
}

/** Whether a constant answer has a metric's best value on any rows, so that there is nothing to beat. */
export function isBestOfConstants(spec: TaskSpec, metric: string): boolean {
  const facts = scoringOf(spec).metrics.facts(spec);
  return facts.find(({ name }) => name === metric)?.bestOfConstants === true;
}

/** Whether more is better of a metric of this task; null for one that it does not have. */
export function directionOfMetric(spec: TaskSpec, metric: string): boolean | null {
  if (metric === LOSS) return false;
  return (
    scoringOf(spec)
      .metrics.facts(spec)
      .find(({ name }) => name === metric)?.higherIsBetter ?? null
  );
}

/** Kinds of tasks, for validation and messages. */
export const taskKinds = Object.keys(behaviours) as readonly TaskKind[];

const MANY = Array.from({ length: 12 }, (_, i) => String(i));

/** A spec of each kind that has all metrics which the kind itself gives; null where the project gives them. */
const typical: { readonly [K in TaskKind]: SpecOf<K> | null } = {
  binary: { kind: "binary" },
  classification: { kind: "classification", classes: MANY },
  multilabel: { kind: "multilabel", labels: [] },
  boundedRegression: { kind: "boundedRegression", min: 0, max: 1, scale: null },
  maskedLanguageModeling: {
    kind: "maskedLanguageModeling",
    input: "",
    maskRate: 0.15,
    evaluate: true,
    vocabulary: null,
  },
  regression: { kind: "regression", loss: "squared", statistics: null },
  ordinal: { kind: "ordinal", levels: MANY },
  box: { kind: "box", column: [], format: "xywh", scale: null, loss: "smooth-l1" },
  point: { kind: "point", column: [], scale: null },
  known: { kind: "known" },
  custom: null,
};

/** Metrics of our own kinds of tasks, of as many classes as metrics can ask for, with the loss. */
export function standardMetrics(): readonly MetricFacts[] {
  const specs = Object.values<TaskSpec | null>(typical).filter((spec) => spec !== null);
  const loss = { name: LOSS, higherIsBetter: false, tunable: false, onDemand: false };
  return [loss, ...specs.flatMap((spec) => behaviourOf(spec).metrics.facts(spec))];
}
