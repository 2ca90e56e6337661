/** @file A run of another program, from what its user says of it to the run that it logs to. */
import { basename, resolve } from "node:path";
import { UsageError } from "../errors.js";
import { lineLogger } from "../logging/console.js";
import { LoggerGroup } from "../logging/logger-group.js";
import { checkOptions, INTEGER, LIST, TEXT, TEXTS, TRUTH, WHOLE } from "../options.js";
import { currentProcess } from "../platform/process.js";
import { storeDirFor } from "../project/project-dir.js";
import { captureOutput, type OutputCapture } from "../provenance/capture-output.js";
import { watchRun } from "../provenance/capture-run.js";
import { captureSource } from "../provenance/capture-source.js";
import { machineEnvironment, readEnvironment } from "../provenance/environment.js";
import { ignoreStore } from "../provenance/git.js";
import { storeLogger } from "../provenance/store-logger.js";
import { runFiles } from "../records/run-folder.js";
import { writeSource } from "../records/source-record.js";
import { isTracked, writeTracked } from "../records/tracked-run.js";
import { migrationNote } from "../storage/database/migrations.js";
import { checkedName, checkedRunName, type RunRecord } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import { SYSTEM_TASK } from "../tasks/evaluation.js";
import { Curves } from "./curves.js";
import { EventFiles } from "./event-files.js";
import { NameReader } from "./names.js";
import { checkedSettings } from "./settings.js";
import { TrackedRun } from "./tracked-run.js";

export interface StartRunOptions {
  /** Folder of the run store; default: that of the project, else the nearest `.cool`, else `.cool` here. */
  readonly store?: string | undefined;
  /** Default: the name of the working folder. */
  readonly project?: string | undefined;
  /** Where another run has it, this one is given the next number. Default: the project's name and a number. */
  readonly name?: string | undefined;
  /** Settings, nested as they are. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly note?: string | undefined;
  /** A tracked run to go on with, whose process has ended: id, unique prefix, name or `latest`. */
  readonly resume?: string | undefined;
  /** Planned epochs. */
  readonly epochs?: number | undefined;
  readonly seed?: number | undefined;
  /** Patterns of names with groups `metric` and, where they tell them, `task` and `split`; tried before the rules. */
  readonly names?: readonly (string | RegExp)[] | undefined;
  /** Whether stdout and stderr are kept with the run; default true. */
  readonly output?: boolean | undefined;
  /** How the run was started; default: this process's own arguments. */
  readonly commandLine?: string | undefined;
}

/**
 * Begins a run in the store; `finish` ends it, or the end of the process.
 * @throws UsageError, ConfigError for options that cannot be followed, StoreError where the store cannot be used or the
 *   run to go on with is another process's
 */
export function startRun(given: StartRunOptions = {}): TrackedRun {
  checkOptions<StartRunOptions>("startRun", given, {
    ...{ store: TEXT, project: TEXT, name: TEXT, resume: TEXT, note: TEXT, commandLine: TEXT },
    ...{ config: null, tags: TEXTS, names: LIST, epochs: WHOLE, seed: INTEGER, output: TRUTH },
  });
  const { config } = given;
  const options = config === undefined ? given : { ...given, config: checkedSettings("startRun({ config })", config) };
  if (options.resume !== undefined) refuseOfNewRun(options);
  const names = new NameReader(options.names);
  if (options.name !== undefined) checkedRunName(options.name);
  const storeDir = options.store === undefined ? storeDirFor(".") : resolve(options.store);
  const output = options.output === false ? null : captureOutput();
  let store: RunStore | null = null;
  try {
    store = openRunStore(storeDir);
    ignoreStore(storeDir);
    const loggers = new LoggerGroup([lineLogger((text) => process.stderr.write(text))]);
    if (store.backup !== null) loggers.message(migrationNote(store.backup));
    const run = options.resume === undefined ? createRun(store, options) : resumeRun(store, options.resume, options);
    return openRun(run, { store, loggers, output, names });
  } catch (error) {
    output?.stop();
    store?.close();
    throw error;
  }
}

/** What a run got when it began; given again it would be left out in silence. */
function refuseOfNewRun(options: StartRunOptions): void {
  const given = (["name", "project", "note", "seed", "commandLine"] as const).find((key) => options[key] !== undefined);
  if (given === undefined) return;
  throw new UsageError(
    `startRun({ resume, ${given} }): a run that goes on keeps its ${given}. Leave "${given}" out, or "resume".`,
    { option: given },
  );
}

function createRun(store: RunStore, options: StartRunOptions): RunRecord {
  const workingDir = process.cwd();
  const { name, config = {}, tags, note, seed, epochs } = options;
  const project = checkedName("project", options.project ?? (basename(workingDir) || "root"));
  const source = captureSource(workingDir, store.dir);
  return store.createRun(
    {
      ...{ project, name, config, seed: seed ?? null, epochs: epochs ?? null, git: source.git },
      ...{ sourceDigest: source.digest, environment: { ...machineEnvironment() } },
      commandLine: options.commandLine ?? process.argv.join(" "),
      tags: tags ?? [],
      note: note ?? null,
    },
    (runDir) => {
      writeSource(runDir, source);
      writeTracked(runDir, { formatVersion: 1, project, workingDir, config });
    },
  );
}

/** Its settings may change, as those of a program may. */
function resumeRun(store: RunStore, reference: string, { config, tags, epochs }: StartRunOptions): RunRecord {
  const run = store.findRun(reference);
  if (!isTracked(store.runDir(run.id))) {
    throw new UsageError(
      `Run ${run.id} (${run.name}) was trained by dnn-cool. Go on with it by cool run --resume ${run.id}.`,
      { run: run.id },
    );
  }
  const resumed = store.resumeRun(run.id, epochs);
  if (config !== undefined) store.addConfig(run.id, config);
  return tags === undefined ? resumed : store.addTags(run.id, tags);
}

interface Opened {
  readonly store: RunStore;
  readonly loggers: LoggerGroup;
  readonly output: OutputCapture | null;
  readonly names: NameReader;
}

function openRun(run: RunRecord, { store, loggers, output, names }: Opened): TrackedRun {
  const runDir = store.runDir(run.id);
  output?.writeTo(runFiles(runDir).stdout);
  const before = store.lastMetrics(run.id);
  const curves = new Curves(names, before, warnOfStepsBack(loggers));
  loggers.require(storeLogger(store, run.id));
  const own = before.filter(({ taskPath }) => taskPath !== SYSTEM_TASK).map(({ step }) => step);
  const events = openEvents(runDir, own.length === 0 ? 0 : Math.max(...own) + 1, store.readConfig(run.id), loggers);
  if (events !== null) loggers.add(events);
  const watch = watchRun(store, run.id, runDir, loggers);
  const tracked = new TrackedRun({ store, run, loggers, curves, events, output, watch });
  void addGpus(store, run.id);
  return tracked;
}

function openEvents(
  runDir: string,
  resumeStep: number,
  config: Readonly<Record<string, unknown>>,
  loggers: LoggerGroup,
): EventFiles | null {
  try {
    return new EventFiles({ runDir, resumeStep, config });
  } catch (error) {
    loggers.warning(
      `The run goes on without TensorBoard files: ${error instanceof Error ? error.message : String(error)}`,
    );
    return null;
  }
}

function warnOfStepsBack(loggers: LoggerGroup): (name: string, step: number, last: number) => void {
  let told = false;
  return (name, step, last) => {
    if (told) return;
    told = true;
    loggers.warning(
      `${name}: step ${step} comes after step ${last}. Points stand at their steps, and the later value of a step holds.`,
    );
  };
}

/** Another program tells of them, which may take seconds. */
async function addGpus(store: RunStore, id: string): Promise<void> {
  const environment = await readEnvironment();
  try {
    if (environment.gpu !== null && store.getRun(id).pid === currentProcess().pid) {
      store.replaceEnvironment(id, { ...environment });
    }
  } catch {
    // the run has ended, and its store is closed
  }
}
