/** @file `cool audit --apply`: corrections of a run's tables, written beside them. */
import type { RunStore } from "../../storage/run-store.js";
import { type OpenRunOptions, openStoredRun, type StoredRun } from "../stored-run.js";
import { openMembers } from "../groups/group-runs.js";
import { type AppliedCorrections, applyCorrections, readCorrections } from "./correction-table.js";
import { readLabelTable } from "./label-table.js";
import { assertOwnProject } from "./own-table.js";

export interface ApplyResult extends AppliedCorrections {
  readonly run: { readonly id: string; readonly name: string };
}

/**
 * @param reference whose tables are corrected: a run, or a group of folds
 * @param file corrections, see readCorrections
 * @throws UnknownNameError, DataError, UsageError where nothing can be applied
 */
export async function applyToRun(
  store: RunStore,
  reference: string,
  file: string,
  options: OpenRunOptions = {},
): Promise<ApplyResult> {
  const stored = await openRunOrFold(store, reference, options);
  const table = await readLabelTable(stored);
  const applied = await applyCorrections(stored.graph, table, await readCorrections(file, table));
  return { run: { id: stored.run.id, name: stored.run.name }, ...applied };
}

/**
 * A run, or the first one of a group, which all have the same tables and flow.
 * @throws ConfigError where these are another project's
 */
export async function openRunOrFold(
  store: RunStore,
  reference: string,
  options: OpenRunOptions = {},
): Promise<StoredRun> {
  const group = store.findGroup(reference);
  const [first] = group === null ? [] : await openMembers(store, group, options);
  const stored = first ?? (await openStoredRun(store, reference, options));
  assertOwnProject(stored, options.project);
  return stored;
}
