/** @file What the steps of a run share. */
import type { Dataset } from "../data/dataset.js";
import type { BackendInfo } from "../engine/backends/choose.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import type { LoadedProject } from "../project/resolve-project.js";
import type { Settings } from "../project/settings.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { RunRanks } from "./ranks/run-ranks.js";

export interface RunContext {
  readonly project: LoadedProject;
  readonly settings: Settings;
  readonly dataset: Dataset;
  readonly store: RunStore;
  readonly run: RunRecord;
  readonly runDir: string;
  readonly loggers: LoggerGroup;
  readonly signal: AbortSignal | undefined;
  readonly resumed: boolean;
  readonly backend: BackendInfo;
  /** Asked after each epoch that is not the last whether the run goes on; default: it does. */
  readonly judge?: EpochJudge | undefined;
  /** The job over MPI that trains it; undefined: this process does. */
  readonly ranks?: RunRanks | undefined;
}

/**
 * Judges a run by its curves so far, which are in the store.
 * @returns why it is pruned, as a sentence; null: it goes on
 */
export type EpochJudge = (run: { readonly id: string; readonly epoch: number }) => string | null;
