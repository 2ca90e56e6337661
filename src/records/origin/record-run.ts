/** @file The record of a new run, whether it is about to be trained or its model was trained elsewhere. */
import type { Origin } from "../../provenance/capture-run.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { type RunConfig, runFiles, writeJson } from "../run-folder.js";
import { writeSource } from "../source-record.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { RunStore } from "../../storage/run-store.js";

/** What a new run is a run of, and where it is kept. */
interface RecordedParts {
  readonly project: LoadedProject;
  readonly config: RunConfig;
  readonly store: RunStore;
}

/** What a training and a model from elsewhere differ in. */
interface RecordedTraining {
  readonly backendVersion?: string | undefined;
  /** null where nothing is drawn by chance. */
  readonly seed: number | null;
  readonly epochs: number;
  /** What runs are compared by: its settings, and what else made it what it is. */
  readonly settings: object;
}

/** What a user says of a new run. */
interface RecordedWords {
  readonly name?: string | undefined;
  /** Under which it is started, and gone on with. */
  readonly key?: string | undefined;
  readonly commandLine?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/** A row of the store, and in the run's folder what it was made from: sources, configuration and flow graph. */
export function recordRun(
  { project, config, store }: RecordedParts,
  { source, environment, configChanges }: Origin,
  { backendVersion, seed, epochs, settings }: RecordedTraining,
  { name, key, commandLine, tags, note }: RecordedWords,
): RunRecord {
  const run = {
    project: project.name,
    ...{ name, key: key?.trim() },
    config: { ...settings },
    seed,
    backend: config.backend,
    ...(backendVersion === undefined ? {} : { backendVersion }),
    epochs,
    commandLine: commandLine ?? null,
    ...(tags === undefined ? {} : { tags }),
    note: note ?? null,
    git: source.git,
    configChanges,
    environment: { ...environment },
    dataDigest: config.dataDigest,
    sourceDigest: source.digest,
  };
  return store.createRun(run, (runDir) => {
    writeSource(runDir, source);
    writeJson(runFiles(runDir).config, config);
    writeJson(runFiles(runDir).graph, project.graph);
  });
}
