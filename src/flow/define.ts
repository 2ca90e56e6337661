/** @file Authoring: a typed chain of tasks and flows, traced once into a flow graph. */
import { ConfigError, FlowError, UnknownNameError } from "../errors.js";
import {
  allOf,
  axisOf,
  type BinarySpec,
  type BoundedRegressionSpec,
  type ClassificationSpec,
  type Condition,
  type FlowGraph,
  type FlowNode,
  gatesOf,
  type KnownSpec,
  type MaskedLanguageModelingSpec,
  type MultilabelSpec,
  type OwnSpec,
  type TaskNode,
  type TaskSpec,
} from "./graph.js";

/** A precondition under construction. Only expressions can be given to a task or combined. */
export class Expression {
  readonly #condition: Condition;
  constructor(condition: Condition) {
    this.#condition = condition;
  }
  static toCondition(expression: Expression): Condition {
    return expression.#condition;
  }
  /** True where this is false; unknown stays unknown. */
  not(): Expression {
    return new Expression({ kind: "not", of: this.#condition });
  }
  and(...others: readonly Expression[]): Expression {
    return new Expression({ kind: "and", of: [this.#condition, ...others.map(conditionIn("and"))] });
  }
  or(...others: readonly Expression[]): Expression {
    return new Expression({ kind: "or", of: [this.#condition, ...others.map(conditionIn("or"))] });
  }
}

const HOW_TO_ASK =
  "Only a binary or known task is a condition by itself; ask a classification with .is(class), a multilabel with .has(label), a regression with .atLeast(value) or .below(value)";

/** Checks what the compiler checks, for a configuration that was never compiled. */
function conditionIn(method: "and" | "or"): (operand: Expression) => Condition {
  return (operand) => {
    if (operand instanceof Expression) return Expression.toCondition(operand);
    throw new FlowError(`${method}(…) takes conditions. ${HOW_TO_ASK}.`, { method });
  };
}

/** Gate made of a classification task. */
export interface ClassificationGate<Class extends string> {
  is(name: Class): Expression;
  isOneOf(names: readonly Class[]): Expression;
}
/** Gate made of a multilabel task. */
export interface MultilabelGate<Label extends string> {
  has(label: Label): Expression;
}
/** Gate made of a regression task; bounds in label units. */
export interface RegressionGate {
  atLeast(value: number): Expression;
  below(value: number): Expression;
}

/** A number that is also a condition by itself: true from one half up. */
export class TruthGate extends Expression implements RegressionGate {
  constructor(private readonly path: string) {
    super({ kind: "true", task: path });
  }
  atLeast(value: number): Expression {
    return new Expression({ kind: "atLeast", task: this.path, value });
  }
  below(value: number): Expression {
    return new Expression({ kind: "below", task: this.path, value });
  }
}
/** Gate made of a task whose answer no condition can read. */
export interface NoGate {
  readonly noCondition: true;
}

/** What an earlier task offers to preconditions. A binary task is a condition by itself. */
export type GateOf<Spec extends TaskSpec> = Spec extends BinarySpec | KnownSpec
  ? Expression
  : Spec extends OwnSpec<infer Gate>
    ? { readonly none: NoGate; readonly bounds: RegressionGate; readonly truth: TruthGate }[Gate]
    : Spec extends ClassificationSpec<infer Class>
      ? ClassificationGate<Class>
      : Spec extends MultilabelSpec<infer Label>
        ? MultilabelGate<Label>
        : Spec extends BoundedRegressionSpec
          ? RegressionGate
          : Spec extends MaskedLanguageModelingSpec
            ? NoGate
            : never;

/** A reference to a trunk output. */
export class FeatureReference<Name extends string = string> {
  constructor(readonly featureName: Name) {}
}
export type FeatureReferences<Feature extends string> = { readonly [Name in Feature]: FeatureReference<Name> };

/** A task or flow about to be added; immutable. `Gate` is what `out.add` returns. */
export class Use<Gate> {
  // carries the type of the gate; never read
  declare readonly gate: Gate;
  constructor(
    readonly kind: "task" | "flow",
    readonly declaredName: string,
    readonly features: FeatureReference | FeatureReferences<string> | null,
    readonly name: string = declaredName,
    readonly conditions: readonly Condition[] = [],
    readonly weight: number = 1,
  ) {}
  /** Asked only where the condition is true. Repeated calls mean `and`. */
  given(condition: Expression): Use<Gate> {
    if (!(condition instanceof Expression)) {
      throw new FlowError(
        `The precondition of "${this.name}" is not a condition. ${HOW_TO_ASK}, and add the gate to the flow before it is used.`,
        { task: this.name },
      );
    }
    const conditions = [...this.conditions, Expression.toCondition(condition)];
    return new Use(this.kind, this.declaredName, this.features, this.name, conditions, this.weight);
  }
  /** Gives this use a name of its own; needed where a task or flow is used twice. */
  as(name: string): Use<Gate> {
    assertName("use", name);
    return new Use(this.kind, this.declaredName, this.features, name, this.conditions, this.weight);
  }
  /** Multiplies the loss weight of this task, or of every task in this flow. */
  weighted(factor: number): Use<Gate> {
    assertWeight(`use of "${this.name}"`, factor);
    return new Use(this.kind, this.declaredName, this.features, this.name, this.conditions, this.weight * factor);
  }
}

type TaskMap = Readonly<Record<string, TaskSpec>>;
type Leaf<Tasks extends TaskMap> = keyof Tasks & string;
/** A leaf name or any path that ends in one. */
type PathOf<Tasks extends TaskMap> = Leaf<Tasks> | `${string}.${Leaf<Tasks>}`;
type LeafOf<Path extends string> = Path extends `${string}.${infer Rest}` ? LeafOf<Rest> : Path;

/** The tasks and earlier flows that a flow body can use. */
export type Usable<Feature extends string, Tasks extends TaskMap, Flow extends string> = {
  readonly [Name in Leaf<Tasks>]: Tasks[Name] extends KnownSpec
    ? () => Use<GateOf<Tasks[Name]>>
    : (feature: FeatureReference<Feature>) => Use<GateOf<Tasks[Name]>>;
} & { readonly [Name in Flow]: (features: FeatureReferences<Feature>) => Use<void> };

/** The answers so far: `out.x` is the nearest earlier task named x, `out.get(path)` any earlier task. */
export type Out<Tasks extends TaskMap> = {
  readonly [Name in Leaf<Tasks>]: GateOf<Tasks[Name]>;
} & {
  /** Adds a task or flow; returns the gate that the task is (nothing for a flow). */
  add<Gate>(use: Use<Gate>): Gate;
  get<Path extends PathOf<Tasks>>(path: Path): GateOf<Tasks[LeafOf<Path> & Leaf<Tasks>]>;
};

export type FlowBody<Feature extends string, Tasks extends TaskMap, Flow extends string> = (
  flow: Usable<Feature, Tasks, Flow>,
  x: FeatureReferences<Feature>,
  out: Out<Tasks>,
) => void;

type AnyBody = (flow: never, x: never, out: never) => void;

/** Options of {@link TaskDefinitions.flow}. */
export interface FlowOptions {
  /** Multiplies the loss weights of the flow's tasks; default 1. */
  readonly lossWeight?: number;
}

interface DeclaredFlow {
  readonly body: AnyBody;
  readonly lossWeight: number;
}

/** What the tracer reads of the declarations, whatever their names' types. */
export interface Definitions {
  readonly features: readonly string[];
  readonly tasks: TaskMap;
  readonly flows: ReadonlyMap<string, DeclaredFlow>;
}

/** Declared tasks, features and flows. Each `.flow(…)` returns a new value with one flow more. */
export class TaskDefinitions<
  Feature extends string = string,
  Tasks extends TaskMap = TaskMap,
  Flow extends string = string,
> implements Definitions
{
  constructor(
    readonly features: readonly Feature[],
    readonly tasks: Tasks,
    readonly flows: ReadonlyMap<string, DeclaredFlow>,
  ) {}

  /**
   * Declares a flow: which tasks are asked, of which features, under which preconditions.
   * The body may use the flows declared before it. It runs when the project is loaded.
   */
  flow<Name extends string>(
    name: Name,
    body: FlowBody<Feature, Tasks, Flow>,
    { lossWeight = 1 }: FlowOptions = {},
  ): TaskDefinitions<Feature, Tasks, Flow | Name> {
    assertName("flow", name);
    assertWeight(`flow "${name}"`, lossWeight);
    if (this.flows.has(name))
      throw new FlowError(`The flow "${name}" is declared twice. Rename one of them.`, { name });
    if (Object.hasOwn(this.tasks, name)) {
      throw new FlowError(`The flow "${name}" has the name of a task. Rename one of them.`, { name });
    }
    return new TaskDefinitions<Feature, Tasks, Flow | Name>(
      this.features,
      this.tasks,
      new Map([...this.flows, [name, { body: body as AnyBody, lossWeight }]]),
    );
  }
}

/** Declares the trunk's outputs and the questions that may be asked of them. */
export function defineTasks<const Feature extends string, const Tasks extends TaskMap>(definition: {
  readonly features: readonly Feature[];
  readonly tasks: Tasks;
}): TaskDefinitions<Feature, Tasks, never> {
  for (const feature of definition.features) assertName("feature", feature);
  for (const task of Object.keys(definition.tasks)) assertName("task", task);
  const twice = definition.features.find((name, i) => definition.features.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`The feature "${twice}" is declared twice. Name each trunk output once.`, { feature: twice });
  }
  return new TaskDefinitions(definition.features, definition.tasks, new Map());
}

// `out.add` and `out.get` are ours; "then" would make a flow look like a promise
const RESERVED = new Set(["add", "get", "then"]);

function assertName(kind: string, name: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) || RESERVED.has(name)) {
    throw new ConfigError(
      `"${name}" cannot name a ${kind}. Use letters, digits, _ and -, not starting with a digit${RESERVED.has(name) ? `; ${[...RESERVED].join(", ")} are reserved` : ""}.`,
      { kind, name },
    );
  }
}

function assertWeight(what: string, weight: number): void {
  if (Number.isFinite(weight) && weight >= 0) return;
  throw new ConfigError(`The ${what} has the loss weight ${weight}; it must be a number, 0 or more.`, { weight });
}

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
        if (spec.kind === "known") return this.#knownUse(scope, name, feature);
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
      add: (use: Use<unknown>) => this.#add(scope, use),
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
        `out.add(…) in flow "${scope.flow}" takes a use of a task or flow, like flow.some_task(x.some_feature).`,
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

  /** One answer for a whole row cannot depend on the many answers of its tokens. */
  #assertAxis(scope: Scope, path: string, spec: TaskSpec, precondition: Condition | null): void {
    if (precondition === null || axisOf(spec) === "token") return;
    const gates = gatesOf(precondition);
    const perToken = this.#tasks.find((task) => gates.has(task.path) && axisOf(task.spec) === "token");
    if (perToken === undefined) return;
    throw new FlowError(
      `The task "${path}" in flow "${scope.flow}" is asked once per row, but its precondition reads "${perToken.path}", which has an answer for every token. Ask "${path}" of every token too, with per: "token", or condition it on a task that is asked once per row.`,
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

function gate(path: string, spec: TaskSpec, flow: string): unknown {
  switch (spec.kind) {
    case "binary":
    case "known":
      return new Expression({ kind: "true", task: path });
    case "own":
      return ownGate(path, spec);
    case "classification": {
      const indexOf = (name: string) => indexOfName(spec.classes, name, "class", path, flow);
      return {
        is: (name: string) => new Expression({ kind: "isOneOf", task: path, classes: [indexOf(name)] }),
        isOneOf: (names: readonly string[]) =>
          new Expression({ kind: "isOneOf", task: path, classes: names.map(indexOf) }),
      } satisfies ClassificationGate<string>;
    }
    case "multilabel":
      return {
        has: (label: string) =>
          new Expression({ kind: "has", task: path, label: indexOfName(spec.labels, label, "label", path, flow) }),
      } satisfies MultilabelGate<string>;
    case "boundedRegression":
      return regressionGate(path);
    case "maskedLanguageModeling":
      return { noCondition: true } satisfies NoGate;
    default:
      return spec satisfies never;
  }
}

function regressionGate(path: string): RegressionGate {
  return {
    atLeast: (value) => new Expression({ kind: "atLeast", task: path, value }),
    below: (value) => new Expression({ kind: "below", task: path, value }),
  };
}

function ownGate(path: string, spec: OwnSpec): unknown {
  switch (spec.gate) {
    case "truth":
      return new TruthGate(path);
    case "bounds":
      return regressionGate(path);
    case "none":
      return { noCondition: true } satisfies NoGate;
    default:
      return spec.gate satisfies never;
  }
}

function indexOfName(known: readonly string[], name: string, kind: string, path: string, flow: string): number {
  const index = known.indexOf(name);
  if (index < 0) throw new UnknownNameError(kind, name, known, `task "${path}", asked in flow "${flow}"`);
  return index;
}
