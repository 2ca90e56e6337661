/** @file Masks with an entry per token: against a position-by-position evaluator, and the errors of mixed axes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlowError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { axisOf, type Condition, type FlowGraph, type TaskNode, type TaskSpec } from "../../src/flow/graph.js";
import { activeRows, answerWidth, offsetsOf, overTokens, rowOfEachToken } from "../../src/flow/masks.js";
import { printGraph } from "../../src/flow/print.js";
import { traceFlow } from "../../src/flow/trace.js";
import {
  binary,
  boundedRegression,
  classification,
  maskedLanguageModeling,
  multilabel,
} from "../../src/tasks/index.js";

const KINDS: readonly ((per: { readonly per?: "token" }) => TaskSpec)[] = [
  (per) => binary(per),
  (per) => classification({ classes: ["red", "green", "blue"], ...per }),
  (per) => multilabel({ labels: ["hat", "beard"], ...per }),
  (per) => boundedRegression({ max: 10, ...per }),
];

/** `gate` and `choice` are taken modulo what there is. */
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

const answer = fc.oneof(fc.constant(Number.NaN), fc.nat(2), fc.constantFrom(4.3, 4.2, 9));
const MOST_POSITIONS = 4 * 5;
const sketchedTask = fc.record({
  kind: fc.nat(KINDS.length - 1),
  perToken: fc.boolean(),
  given: fc.option(sketch),
  answers: fc.array(answer, { minLength: 2 * MOST_POSITIONS, maxLength: 2 * MOST_POSITIONS }),
});
const lengthsOfRows = fc.array(fc.nat(5), { minLength: 1, maxLength: 4 });

function conditionFrom(sketched: Sketch, gates: readonly TaskNode[]): Condition {
  if (sketched.kind === "not") return { kind: "not", of: conditionFrom(sketched.of, gates) };
  if (sketched.kind !== "atom") return { kind: sketched.kind, of: sketched.of.map((of) => conditionFrom(of, gates)) };
  const gate = gates[sketched.gate % gates.length] as TaskNode;
  const { choice } = sketched;
  if (gate.spec.kind === "binary") return { kind: "true", task: gate.path };
  if (gate.spec.kind === "multilabel") return { kind: "has", task: gate.path, label: choice % 2 };
  if (gate.spec.kind === "classification") {
    return { kind: "isOneOf", task: gate.path, classes: choice % 2 === 0 ? [choice % 3] : [0, 2] };
  }
  return { kind: choice % 2 === 0 ? "atLeast" : "below", task: gate.path, value: 4.3 };
}

type Sketched = { readonly kind: number; readonly perToken: boolean; readonly given: Sketch | null };

/** A task per row reads gates per row alone. */
function graphFrom(sketches: readonly Sketched[]): FlowGraph {
  const tasks: TaskNode[] = [];
  for (const [index, { kind, perToken, given }] of sketches.entries()) {
    const spec = (KINDS[kind] as (typeof KINDS)[number])(perToken ? { per: "token" } : {});
    const gates = tasks.filter((task) => perToken || axisOf(task.spec) === "sample");
    const precondition = given === null || gates.length === 0 ? null : conditionFrom(given, gates);
    const names = { path: `t${index}`, name: `t${index}`, declaredName: `t${index}`, feature: "f", parent: null };
    tasks.push({ index, ...names, spec, lossWeight: 1, ownPrecondition: precondition, precondition });
  }
  return { formatVersion: 1, flow: "random", features: ["f"], tasks, flows: [] };
}

type Truth = boolean | "unknown";
interface Place {
  readonly row: number;
  readonly position: number;
}

/** The semantics, one place and one condition at a time. */
function truthOf(graph: FlowGraph, answers: readonly Float32Array[], place: Place, condition: Condition): Truth {
  const recur = (c: Condition): Truth => truthOf(graph, answers, place, c);
  if (condition.kind === "not") {
    const inner = recur(condition.of);
    return inner === "unknown" ? "unknown" : !inner;
  }
  if (condition.kind === "and" || condition.kind === "or") {
    const decisive = condition.kind === "or";
    const operands = condition.of.map(recur);
    return operands.includes(decisive) ? decisive : operands.includes("unknown") ? "unknown" : !decisive;
  }
  const gate = graph.tasks.find(({ path }) => path === condition.task) as TaskNode;
  if (gate.precondition !== null && recur(gate.precondition) !== true) return "unknown";
  const at = axisOf(gate.spec) === "token" ? place.position : place.row;
  const said = answers[gate.index]?.[at * answerWidth(gate.spec) + (condition.kind === "has" ? condition.label : 0)];
  if (said === undefined || Number.isNaN(said)) return "unknown";
  if (condition.kind === "isOneOf") return condition.classes.includes(said);
  if (condition.kind === "atLeast") return said >= Math.fround(condition.value);
  if (condition.kind === "below") return said < Math.fround(condition.value);
  return said >= 0.5;
}

describe("the masks of a flow with tasks per row and per token", () => {
  it("are those of a position-by-position evaluation in three-valued logic", () => {
    fc.assert(
      fc.property(fc.array(sketchedTask, { minLength: 1, maxLength: 8 }), lengthsOfRows, (sketches, lengths) => {
        const graph = graphFrom(sketches);
        const offsets = offsetsOf(lengths);
        const places = lengths.flatMap((length, row) =>
          Array.from({ length }, (_, i): Place => ({ row, position: (offsets[row] as number) + i })),
        );
        const rows = lengths.map((_, row): Place => ({ row, position: -1 }));
        const placesOf = ({ spec }: TaskNode) => (axisOf(spec) === "token" ? places : rows);
        const answers = graph.tasks.map((task, i) =>
          Float32Array.from((sketches[i]?.answers ?? []).slice(0, placesOf(task).length * answerWidth(task.spec))),
        );
        const expected = graph.tasks.map((task) =>
          placesOf(task).map((place) =>
            task.precondition === null || truthOf(graph, answers, place, task.precondition) === true ? 1 : 0,
          ),
        );
        expect(activeRows(graph, answers, lengths.length, offsets).map((mask) => Array.from(mask))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("hold a gate per row for every token of the row, and a gate per token for its own", () => {
    const definitions = defineTasks({
      features: ["row", "tokens"],
      tasks: { polite: binary(), noun: binary({ per: "token" }), name: binary({ per: "token" }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.polite(x.row));
      out.add(flow.noun(x.tokens).given(out.polite));
      out.add(flow.name(x.tokens).given(out.noun));
    });
    const graph = traceFlow(definitions, "main");
    expect(printGraph(graph)).toBe(
      [
        "main",
        "├── polite  [binary, row]",
        "├── noun | polite  [binary per token, tokens]",
        "└── name | noun  [binary per token, tokens]",
      ].join("\n"),
    );
    // rows of 2, 0 and 3 tokens; only the first and the second are polite
    const answers = [Float32Array.of(1, 1, 0), Float32Array.of(1, 0, 1, 1, 1), new Float32Array(5)];
    const masks = activeRows(graph, answers, 3, offsetsOf([2, 0, 3]));
    expect(masks.map((mask) => [...mask])).toEqual([
      [1, 1, 1],
      [1, 1, 0, 0, 0],
      [1, 0, 0, 0, 0],
    ]);
  });
});

describe("positions of rows", () => {
  it("lie one row after the other", () => {
    const offsets = offsetsOf([2, 0, 3]);
    expect([...offsets]).toEqual([0, 2, 2, 5]);
    expect([...overTokens(Float32Array.of(7, 8, 9), offsets)]).toEqual([7, 7, 9, 9, 9]);
    expect([...rowOfEachToken(offsets)]).toEqual([0, 0, 2, 2, 2]);
  });
});

describe("a task per row under a gate per token", () => {
  const tasks = { noun: binary({ per: "token" }), asked: binary(), guess: maskedLanguageModeling({ input: "text" }) };
  const declared = defineTasks({ features: ["f"], tasks });

  it("is refused with both names and the way out", () => {
    const definitions = declared.flow("main", (flow, x, out) => {
      out.add(flow.noun(x.f));
      out.add(flow.asked(x.f).given(out.noun.not()));
    });
    expect(() => traceFlow(definitions, "main")).toThrow(FlowError);
    expect(() => traceFlow(definitions, "main")).toThrow(
      'The task "asked" in flow "main" is asked once per row, but its precondition reads "noun", which has an answer for every token. Ask "asked" of every token too, with per: "token", or condition it on a task that is asked once per row.',
    );
  });

  it("is refused in a nested flow whose precondition is per token", () => {
    const definitions = declared
      .flow("inner", (flow, x, out) => {
        out.add(flow.asked(x.f));
      })
      .flow("main", (flow, x, out) => {
        out.add(flow.noun(x.f));
        out.add(flow.inner(x).given(out.noun));
      });
    expect(() => traceFlow(definitions, "main")).toThrow('The task "inner.asked" in flow "inner"');
  });

  it("has no gate made of masked language modelling", () => {
    const definitions = declared.flow("main", (flow, x, out) => {
      const guess = out.add(flow.guess(x.f));
      out.add(flow.noun(x.f).given(guess as never));
    });
    expect(() => traceFlow(definitions, "main")).toThrow('The precondition of "noun" is not a condition.');
  });
});
