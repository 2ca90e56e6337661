/** @file Answers of a network that are no numbers: no error, and not to pass unseen. */
import { at } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";

/**
 * One sentence for each task of which a network has answered NaN.
 * @param outputs logits of each task, in the order of the graph
 * @param where the rows are of, such as ` on test`
 */
export function nanAnswers({ tasks }: FlowGraph, outputs: readonly Float32Array[], where = ""): string[] {
  return tasks.flatMap(({ path, spec, index }) => {
    const behaviour = behaviourOf(spec);
    if (behaviour.answeredBy !== "network") return [];
    const width = behaviour.logitWidth(spec);
    const logits = at(outputs, index);
    const all = logits.length / width;
    let unknown = 0;
    for (let entry = 0; entry < all; entry++) {
      if (logits.subarray(entry * width, (entry + 1) * width).some(Number.isNaN)) unknown++;
    }
    return unknown === 0
      ? []
      : [`${path}: ${unknown} of ${all} answers${where} are NaN, which no metric counts as right`];
  });
}
