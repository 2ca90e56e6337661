/**
 * @file Runs whose model another program has trained: what it answers is known, and no layers of it. What needs these
 * refuses it in one line. Light: it is asked of every run that is opened.
 */
import { ConfigError } from "../../errors.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { RunStore } from "../../storage/run-store.js";
import { peekJson, recordOf, runFiles } from "../run-folder.js";

/** Whether a run's model was adopted. */
export function isAdopted(runDir: string): boolean {
  return recordOf(peekJson(runFiles(runDir).config)).adopted !== undefined;
}

/**
 * @param what cannot be done, as a clause
 * @throws ConfigError
 */
export function refuseAdopted({ id, name }: Pick<RunRecord, "id" | "name">, what: string): never {
  throw new ConfigError(
    `Run ${id} (${name}) was adopted: of its model only the answers are known, so ${what}. Train a run of this project for that: cool run.`,
    { run: id },
  );
}

/** @throws ConfigError for a run without layers of its own */
export function assertLayers(store: RunStore, run: RunRecord, what: string): RunRecord {
  return isAdopted(store.runDir(run.id)) ? refuseAdopted(run, what) : run;
}
