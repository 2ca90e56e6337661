/** @file A run as the results of commands name it. */
import type { RunRecord } from "../storage/run-record.js";

/** The part of a run's record that the JSON contract shows. */
export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly dir: string;
  readonly backend: string | null;
  readonly seed: number | null;
  readonly epochs: number | null;
  /** The epoch of the checkpoint that the results come from; null where it is not known. */
  readonly best_epoch: number | null;
}

export function summarize(run: RunRecord, runDir: string): RunSummary {
  const { id, name, displayState, backend, seed, epochs, bestEpoch } = run;
  return { id, name, state: displayState, dir: runDir, backend, seed, epochs, best_epoch: bestEpoch };
}
