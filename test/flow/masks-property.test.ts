/** @file Compiled masks against a row-by-row evaluator, over random flows, answers and missing answers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineTasks, type Expression } from "../../src/flow/define.js";
import type { Condition, FlowGraph, TaskNode, TaskSpec } from "../../src/flow/graph.js";
import { activeRows, answerWidth } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
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
    case "regression":
    case "ordinal":
    case "box":
    case "point":
    case "maskedLanguageModeling":
    case "custom":
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
      { numRuns: 4000 },
    );
  });
});

/** A flow as it may be written: tasks, and flows of flows, each with or without a condition. */
type Item =
  | {
      readonly kind: "task";
      readonly spec: TaskSpec;
      readonly given: Sketch | null;
      readonly answers: readonly number[];
    }
  | { readonly kind: "flow"; readonly given: Sketch | null; readonly items: readonly Item[] };

const given = fc.option(sketch);
const { items } = fc.letrec<{ items: readonly Item[]; item: Item }>((tie) => ({
  items: fc.array(tie("item"), { minLength: 1, maxLength: 4 }),
  item: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    sketchedTask.map((task): Item => ({ kind: "task", ...task })),
    fc.record({ kind: fc.constant("flow" as const), given, items: tie("items") }),
  ),
}));

/** What the text of a flow function works with, whatever the names' types. */
interface LooseGate extends Expression {
  is(name: string): Expression;
  isOneOf(names: readonly string[]): Expression;
  has(label: string): Expression;
  atLeast(value: number): Expression;
  below(value: number): Expression;
}
interface LooseUse {
  given(condition: Expression): LooseUse;
}
interface LooseOut {
  add(use: LooseUse): unknown;
  get(path: string): LooseGate;
}
type LooseBody = (flow: Record<string, (x: unknown) => LooseUse>, x: Record<string, unknown>, out: LooseOut) => void;

/** A task, and the conditions around it with the tasks that there were when each was written. */
interface Written {
  readonly path: string;
  readonly spec: TaskSpec;
  readonly answers: Float32Array;
  readonly conditions: readonly { readonly sketched: Sketch; readonly earlier: readonly Written[] }[];
}

/** The condition as a user writes it. */
function written(sketched: Sketch, earlier: readonly Written[], out: LooseOut): Expression {
  const recur = (one: Sketch): Expression => written(one, earlier, out);
  if (sketched.kind === "not") return recur(sketched.of).not();
  if (sketched.kind !== "atom") {
    const join = (a: Expression, b: Expression) => (sketched.kind === "and" ? a.and(b) : a.or(b));
    return sketched.of.map(recur).reduce(join);
  }
  const { path, spec } = earlier[sketched.gate % earlier.length] as Written;
  const { choice } = sketched;
  const gate = out.get(path);
  switch (spec.kind) {
    case "classification":
      if (choice % 2 === 0) return gate.is(spec.classes[choice % 3] as string);
      return gate.isOneOf([spec.classes[0] as string, spec.classes[2] as string]);
    case "multilabel":
      return gate.has(spec.labels[choice % 2] as string);
    case "boundedRegression":
      return choice % 2 === 0 ? gate.atLeast(4.3) : gate.below(4.3);
    default:
      return gate;
  }
}

/** The flow of all items, written with `defineTasks`, traced; beside it what its tasks are by themselves. */
function author(all: readonly Item[]): { readonly graph: FlowGraph; readonly tasks: readonly Written[] } {
  const specs: Record<string, TaskSpec> = {};
  const bodies: { readonly name: string; readonly body: LooseBody }[] = [];
  const tasks: Written[] = [];
  const declare = (own: readonly Item[], prefix: string, around: Written["conditions"]): LooseBody => {
    const lines = own.map((item) => {
      const earlier = [...tasks];
      const { given: asked } = item;
      // nothing can be a gate of the first task
      const sketched = earlier.length === 0 ? null : asked;
      const conditions = sketched === null ? around : [...around, { sketched, earlier }];
      const given = (use: LooseUse, out: LooseOut) =>
        sketched === null ? use : use.given(written(sketched, earlier, out));
      if (item.kind === "task") {
        const name = `t${Object.keys(specs).length}`;
        specs[name] = item.spec;
        const answers = Float32Array.from(item.answers.slice(0, ROWS * answerWidth(item.spec)));
        tasks.push({ path: prefix + name, spec: item.spec, answers, conditions });
        return { name, feature: true, given };
      }
      const name = `s${Object.keys(specs).length}_${bodies.length}_${prefix.length}`;
      const body = declare(item.items, `${prefix}${name}.`, conditions);
      bodies.push({ name, body });
      return { name, feature: false, given };
    });
    return (flow, x, out) => {
      for (const { name, feature, given: ask } of lines) {
        const use = flow[name] as (features: unknown) => LooseUse;
        out.add(ask(use(feature ? x.f : x), out));
      }
    };
  };
  const main = declare(all, "", []);
  const declared = [...bodies, { name: "main", body: main }].reduce(
    (definitions, { name, body }) => definitions.flow(name, body as never),
    defineTasks({ features: ["f"], tasks: specs }) as ReturnType<ReturnType<typeof defineTasks>["flow"]>,
  );
  return { graph: traceFlow(declared, "main"), tasks };
}

/** Whether a task is asked of a row: every condition around it is true, and the gates were asked themselves. */
function isAsked(task: Written, row: number): boolean {
  return task.conditions.every(({ sketched, earlier }) => truthOfSketch(sketched, earlier, row) === true);
}

function truthOfSketch(sketched: Sketch, earlier: readonly Written[], row: number): Truth {
  if (sketched.kind !== "atom") {
    const operands = (sketched.kind === "not" ? [sketched.of] : sketched.of).map((one) =>
      truthOfSketch(one, earlier, row),
    );
    const [first = "unknown"] = operands;
    if (sketched.kind === "not") return first === "unknown" ? "unknown" : !first;
    const decisive = sketched.kind === "or";
    return operands.includes(decisive) ? decisive : operands.includes("unknown") ? "unknown" : !decisive;
  }
  const gate = earlier[sketched.gate % earlier.length] as Written;
  if (!isAsked(gate, row)) return "unknown";
  const { spec, answers } = gate;
  const { choice } = sketched;
  const said = answers[row * answerWidth(spec) + (spec.kind === "multilabel" ? choice % 2 : 0)] as number;
  if (Number.isNaN(said)) return "unknown";
  switch (spec.kind) {
    case "classification":
      return choice % 2 === 0 ? said === choice % 3 : said === 0 || said === 2;
    case "boundedRegression":
      return choice % 2 === 0 ? said >= Math.fround(4.3) : said < Math.fround(4.3);
    default:
      return said >= 0.5;
  }
}

describe("the masks of flows in flows, as they are written", () => {
  it("are those of a row-by-row evaluation of the text", () => {
    fc.assert(
      fc.property(items, (all) => {
        fc.pre(JSON.stringify(all).includes('"task"'));
        const { graph, tasks } = author(all);
        expect(graph.tasks.map(({ path }) => path)).toEqual(tasks.map(({ path }) => path));
        const masks = activeRows(
          graph,
          tasks.map(({ answers }) => answers),
          ROWS,
        );
        const expected = tasks.map((task) => Array.from({ length: ROWS }, (_, row) => (isAsked(task, row) ? 1 : 0)));
        expect(masks.map((mask) => [...mask])).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });
});
