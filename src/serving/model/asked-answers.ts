/** @file What a server counts of an answer: which tasks were asked, and the names that they were answered by. */
import { flowFacts } from "../../flow/kinds.js";
import { isPerElement, type FlowGraph, type TaskSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { RowAnswer } from "./answer-rows.js";

/** Of each task that was asked about a row: its path, and the answers that are counted. */
export type AskedAnswers = readonly (readonly [path: string, ...answers: string[]])[];

/** Answers of more names are not counted one by one. */
const MOST_NAMES = 64;

/** Tasks whose answers are counted: those of which some come from the network or from what asks. */
export function countedTasks({ tasks }: FlowGraph): ReadonlyMap<string, TaskSpec> {
  const counted = tasks.filter(({ spec }) => behaviourOf(spec).answeredBy !== "training");
  return new Map(counted.map(({ path, spec }) => [path, spec] as const));
}

/** @param tasks see {@link countedTasks} */
export function askedAnswers(tasks: ReadonlyMap<string, TaskSpec>, answer: RowAnswer): AskedAnswers {
  return decodedOf(answer).flatMap(([path, decoded]) => {
    const spec = tasks.get(path);
    return spec === undefined ? [] : [[path, ...countedAnswers(spec, decoded)] as const];
  });
}

function decodedOf(answer: RowAnswer): [path: string, decoded: unknown][] {
  if (answer.kind === "answers") {
    return Object.entries(answer.prediction.answers).map(([path, { decoded }]) => [path, decoded]);
  }
  const found: [string, unknown][] = [];
  const open = [...answer.explanation.tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === "task") found.push([node.path, node.decoded]);
    open.push(...node.children);
  }
  return found;
}

/** Of a task per row that answers by names: the name, of several labels each. */
function countedAnswers(spec: TaskSpec, decoded: unknown): string[] {
  const facts = flowFacts(spec);
  const names = facts.names(spec);
  const values = Array.isArray(decoded) ? decoded : [decoded];
  const isNamed = names.length > 0 && names.length <= MOST_NAMES;
  if (isPerElement(spec) || !(isNamed || facts.gate(spec).startsWith("truth"))) return [];
  // classes come the best first
  const own = facts.gate(spec) === "label" ? values : values.slice(0, 1);
  return own.map((value) => (value === null ? "unknown" : String(value)));
}
