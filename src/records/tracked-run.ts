/**
 * @file Runs of other programs: their folder has tracked.json, and neither network nor flow. What needs one refuses them
 * in one line. Light: it is asked of every run that is opened.
 */
import { existsSync } from "node:fs";
import { StoreError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { brokenDocument, peekJson, readJson, recordOf, runFiles, trackedFile, writeJson } from "./run-folder.js";

/** tracked.json: how the run began, enough to store it again from its folder. */
export interface TrackedDocument {
  readonly formatVersion: 1;
  readonly project: string;
  readonly workingDir: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export function writeTracked(runDir: string, document: TrackedDocument): void {
  writeJson(runFiles(runDir).tracked, document);
}

/** Whether another program trained the run. */
export function isTracked(runDir: string): boolean {
  return existsSync(trackedFile(runDir));
}

/** @throws StoreError where the file is not there, or is not as a run writes it */
export function readTracked(runDir: string): TrackedDocument {
  const file = runFiles(runDir).tracked;
  const tracked = trackedOf(readJson(file));
  if (tracked === null) throw brokenDocument(file, "", "it has no project, workingDir or config");
  return tracked;
}

/** The same; null where the file is not there or is damaged. */
export function peekTracked(runDir: string): TrackedDocument | null {
  return trackedOf(peekJson(runFiles(runDir).tracked));
}

function trackedOf(value: unknown): TrackedDocument | null {
  const { formatVersion, project, workingDir, config } = recordOf(value);
  if (formatVersion !== 1 || typeof project !== "string" || typeof workingDir !== "string") return null;
  return typeof config === "object" ? { formatVersion, project, workingDir, config: recordOf(config) } : null;
}

/**
 * For what needs a network or a flow.
 * @throws StoreError for a run of another program
 */
export function assertTrained(store: RunStore, run: RunRecord): RunRecord {
  if (!isTracked(store.runDir(run.id))) return run;
  throw new StoreError(
    `Run ${run.id} (${run.name}) was tracked, not trained by dnn-cool: it has no network or flow that could be used. See what it has with cool runs show, compare runs or tensorboard.`,
    { run: run.id },
  );
}

/** The finished run that `latest` means where one with a network is wanted; undefined where there is none. */
export function latestTrained(store: RunStore): RunRecord | undefined {
  const isTrained = ({ id }: RunRecord): boolean => !isTracked(store.runDir(id));
  // mostly the first one is
  const [latest] = store.listRuns({ state: "finished", limit: 1 });
  if (latest === undefined || isTrained(latest)) return latest;
  return store.listRuns({ state: "finished" }).find(isTrained);
}
