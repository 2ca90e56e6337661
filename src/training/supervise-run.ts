/** @file A run from its first step to its end, which is written down however it comes. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "../data/dataset.js";
import { CoolError, InterruptedError, PrunedError } from "../errors.js";
import type { OutputCapture } from "../provenance/capture-output.js";
import { watchRun } from "../provenance/capture-run.js";
import { endLogs, recordEnd } from "../provenance/run-end.js";
import { storeLogger } from "../provenance/store-logger.js";
import { runFiles } from "../records/run-folder.js";
import { summarize } from "../records/run-summary.js";
import { type AnsweredContext, type AnsweredSplits, completeRun } from "./complete-run.js";
import type { TrainedEpochs } from "./epochs/train-epochs.js";
import type { RunResult } from "./run-result.js";

/** What a run does between its beginning and its end. */
export interface RunWork {
  learn(): Promise<TrainedEpochs>;
  /** Answers to every split, by what was learned. */
  answer(): Promise<AnsweredSplits>;
  /** What becomes of it where it is interrupted, as a sentence. */
  readonly interrupted: string;
}

/**
 * @throws InterruptedError where the run's signal fires, PrunedError where its epochs are judged and found wanting; what else ends the run, as it was thrown
 */
export async function superviseRun(context: AnsweredContext, output: OutputCapture, work: RunWork): Promise<RunResult> {
  const { store, run, runDir, loggers, dataset } = context;
  loggers.require(storeLogger(store, run.id));
  const watch = watchRun(store, run.id, runDir, loggers);
  try {
    mkdirSync(join(runDir, "predictions"), { recursive: true });
    output.writeTo(runFiles(runDir).stdout);
    loggers.message(`run ${run.id} (${run.name}): ${splitSizes(dataset)}`);
    const trained = await work.learn();
    const { thresholds, evaluation } = await completeRun(context, trained, work.answer);
    watch.stop();
    endLogs(context, "finished");
    const finished = store.finishRun(run.id, "finished");
    return { run: summarize(finished, runDir), thresholds, evaluation, skipped: dataset.skipped.length };
  } catch (error) {
    watch.stop();
    throw endedBy(error, context, output, work);
  }
}

/** Writes down why a run ended. @returns the error as its user reads it */
function endedBy(thrown: unknown, context: AnsweredContext, output: OutputCapture, work: RunWork): Error {
  const { store, run } = context;
  // whatever came of a store that was deleted: nothing can go on from there
  const error = store.missing(run.id) ?? thrown;
  const isInterrupted = error instanceof InterruptedError;
  const state = isInterrupted ? "interrupted" : error instanceof PrunedError ? "pruned" : "failed";
  endLogs(context, state);
  const reason = error instanceof Error ? error.message : String(error);
  const told = isInterrupted ? `Interrupted: run ${run.id} (${run.name}) ${work.interrupted}` : reason;
  // whoever called prints it when the log is closed
  output.add(state === "pruned" ? `${told}\n` : `Error: ${told}\n`);
  if (store.isThere()) recordEnd(context, state, state === "failed" ? reason : null);
  if (isInterrupted) return new InterruptedError(told, { run: run.id });
  return error instanceof CoolError ? error : new Error(`Run ${run.id} failed: ${reason}`, { cause: error });
}

function splitSizes({ splits, skipped }: Dataset): string {
  const sizes = `${splits.train.length} train, ${splits.valid.length} valid, ${splits.test.length} test samples`;
  return skipped.length === 0 ? sizes : `${sizes}, ${skipped.length} skipped`;
}
