/** @file What `cool serve` is asked to serve: an export by its path, else a run by its name. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openStoredRun } from "../../asking/stored-run.js";
import type { InputSpec } from "../../data/dataset.js";
import { firstChoice } from "../../engine/backends/choose.js";
import { livingOn } from "../../engine/replicas/plan.js";
import { ConfigError, DataError, UsageError } from "../../errors.js";
import type { PredictorDocument, PredictorInput } from "../../predictor/document.js";
import { openRunStore } from "../../storage/run-store.js";
import { isExport, openExport } from "./export-files.js";
import type { ServedModel } from "./served-model.js";

export interface FindOptions {
  /** Folder of the run store; asked for where a run is meant. */
  readonly storeDir: () => string;
  readonly project?: string | undefined;
}

/**
 * @param reference path of an export, or id, unique id prefix or name of a run
 * @throws UnknownNameError, StoreError, DataError, UsageError for a group
 */
export async function findModel(reference: string, options: FindOptions): Promise<ServedModel> {
  return isExport(reference) ? exportedModel(reference) : runModel(reference, options);
}

async function exportedModel(reference: string): Promise<ServedModel> {
  const path = resolve(reference);
  const { document, exported, warnings } = await openExport(path);
  refuseOwnTasks(path, document);
  const { run, graph } = document;
  return {
    source: { kind: "export", path, workingDir: process.cwd() },
    run,
    title: `export ${reference} of run ${run.id} (${run.name})`,
    graph,
    inputs: Object.fromEntries(Object.entries(document.inputs).map(([name, input]) => [name, specOf(name, input)])),
    copies: exported.format === "onnx" ? { transport: "threads", isAlone: false } : await copiesHere(),
    warnings,
  };
}

function refuseOwnTasks(path: string, { graph }: PredictorDocument): void {
  const own = graph.tasks.find(({ spec }) => spec.kind === "custom");
  if (own === undefined) return;
  throw new ConfigError(
    `${path}: the task "${own.path}" is of a type of the project's own, whose decoder is code that no export holds. Serve the run itself.`,
    { export: path, task: own.path },
  );
}

/** An input of an export; where nothing says its column, that is its name. */
function specOf(name: string, input: PredictorInput): InputSpec {
  return input.kind === "numeric" ? input : { column: name, ...input };
}

async function runModel(reference: string, { storeDir, project }: FindOptions): Promise<ServedModel> {
  if (/[\\/]/.test(reference) && existsSync(reference)) throw notAnExport(reference);
  const dir = storeDir();
  const store = openRunStore(dir, { readonly: true });
  try {
    const group = store.findGroup(reference);
    if (group !== null) {
      throw new UsageError(
        `${reference} is a group of runs, and one network is served. Name one of its runs: see cool runs list.`,
        { group: group.id },
      );
    }
    const { run, graph, config, project: running } = await openStoredRun(store, reference, { project });
    return {
      source: { kind: "run", store: dir, run: run.id, project },
      run: { id: run.id, name: run.name },
      title: `run ${run.id} (${run.name})`,
      graph,
      inputs: config.inputs,
      copies: await copiesHere(running?.dir),
      warnings: [],
    };
  } finally {
    store.close();
  }
}

function notAnExport(path: string): DataError {
  return new DataError(
    `${path} is no export: it has neither SHA256SUMS nor predictor.json. Name what cool export has written (of the format onnx or layers), or a run.`,
    { path },
  );
}

async function copiesHere(projectDir?: string): Promise<ServedModel["copies"]> {
  return livingOn(await firstChoice(projectDir === undefined ? {} : { projectDir }));
}
