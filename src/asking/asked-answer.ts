/** @file What `cool explain --receptive-field` asks about: a task that the network answers, and its largest logit. */
import { f32At } from "../arrays.js";
import type { ScoredTask } from "../analysis/score.js";
import { ConfigError, UnknownNameError } from "../errors.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import { behaviourOf } from "../tasks/index.js";

/** @throws UnknownNameError; ConfigError for a task that the network does not answer */
export function askedTask(graph: FlowGraph, path: string): TaskNode {
  const task = graph.tasks.find((node) => node.path === path);
  const asked = graph.tasks.filter(({ feature }) => feature !== null).map((node) => node.path);
  if (task === undefined) throw new UnknownNameError("task", path, asked, "the run's flow", { exitCode: 2 });
  if (task.feature !== null) return task;
  throw new ConfigError(`The task "${path}" is known: its answer comes with the input, not from its pixels.`, {
    task: path,
  });
}

/**
 * Index of the largest logit of one answer; of equal ones the first.
 * @param index of the row, or token, in the task's arrays
 */
export function largestLogit({ task: { spec }, kept, decoded }: ScoredTask, index: number): number {
  // of very many classes the logits are not kept, but the decoded one is that of the largest
  if (kept.kind === "summary") return f32At(decoded, index);
  const width = behaviourOf(spec).logitWidth(spec);
  const logits = kept.logits.subarray(index * width, (index + 1) * width);
  return logits.reduce((best, logit, i) => (logit > f32At(logits, best) ? i : best), 0);
}
