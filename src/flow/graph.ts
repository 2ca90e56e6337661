/** @file The flow graph: plain, serialisable data that everything else walks. */
import { flowFacts } from "./kinds.js";
import type { Axis, PixelSize, TaskSpec } from "./specs.js";

export type * from "./specs.js";

/** A statement about one task's answer. `task` is the gate's full path. */
export type ConditionAtom =
  | { readonly kind: "true"; readonly task: string }
  | { readonly kind: "isOneOf"; readonly task: string; readonly classes: readonly number[] }
  | { readonly kind: "has"; readonly task: string; readonly label: number }
  /** In label units. */
  | { readonly kind: "atLeast"; readonly task: string; readonly value: number }
  | { readonly kind: "below"; readonly task: string; readonly value: number };

/** A precondition: three-valued (Kleene) logic over statements about earlier tasks. */
export type Condition =
  | ConditionAtom
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "and"; readonly of: readonly Condition[] }
  | { readonly kind: "or"; readonly of: readonly Condition[] };

/** One use of a task in the traced flow. */
export interface TaskNode {
  /** Position in `FlowGraph.tasks`; gates always have a smaller index than what they gate. */
  readonly index: number;
  /** Unique name, e.g. `person_regression.face_regression.face_x1`. */
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  /** Name under which the task was declared; differs from `name` after `.as(…)`. */
  readonly declaredName: string;
  /** Trunk output that the task's head reads; null where it has none. */
  readonly feature: string | null;
  readonly spec: TaskSpec;
  /** Weight in the total loss: the task's own times those of the flows around it. */
  readonly lossWeight: number;
  /** What `.given(…)` said at this use; null: always. */
  readonly ownPrecondition: Condition | null;
  /** Own and all enclosing preconditions; null: always. */
  readonly precondition: Condition | null;
  /** Path of the latest gate that the precondition reads: where the task hangs in explanation trees. */
  readonly parent: string | null;
}

/** One use of a flow inside the traced flow, for printing. */
export interface FlowNode {
  readonly path: string;
  readonly name: string;
  readonly declaredName: string;
  readonly ownPrecondition: Condition | null;
  /** Number of tasks added before this flow's first task. */
  readonly firstTask: number;
  readonly taskCount: number;
}

/** What the answers to one input never say together. */
export type Contract =
  | { readonly kind: "never"; readonly condition: Condition }
  | { readonly kind: "implies"; readonly condition: Condition; readonly consequence: Condition };

export interface FlowGraph {
  readonly formatVersion: 1;
  /** Name of the flow that was traced. */
  readonly flow: string;
  /** All declared trunk outputs, in declaration order. */
  readonly features: readonly string[];
  /** In the order in which the flow added them. */
  readonly tasks: readonly TaskNode[];
  /** Nested flows, outer before inner. */
  readonly flows: readonly FlowNode[];
  /** In the order in which the flow added them; not there where it adds none. */
  readonly contracts?: readonly Contract[];
}

/** What the task has one answer for. It follows from the spec alone, so nothing stores it twice. */
export function axisOf(spec: TaskSpec): Axis {
  return flowFacts(spec).axis(spec);
}

/** Whether the task has an answer for each element of a sample, a token or a pixel, and not one for all of it. */
export function isPerElement(spec: TaskSpec): boolean {
  return axisOf(spec) !== "sample";
}

/** What tasks of the graph that are asked of elements are asked of; null where there are none. No graph asks of both. */
export function elementAxis({ tasks }: FlowGraph): "token" | "pixel" | null {
  for (const { spec } of tasks) {
    const axis = axisOf(spec);
    if (axis !== "sample") return axis;
  }
  return null;
}

/** A spec of a task per pixel. */
export type PixelSpec = TaskSpec & { readonly per: "pixel"; readonly size: PixelSize };

/** Whether the task is asked of every pixel. @throws Error, a fault of the caller, before the project is loaded */
export function isPerPixel<S extends TaskSpec>(spec: S): spec is S & PixelSpec {
  if (axisOf(spec) !== "pixel") return false;
  if (!("size" in spec)) throw new Error("a task per pixel has its size once the project is loaded");
  return true;
}

/** Pixels of each sample in a graph that asks of pixels; null in any other. */
export function pixelsPerSample({ tasks }: Pick<FlowGraph, "tasks">): number | null {
  for (const { spec } of tasks) if (isPerPixel(spec)) return spec.size[0] * spec.size[1];
  return null;
}

/** Whether any task of the graph has one answer per token. */
export function hasTokenTasks({ tasks }: FlowGraph): boolean {
  return tasks.some(({ spec }) => axisOf(spec) === "token");
}

/** Children of a condition, for walkers. */
export function operands(condition: Condition): readonly Condition[] {
  switch (condition.kind) {
    case "not":
      return [condition.of];
    case "and":
    case "or":
      return condition.of;
    case "true":
    case "isOneOf":
    case "has":
    case "atLeast":
    case "below":
      return [];
    default:
      return condition satisfies never;
  }
}

/** Paths of the tasks that a condition reads, each once. */
export function gatesOf(condition: Condition): ReadonlySet<string> {
  const gates = new Set<string>();
  const visit = (c: Condition): void => {
    if ("task" in c) gates.add(c.task);
    for (const operand of operands(c)) visit(operand);
  };
  visit(condition);
  return gates;
}

// conditions of a graph never change, and a server reads those of one graph again and again
const keys = new WeakMap<Condition, string>();

/** The same for conditions that are equal. */
export function conditionKey(condition: Condition | null): string {
  if (condition === null) return "null";
  const key = keys.get(condition) ?? JSON.stringify(condition);
  keys.set(condition, key);
  return key;
}

/** Conjunction without nesting; null when nothing is asked. */
export function allOf(conditions: readonly (Condition | null)[]): Condition | null {
  const flat = conditions.flatMap((c) => (c === null ? [] : c.kind === "and" ? c.of : [c]));
  if (flat.length === 0) return null;
  const [first] = flat;
  return flat.length === 1 && first !== undefined ? first : { kind: "and", of: flat };
}

/** The task at a path. Callers have validated the path. */
export function taskAt(graph: FlowGraph, path: string): TaskNode {
  const node = graph.tasks.find((task) => task.path === path);
  if (node === undefined) throw new Error(`graph has no task ${path}`);
  return node;
}
