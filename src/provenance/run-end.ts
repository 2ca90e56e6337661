/** @file The end of a run, written down however it comes. */
import type { LoggerGroup } from "../logging/logger-group.js";
import type { RunEnd } from "../logging/run-logger.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";

/** A run with its store and its listeners. */
interface WatchedRun {
  readonly store: RunStore;
  readonly run: Pick<RunRecord, "id">;
  readonly loggers: LoggerGroup;
}

/** Marks runs whose curves, pictures or log file have gaps. */
export const INCOMPLETE_LOGS = "incomplete-logs";

/** Tells the loggers how the run ended. Where one of them failed on the way, the run is tagged and says so. */
export function endLogs({ loggers, store, run }: WatchedRun, end: RunEnd): void {
  loggers.ended(end);
  if (loggers.failures.length === 0) return;
  loggers.warning(
    `The logs of run ${run.id} have gaps (it is tagged ${INCOMPLETE_LOGS}); weights and results are complete. ${loggers.failures.join(" ")}`,
  );
  try {
    store.addTags(run.id, [INCOMPLETE_LOGS]);
  } catch {
    // the disk that the logs lacked may be the store's as well; the warning has said it
  }
}

/** A store that cannot be written now (a full disk) must not hide why the run ended; the run shows as crashed then. */
export function recordEnd(
  { store, run, loggers }: WatchedRun,
  state: "interrupted" | "pruned" | "failed",
  reason: string | null,
): void {
  try {
    store.finishRun(run.id, state, reason === null ? {} : { error: reason });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    loggers.warning(`That the run has ${state} cannot be written down: ${why}`);
  }
}
