/** @file `cool interpret`: the samples that a finished run answers best and worst. */
import { bestAndWorst, type TaskInterpretation } from "../analysis/interpret.js";
import { UnknownNameError } from "../errors.js";
import type { RunStore } from "../storage/run-store.js";
import type { Split } from "../tasks/evaluation.js";
import { openStoredRun, predictedSplits, readScoredSplit } from "./stored-run.js";
import { type RunSummary, summarize } from "./train-run.js";

export interface InterpretResult {
  readonly run: RunSummary;
  readonly split: Split;
  readonly tasks: readonly TaskInterpretation[];
}

/** @param options.split default: valid, or the first split that the run has */
export async function interpretRun(
  store: RunStore,
  reference: string,
  options: { readonly task?: string | undefined; readonly top?: number; readonly split?: Split | undefined } = {},
): Promise<InterpretResult> {
  const stored = openStoredRun(store, reference);
  const { graph, dir, run } = stored;
  const paths = graph.tasks.map(({ path }) => path);
  if (options.task !== undefined && !paths.includes(options.task)) {
    throw new UnknownNameError("task", options.task, paths, `run ${run.id}`, { exitCode: 2 });
  }
  const known = predictedSplits(dir);
  const split = options.split ?? (known.includes("valid") ? "valid" : (known[0] ?? "valid"));
  const scored = await readScoredSplit(stored, split);
  const tasks = bestAndWorst(graph, scored, options.top ?? 10);
  return {
    run: summarize(run, dir),
    split,
    tasks: options.task === undefined ? tasks : tasks.filter(({ task_path }) => task_path === options.task),
  };
}
