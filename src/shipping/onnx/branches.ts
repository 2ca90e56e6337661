/** @file Which layers of a network only gated questions need, and when: the plan of an export's `If` branches. */
import { isPerElement, type Condition, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { SavedLayer, SavedLayers } from "./saved-layers.js";

/** Layers that run where one of some questions is asked of any row. */
export interface Branch {
  /** The questions: whatever else needs these layers is asked only where one of them is. */
  readonly owners: readonly string[];
  /** Names, each after those that it reads. */
  readonly layers: readonly string[];
}

/** Layers that always run are in no branch. */
export interface BranchPlan {
  readonly branches: readonly Branch[];
  /** The branch of a layer. */
  readonly of: ReadonlyMap<string, Branch>;
}

export const NO_BRANCHES: BranchPlan = { branches: [], of: new Map() };

/** What is so wherever a condition holds: its parts that must, and which questions must be asked. */
type Facts = ReadonlySet<string>;

const isAsked = (task: string): string => `asked ${task}`;
const holds = (condition: Condition): string => `holds ${JSON.stringify(condition)}`;

/** By paths; gates come before what they gate. */
class Questions {
  readonly #byPath: ReadonlyMap<string, TaskNode>;
  readonly #facts = new Map<string, Facts>();

  constructor({ tasks }: FlowGraph) {
    this.#byPath = new Map(tasks.map((task) => [task.path, task]));
  }

  /** What is so wherever a question is asked. */
  facts(path: string): Facts {
    const known = this.#facts.get(path);
    if (known !== undefined) return known;
    const precondition = this.#byPath.get(path)?.precondition ?? null;
    const facts = new Set([isAsked(path), ...(precondition === null ? [] : this.#factsOf(precondition, true))]);
    this.#facts.set(path, facts);
    return facts;
  }

  /** @param isTrue whether the condition is true; else it is false, not unknown */
  #factsOf(condition: Condition, isTrue: boolean): Facts {
    if (condition.kind === "not") {
      const inner = this.#factsOf(condition.of, !isTrue);
      return isTrue ? new Set([holds(condition), ...inner]) : inner;
    }
    if (condition.kind !== "and" && condition.kind !== "or") {
      // an answer says something, one way or the other, only where its question is asked
      return new Set([...(isTrue ? [holds(condition)] : []), ...this.facts(condition.task)]);
    }
    const parts = condition.of.map((part) => this.#factsOf(part, isTrue));
    const isAll = (condition.kind === "and") === isTrue;
    const [first = new Set<string>(), ...others] = parts;
    const shared = isAll
      ? parts.flatMap((part) => [...part])
      : [...first].filter((fact) => others.every((part) => part.has(fact)));
    return new Set([...(isTrue ? [holds(condition)] : []), ...shared]);
  }

  /** Whether a question is asked only where another one is. */
  implies(path: string, other: string): boolean {
    const facts = this.facts(path);
    if (facts.has(isAsked(other))) return true;
    const precondition = this.#byPath.get(other)?.precondition ?? null;
    return precondition === null || conjuncts(precondition).every((part) => facts.has(holds(part)));
  }

  /** Questions whose answers tell whether one is asked, and those behind them. */
  gatesOf(path: string): ReadonlySet<string> {
    const gates = new Set<string>();
    const waiting = [...tasksIn(this.#byPath.get(path)?.precondition ?? null)];
    for (let gate = waiting.pop(); gate !== undefined; gate = waiting.pop()) {
      if (gates.has(gate)) continue;
      gates.add(gate);
      waiting.push(...tasksIn(this.#byPath.get(gate)?.precondition ?? null));
    }
    return gates;
  }
}

function conjuncts(condition: Condition): readonly Condition[] {
  return condition.kind === "and" ? condition.of.flatMap(conjuncts) : [condition];
}

function tasksIn(condition: Condition | null): readonly string[] {
  if (condition === null) return [];
  if (condition.kind === "not") return tasksIn(condition.of);
  if (condition.kind === "and" || condition.kind === "or") return condition.of.flatMap(tasksIn);
  return [condition.task];
}

/**
 * The branches of a network. A layer that a question without a precondition needs, or one on whose answers hangs whether
 * the layer is needed, is in none.
 * @param isFree whether a layer may be left out, as far as its output goes
 */
export function planBranches(flow: FlowGraph, saved: SavedLayers, isFree: (layer: string) => boolean): BranchPlan {
  const questions = new Questions(flow);
  const users = usersOf(flow, saved);
  const byKey = new Map<string, { readonly owners: readonly string[]; readonly layers: SavedLayer[] }>();
  for (const layer of saved.layers) {
    const own = users.get(layer.name) ?? [];
    const owners = layer.className === "InputLayer" ? null : ownersOf(own, questions);
    if (owners === null) continue;
    const key = owners.join("\n");
    const branch = byKey.get(key) ?? { owners, layers: [] };
    branch.layers.push(layer);
    byKey.set(key, branch);
  }
  const branches = [...byKey.values()]
    .filter(({ layers }) => crossing(layers, saved, flow).every(isFree))
    .map(({ owners, layers }): Branch => ({ owners, layers: layers.map(({ name }) => name) }));
  return { branches, of: new Map(branches.flatMap((branch) => branch.layers.map((name) => [name, branch] as const))) };
}

/** Outputs of a branch: layers that others read, and heads. */
export function crossing(inside: readonly SavedLayer[], { layers }: SavedLayers, { tasks }: FlowGraph): string[] {
  const names = new Set(inside.map(({ name }) => name));
  const read = new Set(layers.flatMap(({ name, inputs }) => (names.has(name) ? [] : inputs)));
  const heads = new Set(tasks.map(({ path }) => path));
  return [...names].filter((name) => read.has(name) || heads.has(name));
}

/** Of the questions that need a layer those that imply no earlier one; null where it always runs. */
function ownersOf(users: readonly TaskNode[], questions: Questions): readonly string[] | null {
  if (users.length === 0 || users.some(({ precondition }) => precondition === null)) return null;
  const paths = users.map(({ path }) => path);
  const owners: string[] = [];
  for (const path of paths) if (!owners.some((owner) => questions.implies(path, owner))) owners.push(path);
  const gates = owners.flatMap((owner) => [...questions.gatesOf(owner)]);
  return gates.some((gate) => paths.includes(gate)) ? null : owners;
}

/** Questions that need each layer, in the order of the flow. */
function usersOf({ tasks }: FlowGraph, { layers }: SavedLayers): ReadonlyMap<string, TaskNode[]> {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const users = new Map<string, TaskNode[]>();
  for (const task of tasks) {
    if (behaviourOf(task.spec).answeredBy !== "network") continue;
    const waiting = [task.path];
    const seen = new Set<string>();
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      users.set(name, [...(users.get(name) ?? []), task]);
      waiting.push(...(byName.get(name)?.inputs ?? []));
    }
  }
  return users;
}

/** Whether zeros can stand for a value: what is free of its size is known from the batch, or the tokens of a task. */
export function canBeZeros(shape: readonly (number | null)[], head: TaskNode | undefined): boolean {
  const isPerToken = head !== undefined && isPerElement(head.spec);
  return shape.every((size, axis) => size !== null || axis === 0 || (isPerToken && axis === 1));
}
