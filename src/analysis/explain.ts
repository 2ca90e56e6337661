/** @file Explanation trees: what the network answered about one input, question by question. */
import { axisOf, type FlowGraph, type TaskNode, type TaskSpec } from "../flow/graph.js";
import { answerWidth, type Offsets } from "../flow/masks.js";
import { behaviourOf, decodedScore, isSummarized } from "../tasks/index.js";
import { neededOffsets } from "./positions.js";
import type { ScoredTask } from "./score.js";
import type { SampledAnswers, Spread } from "./uncertainty.js";

/** Plain value of an answer: a truth, a name, or a number in label units. */
export type ExplainedValue = boolean | string | number;

/** One task's answer (docs/architecture.md#trees). */
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
  /** The tokens at these positions, in words, where they are known. */
  readonly words?: readonly string[];
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
 * @param words tokens of the row
 */
export function explainRow(
  graph: FlowGraph,
  scored: Explainable,
  row: number,
  sampled?: SampledAnswers,
  words?: readonly string[],
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
    const answer =
      axisOf(task.spec) === "sample"
        ? explainTask(task, answers, row, sampled)
        : explainTokens(task, answers, lines, { offsets: neededOffsets(scored.offsets), row, words }, sampled);
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

interface TokensOfRow {
  readonly offsets: Offsets;
  readonly row: number;
  readonly words: readonly string[] | undefined;
}

/** The answers at some tokens of a row. */
function explainTokens(
  { index, path, spec }: TaskNode,
  { logits, activated, decoded }: Explainable["tasks"][number],
  lines: readonly number[],
  { offsets, row, words }: TokensOfRow,
  sampled: SampledAnswers | undefined,
): Omit<ExplanationNode, "children"> {
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const first = offsets[row] as number;
  const shown = lines.slice(0, TOKENS_SHOWN);
  // of every class, also where of very many only the best are kept of an answer
  const places = shown.flatMap((line) =>
    spec.kind === "classification" ? [line * width + (decoded[line] as number)] : placesOf(line, width),
  );
  const answers = shown.flatMap((line) => placesOf(line, answerWidth(spec)));
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
    ...(words === undefined ? {} : { words: shown.map((line) => words[line - first] ?? "") }),
    ...(sampled === undefined ? {} : { uncertainty: uncertaintyOf(sampled, index, places, answers) }),
  };
}

/** Where the numbers of a line lie in a matrix of so many per line. */
function placesOf(line: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => line * width + i);
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
  const places = order.map((i) => row * width + i);
  return {
    path,
    decoded: explainAnswer(spec, decoded, row, order),
    activated: order.map((i) => scores[i] as number),
    logits: places.map((place) => logits[place] as number),
    ...(sampled === undefined || width === 0
      ? {}
      : { uncertainty: uncertaintyOf(sampled, index, places, placesOf(row, answerWidth(spec))) }),
  };
}

/**
 * @param places of the scores that are shown, among all scores of the task
 * @param answers places of the answers that are shown, among all answers of the task
 */
function uncertaintyOf(
  { samples, tasks }: SampledAnswers,
  task: number,
  places: readonly number[],
  answers: readonly number[],
): Uncertainty {
  const { activated, decoded } = tasks[task] as SampledAnswers["tasks"][number];
  const spreadOf = ({ mean, deviation }: Spread, at: readonly number[]): SpreadOfRow => ({
    mean: at.map((i) => mean[i] as number),
    deviation: at.map((i) => deviation[i] as number),
  });
  const ofScores = { samples, ...spreadOf(activated, places) };
  return decoded === null ? ofScores : { ...ofScores, decoded: spreadOf(decoded, answers) };
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
  return `${answer}, sampled: [${printSpreads(uncertainty).slice(0, shown).join(", ")}]`;
}

/** Numbers in label units say more than fractions of a range. */
function printSpreads(uncertainty: Uncertainty): string[] {
  const { mean, deviation } = uncertainty.decoded ?? uncertainty;
  return mean.map((value, i) => `${printValue(value)} ± ${printDeviation(deviation[i])}`);
}

/** Two significant digits: a deviation is itself an estimate. */
function printDeviation(deviation = Number.NaN): string {
  return String(Number(deviation.toPrecision(2)));
}

/** The answers with the places of their tokens, counted from 1 as a reader does, and their words. */
function printTokens(node: ExplanationNode, positions: readonly number[]): string {
  const { path, decoded, tokens = 0, words = [], uncertainty } = node;
  const placeOf = (i: number): string =>
    `${(positions[i] as number) + 1}${words[i] === undefined ? "" : ` ${words[i]}`}`;
  const perToken = (texts: readonly string[]): string => texts.map((text, i) => `${placeOf(i)}: ${text}`).join(", ");
  const answer = `${path} | decoded: [${perToken(decoded.map(printValue))}] of ${tokens} token${tokens === 1 ? "" : "s"}`;
  if (uncertainty === undefined) return answer;
  const spreads = printSpreads(uncertainty);
  // several numbers of a token stay together
  const each = spreads.length / positions.length;
  const joined = positions.map((_, i) => spreads.slice(i * each, (i + 1) * each).join(" "));
  return `${answer}, sampled: [${perToken(joined)}]`;
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
