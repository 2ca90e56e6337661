/** @file A finished run opened from its folder alone: graph, decoders and predictions, without the project. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Baselines } from "../analysis/baselines.js";
import { type ScoredSplit, scoreSplit } from "../analysis/score.js";
import type { NamedTable } from "../data/tables/read-files.js";
import { storedTokenizer, type TokenizerPlaces } from "../data/tokenizers/stored-tokenizer.js";
import { ConfigError, StoreError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { type EvaluationRow, SPLITS, type Split } from "../tasks/evaluation.js";
import { isMasked, type Thresholds } from "../tasks/index.js";
import { tablesOf } from "../project/settings.js";
import { loadOwnCode } from "../project/custom-task-code.js";
import { type RunningProject, runningProject } from "../project/project-dir.js";
import { readBaselines } from "../records/baselines.js";
import { type CalibrationRecord, readCalibration } from "../records/calibration.js";
import { readPredictions } from "../records/predictions/read.js";
import { readGraph, readRunConfig } from "../records/run-documents.js";
import { type RunConfig, runFiles } from "../records/run-folder.js";
import { readThresholds } from "../records/thresholds.js";
import { assertTrained, latestTrained } from "../records/tracked-run.js";

/** What a run's folder says, without its weights. */
export interface StoredRun {
  readonly run: RunRecord;
  readonly dir: string;
  readonly config: RunConfig;
  readonly graph: FlowGraph;
  /** Per task, in the order of the graph. */
  readonly thresholds: readonly Thresholds[];
  /** Constant answers to beat; of a run from before there were any none. */
  readonly baselines: Baselines;
  /** What makes probabilities of its scores; null where it has not been calibrated. */
  readonly calibration: CalibrationRecord | null;
  /** The user's, whose code and files may be used; null where the user stands in none. */
  readonly project: RunningProject | null;
}

/** How a run is opened. */
export interface OpenRunOptions {
  /**
   * Folder (or configuration) of the project whose code custom tasks need; default: the nearest one above the working
   * folder. What the run says about its project is never run.
   */
  readonly project?: string | undefined;
}

/**
 * @param reference id, unique id prefix, name or `latest`
 * @throws UnknownNameError, StoreError where the run has not finished, ConfigError where the code of a custom task is
 *   missing or has changed
 */
export async function openStoredRun(
  store: RunStore,
  reference: string,
  { project }: OpenRunOptions = {},
): Promise<StoredRun> {
  const run = usableRun(store, reference);
  const dir = store.runDir(run.id);
  if (!existsSync(runFiles(dir).thresholds)) throw noResults(run, dir);
  const [graph, config] = [readGraph(dir), readRunConfig(dir)];
  const running = runningProject(project);
  await loadOwnCode(run, graph, running, config.configFile);
  const [thresholds, baselines] = [readThresholds(dir, graph), readBaselines(dir, graph)];
  const calibration = readCalibration(dir, graph);
  return { run, dir, config, graph, thresholds, baselines, calibration, project: running };
}

/** Whether the store has a run's results, but the folder with what they were made of has been deleted. */
export function hasLostFolder(store: RunStore, { id }: RunRecord): boolean {
  return !existsSync(store.runDir(id)) && store.readEvaluation(id).length > 0;
}

function noResults(run: RunRecord, dir: string): StoreError {
  const { id, name, displayState: state } = run;
  const facts = { run: id, state, dir };
  if (!existsSync(dir)) {
    return new StoreError(
      `The folder of run ${id} (${name}) has been deleted: ${dir}. Its weights and predictions are gone; what the store keeps of it is shown by cool runs show, cool evaluate and cool compare runs.`,
      facts,
    );
  }
  if (state === "finished") {
    return new StoreError(
      `Run ${id} (${name}) is finished, but ${runFiles(dir).thresholds} has been deleted. What the store keeps of it is shown by cool runs show and cool compare runs.`,
      facts,
    );
  }
  const next = state === "running" ? "Wait for it to end." : `Finish it with: cool run --resume ${id}`;
  return new StoreError(`Run ${id} (${name}) is ${state} and has no results yet. ${next}`, facts);
}

/** @throws UnknownNameError, StoreError for a run that another program trained */
export function usableRun(store: RunStore, reference: string): RunRecord {
  return assertTrained(store, reference === "latest" ? latestFinished(store) : store.findRun(reference));
}

/** `latest` means a run that can be used, so one that has only begun or failed is passed over. */
function latestFinished(store: RunStore): RunRecord {
  return latestTrained(store) ?? store.findRun("latest");
}

/** Where the tokenizers of a run lie: in its store alone, whatever it says of its project. */
export function storedPlaces({
  dir,
  project,
}: Pick<StoredRun, "dir" | "project">): NonNullable<TokenizerPlaces["stored"]> {
  const storeDir = resolve(dir, "..", "..");
  return { fileOf: (_, digest) => storedTokenizer(storeDir, digest), packagesDir: project?.dir ?? null };
}

/** The tables that the run was trained on. */
export function tablesOfRun({ config, project }: StoredRun): NamedTable[] {
  const folder = project?.dir ?? config.projectDir;
  return tablesOf(config.settings.data).map((table) => ({ table, folder }));
}

/** Folder of the store that a run lies in. */
export function storeOf({ dir }: Pick<StoredRun, "dir">): string {
  return resolve(dir, "..", "..");
}

/** Splits of which the run has predictions. */
export function predictedSplits(dir: string): Split[] {
  return SPLITS.filter((split) => existsSync(runFiles(dir).predictions(split)));
}

/** @throws ConfigError where the run has no answers on valid, which thresholds are chosen on */
export function assertHasValid({ run, dir }: StoredRun): void {
  if (predictedSplits(dir).includes("valid")) return;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) has no valid split to tune on. Give data.split a valid part and run again.`,
    { run: run.id },
  );
}

/** What the run's evaluation says of masked tokens: thresholds do not change it. */
export function guessedRowsOf(store: RunStore, { run, graph }: StoredRun): EvaluationRow[] {
  const masked = graph.tasks.find(isMasked);
  if (masked === undefined) return [];
  return store.readEvaluation(run.id).filter(({ task_path }) => task_path === masked.path);
}

/** A split's stored outputs, scored with the run's thresholds as they are now. */
export async function readScoredSplit(stored: StoredRun, split: Split): Promise<ScoredSplit> {
  const { graph, dir, thresholds, run } = stored;
  const file = runFiles(dir).predictions(split);
  if (!existsSync(file)) {
    const known = predictedSplits(dir).join(", ") || "none";
    throw new StoreError(`Run ${run.id} (${run.name}) has no ${split} split; it has: ${known}.`, {
      run: run.id,
      split,
    });
  }
  return scoreSplit(graph, await readPredictions(file, graph, split), thresholds);
}
