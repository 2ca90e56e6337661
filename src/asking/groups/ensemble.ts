/** @file Outputs of several networks for the same rows → those of their ensemble. */
import { at } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { scoringOf } from "../../tasks/index.js";

/** What one network put out. */
export interface MemberOutputs {
  /** As it was fitted to the labels that trained the network. */
  readonly graph: FlowGraph;
  /** Per task of the graph. */
  readonly outputs: readonly Float32Array[];
}

/**
 * @param graph in whose terms the ensemble answers
 * @throws ConfigError where a task keeps summaries of its answers alone
 */
export function ensembleOutputs(graph: FlowGraph, members: readonly MemberOutputs[]): Float32Array[] {
  return graph.tasks.map(({ spec, index }) =>
    scoringOf(spec).ensemble(
      spec,
      members.map((member) => ({ spec: at(member.graph.tasks, index).spec, logits: at(member.outputs, index) })),
    ),
  );
}
