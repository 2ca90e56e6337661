/** @file Whether the folder of a run from elsewhere is whole, and as a run leaves it. */
import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import { CoolError, StoreError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { checkedArtifactPath } from "../storage/tables/artifacts.js";
import { isAdopted } from "./adopted/adopted-run.js";
import { readBaselines } from "./baselines.js";
import { readCalibration } from "./calibration.js";
import { readMonitor } from "./monitor/monitor.js";
import { FOLDER_MISSING } from "./orphans.js";
import { readGraph, readRunConfig, readSource } from "./run-documents.js";
import { filesOf, sha256Of } from "./run-files.js";
import { runFiles } from "./run-folder.js";
import { readThresholds } from "./thresholds.js";
import { isTracked, readTracked } from "./tracked-run.js";

/** What every run has from its first moment. */
const ALWAYS = ["config.json", "graph.json"];
/** Of a run that another program trained that is all. */
const TRACKED = ["tracked.json"];
/** What it has once it has finished. */
const FINISHED = ["thresholds.json"];
/** And where it was not adopted. */
const CHECKPOINT = ["checkpoints/best/model.json", "checkpoints/best/weights.bin"];

/**
 * @param dir copy of the run's folder
 * @throws StoreError, ConfigError that say what is missing, not what was recorded, or not as a run writes it
 */
export function assertSoundRun(store: RunStore, id: string, dir: string): void {
  const run = store.getRun(id);
  try {
    assertReadable(store, id);
    // its folder was lost before, and the run says so
    if (!existsSync(dir) && run.tags.includes(FOLDER_MISSING)) return;
    assertWhole(store, run, dir);
    assertDocuments(dir);
  } catch (error) {
    if (!(error instanceof CoolError)) throw error;
    // the copy is gone by the time that this is read
    const message = error.message.replaceAll(`${dir}${sep}`, "");
    throw new StoreError(message, { run: id, ...error.facts }, { cause: error });
  }
}

function assertWhole(store: RunStore, run: RunRecord, dir: string): void {
  const files = existsSync(dir) ? filesOf(dir) : [];
  const present = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const finished = isAdopted(dir) ? FINISHED : [...FINISHED, ...CHECKPOINT];
  const required = isTracked(dir) ? TRACKED : run.state === "finished" ? [...ALWAYS, ...finished] : ALWAYS;
  const missing = required.find((path) => !present.has(path));
  if (missing !== undefined) throw new StoreError(`its folder has no ${missing}.`, { path: missing });
  for (const { path, bytes, sha256 } of store.readArtifacts(run.id)) {
    checkedArtifactPath(path);
    const found = present.get(path);
    if (found === undefined) throw new StoreError(`its folder has no ${path}, which is on record.`, { path });
    if (found !== bytes || sha256Of(join(dir, path)) !== sha256) {
      throw new StoreError(`${path} is not the file that is on record: its SHA-256 or its size is another one.`, {
        path,
      });
    }
  }
}

/** Everything that commands will read of it later. */
function assertDocuments(dir: string): void {
  const files = runFiles(dir);
  if (existsSync(files.source)) readSource(dir);
  if (isTracked(dir)) {
    readTracked(dir);
    return;
  }
  readRunConfig(dir);
  const graph = readGraph(dir);
  if (existsSync(files.thresholds)) readThresholds(dir, graph);
  readBaselines(dir, graph);
  readCalibration(dir, graph);
  readMonitor(dir);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Rows that the types of their columns allow, and that no run has written. */
function assertReadable(store: RunStore, id: string): void {
  const { createdAt, startedAt, endedAt, heartbeatAt, deletedAt } = store.getRun(id);
  const times = Object.entries({ createdAt, startedAt, endedAt, heartbeatAt, deletedAt });
  const wrong = times.find(([, time]) => time !== null && !(TIME.test(time) && !Number.isNaN(Date.parse(time))));
  if (wrong !== undefined) throw new StoreError(`its ${wrong[0]} is no time.`, { key: wrong[0] });
  const read = (what: string, rows: () => unknown): void => {
    try {
      rows();
    } catch (error) {
      if (error instanceof CoolError) throw error;
      throw new StoreError(`its ${what} cannot be read from the database.`, { what }, { cause: error });
    }
  };
  read("settings", () => store.readConfig(id));
  read("environment", () => store.readEnvironment(id));
  read("samples", () => store.readInterpretation(id));
  const endless = store.readThresholds(id).find(({ value }) => !Number.isFinite(value));
  if (endless !== undefined)
    throw new StoreError(`its threshold of ${JSON.stringify(endless.taskPath)} is no number.`, {});
}
