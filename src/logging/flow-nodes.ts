/** @file The flow as nodes of TensorBoard's Graphs page: flows are boxes, preconditions dotted edges. */
import { type FlowGraph, gatesOf, type TaskNode } from "../flow/graph.js";
import { printCondition } from "../flow/print.js";
import { behaviourOf } from "../tasks/index.js";
import type { GraphNode } from "./tensorboard/index.js";

// no task can be named so: names of tasks begin with a letter
const TRUNK = "_trunk";

/** One node per feature of the trunk, and one per task that reads its feature and depends on its gates. */
export function flowNodes(graph: FlowGraph): GraphNode[] {
  const features = graph.features.map((name): GraphNode => ({ name: `${TRUNK}/${name}`, op: "feature", inputs: [] }));
  return [...features, ...graph.tasks.map((task) => taskNode(graph, task))];
}

function taskNode(graph: FlowGraph, task: TaskNode): GraphNode {
  const { path, feature, spec, lossWeight, precondition } = task;
  const gates = precondition === null ? [] : [...gatesOf(precondition)];
  return {
    name: nodeName(path),
    op: spec.kind,
    inputs: [...(feature === null ? [] : [`${TRUNK}/${feature}`]), ...gates.map((gate) => `^${nodeName(gate)}`)],
    attributes: {
      path,
      lossWeight,
      ...(precondition === null ? {} : { precondition: printCondition(graph, precondition) }),
      ...behaviourOf(spec).options(spec),
    },
  };
}

function nodeName(path: string): string {
  return path.replaceAll(".", "/");
}
