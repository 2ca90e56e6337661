/** @file How a run begins: a new one, one that repeats another, or one that goes on from its last checkpoint. */
import type { Dataset } from "../data/dataset.js";
import type { BackendChoice, BackendInfo, BackendName } from "../engine/backends/choose.js";
import { ConfigError } from "../errors.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import {
  assertOwnQueries,
  assertRepeatable,
  changesSince,
  type EarlierRunOptions,
  foreignQueries,
  settingsOfRun,
  sourceChanges,
  warnOfChanges,
  warnOfOtherArithmetic,
} from "./again-run.js";
import { captureOrigin, type Origin } from "../provenance/capture-run.js";
import { recordRun } from "../records/origin/record-run.js";
import { sourceFiles } from "../provenance/source-files.js";
import { resolveStart } from "./fresh-network.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { readGraph, readRunConfig } from "../records/run-documents.js";
import { cleanRun } from "../records/leftovers.js";
import { type RunConfig, runFiles, writeJson } from "../records/run-folder.js";
import { assertLayers } from "../records/adopted/adopted-run.js";
import { assertTrained } from "../records/tracked-run.js";
import type { Settings } from "../project/settings.js";
import { isSameFlow } from "../project/elements/token-tasks.js";

/** Whether a run is new, or which earlier one it belongs to. */
export type Beginning =
  | { readonly kind: "new" }
  | { readonly kind: "again"; readonly of: RunRecord }
  | { readonly kind: "resume"; readonly of: RunRecord };

/** What a user says about a run before it begins. */
export interface BeginOptions extends EarlierRunOptions {
  readonly name?: string | undefined;
  readonly key?: string | undefined;
  readonly seed?: number | undefined;
  readonly epochs?: number | undefined;
  readonly replicas?: number | "auto" | undefined;
  readonly force?: boolean | undefined;
  readonly commandLine?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/** @throws UnknownNameError where there is no such run, StoreError where another program trained it */
export function beginningOf(store: RunStore, { resume, again }: EarlierRunOptions): Beginning {
  if (resume !== undefined) {
    const run = assertTrained(store, store.findRun(resume));
    return { kind: "resume", of: assertLayers(store, run, "training cannot go on from it") };
  }
  if (again !== undefined) {
    const run = assertTrained(store, store.findRun(again));
    return { kind: "again", of: assertLayers(store, run, "there is no training to repeat") };
  }
  return { kind: "new" };
}

/** Where nothing is asked for: what an earlier run was computed by, since another backend rounds otherwise. */
export function backendFor(beginning: Beginning): BackendChoice {
  if (beginning.kind === "new") return "auto";
  const { backend } = beginning.of;
  return NAMES.find((name) => name === backend) ?? "auto";
}

// a run from elsewhere may name anything
const NAMES: readonly BackendName[] = ["tensorflow", "webgpu", "wasm", "cpu"];

/**
 * Compares what a run to be repeated was made from with what there is, before anything of it is read or executed.
 * @throws ConfigError that lists the changes, unless `force`
 */
export function compareFirst(
  beginning: Beginning,
  project: LoadedProject,
  store: RunStore,
  { force = false }: BeginOptions,
): void {
  if (beginning.kind !== "again" || force) return;
  const source = sourceFiles(project.projectDir, store.dir, project.modules);
  const changes = changesSince(store.runDir(beginning.of.id), { project, source, dataDigest: null });
  assertRepeatable(beginning.of, changes);
}

/**
 * A new run has the project's settings, a repeated one those of the run before; flags win over both. A resumed run
 * keeps its own, and only the number of epochs and of replicas may change.
 */
export function settingsFor(
  beginning: Beginning,
  project: LoadedProject,
  store: RunStore,
  options: BeginOptions,
): Settings {
  const base = beginning.kind === "new" ? project.settings : settingsOfRun(store, beginning.of);
  const { train } = base;
  const { epochs = train.epochs, replicas = train.replicas } = options;
  switch (beginning.kind) {
    case "new":
    case "again": {
      const from = resolveStart(options.from === undefined ? train.from : { run: options.from }, store);
      // what is repeated by force takes the project's tables for SQL that is a run's alone
      const isOwn = foreignQueries(base, project.settings).length === 0;
      const data = isOwn ? withOwnAccess(base, project) : project.settings.data;
      return { ...base, data, train: { ...train, epochs, replicas, seed: options.seed ?? train.seed, from } };
    }
    case "resume":
      assertSameGraph(store, beginning.of, project);
      assertOwnQueries(beginning.of, base, project);
      return { ...base, data: withOwnAccess(base, project), train: { ...train, epochs, replicas } };
    default:
      return beginning satisfies never;
  }
}

/** What its queries may read is the project's to say. */
function withOwnAccess({ data }: Settings, project: LoadedProject): Settings["data"] {
  return { ...data, allow: project.settings.data.allow };
}

function assertSameGraph(store: RunStore, run: RunRecord, { graph, configFile }: LoadedProject): void {
  if (isSameFlow(readGraph(store.runDir(run.id)), graph)) return;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) cannot go on: the project's tasks or flow have changed since it started. Start a new run, or restore the ${configFile ?? "project"} it was made from.`,
    { run: run.id },
  );
}

export function describeRun(project: LoadedProject, settings: Settings, dataset: Dataset, backend: string): RunConfig {
  return {
    formatVersion: 1,
    project: project.name,
    projectDir: project.projectDir,
    configFile: project.configFile,
    inputs: project.inputs,
    settings,
    backend,
    dataDigest: dataset.digest,
    skipped: dataset.skipped,
  };
}

/** What a run is about to be. */
export interface PreparedRun {
  readonly project: LoadedProject;
  readonly config: RunConfig;
  readonly backend: BackendInfo;
  readonly store: RunStore;
  readonly loggers: LoggerGroup;
}

/**
 * Stores a new run, or takes over the one to go on with.
 * @throws ConfigError where a run cannot go on or be repeated because its source or data have changed
 */
export async function beginRun(beginning: Beginning, prepared: PreparedRun, options: BeginOptions): Promise<RunRecord> {
  const { project, backend, store, loggers } = prepared;
  if (beginning.kind !== "new") warnOfOtherArithmetic(beginning.of, backend, loggers);
  if (beginning.kind === "resume") return resumeRun(beginning.of, prepared);
  const origin = await captureOrigin(project, store.dir, options);
  if (beginning.kind === "new") return startRun(prepared, origin, options);
  return repeatRun(beginning.of, prepared, origin, options);
}

function repeatRun(run: RunRecord, prepared: PreparedRun, origin: Origin, options: BeginOptions): RunRecord {
  const { project, config, store, loggers } = prepared;
  const today = { project, source: origin.source.files, dataDigest: config.dataDigest };
  const changes = changesSince(store.runDir(run.id), today);
  if (options.force === true) warnOfChanges(run, changes, loggers);
  else assertRepeatable(run, changes);
  loggers.message(`repeats run ${run.id} (${run.name})`);
  const configChanges = { ...store.readConfigChanges(run.id), ...origin.configChanges };
  return startRun(prepared, { ...origin, configChanges }, options);
}

function startRun(
  { project, config, backend, store, loggers }: PreparedRun,
  origin: Origin,
  options: BeginOptions,
): RunRecord {
  const { train } = config.settings;
  const run = { backendVersion: backend.version, seed: train.seed, epochs: train.epochs, settings: config.settings };
  const created = recordRun({ project, config, store }, origin, run, options);
  const { name } = options;
  if (name !== undefined && created.name !== name.trim()) {
    loggers.message(`another run is named ${name.trim()}: this one is ${created.name}`);
  }
  return created;
}

function resumeRun(run: RunRecord, { project, config, store, loggers }: PreparedRun): RunRecord {
  const runDir = store.runDir(run.id);
  const before = readRunConfig(runDir);
  const reason =
    before.dataDigest !== config.dataDigest
      ? "the table or its images have changed since it started. Start a new run, or restore the data."
      : JSON.stringify(before.inputs) !== JSON.stringify(config.inputs)
        ? "the project's inputs have changed since it started. Start a new run, or restore data.inputs."
        : null;
  if (reason !== null) throw new ConfigError(`Run ${run.id} (${run.name}) cannot go on: ${reason}`, { run: run.id });
  const changes = sourceChanges(runDir, sourceFiles(project.projectDir, store.dir, project.modules));
  if (changes.length > 0) {
    loggers.warning(
      `The project is not as it was when run ${run.id} (${run.name}) started: ${changes.join("; ")}. It goes on with its own settings and network.`,
    );
  }
  const { epochs } = config.settings.train;
  cleanRun(runDir);
  const resumed = store.resumeRun(run.id, epochs === run.epochs ? undefined : epochs);
  // as many as are asked for now, also when the run is interrupted once more
  const train = { ...before.settings.train, epochs };
  writeJson(runFiles(runDir).config, { ...before, settings: { ...before.settings, train } });
  return resumed;
}
