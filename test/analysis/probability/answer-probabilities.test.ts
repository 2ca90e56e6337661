/** @file How likely questions are asked, beside all answers that a flow may get, one by one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at, f32At } from "../../../src/arrays.js";
import { answerProbabilities } from "../../../src/analysis/probability/answer-probabilities.js";
import { gateQuestions } from "../../../src/analysis/probability/gate-answers.js";
import { compileGates } from "../../../src/analysis/probability/gate-program.js";
import { type ScoredSplit, scoreSplit } from "../../../src/analysis/score.js";
import type { Condition, ConditionAtom, FlowGraph, TaskSpec } from "../../../src/flow/graph.js";
import { activeRows, answerWidth } from "../../../src/flow/masks.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  classification,
  multilabel,
  ordinal,
} from "../../../src/tasks/index.js";

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

const drawn: fc.Arbitrary<Drawn> = fc.record({
  kinds: fc.array(fc.nat(4), { minLength: 2, maxLength: 5 }),
  conditions: fc.array(fc.array(fc.nat(999), { minLength: 1, maxLength: 7 }), { minLength: 5, maxLength: 5 }),
  numbers: fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 15, maxLength: 15 }),
});

function graphFrom({ kinds, conditions }: Drawn): FlowGraph {
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
function scoredFrom(graph: FlowGraph, numbers: readonly number[]): ScoredSplit {
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
function answersOf(spec: TaskSpec, scores: Float32Array): { answer: number[]; probability: number }[] {
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

/** All joint answers, each a row, with their weights. */
function bruteForce(graph: FlowGraph, scored: ScoredSplit): { asked: number[]; joint: number[] } {
  let worlds: { answers: number[][]; weight: number }[] = [{ answers: [], weight: 1 }];
  for (const { spec, index } of graph.tasks) {
    const { kept } = at(scored.tasks, index);
    const scores = kept.kind === "logits" ? kept.activated : new Float32Array(0);
    worlds = worlds.flatMap(({ answers, weight }) =>
      answersOf(spec, scores).map(({ answer, probability }) => ({
        answers: [...answers, answer],
        weight: weight * probability,
      })),
    );
  }
  const columns = graph.tasks.map((_, i) => Float32Array.from(worlds.flatMap(({ answers }) => at(answers, i))));
  const active = activeRows(graph, columns, worlds.length);
  const sumOf = (holds: (world: number) => boolean): number =>
    worlds.reduce((sum, { weight }, world) => sum + (holds(world) ? weight : 0), 0);
  return {
    asked: graph.tasks.map((_, i) => sumOf((world) => active[i]?.[world] === 1)),
    joint: graph.tasks.map((_, i) =>
      sumOf(
        (world) =>
          active[i]?.[world] === 1 && at(at(worlds, world).answers, i).join() === scored.tasks[i]?.decoded.join(),
      ),
    ),
  };
}

describe("probabilities of answers", () => {
  it("are those of all joint answers of random flows", () => {
    let gated = 0;
    fc.assert(
      fc.property(drawn, (choices) => {
        const graph = graphFrom(choices);
        const scored = scoredFrom(graph, choices.numbers);
        const found = answerProbabilities(graph, scored);
        const expected = bruteForce(graph, scored);
        graph.tasks.forEach(({ precondition }, i) => {
          if (precondition !== null) gated++;
          expect(found.asked[i]?.[0]).toBeCloseTo(at(expected.asked, i), 5);
          expect(found.joint[i]?.[0]).toBeCloseTo(at(expected.joint, i), 5);
        });
      }),
      { numRuns: 300 },
    );
    expect(gated).toBeGreaterThan(200);
  });

  const gate = (task: string): Condition => ({ kind: "true", task });
  const node = (index: number, spec: TaskSpec, precondition: Condition | null) => ({
    ...{ index, spec, precondition, ownPrecondition: precondition, lossWeight: 1, feature: "f", parent: null },
    ...{ path: `t${index}`, name: `t${index}`, declaredName: `t${index}` },
  });
  const flow = (...tasks: FlowGraph["tasks"]): FlowGraph => ({
    ...{ formatVersion: 1, flow: "f", features: ["f"], tasks, flows: [] },
  });
  const half = { kind: "and", of: [gate("t0"), gate("t1")] } as const;

  it("count a gate that is read twice once", () => {
    // t1 is asked where t0 is yes; t2 where both are: half of a half, and no eighth
    const graph = flow(node(0, binary(), null), node(1, binary(), gate("t0")), node(2, binary(), half));
    const scored = scoredFrom(graph, [0, 0, 0]);
    const { asked, joint } = answerProbabilities(graph, scored);
    expect(asked.map(([p]) => p)).toEqual([1, 0.5, 0.25]);
    expect(joint.map(([p]) => p)).toEqual([0.5, 0.25, 0.125]);
  });

  it("take a number for what the network decides, and say nothing of how likely it is", () => {
    const precondition: Condition = { kind: "atLeast", task: "t0", value: 5 };
    const graph = flow(node(0, boundedRegression({ max: 10 }), null), node(1, binary(), precondition));
    for (const [logit, asked] of [
      [1, 1],
      [-1, 0],
    ] as const) {
      const found = answerProbabilities(graph, scoredFrom(graph, [logit, 0]));
      expect(found.asked[1]?.[0]).toBe(asked);
      expect(found.joint[0]?.[0]).toBeNaN();
    }
  });

  it("are 0 behind a gate of which nothing is known, and 1 where another decides", () => {
    const either: Condition = { kind: "or", of: [gate("t0"), gate("t1")] };
    const graph = flow(
      node(0, binary(), null),
      node(1, binary(), null),
      node(2, binary(), gate("t0")),
      node(3, binary(), either),
    );
    const { asked } = answerProbabilities(graph, scoredFrom(graph, [Number.NaN, 0, 0, 0]));
    expect(asked.map(([p]) => p)).toEqual([1, 1, 0, 0.5]);
  });

  it("take a number of steps that grows with the gates and not with their combinations", () => {
    const gates = Array.from({ length: 40 }, (_, i) => node(i, binary(), null));
    const last = node(40, binary(), { kind: "or", of: gates.map(({ path }) => gate(path)) });
    const graph = flow(...gates, last);
    expect(compileGates(graph, gateQuestions(graph), last).nodes.length).toBeLessThan(100);
  });
});
