/** @file Explanation trees as text. */
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ExplainedValue, ExplanationNode, Uncertainty } from "./explanation.js";

/** How each part of a printed tree is shown: colours, or what makes text of unknown origin harmless. */
export interface TreeStyle {
  input(text: string): string;
  /** Name of a flow within the flow. */
  flow(text: string): string;
  /** Name of a task. */
  task(text: string): string;
  /** What is decoded. */
  answer(text: string, value: ExplainedValue): string;
  /** Everything else. */
  detail(text: string): string;
}

const PLAIN: TreeStyle = {
  input: (text) => text,
  flow: (text) => text,
  task: (text) => text,
  answer: (text) => text,
  detail: (text) => text,
};

const CLASSES_SHOWN = 3;

/** One input's explanation as text; the texts of several inputs follow each other line by line. */
export function printExplanation(
  graph: FlowGraph,
  input: string,
  nodes: readonly ExplanationNode[],
  style: TreeStyle = PLAIN,
): string {
  const printed = new Map(graph.tasks.map(({ path, name, spec }) => [path, { name, spec }]));
  const flows = new Map(graph.flows.map(({ path, name }) => [path, name]));
  const textOf = (node: ExplanationNode): string => {
    const given = node.given === undefined ? "" : style.detail(` (given ${node.given})`);
    const task = printed.get(node.path);
    if (task === undefined) return style.flow(flows.get(node.path) ?? node.path) + given;
    const behaviour = behaviourOf(task.spec);
    const parts =
      behaviour.answeredBy === "table" || node.supposed === true
        ? [givenPart(node)]
        : node.positions === undefined
          ? answerParts(node, behaviour.choices(task.spec) === null ? Number.POSITIVE_INFINITY : CLASSES_SHOWN)
          : tokenParts(node, node.positions);
    parts.unshift(...setParts(node));
    parts.push(...probabilityParts(node));
    return `${style.task(task.name)}${given}${style.detail(" | ")}${parts.map((part) => styled(part, style)).join(style.detail(", "))}`;
  };
  const lines = [style.detail("├── ") + style.input(input)];
  const print = (siblings: readonly ExplanationNode[], indent: string): void => {
    siblings.forEach((node, i) => {
      const last = i === siblings.length - 1;
      lines.push(style.detail(`${indent}${last ? "└── " : "├── "}`) + textOf(node));
      print(node.children, indent + (last ? "    " : "│   "));
    });
  };
  print(nodes, "│   ");
  return lines.join("\n");
}

/** A named list: `decoded: [True]`. */
interface Part {
  readonly name: string;
  readonly items: readonly Item[];
  /** What follows the list. */
  readonly after?: string;
}

interface Item {
  /** What stands before the value: a label, or a token. */
  readonly before?: string;
  readonly text: string;
  /** The answer, where the item is one. */
  readonly answer?: ExplainedValue;
}

function styled({ name, items, after = "" }: Part, { answer, detail }: TreeStyle): string {
  const texts = items.map(
    ({ before = "", text, answer: value }) =>
      (before === "" ? "" : detail(before)) + (value === undefined ? detail(text) : answer(text, value)),
  );
  return `${detail(`${name}: [`)}${texts.join(detail(", "))}${detail(`]${after}`)}`;
}

/** @param most items of a list; those beyond are an ellipsis */
function answerParts(node: ExplanationNode, most: number): Part[] {
  const { decoded, activated, logits, labels, uncertainty } = node;
  const few = (items: readonly Item[]): Item[] =>
    items.length > most ? [...items.slice(0, most), { text: "…" }] : [...items];
  const labelled = (texts: readonly string[]): Item[] =>
    texts.map((text, i) => (labels?.[i] === undefined ? { text } : { before: `${labels[i]} `, text }));
  return [
    { name: "decoded", items: few(decoded.map(answerItem)) },
    { name: "activated", items: few(labelled(activated.map(printValue))), after: decisionOf(node) },
    { name: "logits", items: few(logits.map((logit) => ({ text: printValue(logit) }))) },
    ...(uncertainty === undefined ? [] : [{ name: "sampled", items: few(labelled(printSpreads(uncertainty))) }]),
  ];
}

function setParts({ set }: ExplanationNode): Part[] {
  if (set === undefined) return [];
  if ("answers" in set) return [{ name: "set", items: set.answers.map(answerItem) }];
  if ("certain" in set) {
    const items = [...set.certain.map(answerItem), ...set.unsure.map((name) => ({ text: `${name}?` }))];
    return [{ name: "set", items }];
  }
  const end = (value: number | null | undefined): string => (value == null ? "∞" : printValue(value));
  return [
    {
      name: "set",
      items: set.low.map((low, i) => ({ text: `${low === null ? "−" : ""}${end(low)} … ${end(set.high[i])}` })),
    },
  ];
}

/** Of a question that may not be asked: how likely it is, and how likely the answer is with that. */
function probabilityParts({ asked_probability: asked, joint_probability: joint }: ExplanationNode): Part[] {
  if (typeof asked !== "number") return [];
  const part = (name: string, value: number): Part => ({ name, items: [{ text: printValue(value) }] });
  return [part("asked", asked), ...(typeof joint === "number" ? [part("joint", joint)] : [])];
}

function answerItem(value: ExplainedValue): Item {
  return { text: printValue(value), answer: value };
}

/** How a single score compares with its threshold. */
function decisionOf({ activated: [score], thresholds, labels }: ExplanationNode): string {
  const [threshold] = thresholds ?? [];
  if (score === undefined || threshold === undefined || labels !== undefined || Number.isNaN(score)) return "";
  return ` ${score >= threshold ? "≥" : "<"} ${printValue(threshold)}`;
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
function tokenParts(
  { decoded, tokens = 0, words, uncertainty }: ExplanationNode,
  positions: readonly number[],
): Part[] {
  const named = positions.map((position, i) => `${position + 1}${words === undefined ? "" : ` ${words[i]}`}: `);
  const answers = decoded.map((value, i) => ({ ...answerItem(value), before: named[i] ?? "" }));
  const said = { name: "decoded", items: answers, after: ` of ${tokens} token${tokens === 1 ? "" : "s"}` };
  if (uncertainty === undefined) return [said];
  const spreads = printSpreads(uncertainty);
  // several numbers of a token stay together
  const each = spreads.length / positions.length;
  const items = named.map((before, i) => ({ before, text: spreads.slice(i * each, (i + 1) * each).join(" ") }));
  return [said, { name: "sampled", items }];
}

/** An answer that came with the input, or is supposed. */
function givenPart({ decoded, supposed }: ExplanationNode): Part {
  const nothing = supposed === true ? "none" : "unknown";
  return {
    name: supposed === true ? "supposed" : "given",
    items: decoded.length === 0 ? [{ text: nothing }] : decoded.map(answerItem),
  };
}

/** Truths as `True` and `False`, numbers with four significant digits, names as they are. */
function printValue(value: ExplainedValue): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : value;
}
