/** @file What the flow language has to know of each kind of task: a table, closed by the compiler. */
import type { Axis, ElementTaskOptions, SpecOf, TaskKind, TaskSpec } from "./specs.js";

/**
 * How conditions read an answer: as a truth of its own, as one of several classes, as a set of labels, as a level among
 * ordered ones, as a number with bounds, or not at all.
 */
export type GateForm = "truth" | "class" | "label" | "level" | "bounds" | "truth and bounds" | "none";

/** Facts of one kind. */
interface FlowFacts<Spec extends TaskSpec> {
  /** What it has one answer for. */
  axis(spec: Spec): Axis;
  /** Numbers that one answer consists of. */
  answerWidth(spec: Spec): number;
  gate(spec: Spec): GateForm;
  /** Names that conditions say: of its classes, labels or levels. */
  names(spec: Spec): readonly string[];
  /** Whether the network answers it from a feature of the trunk. */
  readonly readsFeature: boolean;
  /** What kind of task it is, in words of the project. */
  typeName(spec: Spec): string;
}

const ownAxis = ({ per }: ElementTaskOptions): Axis => per ?? "sample";

/** One number that the network says. */
const SINGLE = {
  axis: ownAxis,
  answerWidth: () => 1,
  names: () => [],
  readsFeature: true,
  typeName: ({ kind }: TaskSpec) => kind,
} as const;

const facts: { readonly [K in TaskKind]: FlowFacts<SpecOf<K>> } = {
  binary: { ...SINGLE, gate: () => "truth" },
  classification: { ...SINGLE, gate: () => "class", names: ({ classes }) => classes },
  multilabel: {
    ...SINGLE,
    answerWidth: ({ labels }) => labels.length,
    gate: () => "label",
    names: ({ labels }) => labels,
  },
  boundedRegression: { ...SINGLE, gate: () => "bounds" },
  regression: { ...SINGLE, gate: () => "bounds" },
  box: { ...SINGLE, axis: () => "sample", answerWidth: () => 4, gate: () => "none" },
  point: { ...SINGLE, axis: () => "sample", answerWidth: () => 2, gate: () => "none" },
  ordinal: { ...SINGLE, gate: () => "level", names: ({ levels }) => levels },
  maskedLanguageModeling: { ...SINGLE, axis: () => "token", gate: () => "none" },
  known: { ...SINGLE, axis: () => "sample", gate: () => "truth", readsFeature: false },
  custom: {
    ...SINGLE,
    answerWidth: (spec) => spec.answerWidth,
    gate: ({ gate }) => (gate === "truth" ? "truth and bounds" : gate),
    typeName: ({ type }) => type,
  },
};

/** What the flow language knows of tasks of this spec's kind. Pass the same spec to its functions. */
export function flowFacts<S extends TaskSpec>(spec: S): FlowFacts<S> {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return facts[spec.kind] as unknown as FlowFacts<S>;
}
