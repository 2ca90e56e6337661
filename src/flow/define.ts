/** @file Authoring: a typed chain of tasks and flows, and what a flow function is written with. */
import { ConfigError, FlowError } from "../errors.js";
import { checkOptions, LIST } from "../options.js";
import type {
  ClassificationSpec,
  Condition,
  Contract,
  CustomSpec,
  KnownSpec,
  MultilabelSpec,
  OrdinalSpec,
  TaskSpec,
} from "./graph.js";

/** A contract under construction: see `never` and `implies`. */
export class ContractUse {
  readonly contract: Contract;
  constructor(contract: Contract) {
    this.contract = contract;
  }
}

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
  "Only a binary or known task is a condition by itself; ask a classification with .is(class), a multilabel with .has(label), an ordinal with .atLeast(level) or .below(level), a regression with .atLeast(value) or .below(value)";

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
/** Gate made of an ordinal task. */
export interface OrdinalGate<Level extends string> {
  /** True from this level up. */
  atLeast(level: Level): Expression;
  /** True under this level. */
  below(level: Level): Expression;
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
export type GateOf<Spec extends TaskSpec> = Gates<Spec>[Spec["kind"]];

/** By kind: one without its gate does not compile. */
interface Gates<Spec extends TaskSpec> {
  readonly binary: Expression;
  readonly known: Expression;
  readonly classification: Spec extends ClassificationSpec<infer Class> ? ClassificationGate<Class> : never;
  readonly multilabel: Spec extends MultilabelSpec<infer Label> ? MultilabelGate<Label> : never;
  readonly boundedRegression: RegressionGate;
  readonly regression: RegressionGate;
  readonly ordinal: Spec extends OrdinalSpec<infer Level> ? OrdinalGate<Level> : never;
  readonly box: NoGate;
  readonly point: NoGate;
  readonly maskedLanguageModeling: NoGate;
  readonly custom: Spec extends CustomSpec<infer Gate>
    ? { readonly none: NoGate; readonly bounds: RegressionGate; readonly truth: TruthGate }[Gate]
    : never;
}

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

export type TaskMap = Readonly<Record<string, TaskSpec>>;
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
  /** Adds a contract: what the answers never say together. */
  add(contract: ContractUse): void;
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

export interface DeclaredFlow {
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
    options: FlowOptions = {},
  ): TaskDefinitions<Feature, Tasks, Flow | Name> {
    assertName("flow", name);
    checkOptions("flow", options, { lossWeight: null });
    const { lossWeight = 1 } = options;
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
  checkOptions("defineTasks", definition, { features: LIST, tasks: null });
  for (const feature of definition.features) assertName("feature", feature);
  assertOwnNames("tasks", definition.tasks);
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
  const reserved = RESERVED.has(name)
    ? `; ${[...RESERVED].join(", ")} are reserved`
    : // every object of the language has these, so an object of tasks would seem to have them, too
      name in Object.prototype
      ? "; JavaScript gives every object a member of this name"
      : "";
  if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) && reserved === "") return;
  throw new ConfigError(
    `"${name}" cannot name a ${kind}. Use letters, digits, _ and -, not starting with a digit${reserved}.`,
    { kind, name },
  );
}

/** @throws ConfigError for names that every object has; `{ __proto__: … }` names nothing: it changes what the object is */
export function assertOwnNames(what: string, named: object): void {
  const prototype: unknown = Object.getPrototypeOf(named);
  const isPlain = prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
  const wrong = isPlain ? Object.keys(named).find((name) => name in Object.prototype) : "__proto__";
  if (wrong === undefined) return;
  throw new ConfigError(
    `"${wrong}" cannot be a name among the ${what}: JavaScript gives every object a member of this name. Use another.`,
    { kind: what, name: wrong },
  );
}

function assertWeight(what: string, weight: number): void {
  if (Number.isFinite(weight) && weight >= 0) return;
  throw new ConfigError(`The ${what} has the loss weight ${weight}; it must be a number, 0 or more.`, { weight });
}
