/** @file `cool run`: from a project to a finished run. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "../data/dataset.js";
import type { BackendChoice } from "../engine/backend.js";
import { ConfigError, CoolError, InterruptedError } from "../errors.js";
import { lineLogger } from "../logging/console.js";
import { LoggerGroup, type RunLogger } from "../logging/run-logger.js";
import { openTensorBoardLogger } from "../logging/tensorboard-logger.js";
import type { RunRecord } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { completeRun } from "./complete-run.js";
import { gitState } from "./git.js";
import { type LoadedProject, type Project, resolveProject } from "./project.js";
import { type RunConfig, readGraph, readRunConfig, runFiles, type ThresholdsByPath, writeJson } from "./run-folder.js";
import type { Settings } from "./settings.js";
import { trainEpochs } from "./train-epochs.js";

export interface TrainRunOptions {
  /** Folder of the run store; default `<project>/.cool`. */
  readonly store?: string | undefined;
  /** Default: the project's name and a number. */
  readonly name?: string | undefined;
  /** Default `auto`: the fastest that loads. */
  readonly backend?: BackendChoice | undefined;
  /** Wins over `train.seed`. */
  readonly seed?: number | undefined;
  /** Wins over `train.epochs`. */
  readonly epochs?: number | undefined;
  /** A run to go on with from its last checkpoint: id, unique prefix, name or `latest`. */
  readonly resume?: string | undefined;
  readonly commandLine?: string | undefined;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Listeners besides the store, TensorBoard and the run's own log file. */
  readonly loggers?: readonly RunLogger[] | undefined;
}

/** What `cool run --json` prints (DESIGN §9). */
export interface RunResult {
  readonly run: RunSummary;
  readonly thresholds: ThresholdsByPath;
  readonly evaluation: readonly EvaluationRow[];
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly dir: string;
  readonly backend: string | null;
  readonly seed: number | null;
  readonly epochs: number | null;
}

/** Everything that the steps of a run share. */
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
}

/**
 * Trains, tunes and evaluates; everything is kept in the store.
 * @throws ConfigError, DataError before a run exists; TrainingError and InterruptedError leave it `failed` or
 * `interrupted`, with its last checkpoint
 */
export async function trainRun(project: Project | LoadedProject, options: TrainRunOptions = {}): Promise<RunResult> {
  const loaded = "graph" in project ? project : resolveProject(project);
  const storeDir = options.store ?? join(loaded.projectDir, ".cool");
  const loggers = new LoggerGroup(options.loggers ?? []);
  const store = openRunStore(storeDir);
  try {
    const earlier = options.resume === undefined ? null : store.findRun(options.resume);
    const settings =
      earlier === null ? chosenSettings(loaded, options) : resumedSettings(loaded, store, earlier, options);
    const dataset = await openDataset(loaded, settings, storeDir, loggers, options.signal);
    try {
      const { openBackend } = await import("../engine/backend.js");
      const backend = await openBackend(options.backend ?? "auto");
      loggers.message(`backend: ${backend.reason}`);
      const config = describeRun(loaded, settings, dataset, backend.name);
      const run =
        earlier === null
          ? startRun(store, loaded, config, backend.version, options)
          : resumeRun(store, earlier, dataset);
      const runDir = store.runDir(run.id);
      const context = {
        project: loaded,
        settings,
        dataset,
        store,
        run,
        runDir,
        loggers,
        signal: options.signal,
        resumed: earlier !== null,
      };
      return await superviseRun(context, config);
    } finally {
      dataset.close();
    }
  } finally {
    await loggers.close();
    store.close();
  }
}

function chosenSettings(project: LoadedProject, { epochs, seed }: TrainRunOptions): Settings {
  const { train } = project.settings;
  return { ...project.settings, train: { ...train, epochs: epochs ?? train.epochs, seed: seed ?? train.seed } };
}

/** A resumed run keeps its own settings; only the number of epochs may change. */
function resumedSettings(
  project: LoadedProject,
  store: RunStore,
  run: RunRecord,
  { epochs }: TrainRunOptions,
): Settings {
  const runDir = store.runDir(run.id);
  const { settings } = readRunConfig(runDir);
  if (JSON.stringify(readGraph(runDir)) !== JSON.stringify(project.graph)) {
    throw new ConfigError(
      `Run ${run.id} (${run.name}) cannot go on: the project's tasks or flow have changed since it started. Start a new run, or restore the ${project.configFile ?? "project"} it was made from.`,
      { run: run.id },
    );
  }
  return { ...settings, train: { ...settings.train, epochs: epochs ?? settings.train.epochs } };
}

/** Prepares and loads the data; everything that can be wrong with it is found here, before a run exists. */
export async function openDataset(
  project: LoadedProject,
  settings: Settings,
  storeDir: string,
  loggers: LoggerGroup,
  signal?: AbortSignal,
): Promise<Dataset> {
  const { projectDir } = project;
  await project.prepare?.({ projectDir, log: (line) => loggers.message(line) });
  const { loadDataset } = await import("../data/load.js");
  const dataset = await loadDataset({
    graph: project.graph,
    table: settings.data.table,
    inputs: project.inputs,
    split: settings.data.split,
    projectDir,
    cacheDir: join(storeDir, "cache"),
    onBadImage: settings.data.onBadImage,
    onProgress: (done, total) => loggers.work({ what: "decoding images", done, total }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (dataset.skipped.length > 0) {
    const [first] = dataset.skipped;
    loggers.warning(
      `${dataset.skipped.length} rows were skipped; the first: ${first?.sample} (row ${first?.row}): ${first?.reason}`,
    );
  }
  return dataset;
}

function describeRun(project: LoadedProject, settings: Settings, dataset: Dataset, backend: string): RunConfig {
  return {
    formatVersion: 1,
    project: project.name,
    projectDir: project.projectDir,
    configFile: project.configFile,
    inputs: project.inputs,
    settings,
    backend,
    dataDigest: dataset.digest,
  };
}

function startRun(
  store: RunStore,
  project: LoadedProject,
  config: RunConfig,
  backendVersion: string,
  { name, commandLine }: TrainRunOptions,
): RunRecord {
  const { train } = config.settings;
  const run = store.createRun({
    project: project.name,
    name,
    config: { ...config.settings },
    seed: train.seed,
    backend: config.backend,
    backendVersion,
    epochs: train.epochs,
    commandLine: commandLine ?? null,
    git: gitState(project.projectDir),
  });
  const files = runFiles(store.runDir(run.id));
  writeJson(files.config, config);
  writeJson(files.graph, project.graph);
  return run;
}

function resumeRun(store: RunStore, run: RunRecord, dataset: Dataset): RunRecord {
  const { dataDigest } = readRunConfig(store.runDir(run.id));
  if (dataDigest !== dataset.digest) {
    throw new ConfigError(
      `Run ${run.id} (${run.name}) cannot go on: the table or its images have changed since it started. Start a new run, or restore the data.`,
      { run: run.id },
    );
  }
  return store.resumeRun(run.id);
}

const HEARTBEAT_MS = 5000;

/** Runs all steps and writes down how they ended, whatever happens. */
async function superviseRun(context: RunContext, config: RunConfig): Promise<RunResult> {
  const { store, run, runDir, loggers, dataset } = context;
  const files = runFiles(runDir);
  mkdirSync(join(runDir, "predictions"), { recursive: true });
  loggers.add(lineLogger((text) => appendFileSync(files.stdout, text)));
  loggers.message(`run ${run.id} (${run.name}): ${splitSizes(dataset)}`);
  const heartbeat = setInterval(() => store.heartbeat(run.id), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    const step = await trainEpochs(context, (resumeStep) => openTensorBoardLogger(runDir, resumeStep));
    const { thresholds, evaluation } = await completeRun(context, config.inputs, step);
    const finished = store.finishRun(run.id, "finished");
    return { run: summarize(finished, runDir), thresholds, evaluation };
  } catch (error) {
    if (error instanceof InterruptedError) {
      store.finishRun(run.id, "interrupted");
      throw new InterruptedError(
        `Interrupted: run ${run.id} (${run.name}) is kept with its last checkpoint. Go on with: cool run --resume ${run.id}`,
        { run: run.id },
      );
    }
    store.finishRun(run.id, "failed", { error: (error as Error).message });
    throw error instanceof CoolError
      ? error
      : new Error(`Run ${run.id} failed: ${(error as Error).message}`, { cause: error });
  } finally {
    clearInterval(heartbeat);
  }
}

function splitSizes({ splits }: Dataset): string {
  return `${splits.train.length} train, ${splits.valid.length} valid, ${splits.test.length} test samples`;
}

/** The part of a run's record that the JSON contract shows. */
export function summarize(run: RunRecord, runDir: string): RunSummary {
  const { id, name, displayState, backend, seed, epochs } = run;
  return { id, name, state: displayState, dir: runDir, backend, seed, epochs };
}
