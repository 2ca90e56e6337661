/** @file The tree of answers as nested lists. */
import type { ExplainedValue, ExplanationNode } from "../../analysis/explanation/explanation.js";
import type { FlowGraph, TaskSpec } from "../../flow/graph.js";
import type { NotAsked } from "../messages.js";
import { element } from "./elements.js";
import { inDigits } from "./numbers.js";

/** Classes that are shown of many. */
const CLASSES_SHOWN = 3;

export function treeView(graph: FlowGraph, nodes: readonly ExplanationNode[]): HTMLElement {
  if (nodes.length === 0) return element("p", { class: "quiet" }, "No question is asked of this input.");
  const specs = new Map(graph.tasks.map(({ path, spec }) => [path, spec]));
  const listOf = (siblings: readonly ExplanationNode[], name: string): HTMLElement =>
    element("ul", { class: name }, ...siblings.map(itemOf));
  const itemOf = (node: ExplanationNode): HTMLElement =>
    element(
      "li",
      { "data-path": node.path },
      nodeView(node, specs.get(node.path)),
      node.children.length === 0 ? null : listOf(node.children, "branch"),
    );
  return listOf(nodes, "tree");
}

/** @param count of all questions */
export function notAskedView(tasks: readonly NotAsked[], count: number): HTMLElement | null {
  if (tasks.length === 0) return null;
  const items = tasks.map(({ path, condition }) =>
    element(
      "li",
      { "data-not-asked": path },
      element("span", { class: "task" }, path),
      condition === "" ? null : element("span", { class: "quiet" }, ` only given ${condition}`),
    ),
  );
  return element(
    "details",
    { class: "not-asked", open: true },
    element("summary", {}, `Not asked: ${tasks.length} of ${count} questions`),
    element("ul", {}, ...items),
  );
}

function nodeView(node: ExplanationNode, spec: TaskSpec | undefined): HTMLElement {
  const name = node.path.slice(node.path.lastIndexOf(".") + 1);
  const given = node.given === undefined ? null : element("span", { class: "quiet" }, ` given ${node.given}`);
  const head = element("span", { class: spec === undefined ? "flow" : "task" }, name);
  if (spec === undefined) return element("div", { class: "node" }, element("div", { class: "line" }, head, given));
  const [answers, rows] = answersOf(node, spec);
  return element("div", { class: "node" }, element("div", { class: "line" }, head, given, ...answers), ...rows);
}

/** What stands beside the name, and below it. */
function answersOf(node: ExplanationNode, spec: TaskSpec): [beside: HTMLElement[], below: HTMLElement[]] {
  const { decoded, activated, labels, thresholds = [], positions } = node;
  if (positions !== undefined) return [[tokenCount(node)], [tokenList(node, positions)]];
  if (decoded.length === 0 && labels === undefined) return [[answer("unknown", "none")], []];
  if (spec.kind === "known") return [decoded.map((value) => answer(value)).concat(note("given")), []];
  if (labels !== undefined) {
    const rows = labels.map((label, i) => scoreRow(label, activated[i], thresholds[i]));
    return [decoded.length === 0 ? [answer("none", "none")] : decoded.map((value) => answer(value)), rows];
  }
  if (thresholds.length > 0) {
    return [decoded.map((value) => answer(value)), [scoreRow(null, activated[0], thresholds[0])]];
  }
  // classes, the best first
  if (decoded.length > 1 && typeof decoded[0] === "string") {
    const shown = decoded.slice(0, CLASSES_SHOWN).map((value, i) => scoreRow(String(value), activated[i], undefined));
    return [decoded.slice(0, 1).map((value) => answer(value)), shown];
  }
  return [[answer(decoded.map(printed).join(", "), "number")], []];
}

function answer(value: ExplainedValue, kind?: string): HTMLElement {
  const own = typeof value === "boolean" ? (value ? "yes" : "no") : "value";
  return element("span", { class: `answer ${kind ?? own}` }, printed(value));
}

function note(text: string): HTMLElement {
  return element("span", { class: "quiet" }, text);
}

/**
 * A score as a bar, with its threshold as a line across it.
 * @param label null: the score of the task itself
 */
function scoreRow(label: string | null, score = Number.NaN, threshold?: number): HTMLElement {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${100 * Math.min(1, Math.max(0, Number.isNaN(score) ? 0 : score))}%`;
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, fill);
  if (threshold !== undefined) {
    const line = element("span", { class: "threshold" });
    line.style.left = `${100 * Math.min(1, Math.max(0, threshold))}%`;
    bar.append(line);
  }
  const compared = threshold === undefined ? "" : ` ${score >= threshold ? "≥" : "<"} ${inDigits(threshold)}`;
  return element(
    "div",
    { class: "score" },
    label === null ? element("span", { class: "spoken" }, "score") : element("span", { class: "label" }, label),
    bar,
    element("span", { class: "figure" }, `${inDigits(score)}${compared}`),
  );
}

function tokenCount({ positions = [], tokens = 0 }: ExplanationNode): HTMLElement {
  const all = `of ${tokens} token${tokens === 1 ? "" : "s"}`;
  return note(positions.length === tokens ? all : `${positions.length} ${all}`);
}

function tokenList({ decoded, words }: ExplanationNode, positions: readonly number[]): HTMLElement {
  const items = positions.map((position, i) =>
    element(
      "li",
      {},
      element("span", { class: "token" }, words?.[i] ?? String(position + 1)),
      answer(decoded[i] ?? "unknown"),
    ),
  );
  return element("ol", { class: "tokens" }, ...items);
}

/** As `cool explain` prints them. */
function printed(value: ExplainedValue): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? inDigits(value) : value;
}
