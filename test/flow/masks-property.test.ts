/** @file Compiled masks against a row-by-row evaluator, over random flows, answers and missing answers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Condition, FlowGraph, TaskNode, TaskSpec } from "../../src/flow/graph.js";
import { activeRows, answerWidth } from "../../src/flow/masks.js";
import { binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

const SPECS: readonly TaskSpec[] = [
  binary(),
  classification({ classes: ["red", "green", "blue"] }),
  multilabel({ labels: ["hat", "beard"] }),
  boundedRegression({ max: 10 }),
];

/** A condition whose atoms name no gate yet: `gate` and `choice` are taken modulo what there is. */
type Sketch =
  | { readonly kind: "atom"; readonly gate: number; readonly choice: number }
  | { readonly kind: "not"; readonly of: Sketch }
  | { readonly kind: "and" | "or"; readonly of: readonly Sketch[] };

const { sketch } = fc.letrec<{ sketch: Sketch }>((tie) => ({
  sketch: fc.oneof(
    { maxDepth: 3 },
    fc.record({ kind: fc.constant("atom" as const), gate: fc.nat(20), choice: fc.nat(20) }),
    fc.record({ kind: fc.constant("not" as const), of: tie("sketch") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("sketch"), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

const ROWS = 6;
// the boundary of a regression condition is among the answers
const answer = fc.oneof(fc.constant(Number.NaN), fc.nat(2), fc.constantFrom(4.3, 4.2, 9));
const sketchedTask = fc.record({
  spec: fc.constantFrom(...SPECS),
  given: fc.option(sketch),
  answers: fc.array(answer, { minLength: 2 * ROWS, maxLength: 2 * ROWS }),
});

function conditionFrom(sketched: Sketch, earlier: readonly TaskNode[]): Condition {
  if (sketched.kind === "not") return { kind: "not", of: conditionFrom(sketched.of, earlier) };
  if (sketched.kind !== "atom") {
    return { kind: sketched.kind, of: sketched.of.map((operand) => conditionFrom(operand, earlier)) };
  }
  const gate = earlier[sketched.gate % earlier.length] as TaskNode;
  const { choice } = sketched;
  switch (gate.spec.kind) {
    case "binary":
    case "known":
      return { kind: "true", task: gate.path };
    case "classification":
      return { kind: "isOneOf", task: gate.path, classes: choice % 2 === 0 ? [choice % 3] : [0, 2] };
    case "multilabel":
      return { kind: "has", task: gate.path, label: choice % 2 };
    case "boundedRegression":
    case "maskedLanguageModeling":
    case "own":
      return { kind: choice % 2 === 0 ? "atLeast" : "below", task: gate.path, value: 4.3 };
    default:
      return gate.spec satisfies never;
  }
}

function graphFrom(sketches: readonly { readonly spec: TaskSpec; readonly given: Sketch | null }[]): FlowGraph {
  const tasks: TaskNode[] = [];
  for (const [index, { spec, given }] of sketches.entries()) {
    const precondition = given === null || index === 0 ? null : conditionFrom(given, tasks);
    const names = { path: `t${index}`, name: `t${index}`, declaredName: `t${index}`, feature: "f", parent: null };
    tasks.push({ index, ...names, spec, lossWeight: 1, ownPrecondition: precondition, precondition });
  }
  return { formatVersion: 1, flow: "random", features: ["f"], tasks, flows: [] };
}

type Truth = boolean | "unknown";

/** The semantics, one row and one condition at a time. */
function truthOf(graph: FlowGraph, answers: readonly Float32Array[], row: number, condition: Condition): Truth {
  const recur = (c: Condition): Truth => truthOf(graph, answers, row, c);
  switch (condition.kind) {
    case "not": {
      const inner = recur(condition.of);
      return inner === "unknown" ? "unknown" : !inner;
    }
    case "and": {
      const operands = condition.of.map(recur);
      return operands.includes(false) ? false : operands.includes("unknown") ? "unknown" : true;
    }
    case "or": {
      const operands = condition.of.map(recur);
      return operands.includes(true) ? true : operands.includes("unknown") ? "unknown" : false;
    }
    default: {
      const gate = graph.tasks.find(({ path }) => path === condition.task) as TaskNode;
      if (gate.precondition !== null && recur(gate.precondition) !== true) return "unknown";
      const place = condition.kind === "has" ? condition.label : 0;
      const said = answers[gate.index]?.[row * answerWidth(gate.spec) + place] as number;
      if (Number.isNaN(said)) return "unknown";
      if (condition.kind === "isOneOf") return condition.classes.includes(said);
      if (condition.kind === "atLeast") return said >= Math.fround(condition.value);
      if (condition.kind === "below") return said < Math.fround(condition.value);
      return said >= 0.5;
    }
  }
}

describe("the masks of any flow", () => {
  it("are those of a row-by-row evaluation in three-valued logic", () => {
    fc.assert(
      fc.property(fc.array(sketchedTask, { minLength: 1, maxLength: 8 }), (sketches) => {
        const graph = graphFrom(sketches);
        const answers = sketches.map(({ spec, answers: all }) =>
          Float32Array.from(all.slice(0, ROWS * answerWidth(spec))),
        );
        const expected = graph.tasks.map(({ precondition }) =>
          Array.from({ length: ROWS }, (_, row) =>
            precondition === null || truthOf(graph, answers, row, precondition) === true ? 1 : 0,
          ),
        );
        expect(activeRows(graph, answers, ROWS).map((mask) => Array.from(mask))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
