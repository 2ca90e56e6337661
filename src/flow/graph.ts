/** @file The flow graph: plain, serialisable data that everything else walks. */

/** Options that every kind of task takes. */
export interface CommonTaskOptions {
  /** Label column, if it is neither the task's path nor its leaf name. */
  readonly column?: string;
  /** Constant weight of the task's masked mean in the total loss; default 1. */
  readonly lossWeight?: number;
}

/** What a task has one answer for: each row of the table, or each token of the row's sequence. */
export type Axis = "sample" | "token";

/** Options of tasks that may be asked of every token of a sequence. */
export interface TokenTaskOptions {
  /** Asked of each token of the project's token input; label cells are lists, one label per token. */
  readonly per?: "token";
}

/** Yes or no: sigmoid, binary cross entropy, one tuned threshold. */
export interface BinarySpec extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "binary";
}

/** One of several classes: softmax, cross entropy. */
export interface ClassificationSpec<Class extends string = string> extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "classification";
  readonly classes: readonly Class[];
}

/** Any subset of several labels: sigmoid, binary cross entropy, one tuned threshold per label. */
export interface MultilabelSpec<Label extends string = string>
  extends Omit<CommonTaskOptions, "column">,
    TokenTaskOptions {
  readonly kind: "multilabel";
  readonly labels: readonly Label[];
  /** One column with a delimited string or list, or one column per label (in the order of `labels`). */
  readonly column?: string | readonly string[];
  /** Separates labels in a string cell; default `,`. */
  readonly delimiter?: string;
}

/** Size of the row's original image by which a regression label is divided. */
export type ImageScale = "image-width" | "image-height";

/** A number in [min, max]: sigmoid, squared error of the normalized value. */
export interface BoundedRegressionSpec extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "boundedRegression";
  /** Bounds in label units; divided by the image's size where `scale` names one. */
  readonly min: number;
  readonly max: number;
  /** Labels in pixels of the original image are divided by its width or height; null: labels are taken as they are. */
  readonly scale: ImageScale | null;
  /**
   * What the number measures on the picture, so that it is drawn on it and moves with it under augmentation; `none`:
   * nothing that flips, shifts or scales change.
   */
  readonly measures?: "x" | "y" | "width" | "height" | "none";
}

/** A yes-or-no column that is there whenever the network is asked: a condition by itself, without a head or a loss. */
export interface KnownSpec extends Pick<CommonTaskOptions, "column"> {
  readonly kind: "known";
  readonly lossWeight?: never;
}

/** Which tokens were hidden: softmax over the vocabulary at each masked token, cross entropy. Always per token. */
export interface MaskedLanguageModelingSpec extends Pick<CommonTaskOptions, "lossWeight"> {
  readonly kind: "maskedLanguageModeling";
  /** Name of the token input. */
  readonly input: string;
  /** Fraction of a row's tokens that are masked; at least one of a row that has any. */
  readonly maskRate: number;
  /** Whether valid and test are evaluated too, on tokens masked by the seed alone. */
  readonly evaluate: boolean;
  /** The input's tokens in the order of their ids, which count from 1; null until the data has been read. */
  readonly vocabulary: readonly string[] | null;
  readonly column?: never;
}

/**
 * What a custom task is to preconditions: nothing, a number with bounds, or a number that is also true from one half up.
 */
export type CustomGate = "none" | "bounds" | "truth";

/** A task of the user's own: what of it is data. Its functions are registered under its type and digest. */
export interface CustomSpec<Gate extends CustomGate = CustomGate> extends CommonTaskOptions, TokenTaskOptions {
  readonly kind: "custom";
  /** Name that its definition gives it. */
  readonly type: string;
  /** sha256 of everything that the definition says, hex. */
  readonly digest: string;
  /** Digest of each part of the definition, so that a message can say what has changed. */
  readonly parts: Readonly<Record<string, string>>;
  readonly logitWidth: number;
  readonly answerWidth: number;
  readonly gate: Gate;
  /** Whether its head is a dense layer of ours, or layers of the definition. */
  readonly head: "dense" | "custom";
  /** How its loss is made of a likelihood, for weighting by uncertainty. */
  readonly likelihood: Likelihood;
  /** Whether more is better, by name of metric. */
  readonly higherIsBetter: Readonly<Record<string, boolean>>;
  /** Metrics that are only computed where they are asked for; none where it is left out. */
  readonly onDemand?: readonly string[];
  /** Whether its answers are described in words instead of as numbers. */
  readonly described: boolean;
}

/** `gaussian`: the loss is a squared error; `categorical`: a negative log-probability. */
export type Likelihood = "gaussian" | "categorical";

/** A task that measures a place or an extent on the picture. */
export type MeasureNode = TaskNode & { readonly spec: BoundedRegressionSpec };

export function isMeasure(task: TaskNode): task is MeasureNode {
  const { spec } = task;
  return spec.kind === "boundedRegression" && spec.measures !== undefined && spec.measures !== "none";
}

export type TaskSpec =
  | BinarySpec
  | ClassificationSpec
  | MultilabelSpec
  | BoundedRegressionSpec
  | MaskedLanguageModelingSpec
  | KnownSpec
  | CustomSpec;
export type TaskKind = TaskSpec["kind"];
export type SpecOf<K extends TaskKind> = Extract<TaskSpec, { readonly kind: K }>;

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
}

/** What the task has one answer for. It follows from the spec alone, so nothing stores it twice. */
export function axisOf(spec: TaskSpec): Axis {
  if (spec.kind === "maskedLanguageModeling") return "token";
  return "per" in spec && spec.per === "token" ? "token" : "sample";
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
