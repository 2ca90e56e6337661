/** @file The flow graph as text: preconditions in the notation of the field, `A | B` = A given B. */
import {
  axisOf,
  isPerElement,
  type Condition,
  type Contract,
  type FlowGraph,
  operands,
  type TaskNode,
  taskAt,
} from "./graph.js";
import { flowFacts } from "./kinds.js";

/** One condition, e.g. `not camera_blocked and (door_open or shirt_type is red)`. */
export function printCondition(graph: FlowGraph, condition: Condition): string {
  const inner = (c: Condition): string => {
    const text = printCondition(graph, c);
    const parts = c.kind === "and" || c.kind === "or" ? operands(c) : c.kind === "isOneOf" ? c.classes : [];
    return parts.length > 1 ? `(${text})` : text;
  };
  switch (condition.kind) {
    case "true":
      return condition.task;
    case "isOneOf":
      return `${condition.task} is ${condition.classes.map((i) => nameIn(graph, condition.task, i)).join(" or ")}`;
    case "has":
      return `${condition.task} has ${nameIn(graph, condition.task, condition.label)}`;
    case "atLeast":
      return `${condition.task} >= ${nameIn(graph, condition.task, condition.value)}`;
    case "below":
      return `${condition.task} < ${nameIn(graph, condition.task, condition.value)}`;
    case "not":
      return `not ${inner(condition.of)}`;
    case "and":
    case "or":
      return condition.of.map(inner).join(` ${condition.kind} `);
    default:
      return condition satisfies never;
  }
}

/** A contract in words: `never open and blocked`, `open implies lit`. */
export function printContract(graph: FlowGraph, contract: Contract): string {
  const inWords = (condition: Condition): string => {
    const text = printCondition(graph, condition);
    return condition.kind === "and" || condition.kind === "or" ? `(${text})` : text;
  };
  if (contract.kind === "never") return `never ${printCondition(graph, contract.condition)}`;
  return `${inWords(contract.condition)} implies ${inWords(contract.consequence)}`;
}

/** Name of what a number stands for in conditions about a task; the number itself where it is one. */
function nameIn(graph: FlowGraph, task: string, number: number): string {
  const { spec } = taskAt(graph, task);
  return flowFacts(spec).names(spec)[number] ?? String(number);
}

/** One line about a task: what it asks, of which feature, under which own precondition. */
function printTask(graph: FlowGraph, task: TaskNode): string {
  const given = task.ownPrecondition === null ? "" : ` | ${printCondition(graph, task.ownPrecondition)}`;
  const { spec } = task;
  const type = flowFacts(spec).typeName(spec);
  const kind = isPerElement(spec) ? `${type} per ${axisOf(spec)}` : type;
  return `${task.name}${given}  [${task.feature === null ? kind : `${kind}, ${task.feature}`}]`;
}

interface Entry {
  readonly text: string;
  readonly children: Entry[];
}

/** The flow as a tree of flows and tasks, one line each, in the order of the flow. */
export function printGraph(graph: FlowGraph): string {
  const root: Entry = { text: graph.flow, children: [] };
  const entries = new Map<string, Entry>([["", root]]);
  const add = (path: string, entry: Entry): void => {
    const parent = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "";
    entries.get(parent)?.children.push(entry);
    entries.set(path, entry);
  };
  const pending = [...graph.flows];
  const openFlows = (upTo: number): void => {
    while (pending[0] !== undefined && pending[0].firstTask <= upTo) {
      const flow = pending.shift();
      if (flow === undefined) break;
      const given = flow.ownPrecondition === null ? "" : ` | ${printCondition(graph, flow.ownPrecondition)}`;
      add(flow.path, { text: `${flow.name}${given}  (flow)`, children: [] });
    }
  };
  for (const task of graph.tasks) {
    openFlows(task.index);
    add(task.path, { text: printTask(graph, task), children: [] });
  }
  openFlows(graph.tasks.length);
  for (const contract of graph.contracts ?? [])
    root.children.push({ text: printContract(graph, contract), children: [] });
  return printTree(root);
}

/** Draws a tree with box characters. */
export function printTree(root: Entry): string {
  const lines = [root.text];
  const walk = (children: readonly Entry[], indent: string): void => {
    children.forEach((child, i) => {
      const last = i === children.length - 1;
      lines.push(`${indent}${last ? "└── " : "├── "}${child.text}`);
      walk(child.children, indent + (last ? "    " : "│   "));
    });
  };
  walk(root.children, "");
  return lines.join("\n");
}
