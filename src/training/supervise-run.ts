/** @file A run from its first step to its end, which is written down however it comes. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Dataset, InputSpec } from "../data/dataset.js";
import { CoolError, InterruptedError } from "../errors.js";
import type { OutputCapture } from "../provenance/capture-output.js";
import { watchRun } from "../provenance/capture-run.js";
import { endLogs, recordEnd } from "../provenance/run-end.js";
import { storeLogger } from "../provenance/store-logger.js";
import { runFiles } from "../records/run-folder.js";
import { summarize } from "../records/run-summary.js";
import { completeRun } from "./complete-run.js";
import { openLoggers } from "./log-run.js";
import type { RunContext } from "./run-context.js";
import { trainEpochs } from "./epochs/train-epochs.js";
import type { RunResult } from "./run-result.js";

/**
 * @param inputs complete: with statistics and vocabularies
 * @throws InterruptedError where the run's signal fires; what else ends the run, as it was thrown
 */
export async function superviseRun(
  context: RunContext,
  inputs: Readonly<Record<string, InputSpec>>,
  output: OutputCapture,
): Promise<RunResult> {
  const { store, run, runDir, loggers, dataset } = context;
  loggers.require(storeLogger(store, run.id));
  const watch = watchRun(store, run.id, runDir, loggers);
  try {
    mkdirSync(join(runDir, "predictions"), { recursive: true });
    output.writeTo(runFiles(runDir).stdout);
    loggers.message(`run ${run.id} (${run.name}): ${splitSizes(dataset)}`);
    const trained = await trainEpochs(context, (step) => openLoggers(context, step));
    const { thresholds, evaluation } = await completeRun(context, inputs, trained);
    watch.stop();
    endLogs(context, "finished");
    const finished = store.finishRun(run.id, "finished");
    return { run: summarize(finished, runDir), thresholds, evaluation, skipped: dataset.skipped.length };
  } catch (error) {
    watch.stop();
    throw endedBy(error, context, output);
  }
}

/** Writes down why a run ended. @returns the error as its user reads it */
function endedBy(thrown: unknown, context: RunContext, output: OutputCapture): Error {
  const { store, run } = context;
  // whatever came of a store that was deleted: nothing can go on from there
  const error = store.missing(run.id) ?? thrown;
  const isInterrupted = error instanceof InterruptedError;
  endLogs(context, isInterrupted ? "interrupted" : "failed");
  const reason = error instanceof Error ? error.message : String(error);
  const told = isInterrupted
    ? `Interrupted: run ${run.id} (${run.name}) is kept with its last checkpoint. Go on with: cool run --resume ${run.id}`
    : reason;
  // whoever called prints it when the log is closed
  output.add(`Error: ${told}\n`);
  if (store.isThere()) recordEnd(context, isInterrupted ? "interrupted" : "failed", isInterrupted ? null : reason);
  if (isInterrupted) return new InterruptedError(told, { run: run.id });
  return error instanceof CoolError ? error : new Error(`Run ${run.id} failed: ${reason}`, { cause: error });
}

function splitSizes({ splits, skipped }: Dataset): string {
  const sizes = `${splits.train.length} train, ${splits.valid.length} valid, ${splits.test.length} test samples`;
  return skipped.length === 0 ? sizes : `${sizes}, ${skipped.length} skipped`;
}
