/** @file A study from what its user says: flags and a sweep file, checked against the project, then in the store. */
import { readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { messageOf, UsageError } from "../../errors.js";
import { importConfig, loadProject } from "../../project/load-project.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import { openRunStore } from "../../storage/run-store.js";
import { explained } from "../../storage/database/store-errors.js";
import { parseSets } from "../../sweeping/space/parse-set.js";
import { everyValue, orderSpace, type Space } from "../../sweeping/space/space.js";
import {
  parseSweepFile,
  type PruneConfig,
  type PRUNINGS,
  type SEARCHES,
  type StudyDefinition,
  type SweepFile,
} from "../../sweeping/study/definition.js";
import { gridOf } from "../../sweeping/study/suggest.js";
import { checkedObjectives, DEFAULT_OBJECTIVE } from "./check-objective.js";
import { checkSpace } from "./check-space.js";

export interface StudyOptions {
  readonly storeDir: string;
  readonly sets: readonly string[];
  /** A sweep file; what the flags say wins over it. */
  readonly file?: string | undefined;
  readonly name?: string | undefined;
  readonly search?: (typeof SEARCHES)[number] | undefined;
  readonly prune?: (typeof PRUNINGS)[number] | undefined;
  readonly objectives?: readonly string[] | undefined;
  readonly trials?: number | undefined;
  readonly seed?: number | undefined;
}

const DEFAULT_TRIALS = 20;

const PRUNE_DEFAULTS: Readonly<Record<(typeof PRUNINGS)[number], PruneConfig>> = {
  asha: { kind: "asha", reduction: 3, minEpochs: 1 },
  median: { kind: "median", startup: 5, minEpochs: 1 },
};

/**
 * Checks everything that can be wrong before a first trial, and stores the study.
 * @returns its id
 * @throws UsageError, UnknownNameError, ConfigError
 */
export async function beginStudy(projectDir: string, options: StudyOptions): Promise<string> {
  return storeStudy(await askedStudy(projectDir, options), options.storeDir);
}

/** A study that is asked for, checked and not stored yet. */
export interface AskedStudy {
  readonly definition: StudyDefinition;
  readonly planned: number;
  readonly project: string;
  /** undefined: nobody has named it. */
  readonly name: string | undefined;
}

/** Reads and checks what is asked for. */
export async function askedStudy(projectDir: string, options: StudyOptions): Promise<AskedStudy> {
  const file = options.file === undefined ? null : await readSweepFile(options.file);
  const sets = parseSets(options.sets);
  const fixed = [...(file?.fixed ?? []), ...sets.fixed];
  const project = await loadProject(projectDir, fixed);
  const { planned, ...definition } = await definitionOf(project, file, { ...options, ...sets, fixed });
  return { definition, planned, project: project.name, name: options.name ?? file?.name };
}

/** @returns the id of the stored study */
export function storeStudy({ definition, planned, project, name: asked }: AskedStudy, storeDir: string): string {
  const store = openRunStore(storeDir);
  try {
    const name = asked ?? freeName(store.listGroups(), `${project}-sweep`);
    return store.createStudy({ name, project, planned, definition: JSON.stringify(definition) });
  } finally {
    store.close();
  }
}

async function definitionOf(
  project: LoadedProject,
  file: SweepFile | null,
  options: StudyOptions & ReturnType<typeof parseSets>,
): Promise<StudyDefinition & { readonly planned: number }> {
  // a flag wins over the file's parameter of the same name
  const asked = [
    ...(file?.parameters ?? []).filter(({ name }) => !options.parameters.some((own) => own.name === name)),
    ...options.parameters,
  ];
  if (asked.length === 0) {
    throw new UsageError(
      "There is nothing to search. Give a setting a range or several values, e.g. --set train.optimizer.learningRate=1e-4..1e-2:log --set train.batchSize=16,32.",
    );
  }
  const prune = options.prune ?? file?.prune ?? null;
  const objective = options.objectives ?? (typeof file?.objective === "string" ? [file.objective] : file?.objective);
  const trials = options.trials ?? file?.trials;
  const space = await checkSpace(project, orderSpace(asked));
  const definition: StudyDefinition = {
    ...{ formatVersion: 1, space },
    fixed: [...options.fixed],
    search: options.search ?? file?.search ?? (isSmall(space, trials ?? DEFAULT_TRIALS) ? "grid" : "tpe"),
    seed: options.seed ?? file?.seed ?? 1,
    prune: typeof prune === "string" ? PRUNE_DEFAULTS[prune] : prune,
    objectives: checkedObjectives(project, objective ?? [DEFAULT_OBJECTIVE], prune !== null),
  } as StudyDefinition;
  const combinations = definition.search === "grid" ? gridOf(definition).length : null;
  return {
    ...definition,
    planned: Math.min(trials ?? combinations ?? DEFAULT_TRIALS, combinations ?? Number.POSITIVE_INFINITY),
  };
}

/** Whether the trials can have all combinations: any search but a grid would train some of them twice. */
function isSmall(space: Space, trials: number): boolean {
  const most = space.reduce(
    (count, parameter) => count * (everyValue(parameter)?.length ?? Number.POSITIVE_INFINITY),
    1,
  );
  return most <= trials;
}

/** JSON, or a module that exports the same by default. */
async function readSweepFile(path: string): Promise<SweepFile> {
  if (extname(path) !== ".json") return parseSweepFile((await importConfig(resolve(path))).exported, path);
  const text = explained(path, () => readFileSync(path, "utf8"));
  try {
    return parseSweepFile(JSON.parse(text), path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${path} is not JSON: ${messageOf(error)}`, { file: path });
  }
}

function freeName(groups: readonly { readonly name: string }[], stem: string): string {
  const taken = new Set(groups.map(({ name }) => name));
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}
