/** @file Explanation trees: what the network answered about one input, question by question. */
import { type Condition, type FlowGraph, gatesOf, isPerPixel, type TaskNode } from "../../flow/graph.js";
import { printCondition } from "../../flow/print.js";
import { behaviourOf } from "../../tasks/index.js";
import { describeSet, type RowSets } from "../conformal/sets.js";
import { type AnswerProbabilities, probabilitiesAt } from "../probability/answer-probabilities.js";
import { explainTask, rowsAsked, supposedAnswer } from "./explained-answers.js";
import type { Explainable, ExplanationNode, TaskAnswer } from "./explanation.js";
import type { SampledAnswers } from "./uncertainty.js";

/** What is said beside the answers. */
export interface BesideAnswers {
  /** What the same rows were answered by stochastic passes. */
  readonly sampled?: SampledAnswers | undefined;
  /** Tokens of the row. */
  readonly words?: readonly string[] | undefined;
  /** How likely the questions are asked, and answered so. */
  readonly probabilities?: AnswerProbabilities | undefined;
  /** Paths of tasks whose answers are supposed. */
  readonly supposed?: ReadonlySet<string> | undefined;
  /** Sets of answers of this row. */
  readonly sets?: RowSets | undefined;
}

/**
 * The answers to one row as a forest. A task is shown where its precondition is true by the network's own decoded
 * answers, and a flow within the flow where any task of it is shown. Both hang under the latest shown gate that their
 * condition reads, but never outside the flow that uses them: where the gate stands outside, they hang under that flow.
 */
export function explainRow(
  graph: FlowGraph,
  scored: Explainable,
  row: number,
  { sampled, words, probabilities, supposed, sets }: BesideAnswers = {},
): ExplanationNode[] {
  const tree = new RowTree(graph);
  for (const task of graph.tasks) {
    const answers = scored.tasks[task.index];
    if (answers === undefined || behaviourOf(task.spec).answeredBy === "training") continue;
    const asked = rowsAsked(task, answers, scored.offsets, row);
    if (asked.length === 0) continue;
    const [first = row] = asked;
    if (supposed?.has(task.path) === true) {
      tree.addTask(task, supposedAnswer(task, answers, first));
      continue;
    }
    const answer = explainTask({ task, answers, asked, row, offsets: scored.offsets, words }, sampled);
    // of a task per token as many as the answer shows
    const shown = asked.slice(0, answer.positions?.length ?? 1);
    const likely =
      probabilities === undefined || isPerPixel(task.spec) ? {} : probabilitiesAt(task, probabilities, shown);
    const within = sets?.answers[task.index] ?? null;
    tree.addTask(task, { ...answer, ...likely, ...(within === null ? {} : { set: describeSet(task.spec, within) }) });
  }
  return tree.roots;
}

/** What a task or flow says of its own use. */
type Used = Pick<TaskNode, "path" | "name" | "ownPrecondition">;

/** The nodes of one row that are shown so far. */
class RowTree {
  readonly roots: ExplanationNode[] = [];
  readonly #graph: FlowGraph;
  readonly #children = new Map<string, ExplanationNode[]>();
  /** Path under which each shown node hangs; null: at the top. */
  readonly #above = new Map<string, string | null>();

  constructor(graph: FlowGraph) {
    this.#graph = graph;
  }

  addTask(task: TaskNode, answer: TaskAnswer): void {
    this.#add(task, (given, children) => ({ path: task.path, kind: "task", ...answer, ...given, children }));
  }

  #add(used: Used, nodeOf: (given: Pick<ExplanationNode, "given">, children: ExplanationNode[]) => ExplanationNode) {
    const { path, ownPrecondition } = used;
    const above = this.#placeOf(used);
    const children: ExplanationNode[] = [];
    const says = ownPrecondition !== null && this.#saysMore(ownPrecondition, above);
    const node = nodeOf(says ? { given: printCondition(this.#graph, ownPrecondition) } : {}, children);
    (above === null ? this.roots : (this.#children.get(above) ?? this.roots)).push(node);
    this.#children.set(path, children);
    this.#above.set(path, above);
  }

  /** The path of the node under which a task or flow hangs; null: at the top. */
  #placeOf({ path, name, ownPrecondition }: Used): string | null {
    const flow = this.#flowAround(path, name);
    if (ownPrecondition === null) return flow;
    const gates = gatesOf(ownPrecondition);
    const latest = this.#graph.tasks.findLast((task) => gates.has(task.path) && this.#children.has(task.path));
    if (latest === undefined) return flow;
    return flow === null || latest.path.startsWith(`${flow}.`) ? latest.path : flow;
  }

  /** The flow that uses a task or flow, shown from now on; null: the outermost one, which has no node. */
  #flowAround(path: string, name: string): string | null {
    if (path === name) return null;
    const around = path.slice(0, -name.length - 1);
    const flow = this.#graph.flows.find((node) => node.path === around);
    if (flow !== undefined && !this.#children.has(around)) {
      this.#add(flow, (given, children) => ({
        path: around,
        kind: "flow",
        decoded: [],
        activated: [],
        logits: [],
        ...given,
        children,
      }));
    }
    return flow === undefined ? null : around;
  }

  /** Whether a condition is more than the one gate that the way down to a node already shows. */
  #saysMore(condition: Condition, above: string | null): boolean {
    const gates = [...gatesOf(condition)];
    if (gates.length > 1) return true;
    for (let node = above; node !== null; node = this.#above.get(node) ?? null) {
      if (gates.includes(node)) return false;
    }
    return true;
  }
}
