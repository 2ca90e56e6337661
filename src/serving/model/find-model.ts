/** @file What `cool serve` is asked to serve: an export by its path, else a run by its name. */
import { existsSync } from "node:fs";
import { findExport, type FoundExport } from "../../asking/exports/open-export.js";
import { openStoredRun } from "../../asking/stored-run.js";
import { firstChoice } from "../../engine/backends/choose.js";
import { livingOn } from "../../engine/replicas/plan.js";
import { DataError, UsageError } from "../../errors.js";
import { loadOwnCode } from "../../project/custom-task-code.js";
import { runningProject } from "../../project/project-dir.js";
import { checkedGraph, checkedInputs } from "../../records/run-documents.js";
import { openRunStore } from "../../storage/run-store.js";
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
  const found = await findExport(reference);
  return found === null ? runModel(reference, options) : exportedModel(found, reference, options);
}

async function exportedModel(
  { path, format, document }: FoundExport,
  reference: string,
  { project }: FindOptions,
): Promise<ServedModel> {
  const { run, inputs } = document;
  const graph = checkedGraph(document.graph, path);
  await loadOwnCode({ ...run, gitCommit: null }, graph, runningProject(project), null);
  return {
    source: { kind: "export", path, project },
    run,
    title: `export ${reference} of run ${run.id} (${run.name})`,
    graph,
    inputs: checkedInputs(inputs, path),
    copies: format === "onnx" ? { transport: "threads", isAlone: false } : await copiesHere(process.cwd()),
  };
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
    };
  } finally {
    store.close();
  }
}

function notAnExport(path: string): DataError {
  return new DataError(
    `${path} is no export: it has no predictor.json. Name what cool export has written (of the format onnx or layers), or a run.`,
    { path },
  );
}

async function copiesHere(projectDir?: string): Promise<ServedModel["copies"]> {
  return livingOn(await firstChoice(projectDir === undefined ? {} : { projectDir }));
}
