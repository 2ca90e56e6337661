/** @file How likely each question is asked, and how likely it is asked and answered as the network answers it. */
import { at, f32At, f64At, i32At } from "../../arrays.js";
import {
  type Axis,
  axisOf,
  isPerElement,
  conditionKey,
  type FlowGraph,
  type TaskNode,
  type TaskSpec,
} from "../../flow/graph.js";
import { neededOffsets, rowOfEachToken } from "../../flow/masks.js";
import { answerSpaceOf } from "../../tasks/answer-space.js";
import { behaviourOf, decodedScore } from "../../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { type GateQuestion, gateQuestions, outcomeProbabilities } from "./gate-answers.js";
import { ALWAYS, compileGates, type GateProgram } from "./gate-program.js";

/** Of every task of the graph, one number per row, of a task per token one per token. */
export interface AnswerProbabilities {
  /** That the question is asked. */
  readonly asked: readonly Float32Array[];
  /** That it is asked and the answer is the decoded one; NaN where the scores do not say how likely an answer is. */
  readonly joint: readonly Float32Array[];
}

/**
 * Probabilities under the network: its scores are the probabilities of a question's answers given the input and that it
 * is asked, independent of those of other questions. They are exact under that assumption, also where a gate is read in
 * several places (docs/architecture.md#probabilities).
 */
export function answerProbabilities(graph: FlowGraph, scored: ScoredSplit): AnswerProbabilities {
  const reader = new AskedReader(graph, scored, gatesOf(graph));
  const asked = graph.tasks.map((task) => reader.asked(task));
  const joint = graph.tasks.map(({ index }) => {
    const task = at(scored.tasks, index);
    return at(asked, index).map((probability, row) => probability * answerProbability(task, row));
  });
  return { asked, joint };
}

/** What is said of some entries of a task: one number of a row, a list of tokens. */
export interface LikelyAnswer {
  readonly asked_probability?: number | readonly number[];
  readonly joint_probability?: number | readonly number[];
}

/**
 * Probabilities of a task's answers as results of commands have them: that it is asked where it has a precondition, and
 * the joint one where there is one.
 * @param entries one row, or tokens of a row
 */
export function probabilitiesAt(
  { spec, index, precondition }: TaskNode,
  { asked, joint }: AnswerProbabilities,
  entries: readonly number[],
): LikelyAnswer {
  const read = (values: Float32Array): number | readonly number[] => {
    const found = entries.map((entry) => f32At(values, entry));
    return isPerElement(spec) ? found : at(found, 0);
  };
  const isKnown = entries.every((entry) => !Number.isNaN(f32At(at(joint, index), entry)));
  return {
    ...(precondition === null ? {} : { asked_probability: read(at(asked, index)) }),
    ...(isKnown ? { joint_probability: read(at(joint, index)) } : {}),
  };
}

/** Of the decoded answer, given that it is asked; NaN where nothing says. */
function answerProbability({ task: { spec }, kept, decoded }: ScoredTask, row: number): number {
  const space = answerSpaceOf<TaskSpec>(spec);
  if (space === null || space.form === "numbers") return Number.NaN;
  if (kept.kind === "summary") return decodedScore(kept, Number.NaN, decoded, row);
  if (space.form === "choice") return space.probability(spec, kept.activated, row, f32At(decoded, row));
  let all = 1;
  for (let label = 0, count = space.count(spec); label < count; label++) {
    const yes = space.probability(spec, kept.activated, row, label);
    const answer = f32At(decoded, row * count + label);
    all *= Number.isNaN(answer) ? Number.NaN : answer >= 0.5 ? yes : 1 - yes;
  }
  return all;
}

/** Diagrams of a graph by its preconditions, made when they are first walked. */
interface Gates {
  readonly questions: readonly GateQuestion[];
  readonly programs: Map<string, GateProgram>;
}

// a server asks one graph again and again, for a row or two each time
const compiled = new WeakMap<FlowGraph, Gates>();

function gatesOf(graph: FlowGraph): Gates {
  const known = compiled.get(graph) ?? { questions: gateQuestions(graph), programs: new Map() };
  compiled.set(graph, known);
  return known;
}

/** Walks the diagrams of all tasks; equal preconditions are walked once. */
class AskedReader {
  readonly #graph: FlowGraph;
  readonly #scored: ScoredSplit;
  readonly #gates: Gates;
  readonly #found = new Map<string, Float32Array>();
  #rowOfToken: Int32Array | null = null;

  constructor(graph: FlowGraph, scored: ScoredSplit, gates: Gates) {
    this.#graph = graph;
    this.#scored = scored;
    this.#gates = gates;
  }

  asked(task: TaskNode): Float32Array {
    const axis = axisOf(task.spec);
    const entries = at(this.#scored.tasks, task.index).activePredicted.length;
    // what only training asks has no entries of its own
    if (task.precondition === null || behaviourOf(task.spec).answeredBy === "training") {
      return new Float32Array(entries).fill(1);
    }
    const key = `${axis} ${conditionKey(task.precondition)}`;
    const found = this.#found.get(key) ?? this.#walk(this.#programOf(task, key), axis, entries);
    this.#found.set(key, found);
    return found;
  }

  #programOf(task: TaskNode, key: string): GateProgram {
    const { questions, programs } = this.#gates;
    const program = programs.get(key) ?? compileGates(this.#graph, questions, task);
    programs.set(key, program);
    return program;
  }

  #walk({ nodes, root }: GateProgram, axis: Axis, entries: number): Float32Array {
    // 0 and 1 at the ends, then one for each node
    const values = new Float64Array(nodes.length + 2);
    values[ALWAYS] = 1;
    const steps = nodes.map(({ question, next }) => ({
      question,
      next,
      scored: at(this.#scored.tasks, question.task.index),
      likely: new Float64Array(next.length),
      row: this.#rowsOf(axis, question.task),
    }));
    return Float32Array.from({ length: entries }, (_, entry) => {
      for (const [i, { question, next, scored, likely, row }] of steps.entries()) {
        outcomeProbabilities(question, scored, row(entry), likely);
        let sum = 0;
        for (let outcome = 0; outcome < next.length; outcome++) {
          sum += f64At(likely, outcome) * f64At(values, at(next, outcome));
        }
        values[i + 2] = sum;
      }
      return f64At(values, root);
    });
  }

  /** Which entry of a gate speaks of an entry of the task. */
  #rowsOf(axis: Axis, gate: TaskNode): (entry: number) => number {
    if (axis === axisOf(gate.spec)) return (entry) => entry;
    this.#rowOfToken ??= rowOfEachToken(neededOffsets(this.#scored.offsets));
    const rows = this.#rowOfToken;
    return (token) => i32At(rows, token);
  }
}
