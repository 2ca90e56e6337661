/** @file How likely questions are asked, beside all answers that a flow may get, one by one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "../../../src/arrays.js";
import { answerProbabilities } from "../../../src/analysis/probability/answer-probabilities.js";
import { gateQuestions } from "../../../src/analysis/probability/gate-answers.js";
import { compileGates } from "../../../src/analysis/probability/gate-program.js";
import type { ScoredSplit } from "../../../src/analysis/score.js";
import type { Condition, FlowGraph, TaskSpec } from "../../../src/flow/graph.js";
import { activeRows } from "../../../src/flow/masks.js";
import { binary, boundedRegression } from "../../../src/tasks/index.js";
import { answersOf, drawn, graphFrom, scoredFrom } from "../../support/random-flows.js";

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
