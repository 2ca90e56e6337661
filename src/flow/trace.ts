/** @file The tracer: runs a flow function once and writes down what it says, as a flow graph. */
import { FlowError, UnknownNameError } from "../errors.js";
import {
  type ClassificationGate,
  ContractUse,
  type DeclaredFlow,
  type Definitions,
  Expression,
  FeatureReference,
  type FeatureReferences,
  type FlowBody,
  type MultilabelGate,
  type NoGate,
  type OrdinalGate,
  type Out,
  type RegressionGate,
  type TaskMap,
  TruthGate,
  type Usable,
  Use,
} from "./define.js";
import {
  allOf,
  axisOf,
  isPerElement,
  type Condition,
  type Contract,
  type FlowGraph,
  type FlowNode,
  gatesOf,
  type TaskNode,
  type TaskSpec,
} from "./graph.js";
import { flowFacts, type GateForm } from "./kinds.js";

/** Runs the body of `flowName` (and of the flows it uses) once and returns what they said as data. */
export function traceFlow(definitions: Definitions, flowName: string): FlowGraph {
  if (!definitions.flows.has(flowName)) {
    throw new UnknownNameError("flow", flowName, definitions.flows.keys(), "the project's flow");
  }
  return new Tracer(definitions).trace(flowName);
}

/** A flow being traced. Scopes nest as uses of flows do. */
interface Scope {
  readonly flow: string;
  /** Path prefix of its tasks, `""` or ending in a dot. */
  readonly prefix: string;
  readonly enclosing: Condition | null;
  /** Multiplies the loss weights of its tasks. */
  readonly weight: number;
  readonly parent: Scope | null;
}

class Tracer {
  readonly #definitions: Definitions;
  readonly #tasks: TaskNode[] = [];
  readonly #flows: FlowNode[] = [];
  readonly #contracts: Contract[] = [];

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  trace(flowName: string): FlowGraph {
    const features = Object.fromEntries(
      this.#definitions.features.map((name) => [name, new FeatureReference(name)] as const),
    );
    this.#run({ flow: flowName, prefix: "", enclosing: null, weight: 1, parent: null }, features);
    if (this.#tasks.length === 0) {
      throw new FlowError(
        `The flow "${flowName}" adds no task. Add one with out.add(flow.some_task(x.some_feature)).`,
        {
          flow: flowName,
        },
      );
    }
    if (this.#tasks.every(({ feature }) => feature === null)) {
      throw new FlowError(
        `The flow "${flowName}" asks the network nothing: all its tasks are known. Add one that reads a feature.`,
        { flow: flowName },
      );
    }
    return {
      formatVersion: 1,
      flow: flowName,
      features: [...this.#definitions.features],
      tasks: this.#tasks,
      flows: this.#flows,
      ...(this.#contracts.length === 0 ? {} : { contracts: this.#contracts }),
    };
  }

  #run(scope: Scope, features: FeatureReferences<string>): void {
    const { body, lossWeight } = this.#definitions.flows.get(scope.flow) as DeclaredFlow;
    const weighted = { ...scope, weight: scope.weight * lossWeight };
    const run = body as unknown as FlowBody<string, TaskMap, string>;
    run(this.#usable(weighted), namedProxy(features, "feature", `flow "${scope.flow}"`), this.#out(weighted));
  }

  #usable(scope: Scope): Usable<string, TaskMap, string> {
    const { tasks, flows } = this.#definitions;
    const uses: Record<string, (features?: FeatureReference | FeatureReferences<string>) => Use<unknown>> = {};
    for (const [name, spec] of Object.entries(tasks)) {
      uses[name] = (feature) => {
        if (!flowFacts(spec).readsFeature) return this.#knownUse(scope, name, feature);
        if (!(feature instanceof FeatureReference)) {
          throw new FlowError(
            `The task "${name}" in flow "${scope.flow}" reads no feature. Write flow.${name}(x.${this.#definitions.features[0] ?? "some_feature"}).`,
            { flow: scope.flow, task: name },
          );
        }
        return new Use("task", name, feature);
      };
    }
    // a flow may use those declared before it, so no cycle can be written
    const earlier = [...flows.keys()].slice(0, [...flows.keys()].indexOf(scope.flow));
    for (const name of earlier) {
      uses[name] = (given) => {
        if (given instanceof FeatureReference || given === undefined) {
          throw new FlowError(`The flow "${name}" in flow "${scope.flow}" takes all features. Write flow.${name}(x).`, {
            flow: scope.flow,
            use: name,
          });
        }
        return new Use("flow", name, given);
      };
    }
    return namedProxy(uses, "task or earlier flow", `flow "${scope.flow}"`) as Usable<string, TaskMap, string>;
  }

  #knownUse(scope: Scope, name: string, feature: unknown): Use<unknown> {
    if (feature === undefined) return new Use("task", name, null);
    throw new FlowError(
      `The task "${name}" in flow "${scope.flow}" is known, so it reads no feature. Write flow.${name}().`,
      { flow: scope.flow, task: name },
    );
  }

  #out(scope: Scope): Out<TaskMap> {
    const own = {
      add: (use: Use<unknown> | ContractUse) =>
        use instanceof ContractUse ? void this.#contracts.push(use.contract) : this.#add(scope, use),
      get: (path: string) => this.#gate(scope, path),
    };
    return new Proxy(own, {
      get: (target, key) =>
        typeof key === "symbol" || Object.hasOwn(target, key) ? Reflect.get(target, key) : this.#gate(scope, key),
    }) as unknown as Out<TaskMap>;
  }

  #add(scope: Scope, use: Use<unknown>): unknown {
    if (!(use instanceof Use)) {
      throw new FlowError(
        `out.add(…) in flow "${scope.flow}" takes a use of a task or flow, like flow.some_task(x.some_feature), or a contract, like never(out.some_task).`,
        { flow: scope.flow },
      );
    }
    const path = scope.prefix + use.name;
    this.#assertFree(scope, use, path);
    const ownPrecondition = allOf(use.conditions);
    const precondition = allOf([scope.enclosing, ownPrecondition]);
    if (use.kind === "flow") {
      const firstTask = this.#tasks.length;
      const index = this.#flows.length;
      const node = { path, name: use.name, declaredName: use.declaredName, ownPrecondition, firstTask };
      this.#flows.push({ ...node, taskCount: 0 });
      this.#run(
        {
          flow: use.declaredName,
          prefix: `${path}.`,
          enclosing: precondition,
          weight: scope.weight * use.weight,
          parent: scope,
        },
        use.features as FeatureReferences<string>,
      );
      this.#flows[index] = { ...node, taskCount: this.#tasks.length - firstTask };
      return undefined;
    }
    const spec = this.#definitions.tasks[use.declaredName] as TaskSpec;
    this.#assertAxis(scope, path, spec, precondition);
    this.#tasks.push({
      index: this.#tasks.length,
      path,
      name: use.name,
      declaredName: use.declaredName,
      feature: use.features === null ? null : (use.features as FeatureReference).featureName,
      spec,
      lossWeight: (spec.lossWeight ?? 1) * scope.weight * use.weight,
      ownPrecondition,
      precondition,
      parent: this.#latestGate(precondition),
    });
    return gate(path, spec, scope.flow);
  }

  #assertFree(scope: Scope, use: Use<unknown>, path: string): void {
    const taken = this.#tasks.some((t) => t.path === path) || this.#flows.some((f) => f.path === path);
    if (taken) {
      throw new FlowError(
        `The flow "${scope.flow}" adds "${use.name}" twice. Give the second use a name: flow.${use.declaredName}(…).as("${use.name}_2").`,
        { flow: scope.flow, path },
      );
    }
  }

  /** One answer for a whole row cannot depend on the many answers of its elements, and no row has tokens and pixels. */
  #assertAxis(scope: Scope, path: string, spec: TaskSpec, precondition: Condition | null): void {
    const axis = axisOf(spec);
    const other = this.#tasks.find((task) => isPerElement(task.spec) && axisOf(task.spec) !== axis);
    if (axis !== "sample" && other !== undefined) {
      throw new FlowError(
        `The task "${path}" in flow "${scope.flow}" is asked of every ${axis}, and "${other.path}" of every ${axisOf(other.spec)}. A flow asks of one of them: make a project of its own for the other.`,
        { flow: scope.flow, tasks: [other.path, path] },
      );
    }
    if (precondition === null || axis !== "sample") return;
    const gates = gatesOf(precondition);
    const perToken = this.#tasks.find((task) => gates.has(task.path) && isPerElement(task.spec));
    if (perToken === undefined) return;
    const element = axisOf(perToken.spec);
    throw new FlowError(
      `The task "${path}" in flow "${scope.flow}" is asked once per row, but its precondition reads "${perToken.path}", which has an answer for every ${element}. Ask "${path}" of every ${element} too, with per: "${element}", or condition it on a task that is asked once per row.`,
      { flow: scope.flow, task: path, gate: perToken.path },
    );
  }

  #latestGate(precondition: Condition | null): string | null {
    if (precondition === null) return null;
    const gates = gatesOf(precondition);
    return this.#tasks.findLast((task) => gates.has(task.path))?.path ?? null;
  }

  /** Nearest earlier task of that name or path: own flow first, then the enclosing ones. */
  #gate(scope: Scope, wanted: string): unknown {
    for (let s: Scope | null = scope; s !== null; s = s.parent) {
      const { prefix } = s;
      const found =
        this.#tasks.findLast((task) => task.path === prefix + wanted) ??
        this.#tasks.findLast((task) => task.path.startsWith(prefix) && task.path.endsWith(`.${wanted}`));
      if (found !== undefined) return gate(found.path, found.spec, scope.flow);
    }
    if (Object.hasOwn(this.#definitions.tasks, wanted)) {
      throw new FlowError(
        `The flow "${scope.flow}" uses "${wanted}" as a gate before it is added. Add it first: out.add(flow.${wanted}(…)).`,
        { flow: scope.flow, gate: wanted },
      );
    }
    throw new UnknownNameError(
      "earlier task",
      wanted,
      this.#tasks.map((task) => task.path),
      `flow "${scope.flow}"`,
    );
  }
}

/** Object whose unknown keys are errors with the nearest name. */
function namedProxy<T extends object>(target: T, kind: string, where: string): T {
  return new Proxy(target, {
    get: (object, key) => {
      if (typeof key === "symbol" || Object.hasOwn(object, key)) return Reflect.get(object, key);
      throw new UnknownNameError(kind, key, Object.keys(object), where);
    },
  });
}

/** What `out.add` gives of a task, by how conditions read its answer. @param indexOf place of a name among its names */
type MakeGate = (path: string, indexOf: (name: string, kind: "class" | "label" | "level") => number) => unknown;

const regressionGate = (path: string): RegressionGate => ({
  atLeast: (value) => new Expression({ kind: "atLeast", task: path, value }),
  below: (value) => new Expression({ kind: "below", task: path, value }),
});

const gates: { readonly [F in GateForm]: MakeGate } = {
  truth: (path) => new Expression({ kind: "true", task: path }),
  "truth and bounds": (path) => new TruthGate(path),
  class: (path, indexOf): ClassificationGate<string> => ({
    is: (name) => new Expression({ kind: "isOneOf", task: path, classes: [indexOf(name, "class")] }),
    isOneOf: (names) =>
      new Expression({ kind: "isOneOf", task: path, classes: names.map((name) => indexOf(name, "class")) }),
  }),
  label: (path, indexOf): MultilabelGate<string> => ({
    has: (label) => new Expression({ kind: "has", task: path, label: indexOf(label, "label") }),
  }),
  level: (path, indexOf): OrdinalGate<string> => ({
    atLeast: (level) => new Expression({ kind: "atLeast", task: path, value: indexOf(level, "level") }),
    below: (level) => new Expression({ kind: "below", task: path, value: indexOf(level, "level") }),
  }),
  bounds: regressionGate,
  none: (): NoGate => ({ noCondition: true }),
};

function gate(path: string, spec: TaskSpec, flow: string): unknown {
  const facts = flowFacts(spec);
  return gates[facts.gate(spec)](path, (name, kind) => indexOfName(facts.names(spec), name, kind, path, flow));
}

function indexOfName(known: readonly string[], name: string, kind: string, path: string, flow: string): number {
  const index = known.indexOf(name);
  if (index < 0) throw new UnknownNameError(kind, name, known, `task "${path}", asked in flow "${flow}"`);
  return index;
}
