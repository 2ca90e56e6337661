/** @file Small random flows with one row of random scores, and all answers that it may get. */
import fc from "fast-check";
import { at, f32At } from "../../src/arrays.js";
import { type ScoredSplit, scoreSplit } from "../../src/analysis/score.js";
import type { Condition, ConditionAtom, FlowGraph, TaskSpec } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { behaviourOf, binary, classification, multilabel, ordinal } from "../../src/tasks/index.js";

const CLASSES = ["a", "b", "c"] as const;
const SPECS: readonly TaskSpec[] = [
  binary(),
  binary(),
  classification({ classes: CLASSES }),
  ordinal({ levels: CLASSES }),
  multilabel({ labels: ["x", "y"] }),
];

function atomsOn(path: string, spec: TaskSpec): ConditionAtom[] {
  switch (spec.kind) {
    case "classification":
      return [[0], [1, 2], [2]].map((classes) => ({ kind: "isOneOf", task: path, classes }));
    case "ordinal":
      return [
        { kind: "atLeast", task: path, value: 1 },
        { kind: "below", task: path, value: 2 },
      ];
    case "multilabel":
      return [0, 1].map((label) => ({ kind: "has", task: path, label }));
    default:
      return [{ kind: "true", task: path }];
  }
}

/** A condition over earlier tasks, as a list of choices makes it. */
function conditionFrom(atoms: readonly ConditionAtom[], choices: readonly number[]): Condition {
  const stack: Condition[] = [];
  for (const choice of choices) {
    const [last, before] = [stack.at(-1), stack.at(-2)];
    const kind = choice % 7;
    if (kind < 3 && last !== undefined && before !== undefined) {
      stack.splice(-2, 2, { kind: kind === 0 ? "and" : "or", of: [before, last] });
    } else if (kind === 3 && last !== undefined) stack.splice(-1, 1, { kind: "not", of: last });
    else stack.push(at(atoms, Math.floor(choice / 7) % atoms.length));
  }
  return stack.length === 1 ? at(stack, 0) : { kind: "and", of: stack };
}

interface Drawn {
  readonly kinds: readonly number[];
  readonly conditions: readonly (readonly number[])[];
  readonly numbers: readonly number[];
}

export const drawn: fc.Arbitrary<Drawn> = fc.record({
  kinds: fc.array(fc.nat(4), { minLength: 2, maxLength: 5 }),
  conditions: fc.array(fc.array(fc.nat(999), { minLength: 1, maxLength: 7 }), { minLength: 5, maxLength: 5 }),
  numbers: fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 15, maxLength: 15 }),
});

export function graphFrom({ kinds, conditions }: Drawn): FlowGraph {
  const tasks: FlowGraph["tasks"][number][] = [];
  kinds.forEach((kind, index) => {
    const [spec, path] = [at(SPECS, kind), `t${index}`];
    const atoms = tasks.flatMap((task) => atomsOn(task.path, task.spec));
    const choices = at(conditions, index);
    const precondition = atoms.length === 0 || at(choices, 0) % 5 === 0 ? null : conditionFrom(atoms, choices);
    const names = { path, name: path, declaredName: path, feature: "f", parent: null };
    tasks.push({ index, spec, lossWeight: 1, precondition, ownPrecondition: precondition, ...names });
  });
  return { formatVersion: 1, flow: "f", features: ["f"], tasks, flows: [] };
}

/** One row of logits. */
export function scoredFrom(graph: FlowGraph, numbers: readonly number[]): ScoredSplit {
  let next = 0;
  const outputs = graph.tasks.map(({ spec }) => {
    const logits = Float32Array.from({ length: behaviourOf(spec).logitWidth(spec) }, () => at(numbers, next++));
    // at least a higher level is never likelier
    return spec.kind === "ordinal" ? logits.sort().reverse() : logits;
  });
  const labels = graph.tasks.map(({ spec }) => ({
    answers: new Float32Array(answerWidth(spec)).fill(Number.NaN),
    unitScale: null,
  }));
  const thresholds = graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
  return scoreSplit(graph, { split: "test", ids: ["row"], outputs, labels }, thresholds);
}

/** Every answer of a task with its probability. */
export function answersOf(spec: TaskSpec, scores: Float32Array): { answer: number[]; probability: number }[] {
  const score = (i: number): number => f32At(scores, i);
  switch (spec.kind) {
    case "binary":
      return [
        { answer: [0], probability: 1 - score(0) },
        { answer: [1], probability: score(0) },
      ];
    case "classification":
      return CLASSES.map((_, c) => ({ answer: [c], probability: score(c) }));
    case "ordinal":
      return [
        { answer: [0], probability: 1 - score(0) },
        { answer: [1], probability: score(0) - score(1) },
        { answer: [2], probability: score(1) },
      ];
    default:
      return [0, 1].flatMap((x) =>
        [0, 1].map((y) => ({
          answer: [x, y],
          probability: (x === 1 ? score(0) : 1 - score(0)) * (y === 1 ? score(1) : 1 - score(1)),
        })),
      );
  }
}
