/** @file Explanation trees: what the network answered about one input, question by question. */
import { axisOf, type FlowGraph, type TaskNode, type TaskSpec } from "../flow/graph.js";
import type { Offsets } from "../flow/masks.js";
import { behaviourOf, decodedScore, isSummarized } from "../tasks/index.js";
import { neededOffsets } from "./positions.js";
import type { ScoredTask } from "./score.js";
import type { SampledAnswers, Spread } from "./uncertainty.js";

/** Plain value of an answer: a truth, a name, or a number in label units. */
export type ExplainedValue = boolean | string | number;

/** One task's answer (DESIGN §9). */
export interface ExplanationNode {
  readonly path: string;
  /**
   * [true] or [false] for a binary task; all classes, best first; the labels that are present; [number] in label units.
   */
  readonly decoded: readonly ExplainedValue[];
  /** One per logit: in the order of `decoded` for classes, of the declared labels for a multilabel. */
  readonly activated: readonly number[];
  /** Aligned with `activated`. */
  readonly logits: readonly number[];
  /**
   * Of a task per token: the tokens of the row, from 0, that the other lists are about, at most 32, and how many the
   * row has. `decoded` has one value for each; the other two the number behind it, or all numbers of a multilabel.
   */
  readonly positions?: readonly number[];
  readonly tokens?: number;
  /** Where the network was asked many times, under dropout. */
  readonly uncertainty?: Uncertainty;
  /** Tasks whose precondition reads this one last, in the order of the flow. */
  readonly children: readonly ExplanationNode[];
}

/** Mean and standard deviation over stochastic passes of the network. */
export interface Uncertainty extends SpreadOfRow {
  readonly samples: number;
  /** Of the answer in label units, where it is a number. */
  readonly decoded?: SpreadOfRow;
}

/** Aligned with `activated`. */
interface SpreadOfRow {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** What an explanation reads; a scored split is one. */
export interface Explainable {
  readonly tasks: readonly Pick<ScoredTask, "logits" | "activated" | "decoded" | "activePredicted">[];
  readonly offsets?: Offsets | null;
}

/**
 * The answers to one row as a forest. A task is shown where its precondition is true by the network's own decoded
 * answers. It hangs under the latest gate that its condition reads or, where that one is not shown, under the nearest
 * shown gate above it.
 * @param sampled what the same rows were answered by stochastic passes
 */
export function explainRow(
  graph: FlowGraph,
  scored: Explainable,
  row: number,
  sampled?: SampledAnswers,
): ExplanationNode[] {
  const roots: ExplanationNode[] = [];
  // children of shown tasks, by path
  const childrenOf = new Map<string, ExplanationNode[]>();
  const parentOf = new Map(graph.tasks.map(({ path, parent }) => [path, parent]));
  for (const task of graph.tasks) {
    const answers = scored.tasks[task.index];
    if (answers === undefined || behaviourOf(task.spec).answeredBy === "training") continue;
    const lines = activeLines(task, answers, scored.offsets, row);
    if (lines.length === 0) continue;
    let parent = task.parent;
    while (parent !== null && !childrenOf.has(parent)) parent = parentOf.get(parent) ?? null;
    const siblings = parent === null ? roots : (childrenOf.get(parent) ?? roots);
    const children: ExplanationNode[] = [];
    const perToken = axisOf(task.spec) === "token" ? neededOffsets(scored.offsets) : null;
    const answer =
      perToken === null ? explainTask(task, answers, row, sampled) : explainTokens(task, answers, lines, perToken, row);
    siblings.push({ ...answer, children });
    childrenOf.set(task.path, children);
  }
  return roots;
}

const TOKENS_SHOWN = 32;

/** The row, or the positions of its tokens, at which the task is asked. */
function activeLines(
  { spec }: TaskNode,
  { activePredicted }: Explainable["tasks"][number],
  offsets: Offsets | null | undefined,
  row: number,
): number[] {
  if (axisOf(spec) === "sample") return activePredicted[row] === 0 ? [] : [row];
  const all = neededOffsets(offsets);
  const lines: number[] = [];
  for (let line = all[row] as number; line < (all[row + 1] as number); line++) {
    if (activePredicted[line] === 1) lines.push(line);
  }
  return lines;
}

/** The answers at some tokens of a row. */
function explainTokens(
  { path, spec }: TaskNode,
  { logits, activated, decoded }: Explainable["tasks"][number],
  lines: readonly number[],
  offsets: Offsets,
  row: number,
): Omit<ExplanationNode, "children"> {
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const first = offsets[row] as number;
  const shown = lines.slice(0, TOKENS_SHOWN);
  const numbers = (values: Float32Array): number[] =>
    shown.flatMap((line) =>
      spec.kind === "classification"
        ? [decodedScore(spec, values, decoded, line)]
        : Array.from(values.subarray(line * width, (line + 1) * width)),
    );
  return {
    path,
    decoded: shown.map((line) => {
      const answer = behaviour.describe(spec, decoded, line) ?? "unknown";
      return typeof answer === "object" ? answer.join("+") || "none" : answer;
    }),
    activated: numbers(activated),
    // of very many classes the logits are not kept: their logarithms are as good, since softmax takes no constant
    logits: isSummarized(spec) ? numbers(activated).map(Math.log) : numbers(logits),
    positions: shown.map((line) => line - first),
    tokens: (offsets[row + 1] as number) - first,
  };
}

function explainTask(
  { index, path, spec }: TaskNode,
  { logits, activated, decoded }: Explainable["tasks"][number],
  row: number,
  sampled: SampledAnswers | undefined,
): Omit<ExplanationNode, "children"> {
  const width = behaviourOf(spec).logitWidth(spec);
  const scores = activated.subarray(row * width, (row + 1) * width);
  const order = spec.kind === "classification" ? bestFirst(scores) : [...scores.keys()];
  return {
    path,
    decoded: explainAnswer(spec, decoded, row, order),
    activated: order.map((i) => scores[i] as number),
    logits: order.map((i) => logits[row * width + i] as number),
    ...(sampled === undefined || width === 0 ? {} : { uncertainty: uncertaintyOf(sampled, index, row, order) }),
  };
}

function uncertaintyOf({ samples, tasks }: SampledAnswers, task: number, row: number, order: readonly number[]) {
  const { activated, decoded, rows } = tasks[task] as SampledAnswers["tasks"][number];
  const spreadOf = ({ mean, deviation }: Spread, places: readonly number[]): SpreadOfRow => {
    const at = (row * mean.length) / rows;
    return {
      mean: places.map((i) => mean[at + i] as number),
      deviation: places.map((i) => deviation[at + i] as number),
    };
  };
  const ofScores = { samples, ...spreadOf(activated, order) };
  if (decoded === null) return ofScores;
  return { ...ofScores, decoded: spreadOf(decoded, [...Array(decoded.mean.length / rows).keys()]) };
}

/** Places of the scores from the highest down; of equal ones the first stays first, as in decoding. */
function bestFirst(scores: Float32Array): number[] {
  return [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
}

function explainAnswer(
  spec: TaskSpec,
  decoded: Float32Array,
  row: number,
  order: readonly number[],
): readonly ExplainedValue[] {
  if (spec.kind === "classification") return order.map((c) => spec.classes[c] as string);
  const answer = behaviourOf(spec).describe(spec, decoded, row);
  if (answer === null) return [];
  return typeof answer === "object" ? answer : [answer];
}

const CLASSES_IN_TEXT = 3;

/** One input's explanation as text; the texts of several inputs follow each other line by line. */
export function printExplanation(graph: FlowGraph, input: string, nodes: readonly ExplanationNode[]): string {
  const classifications = new Set(graph.tasks.filter(({ spec }) => spec.kind === "classification").map((t) => t.path));
  const given = new Set(graph.tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table").map((t) => t.path));
  const lines = [`├── ${input}`];
  const print = (siblings: readonly ExplanationNode[], indent: string): void => {
    siblings.forEach((node, i) => {
      const last = i === siblings.length - 1;
      const shown = classifications.has(node.path) ? CLASSES_IN_TEXT : Number.POSITIVE_INFINITY;
      const text =
        node.positions !== undefined
          ? printTokens(node, node.positions)
          : given.has(node.path)
            ? printGiven(node)
            : printNode(node, shown);
      lines.push(`${indent}${last ? "└── " : "├── "}${text}`);
      print(node.children, indent + (last ? "    " : "│   "));
    });
  };
  print(nodes, "│   ");
  return lines.join("\n");
}

function printNode({ path, decoded, activated, logits, uncertainty }: ExplanationNode, shown: number): string {
  const list = (values: readonly ExplainedValue[]): string => `[${values.slice(0, shown).map(printValue).join(", ")}]`;
  const answer = `${path} | decoded: ${list(decoded)}, activated: ${list(activated)}, logits: ${list(logits)}`;
  if (uncertainty === undefined) return answer;
  // numbers in label units say more than fractions of a range
  const { mean, deviation } = uncertainty.decoded ?? uncertainty;
  const spreads = mean.slice(0, shown).map((value, i) => `${printValue(value)} ± ${printDeviation(deviation[i])}`);
  return `${answer}, sampled: [${spreads.join(", ")}]`;
}

/** Two significant digits: a deviation is itself an estimate. */
function printDeviation(deviation = Number.NaN): string {
  return String(Number(deviation.toPrecision(2)));
}

/** The answers with the places of their tokens, counted from 1 as a reader does. */
function printTokens({ path, decoded, tokens = 0 }: ExplanationNode, positions: readonly number[]): string {
  const answers = decoded.map((value, i) => `${(positions[i] as number) + 1}: ${printValue(value)}`);
  return `${path} | decoded: [${answers.join(", ")}] of ${tokens} token${tokens === 1 ? "" : "s"}`;
}

/** An answer that came with the input. */
function printGiven({ path, decoded }: ExplanationNode): string {
  return `${path} | given: [${decoded.map(printValue).join(", ") || "unknown"}]`;
}

/** Truths as `True` and `False`, numbers with four significant digits, names as they are. */
function printValue(value: ExplainedValue): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : value;
}
