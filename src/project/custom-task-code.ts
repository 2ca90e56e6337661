/** @file The code of a run's custom tasks: taken from the user's project alone, and known again by its digest. */
import { ConfigError } from "../errors.js";
import type { CustomSpec, FlowGraph } from "../flow/graph.js";
import type { RunRecord } from "../storage/run-record.js";
import { definitionsOf, lacksDefinition } from "../tasks/index.js";
import type { RunningProject } from "./project-dir.js";

/** What messages say of a run. */
type MadeRun = Pick<RunRecord, "id" | "name" | "gitCommit">;

/**
 * Loads the user's project where a run has custom tasks that are not defined in this process. A run without custom tasks
 * needs none. Where the run says that it was made is only told, never run: a run may come from anywhere.
 * @param project null where the user stands in none
 * @param madeBy configuration that the run says it was made from, for messages
 * @throws ConfigError where there is no project, or it defines a task otherwise than the run knew it; says what has
 *   changed
 */
export async function loadOwnCode(
  run: MadeRun,
  graph: FlowGraph,
  project: RunningProject | null,
  madeBy: string | null,
): Promise<void> {
  if (undefinedTypes(graph).length === 0) return;
  if (project === null) throw missingError(run, graph, madeBy);
  const { importConfig } = await import("./load-project.js");
  await importConfig(project.configFile);
  const [changed] = undefinedTypes(graph);
  if (changed !== undefined) throw changedError(run, changed, project.configFile, madeBy);
}

/** Specs of custom tasks whose functions this process does not have. */
function undefinedTypes({ tasks }: FlowGraph): CustomSpec[] {
  return tasks.flatMap(({ spec }) => (lacksDefinition(spec) ? [spec] : []));
}

function missingError(run: MadeRun, graph: FlowGraph, madeBy: string | null): ConfigError {
  const types = [...new Set(undefinedTypes(graph).map(({ type }) => JSON.stringify(type)))];
  const origin =
    madeBy === null ? "It was made by a program" : `It says that it was made from ${JSON.stringify(madeBy)}`;
  return new ConfigError(
    `Run ${run.id} (${run.name}) has tasks of the type ${types.join(", ")}, whose code is in its project, and there is no project here. ${origin}. Go to the project's folder, name it with --project, or define the task in the program before the run is loaded.`,
    { run: run.id, types, madeBy },
  );
}

function changedError(run: MadeRun, spec: CustomSpec, file: string, madeBy: string | null): ConfigError {
  const now = definitionsOf(spec.type).at(-1);
  const commit = run.gitCommit === null ? "" : ` (the run was made at commit ${run.gitCommit.slice(0, 12)})`;
  const origin =
    madeBy === null || madeBy === file ? "" : `The run says that it was made from ${JSON.stringify(madeBy)}. `;
  const wayOut = `${origin}Restore it${commit}, name a folder that has it with --project, or train a new run.`;
  const facts = { run: run.id, type: spec.type, configFile: file, expected: spec.digest, found: now?.digest ?? null };
  if (now === undefined) {
    return new ConfigError(
      `Run ${run.id} (${run.name}) has tasks of the type ${JSON.stringify(spec.type)}, which ${file} does not define. ${wayOut}`,
      facts,
    );
  }
  const parts = changedParts(spec.parts, now.parts);
  return new ConfigError(
    `The custom task type ${JSON.stringify(spec.type)} of run ${run.id} (${run.name}) has changed in ${file} since: its ${parts.join(", ")}. Its results would not be the run's. ${wayOut}`,
    { ...facts, changed: parts },
  );
}

/** Parts that were added, removed or are different. */
function changedParts(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  const all = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...all].filter((part) => before[part] !== now[part]).sort();
}
