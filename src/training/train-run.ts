/** @file `cool run`: from a project to a finished run. */
import { join, resolve } from "node:path";
import { type Dataset, specsOf } from "../data/dataset.js";
import type { BackendChoice } from "../engine/backends/choose.js";
import { type Device, parseDevice } from "../engine/backends/device.js";
import { ConfigError, CoolError, messageOf, StoreError, sentence } from "../errors.js";
import { lineLogger } from "../logging/console.js";
import { LoggerGroup } from "../logging/logger-group.js";
import type { RunLogger } from "../logging/run-logger.js";
import { inFile, prepareData } from "../project/load-project.js";
import { checkRunSettings, type LoadedProject, resolveProject } from "../project/resolve-project.js";
import type { Project } from "../project/define-project.js";
import type { Settings } from "../project/settings.js";
import { fittedProject } from "./fitted-project.js";
import { captureOutput, type OutputCapture } from "../provenance/capture-output.js";
import { ignoreStore } from "../provenance/git.js";
import { migrationNote } from "../storage/database/migrations.js";
import { checkedName, checkedRunName } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import { checkEarlierRunOptions } from "./again-run.js";
import {
  backendFor,
  type Beginning,
  beginningOf,
  beginRun,
  compareFirst,
  describeRun,
  settingsFor,
} from "./begin-run.js";
import { finishedRun } from "./earlier/finished-run.js";
import { buildNetwork } from "./fresh-network.js";
import { openDataset } from "./open-dataset.js";
import type { EpochJudge } from "./run-context.js";
import type { RunResult } from "./run-result.js";
import { answerSplits } from "./complete-run.js";
import { trainEpochs } from "./epochs/train-epochs.js";
import { openLoggers } from "./log-run.js";
import { assertAgreed, factsOf, type RunRanks, sharePlan, shareRun } from "./ranks/run-ranks.js";
import { askedSettings, assertSameSettings, untilFree } from "./earlier/start-or-resume.js";
import { superviseRun } from "./supervise-run.js";

export interface TrainRunOptions {
  /** Folder of the run store; default `<project>/.cool`. */
  readonly store?: string | undefined;
  /** Where it is taken, it is given the next number. Default: the project's name and a number. */
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
  /** A run to go on with from its last checkpoint: id, unique prefix, name or `latest`. A finished one stays as it is. */
  readonly resume?: string | undefined;
  /**
   * Starts the run of this key, or goes on with it; one that has finished stays as it is. Its settings must be those that
   * it has.
   */
  readonly key?: string | undefined;
  /** A run to repeat with its settings and its seed, unless `seed` or `epochs` are given. */
  readonly again?: string | undefined;
  /** Repeats a run although source or data are not what it was made from. */
  readonly force?: boolean | undefined;
  /** A run whose weights to begin with; wins over `train.from`. */
  readonly from?: string | undefined;
  readonly commandLine?: string | undefined;
  /** Tags of a new run. */
  readonly tags?: readonly string[] | undefined;
  /** A note of a new run. */
  readonly note?: string | undefined;
  /** Ends the run after an epoch that does not promise enough, in the state `pruned`. */
  readonly judge?: EpochJudge | undefined;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** The job over MPI that trains the run, of which this is the first rank. */
  readonly ranks?: RunRanks | undefined;
  /** Listeners besides the store, TensorBoard and the run's own log file. */
  readonly loggers?: readonly RunLogger[] | undefined;
  /** Called with the id of the run as soon as there is one. */
  readonly onBegun?: ((id: string) => void) | undefined;
  /** Called with the result while output is still kept with the run: what it prints is in the run's log, too. */
  readonly report?: ((result: RunResult) => void) | undefined;
}

/** What is open while a run works, whatever becomes of it. */
interface Session {
  readonly project: LoadedProject;
  readonly store: RunStore;
  readonly output: OutputCapture;
  readonly loggers: LoggerGroup;
  /** null: the GPU where the backend finds one. */
  readonly device: Device | null;
}

/**
 * Trains, tunes and evaluates; everything is kept in the store.
 * @throws ConfigError, DataError before a run exists; TrainingError, InterruptedError and PrunedError leave it `failed`,
 * `interrupted` or `pruned`, with its last checkpoint
 */
export async function trainRun(project: Project | LoadedProject, options: TrainRunOptions = {}): Promise<RunResult> {
  checkEarlierRunOptions(options);
  // said before the data is read
  if (options.name !== undefined) checkedRunName(options.name);
  if (options.key !== undefined) checkedName("key", options.key);
  for (const tag of options.tags ?? []) checkedName("tag", tag);
  const device = options.device === undefined ? null : parseDevice(options.device);
  const loaded = "graph" in project ? project : resolveProject(project);
  const storeDir = resolve(options.store ?? join(loaded.projectDir, ".cool"));
  const store = openRunStore(storeDir);
  ignoreStore(storeDir);
  const output = captureOutput();
  const loggers = new LoggerGroup([...(options.loggers ?? []), lineLogger((text) => output.add(text))]);
  if (store.backup !== null) loggers.message(migrationNote(store.backup));
  try {
    const result = await trainIn({ project: loaded, store, output, loggers, device }, options);
    // a progress bar has gone when the report begins
    await loggers.close();
    options.report?.(result);
    return result;
  } finally {
    await loggers.close();
    output.stop();
    store.close();
  }
}

/** Loads the data for as long as the run needs it. */
async function trainIn(session: Session, given: TrainRunOptions): Promise<RunResult> {
  const { project, store, loggers } = session;
  const { beginning, options } = await keyedBeginning(session, given);
  const { ranks } = options;
  const kept = finishedRun(store, beginning, options);
  if (kept !== null) {
    if (ranks !== undefined) await sharePlan(ranks, null);
    loggers.message(kept.message);
    return kept.result;
  }
  // what an earlier run says is compared with what there is before any of it is used
  compareFirst(beginning, project, store, options);
  const settings = settingsFor(beginning, project, store, options);
  checkRunSettings(project.graph, settings);
  if (ranks !== undefined) {
    const { openBackend } = await import("../engine/backends/choose.js");
    const wanted = options.backend ?? backendFor(beginning);
    const { name } = await openBackend(wanted, { device: session.device, projectDir: project.projectDir });
    // once for all that see the same folder
    await prepareData(project, (line) => loggers.message(line));
    await sharePlan(ranks, { settings, backend: name });
  }
  const dataset = await openDataset(project, settings, store.dir, loggers, options.signal);
  try {
    return await trainOn(dataset, session, beginning, settings, options);
  } finally {
    dataset.close();
  }
}

/** The beginning that the options say, or that the key of the run has. */
async function keyedBeginning(
  { project, store, loggers }: Session,
  options: TrainRunOptions,
): Promise<{ readonly beginning: Beginning; readonly options: TrainRunOptions }> {
  const { key, signal } = options;
  if (key === undefined) return { beginning: beginningOf(store, options), options };
  const tell = (line: string): void => loggers.message(line);
  const run = await untilFree(() => store.keyedRun(project.name, key.trim()), { signal, tell });
  if (run === null) return { beginning: { kind: "new" }, options: { ...options, name: options.name ?? key } };
  const asked = askedSettings(project, options);
  assertSameSettings(store, run, key, asked);
  return { beginning: beginningOf(store, { resume: run.id }), options: { ...options, epochs: asked.train.epochs } };
}

async function trainOn(
  dataset: Dataset,
  { project: given, store, output, loggers, device }: Session,
  beginning: Beginning,
  settings: Settings,
  options: TrainRunOptions,
): Promise<RunResult> {
  // complete: with the statistics and vocabularies that were read with the data
  const inputs = specsOf(dataset.inputs);
  const project = fittedProject(given, inputs, dataset);
  const { openBackend } = await import("../engine/backends/choose.js");
  // this side only coordinates replicas: it must not take all memory of the first one's GPU
  if (settings.train.replicas !== 1) process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  const { projectDir } = project;
  const backend = await openBackend(options.backend ?? backendFor(beginning), { device, projectDir });
  loggers.message(`backend: ${backend.reason}`);
  const { ranks } = options;
  if (ranks !== undefined) await assertAgreed(ranks, factsOf(project, dataset, backend));
  if (beginning.kind !== "resume") await checkNetwork(project, settings, store);
  const config = describeRun(project, settings, dataset, backend.name);
  const run = await beginRun(beginning, { project, config, backend, store, loggers }, options);
  options.onBegun?.(run.id);
  const context = {
    ...{ project, settings, dataset, store, run, loggers, backend },
    runDir: store.runDir(run.id),
    signal: options.signal,
    judge: options.judge,
    resumed: beginning.kind === "resume",
    ranks,
  };
  if (ranks !== undefined) await shareRun(ranks, context.runDir, context.resumed);
  return superviseRun(context, output, {
    learn: () =>
      trainEpochs({ ...context, signal: ranks?.signal ?? options.signal }, (step) => openLoggers(context, step)),
    answer: () => answerSplits(context, inputs),
    interrupted: `is kept with its last checkpoint. Go on with: cool run --resume ${run.id}`,
  });
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
      sentence(`${where}: the trunk function fails: ${messageOf(error)}`),
      { file: where },
      { cause: error },
    );
  }
}
