/** @file From logits to answers inside a model: scores, decisions, and which questions are asked (Kleene's logic). */
import { at } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import { isPerElement, type Condition, type ConditionAtom, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Thresholds } from "../../tasks/index.js";
import type { TaskCalibration } from "../../decoding/calibration.js";
import { calibrateOnnx } from "./calibration.js";
import { type Decoded, decodeOnnx } from "./decoders.js";
import type { OnnxGraph } from "./graph.js";
import type { Entrances } from "./signature.js";

/** A truth of three values: where it is true, and where it is false; elsewhere it is unknown. */
interface Truth {
  readonly yes: string;
  readonly no: string;
}

interface Answered extends Decoded {
  readonly task: TaskNode;
  readonly logits: string;
}

/** Logits of a task as they are needed. @param activeOf which of the questions are asked, by path */
export type LogitSource = (path: string, activeOf: (path: string) => string) => string;

/** Adds the outputs of every task that is answered: `<path>/logits`, `activated`, `decoded`, `active`. */
export function writeAnswers(
  graph: OnnxGraph,
  flow: FlowGraph,
  thresholds: readonly Thresholds[],
  logits: LogitSource,
  entrances: Entrances,
  calibrations: Readonly<Record<string, TaskCalibration>> = {},
): void {
  const answers = new AnswerWriter(graph, flow, thresholds, logits, entrances);
  for (const { path, spec } of flow.tasks) {
    if (behaviourOf(spec).answeredBy === "training") continue;
    const answered = answers.answer(path);
    const active = answers.active(path);
    const { logits: own, decoded } = answered;
    const axes = isPerElement(spec) ? ["batch", "length"] : ["batch"];
    const width = behaviourOf(spec).logitWidth(spec);
    if (answered.activated !== null) graph.output(`${path}/logits`, own, "float", [...axes, width]);
    if (answered.activated !== null && decoded !== null) {
      const calibration = Object.hasOwn(calibrations, path) ? calibrations[path] : undefined;
      const isChoice = behaviourOf(spec).choices(spec) !== null;
      // decisions are those of the scores: calibration says how sure they are
      const scores =
        calibration === undefined
          ? answered.activated
          : calibrateOnnx(graph, calibration, { name: own, width, axis: axes.length, isChoice });
      graph.output(`${path}/activated`, scores, "float", [...axes, width]);
    }
    const answer = answerWidth(spec);
    const isOne = answer === 1;
    if (decoded !== null) {
      const name = isOne ? squeezed(graph, decoded, axes.length) : decoded;
      graph.output(`${path}/decoded`, name, "float", isOne ? axes : [...axes, answer]);
    }
    graph.output(`${path}/active`, active, "bool", axes);
  }
}

/** Writes answers when they are asked for: gates before what they gate. */
class AnswerWriter {
  readonly #graph: OnnxGraph;
  readonly #byPath: ReadonlyMap<string, TaskNode>;
  readonly #thresholds: readonly Thresholds[];
  readonly #logits: LogitSource;
  readonly #entrances: Entrances;
  readonly #answered = new Map<string, Answered>();
  readonly #active = new Map<string, string>();

  constructor(
    graph: OnnxGraph,
    { tasks }: FlowGraph,
    thresholds: readonly Thresholds[],
    logits: LogitSource,
    entrances: Entrances,
  ) {
    this.#graph = graph;
    this.#byPath = new Map(tasks.map((task) => [task.path, task]));
    this.#thresholds = thresholds;
    this.#logits = logits;
    this.#entrances = entrances;
  }

  answer(path: string): Answered {
    const known = this.#answered.get(path);
    if (known !== undefined) return known;
    const task = this.#task(path);
    const isAsked = behaviourOf(task.spec).answeredBy === "network";
    const logits = isAsked ? this.#logits(path, (other) => this.active(other)) : "";
    const decoded = decodeOnnx(this.#graph, task, at(this.#thresholds, task.index), logits, this.#entrances);
    const answered = { ...decoded, logits, task };
    this.#answered.set(path, answered);
    return answered;
  }

  /** Whether a question is asked: its precondition is true, and of a token that it is there. [batch] or [batch, length] */
  active(path: string): string {
    const active = this.#active.get(path) ?? this.#activity(this.#task(path));
    this.#active.set(path, active);
    return active;
  }

  #task(path: string): TaskNode {
    const task = this.#byPath.get(path);
    if (task === undefined) throw new Error(`the flow has no task "${path}"`);
    return task;
  }

  #activity({ path, spec, precondition }: TaskNode): string {
    const isPerToken = isPerElement(spec);
    const { presence } = this.#entrances;
    const whole = () => (isPerToken && presence !== null ? presence : everywhere(this.#graph, this.answer(path).some));
    if (precondition === null) return whole();
    const gates: Gates = { answer: (gate) => this.answer(gate), active: (gate) => this.active(gate) };
    const { yes } = truthOf(this.#graph, precondition, gates, isPerToken);
    return isPerToken ? this.#graph.op("And", [yes, whole()]) : yes;
  }
}

/** What preconditions read. */
interface Gates {
  answer(path: string): Answered;
  active(path: string): string;
}

function squeezed(graph: OnnxGraph, name: string, axis: number): string {
  return graph.op("Squeeze", [name, graph.int64([axis])]);
}

/** One column of answers, [batch, width] → [batch]. */
function column(graph: OnnxGraph, name: string, axis: number, index: number): string {
  return graph.op("Gather", [name, graph.int64([index], [])], { axis });
}

/** True wherever there is a number at all. */
function everywhere(graph: OnnxGraph, some: string): string {
  const isUnknown = graph.op("IsNaN", [some]);
  return graph.op("Or", [isUnknown, graph.op("Not", [isUnknown])]);
}

function truthOf(graph: OnnxGraph, condition: Condition, gates: Gates, isPerToken: boolean): Truth {
  const inner = (one: Condition): Truth => truthOf(graph, one, gates, isPerToken);
  const fold = (type: "And" | "Or", names: readonly string[]): string =>
    names.reduce((left, right) => graph.op(type, [left, right]));
  switch (condition.kind) {
    case "not": {
      const { yes, no } = inner(condition.of);
      return { yes: no, no: yes };
    }
    case "and":
    case "or": {
      const parts = condition.of.map(inner);
      const isAnd = condition.kind === "and";
      return {
        yes: fold(
          isAnd ? "And" : "Or",
          parts.map(({ yes }) => yes),
        ),
        no: fold(
          isAnd ? "Or" : "And",
          parts.map(({ no }) => no),
        ),
      };
    }
    default:
      return atomTruth(graph, condition, gates, isPerToken);
  }
}

function atomTruth(graph: OnnxGraph, atom: ConditionAtom, gates: Gates, isPerToken: boolean): Truth {
  const gate = gates.answer(atom.task);
  if (gate.decoded === null) {
    throw new ConfigError(
      `What "${atom.task}" answers is decoded by code of the project, which an ONNX model cannot hold, and other questions are asked by it. Export with --format layers, and give its decoder to dnn-cool/predictor.`,
      { task: atom.task },
    );
  }
  const axis = isPerElement(gate.task.spec) ? 2 : 1;
  const answer = column(graph, gate.decoded, axis, atom.kind === "has" ? atom.label : 0);
  const known = graph.op("And", [gates.active(atom.task), graph.op("Not", [graph.op("IsNaN", [answer])])]);
  const holds = holding(graph, atom, answer);
  const truth = { yes: graph.op("And", [known, holds]), no: graph.op("And", [known, graph.op("Not", [holds])]) };
  if (!isPerToken || axis === 2) return truth;
  // a gate per row says the same of every token
  const wide = (name: string) => graph.op("Unsqueeze", [name, graph.int64([1])]);
  return { yes: wide(truth.yes), no: wide(truth.no) };
}

/** Whether a known answer makes a statement true. */
function holding(graph: OnnxGraph, atom: ConditionAtom, answer: string): string {
  switch (atom.kind) {
    case "true":
    case "has":
      return graph.op("GreaterOrEqual", [answer, graph.float(0.5)]);
    case "isOneOf":
      return atom.classes
        .map((one) => graph.op("Equal", [answer, graph.float(one)]))
        .reduce((left, right) => graph.op("Or", [left, right]));
    case "atLeast":
      return graph.op("GreaterOrEqual", [answer, graph.float(atom.value)]);
    case "below":
      return graph.op("Less", [answer, graph.float(atom.value)]);
    default:
      return atom satisfies never;
  }
}
