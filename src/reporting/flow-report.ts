/** @file The flow of a run as its drawing needs it. */
import { type Condition, type ConditionAtom, type FlowGraph, gatesOf, taskAt, type TaskNode } from "../flow/graph.js";
import { flowFacts } from "../flow/kinds.js";
import { printCondition } from "../flow/print.js";
import type { FlowEdge, FlowReport } from "./document.js";

export function flowReport(graph: FlowGraph): FlowReport {
  const above = gatesAbove(graph);
  return {
    name: graph.flow,
    nodes: graph.tasks.map(({ path, name, spec, precondition }) => ({
      path,
      name,
      kind: flowFacts(spec).typeName(spec),
      condition: precondition === null ? null : printCondition(graph, precondition),
    })),
    edges: graph.tasks.flatMap((task) => edgesTo(graph, task, above)),
  };
}

/** From every gate that the task's condition reads, but for those that only its other gates need. */
function edgesTo(graph: FlowGraph, { path, precondition }: TaskNode, above: GatesAbove): FlowEdge[] {
  if (precondition === null) return [];
  const gates = [...gatesOf(precondition)];
  return gates
    .filter((gate) => !gates.some((other) => other !== gate && above.get(other)?.has(gate) === true))
    .map((from) => ({ from, to: path, label: wanted(graph, precondition, from) }));
}

type GatesAbove = ReadonlyMap<string, ReadonlySet<string>>;

/** Of each task all gates on the ways to it. */
function gatesAbove({ tasks }: FlowGraph): GatesAbove {
  const above = new Map<string, ReadonlySet<string>>();
  for (const { path, precondition } of tasks) {
    const own = precondition === null ? [] : [...gatesOf(precondition)];
    above.set(path, new Set(own.flatMap((gate) => [gate, ...(above.get(gate) ?? [])])));
  }
  return above;
}

/** What a condition wants of one gate, in words that stand beside its arrow: `yes`, `no`, `is red or blue`. */
function wanted(graph: FlowGraph, condition: Condition, gate: string): string {
  const said = new Set<string>();
  const visit = (one: Condition, positive: boolean): void => {
    switch (one.kind) {
      case "not":
        visit(one.of, !positive);
        return;
      case "and":
      case "or":
        for (const part of one.of) visit(part, positive);
        return;
      default:
        if (one.task === gate) said.add(atomText(graph, one, positive));
    }
  };
  visit(condition, true);
  return [...said].join(", ");
}

function atomText(graph: FlowGraph, atom: ConditionAtom, positive: boolean): string {
  if (atom.kind === "true") return positive ? "yes" : "no";
  // the text of an atom begins with its task, which is where the arrow comes from
  const text = printCondition(graph, atom).slice(taskAt(graph, atom.task).path.length + 1);
  return positive ? text : `not ${text}`;
}
