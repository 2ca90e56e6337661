/** @file `cool run`: from a project to a finished run. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { labelReport } from "../analysis/label-report.js";
import { type Dataset, specsOf } from "../data/dataset.js";
import type { BackendChoice, BackendInfo } from "../engine/backends/choose.js";
import { parseDevice } from "../engine/backends/device.js";
import { ConfigError, CoolError, InterruptedError, StoreError, sentence } from "../errors.js";
import { lineLogger } from "../logging/console.js";
import { LoggerGroup, type RunLogger } from "../logging/run-logger.js";
import { migrationNote } from "../storage/database/migrations.js";
import type { RunRecord } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { checkEarlierRunOptions } from "./again-run.js";
import { backendFor, beginningOf, beginRun, compareFirst, describeRun, settingsFor } from "./begin-run.js";
import { captureOutput, type OutputCapture } from "../provenance/capture-output.js";
import { watchRun } from "../provenance/capture-run.js";
import { completeRun } from "./complete-run.js";
import { buildNetwork } from "./fresh-network.js";
import { ignoreStore } from "../provenance/git.js";
import { endLogs, openCurves } from "./log-run.js";
import { inFile, type LoadedProject, type Project, resolveProject } from "../project/project.js";
import { type RunConfig, runFiles } from "../records/run-folder.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import type { Settings } from "../project/settings.js";
import type { ThresholdsByPath } from "../records/thresholds.js";
import { withVocabulary } from "../project/token-tasks.js";
import { trainEpochs } from "./train-epochs.js";

export interface TrainRunOptions {
  /** Folder of the run store; default `<project>/.cool`. */
  readonly store?: string | undefined;
  /** Default: the project's name and a number. */
  readonly name?: string | undefined;
  /** Default: that of the run to go on with or to repeat; of a new one `auto`, the fastest that loads. */
  readonly backend?: BackendChoice | undefined;
  /** What it computes on: `cpu`, `gpu` or `gpu:N`; default: the GPU where the backend finds one. */
  readonly device?: string | undefined;
  /** Wins over `train.seed`. */
  readonly seed?: number | undefined;
  /** Wins over `train.epochs`. */
  readonly epochs?: number | undefined;
  /** Wins over `train.replicas`. */
  readonly replicas?: number | "auto" | undefined;
  /** A run to go on with from its last checkpoint: id, unique prefix, name or `latest`. */
  readonly resume?: string | undefined;
  /** A run to repeat with its settings and its seed, unless `seed` or `epochs` are given. */
  readonly again?: string | undefined;
  /** Repeats a run although source or data are not what it was made from. */
  readonly force?: boolean | undefined;
  /** A run whose weights to begin with; wins over `train.from`. */
  readonly from?: string | undefined;
  readonly commandLine?: string | undefined;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Listeners besides the store, TensorBoard and the run's own log file. */
  readonly loggers?: readonly RunLogger[] | undefined;
  /** Called with the result while output is still kept with the run: what it prints is in the run's log, too. */
  readonly report?: ((result: RunResult) => void) | undefined;
}

/** What `cool run --json` prints (DESIGN §9). */
export interface RunResult {
  readonly run: RunSummary;
  readonly thresholds: ThresholdsByPath;
  readonly evaluation: readonly EvaluationRow[];
  /** Rows of the table that were left out because of their images; config.json names them. */
  readonly skipped: number;
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
  readonly backend: BackendInfo;
}

/**
 * Trains, tunes and evaluates; everything is kept in the store.
 * @throws ConfigError, DataError before a run exists; TrainingError and InterruptedError leave it `failed` or
 * `interrupted`, with its last checkpoint
 */
export async function trainRun(project: Project | LoadedProject, options: TrainRunOptions = {}): Promise<RunResult> {
  checkEarlierRunOptions(options);
  const device = options.device === undefined ? null : parseDevice(options.device);
  const loaded = "graph" in project ? project : resolveProject(project);
  const storeDir = resolve(options.store ?? join(loaded.projectDir, ".cool"));
  const store = openRunStore(storeDir);
  ignoreStore(storeDir);
  const output = captureOutput();
  const loggers = new LoggerGroup([...(options.loggers ?? []), lineLogger((text) => output.add(text))]);
  if (store.backup !== null) loggers.message(migrationNote(store.backup));
  try {
    const beginning = beginningOf(store, options);
    // what an earlier run says is compared with what there is before any of it is used
    compareFirst(beginning, loaded, store, options);
    const settings = settingsFor(beginning, loaded, store, options);
    const dataset = await openDataset(loaded, settings, storeDir, loggers, options.signal);
    // complete: with the statistics and vocabularies that were read with the data
    const inputs = specsOf(dataset.inputs);
    const ready = { ...loaded, inputs, graph: withVocabulary(loaded.graph, inputs) };
    try {
      const { openBackend } = await import("../engine/backends/choose.js");
      // this side only coordinates replicas: it must not take all memory of the first one's GPU
      if (settings.train.replicas !== 1) process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
      const backend = await openBackend(options.backend ?? backendFor(beginning), {
        device,
        projectDir: loaded.projectDir,
      });
      loggers.message(`backend: ${backend.reason}`);
      if (beginning.kind !== "resume") await checkNetwork(ready, settings, store);
      const config = describeRun(ready, settings, dataset, backend.name);
      const run = await beginRun(beginning, { project: ready, config, backend, store, loggers }, options);
      const runDir = store.runDir(run.id);
      const context = {
        project: ready,
        settings,
        dataset,
        store,
        run,
        runDir,
        loggers,
        signal: options.signal,
        resumed: beginning.kind === "resume",
        backend,
      };
      const result = await superviseRun(context, config, output);
      // a progress bar has gone when the report begins
      await loggers.close();
      options.report?.(result);
      return result;
    } finally {
      dataset.close();
    }
  } finally {
    await loggers.close();
    output.stop();
    store.close();
  }
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
    tables: settings.data.tables,
    allow: settings.data.allow,
    impliedLabels: settings.data.impliedLabels,
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
  const { labels, splits, offsets = null } = dataset;
  for (const { task_path, level, message } of labelReport(project.graph, labels, splits, { offsets }).warnings) {
    if (level === "problem") loggers.warning(`${task_path}: ${message}`);
  }
  for (const { task_path, implied } of dataset.implied) {
    loggers.message(`${task_path}: ${implied} missing labels are implied by labels that are conditioned on it`);
  }
  return dataset;
}

/** Builds the network once, so that a slip in the trunk, or in what it starts from, is found before a run exists. */
async function checkNetwork(project: LoadedProject, settings: Settings, store: RunStore): Promise<void> {
  const where = project.configFile ?? "the project";
  try {
    const { network } = await buildNetwork(project, settings.train, store);
    network.dispose();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (error instanceof CoolError) throw inFile(error, where);
    throw new ConfigError(
      sentence(`${where}: the trunk function fails: ${(error as Error).message}`),
      { file: where },
      { cause: error },
    );
  }
}

/** Runs all steps and writes down how they ended, whatever happens. */
async function superviseRun(context: RunContext, config: RunConfig, output: OutputCapture): Promise<RunResult> {
  const { store, run, runDir, loggers, dataset } = context;
  const watch = watchRun(store, run.id, runDir, loggers);
  try {
    mkdirSync(join(runDir, "predictions"), { recursive: true });
    output.writeTo(runFiles(runDir).stdout);
    loggers.message(`run ${run.id} (${run.name}): ${splitSizes(dataset)}`);
    const step = await trainEpochs(context, (resumeStep) => openCurves(context, resumeStep));
    const { thresholds, evaluation } = await completeRun(context, config.inputs, step);
    watch.stop();
    endLogs(context, "finished");
    const finished = store.finishRun(run.id, "finished");
    return { run: summarize(finished, runDir), thresholds, evaluation, skipped: dataset.skipped.length };
  } catch (error) {
    watch.stop();
    endLogs(context, error instanceof InterruptedError ? "interrupted" : "failed");
    if (error instanceof InterruptedError) {
      recordEnd(context, "interrupted");
      const message = `Interrupted: run ${run.id} (${run.name}) is kept with its last checkpoint. Go on with: cool run --resume ${run.id}`;
      output.add(`Error: ${message}\n`);
      throw new InterruptedError(message, { run: run.id });
    }
    const reason = error instanceof Error ? error.message : String(error);
    // whoever called prints it when the log is closed
    output.add(`Error: ${reason}\n`);
    recordEnd(context, "failed", reason);
    throw error instanceof CoolError ? error : new Error(`Run ${run.id} failed: ${reason}`, { cause: error });
  }
}

/** A store that cannot be written now (a full disk) must not hide why the run ended; the run shows as crashed then. */
function recordEnd({ store, run, loggers }: RunContext, state: "interrupted" | "failed", reason?: string): void {
  try {
    store.finishRun(run.id, state, reason === undefined ? {} : { error: reason });
  } catch (error) {
    loggers.warning(`That the run has ${state} cannot be written down: ${(error as Error).message}`);
  }
}

function splitSizes({ splits, skipped }: Dataset): string {
  const sizes = `${splits.train.length} train, ${splits.valid.length} valid, ${splits.test.length} test samples`;
  return skipped.length === 0 ? sizes : `${sizes}, ${skipped.length} skipped`;
}
