/** @file From logits to answers inside a model: scores, decisions, and which questions are asked (Kleene's logic). */
import { at } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import { axisOf, type Condition, type ConditionAtom, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Thresholds } from "../../tasks/index.js";
import type { TaskCalibration } from "../../decoding/calibration.js";
import { calibrateOnnx } from "./calibration.js";
import { type Decoded, decodeOnnx } from "./decoders.js";
import type { OnnxGraph } from "./graph.js";
import type { Entrances } from "./signature.js";
import type { Value } from "./values.js";

/** A truth of three values: where it is true, and where it is false; elsewhere it is unknown. */
interface Truth {
  readonly yes: string;
  readonly no: string;
}

interface Answered extends Decoded {
  readonly task: TaskNode;
  /** [batch] or [batch, length] */
  readonly active: string;
}

/** Adds the outputs of every task that is answered: `<path>/logits`, `activated`, `decoded`, `active`. */
export function writeAnswers(
  graph: OnnxGraph,
  flow: FlowGraph,
  thresholds: readonly Thresholds[],
  logits: ReadonlyMap<string, Value>,
  entrances: Entrances,
  calibrations: Readonly<Record<string, TaskCalibration>> = {},
): void {
  const answered = new Map<string, Answered>();
  for (const task of flow.tasks) {
    const { path, spec, index } = task;
    if (behaviourOf(spec).answeredBy === "training") continue;
    const own = logits.get(path)?.name ?? "";
    const decoded = { ...decodeOnnx(graph, task, at(thresholds, index), own, entrances), logits: own };
    const active = activity(graph, task, decoded, answered, entrances.presence);
    answered.set(path, { ...decoded, task, active });
    const axes = axisOf(spec) === "token" ? ["batch", "length"] : ["batch"];
    const width = behaviourOf(spec).logitWidth(spec);
    if (decoded.activated !== null) graph.output(`${path}/logits`, decoded.logits, "float", [...axes, width]);
    if (decoded.activated !== null && decoded.decoded !== null) {
      const calibration = Object.hasOwn(calibrations, path) ? calibrations[path] : undefined;
      const isChoice = behaviourOf(spec).choices(spec) !== null;
      // decisions are those of the scores: calibration says how sure they are
      const scores =
        calibration === undefined
          ? decoded.activated
          : calibrateOnnx(graph, calibration, { name: own, width, axis: axes.length, isChoice });
      graph.output(`${path}/activated`, scores, "float", [...axes, width]);
    }
    const answer = answerWidth(spec);
    const isOne = answer === 1;
    if (decoded.decoded !== null) {
      const name = isOne ? squeezed(graph, decoded.decoded, axes.length) : decoded.decoded;
      graph.output(`${path}/decoded`, name, "float", isOne ? axes : [...axes, answer]);
    }
    graph.output(`${path}/active`, active, "bool", axes);
  }
}

function squeezed(graph: OnnxGraph, name: string, axis: number): string {
  return graph.op("Squeeze", [name, graph.int64([axis])]);
}

/** One column of answers, [batch, width] → [batch]. */
function column(graph: OnnxGraph, name: string, axis: number, index: number): string {
  return graph.op("Gather", [name, graph.int64([index], [])], { axis });
}

/** Whether a question is asked: its precondition is true, and of a token that it is there. */
function activity(
  graph: OnnxGraph,
  { spec, precondition }: TaskNode,
  { some }: Decoded,
  answered: ReadonlyMap<string, Answered>,
  presence: string | null,
): string {
  const isPerToken = axisOf(spec) === "token";
  const whole = isPerToken && presence !== null ? presence : everywhere(graph, some);
  if (precondition === null) return whole;
  const { yes } = truthOf(graph, precondition, answered, isPerToken);
  return isPerToken ? graph.op("And", [yes, whole]) : yes;
}

/** True wherever there is a number at all. */
function everywhere(graph: OnnxGraph, some: string): string {
  const isUnknown = graph.op("IsNaN", [some]);
  return graph.op("Or", [isUnknown, graph.op("Not", [isUnknown])]);
}

function truthOf(
  graph: OnnxGraph,
  condition: Condition,
  answered: ReadonlyMap<string, Answered>,
  isPerToken: boolean,
): Truth {
  const inner = (one: Condition): Truth => truthOf(graph, one, answered, isPerToken);
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
      return atomTruth(graph, condition, answered, isPerToken);
  }
}

function atomTruth(
  graph: OnnxGraph,
  atom: ConditionAtom,
  answered: ReadonlyMap<string, Answered>,
  isPerToken: boolean,
): Truth {
  const gate = answered.get(atom.task);
  if (gate === undefined || gate.decoded === null) {
    throw new ConfigError(
      `What "${atom.task}" answers is decoded by code of the project, which an ONNX model cannot hold, and other questions are asked by it. Export with --format layers, and give its decoder to dnn-cool/predictor.`,
      { task: atom.task },
    );
  }
  const axis = axisOf(gate.task.spec) === "token" ? 2 : 1;
  const answer = column(graph, gate.decoded, axis, atom.kind === "has" ? atom.label : 0);
  const known = graph.op("And", [gate.active, graph.op("Not", [graph.op("IsNaN", [answer])])]);
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
