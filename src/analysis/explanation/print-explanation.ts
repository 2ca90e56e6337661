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

/** What is left out first where a tree is too wide: it follows from what stays. */
const LEFT_OUT: readonly (readonly string[])[] = [[], ["logits"], ["logits", "asked"]];

/** A node on its way to a line. */
interface Line {
  /** Styled, as what follows is. */
  readonly start: string;
  /** Between the start and the parts; empty of a flow, which has none. */
  readonly bar: string;
  /** Columns that both take. */
  readonly width: number;
  readonly parts: readonly Part[];
  /** Before what does not fit the first line. */
  readonly below: string;
}

/**
 * One input's explanation as text; the texts of several inputs follow each other line by line.
 * @param columns where the tree is wider, logits are left out of all lines, then the probabilities of being asked; then
 *   lines are folded; default: nothing is
 */
export function printExplanation(
  graph: FlowGraph,
  input: string,
  nodes: readonly ExplanationNode[],
  style: TreeStyle = PLAIN,
  columns = Number.POSITIVE_INFINITY,
): string {
  const lines = linesOf(graph, nodes, style);
  const kept = (names: readonly string[]) =>
    lines.map((line) => ({ ...line, parts: line.parts.filter(({ name }) => !names.includes(name)) }));
  const isWide = (line: Line): boolean => line.width + lengthOf(line.parts) > columns;
  const shown = LEFT_OUT.map(kept).find((some) => !some.some(isWide)) ?? kept(LEFT_OUT.at(-1) ?? []);
  return [style.detail("├── ") + style.input(input), ...shown.flatMap((line) => folded(line, style, columns))].join(
    "\n",
  );
}

function linesOf(graph: FlowGraph, nodes: readonly ExplanationNode[], style: TreeStyle): Line[] {
  const printed = new Map(graph.tasks.map(({ path, name, spec }) => [path, { name, spec }]));
  const flows = new Map(graph.flows.map(({ path, name }) => [path, name]));
  const partsOf = (node: ExplanationNode): Part[] => {
    const task = printed.get(node.path);
    if (task === undefined) return [];
    const behaviour = behaviourOf(task.spec);
    const parts =
      behaviour.answeredBy === "table" || node.supposed === true
        ? [givenPart(node)]
        : node.pixels !== undefined
          ? [pixelPart(node, node.pixels)]
          : node.positions === undefined
            ? answerParts(node, behaviour.choices(task.spec) === null ? Number.POSITIVE_INFINITY : CLASSES_SHOWN)
            : tokenParts(node, node.positions);
    return [...setParts(node), ...parts, ...probabilityParts(node)];
  };
  const lines: Line[] = [];
  const visit = (siblings: readonly ExplanationNode[], indent: string): void => {
    siblings.forEach((node, i) => {
      const last = i === siblings.length - 1;
      const [branch, inner] = [`${indent}${last ? "└── " : "├── "}`, indent + (last ? "    " : "│   ")];
      const task = printed.get(node.path);
      const name = task?.name ?? flows.get(node.path) ?? node.path;
      const given = node.given === undefined ? "" : ` (given ${node.given})`;
      const bar = task === undefined ? "" : " | ";
      lines.push({
        start:
          style.detail(branch) +
          (task === undefined ? style.flow(name) : style.task(name)) +
          (given === "" ? "" : style.detail(given)),
        bar,
        width: [...branch, ...name, ...given, ...bar].length,
        parts: partsOf(node),
        below: `${inner}${node.children.length > 0 ? "│   " : "    "}`,
      });
      visit(node.children, inner);
    });
  };
  visit(nodes, "│   ");
  return lines;
}

/** Columns of parts beside one another. */
function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part, i) => sum + (i === 0 ? 0 : 2) + [...styled(part, PLAIN)].length, 0);
}

/** As many parts on each line as fit; what is wider than a line goes on in the next one, between the items of its list. */
function folded({ start, bar, width, parts, below }: Line, style: TreeStyle, columns: number): string[] {
  const rows: Part[][] = [[]];
  // a comma ends a line that goes on
  for (const piece of parts.flatMap((part) => piecesOf(part, columns - below.length - 1))) {
    const row = rows.at(-1) ?? [];
    const isFirst = rows.length === 1;
    const tooWide = (isFirst ? width : below.length) + lengthOf([...row, piece]) + 1 > columns;
    if (tooWide && (isFirst || row.length > 0)) rows.push([piece]);
    else row.push(piece);
  }
  const [first = [], ...others] = rows.map((row) => row.map((part) => styled(part, style)).join(style.detail(", ")));
  const opening = bar === "" ? "" : style.detail(first.length > 0 ? bar : bar.trimEnd());
  const lines = [`${start}${opening}${first}`, ...others.map((text) => `${style.detail(below)}${text}`)];
  return lines.map((line, i) => (i < lines.length - 1 && !(i === 0 && first === "") ? line + style.detail(",") : line));
}

/** A list in pieces no wider than a line has room, each of one item at least. */
function piecesOf(part: Part, room: number): Part[] {
  if (lengthOf([part]) <= room) return [part];
  const pieces: Part[] = [];
  let items: Item[] = [];
  for (const item of part.items) {
    const longer = { ...part, items: [...items, item], goesOn: false, isRest: pieces.length > 0 };
    if (items.length > 0 && lengthOf([longer]) > room) {
      pieces.push({ ...longer, items, goesOn: true });
      items = [];
    }
    items = [...items, item];
  }
  return [...pieces, { ...part, items, isRest: pieces.length > 0 }];
}

/** A named list: `decoded: [True]`. */
interface Part {
  readonly name: string;
  readonly items: readonly Item[];
  /** What follows the list. */
  readonly after?: string;
  /** Whether the list goes on in the next line. */
  readonly goesOn?: boolean;
  /** Whether it goes on from the line before. */
  readonly isRest?: boolean;
}

interface Item {
  /** What stands before the value: a label, or a token. */
  readonly before?: string;
  readonly text: string;
  /** The answer, where the item is one. */
  readonly answer?: ExplainedValue;
}

function styled(
  { name, items, after = "", goesOn = false, isRest = false }: Part,
  { answer, detail }: TreeStyle,
): string {
  const texts = items.map(
    ({ before = "", text, answer: value }) =>
      (before === "" ? "" : detail(before)) + (value === undefined ? detail(text) : answer(text, value)),
  );
  const begin = isRest ? "  " : detail(`${name}: [`);
  return `${begin}${texts.join(detail(", "))}${goesOn ? "" : detail(`]${after}`)}`;
}

/** @param most items of a list; those beyond are an ellipsis */
function answerParts(node: ExplanationNode, most: number): Part[] {
  const { decoded, activated, logits, labels, uncertainty } = node;
  // no answer: a score is no number
  const isNan = decoded.length === 0 && activated.some(Number.isNaN);
  const few = (items: readonly Item[]): Item[] =>
    items.length > most ? [...items.slice(0, most), { text: "…" }] : [...items];
  const labelled = (texts: readonly string[]): Item[] =>
    texts.map((text, i) => (labels?.[i] === undefined ? { text } : { before: `${labels[i]} `, text }));
  return [
    { name: "decoded", items: isNan ? [{ text: "NaN" }] : few(decoded.map(answerItem)) },
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
/** Regions by the part of the picture that each takes, or the mean of numbers. */
function pixelPart({ decoded, activated }: ExplanationNode, pixels: number): Part {
  const percent = (area: number): string => `${(100 * area).toFixed(1)} %`;
  const items = decoded.map((value, i): Item => {
    const area = activated[i];
    if (area === undefined) return { ...answerItem(value), before: "mean " };
    return typeof value === "boolean" ? { text: percent(area) } : { before: `${value} `, text: percent(area) };
  });
  return { name: "areas", items, after: ` of ${pixels} pixel${pixels === 1 ? "" : "s"} asked` };
}

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
