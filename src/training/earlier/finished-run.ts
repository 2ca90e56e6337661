/** @file A finished run that is asked to go on: it stays as it is, unless it is to train for more epochs. */
import { showRun } from "../../records/list-runs.js";
import { summarize } from "../../records/run-summary.js";
import type { RunStore } from "../../storage/run-store.js";
import type { Beginning } from "../begin-run.js";
import type { RunResult } from "../run-result.js";

/** @returns null where there is something to do; else the run as it is, and what to say */
export function finishedRun(
  store: RunStore,
  beginning: Beginning,
  { epochs }: { readonly epochs?: number | undefined },
): { readonly result: RunResult; readonly message: string } | null {
  if (beginning.kind !== "resume") return null;
  const { of: run } = beginning;
  const { epochsDone } = run;
  const planned = run.epochs ?? epochsDone;
  // it goes on with its own settings, by which it has ended for good
  const stoppedEarly = epochsDone < planned;
  if (run.state !== "finished" || (!stoppedEarly && (epochs ?? planned) > planned)) return null;
  const { thresholds, evaluation, skipped } = showRun(store, run.id);
  return {
    result: { run: summarize(run, store.runDir(run.id)), thresholds, evaluation, skipped: skipped ?? 0 },
    message: stoppedEarly
      ? `Run ${run.id} (${run.name}) has stopped early, after ${epochsDone} of ${planned} epochs, and stays as it is. To train on from its weights, begin a new run: cool run --from ${run.id}`
      : `Run ${run.id} (${run.name}) is finished after ${epochsDone} of ${planned} epochs, and stays as it is. To train it for longer, name more epochs: cool run --resume ${run.id} --epochs ${2 * planned}`,
  };
}
