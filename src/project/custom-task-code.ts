/** @file The code of a run's own tasks: loaded again from its project, and known again by its digest. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../errors.js";
import type { FlowGraph, CustomSpec } from "../flow/graph.js";
import type { RunRecord } from "../storage/run-record.js";
import { definitionsOf, isDefined } from "../tasks/index.js";
import { configFileIn } from "./project-dir.js";
import type { RunConfig } from "../records/run-folder.js";

/**
 * Loads the project of a run whose own tasks are not defined in this process. A run without own tasks needs none.
 * @param project folder or configuration to load instead of the one that the run was made from
 * @throws ConfigError where the project is not there, or defines a task otherwise than the run knew it; says what has
 *   changed
 */
export async function loadOwnCode(
  run: RunRecord,
  graph: FlowGraph,
  config: RunConfig,
  project: string | undefined,
): Promise<void> {
  if (undefinedTypes(graph).length === 0) return;
  const file = findConfig(run, graph, config, project);
  const { importConfig } = await import("./project.js");
  await importConfig(file);
  const [changed] = undefinedTypes(graph);
  if (changed !== undefined) throw changedError(run, changed, file);
}

/** Specs of own tasks whose functions this process does not have. */
function undefinedTypes({ tasks }: FlowGraph): CustomSpec[] {
  return tasks.flatMap(({ spec }) => (spec.kind === "own" && !isDefined(spec) ? [spec] : []));
}

function findConfig(run: RunRecord, graph: FlowGraph, config: RunConfig, project: string | undefined): string {
  const place = project ?? config.configFile;
  const file =
    place !== null && existsSync(place) && statSync(place).isDirectory() ? configFileIn(place) : (place ?? undefined);
  if (file !== undefined && existsSync(file)) return resolve(file);
  const types = [...new Set(undefinedTypes(graph).map(({ type }) => `"${type}"`))];
  const missing = place === null ? "it was made by a program, not from a configuration" : `there is none in ${place}`;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) has tasks of the own type ${types.join(", ")}, whose code is in its project, but ${missing}. Restore the configuration, name its folder with --project, or define the task in the program before the run is loaded.`,
    { run: run.id, types, configFile: place },
  );
}

function changedError(run: RunRecord, spec: CustomSpec, file: string): ConfigError {
  const now = definitionsOf(spec.type).at(-1);
  const commit = run.gitCommit === null ? "" : ` (the run was made at commit ${run.gitCommit.slice(0, 12)})`;
  const wayOut = `Restore it${commit}, name a folder that has it with --project, or train a new run.`;
  const facts = { run: run.id, type: spec.type, configFile: file, expected: spec.digest, found: now?.digest ?? null };
  if (now === undefined) {
    return new ConfigError(
      `Run ${run.id} (${run.name}) has tasks of the own type "${spec.type}", which ${file} does not define any more. ${wayOut}`,
      facts,
    );
  }
  const parts = changedParts(spec.parts, now.parts);
  return new ConfigError(
    `The own task type "${spec.type}" of run ${run.id} (${run.name}) has changed in ${file} since: its ${parts.join(", ")}. Its results would not be the run's. ${wayOut}`,
    { ...facts, changed: parts },
  );
}

/** Parts that were added, removed or are different. */
function changedParts(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  const all = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...all].filter((part) => before[part] !== now[part]).sort();
}
