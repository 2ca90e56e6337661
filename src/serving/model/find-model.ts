/** @file What `cool serve` is asked to serve: an export by its path, else a run by its name. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findExport, type FoundExport } from "../../asking/exports/open-export.js";
import { openStoredRun, storedPlaces } from "../../asking/stored-run.js";
import { exportedTokenizer, type TokenizerPlaces, tokenizersOf } from "../../data/tokenizers/stored-tokenizer.js";
import { firstChoice } from "../../engine/backends/choose.js";
import { livingOn } from "../../engine/replicas/plan.js";
import { UnknownNameError, UsageError } from "../../errors.js";
import { loadOwnCode } from "../../project/custom-task-code.js";
import { runningProject } from "../../project/project-dir.js";
import { checkedGraph, checkedInputs } from "../../records/run-documents.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import type { ServedModel } from "./served-model.js";
import type { TokenizerFiles } from "./texts.js";

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
  const running = runningProject(project);
  await loadOwnCode({ ...run, gitCommit: null }, graph, running, null);
  const complete = checkedInputs(inputs, path);
  return {
    source: { kind: "export", path, project },
    run,
    title: `export ${reference} of run ${run.id} (${run.name})`,
    graph,
    inputs: complete,
    tokenizers: tokenizerFiles(complete, {
      fileOf: (input) => join(path, exportedTokenizer(input)),
      packagesDir: running?.dir ?? process.cwd(),
    }),
    copies: format === "onnx" ? { transport: "threads", isAlone: false } : await copiesHere(process.cwd()),
  };
}

async function runModel(reference: string, { storeDir, project }: FindOptions): Promise<ServedModel> {
  const isThere = existsSync(reference);
  if (/[\\/]/.test(reference) && isThere) throw notAnExport(reference);
  const dir = isThere ? storeOr(storeDir, () => notAnExport(reference)) : storeDir();
  const store = openRunStore(dir, { readonly: true });
  try {
    const group = store.findGroup(reference);
    if (group !== null) {
      throw new UsageError(
        `${reference} is a group of runs, and one network is served. Name one of its runs: see cool runs list.`,
        { group: group.id },
      );
    }
    if (isThere && !isRun(store, reference)) throw notAnExport(reference);
    const stored = await openStoredRun(store, reference, { project });
    const { run, graph, config, project: running } = stored;
    return {
      source: { kind: "run", store: dir, run: run.id, project },
      run: { id: run.id, name: run.name },
      title: `run ${run.id} (${run.name})`,
      graph,
      inputs: config.inputs,
      tokenizers: tokenizerFiles(config.inputs, storedPlaces(stored)),
      copies: await copiesHere(running?.dir),
    };
  } finally {
    store.close();
  }
}

function tokenizerFiles(inputs: ServedModel["inputs"], places: NonNullable<TokenizerPlaces["stored"]>): TokenizerFiles {
  const files = tokenizersOf(inputs).map(({ input, digest }) => [input, places.fileOf(input, digest)]);
  return { files: Object.fromEntries(files), packagesDir: places.packagesDir };
}

function isRun(store: RunStore, reference: string): boolean {
  try {
    return store.findRun(reference).id !== "";
  } catch (error) {
    if (error instanceof UnknownNameError) return false;
    throw error;
  }
}

/** The store, or another error where there is none: it is asked for in case that a run is meant. */
function storeOr(storeDir: () => string, instead: () => Error): string {
  try {
    return storeDir();
  } catch {
    throw instead();
  }
}

function notAnExport(path: string): UsageError {
  return new UsageError(
    `${path} is no export: it has neither predictor.json nor SHA256SUMS. Name what cool export has written (of the format onnx, layers or web), or a run: see cool runs list.`,
    { path },
  );
}

async function copiesHere(projectDir?: string): Promise<ServedModel["copies"]> {
  return livingOn(await firstChoice(projectDir === undefined ? {} : { projectDir }));
}
