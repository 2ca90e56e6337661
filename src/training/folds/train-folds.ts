/** @file `cool run --folds`: one run for each fold of the data, and what they come to together. */
import { join, resolve } from "node:path";
import { completeFolds } from "../../asking/groups/complete-folds.js";
import type { GroupResult } from "../../asking/groups/group-runs.js";
import { DEFAULT_FOLDS } from "../../data/split-tables.js";
import { ConfigError, UnknownNameError } from "../../errors.js";
import type { Project } from "../../project/define-project.js";
import { type LoadedProject, resolveProject } from "../../project/resolve-project.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import { checkedName } from "../../storage/run-record.js";
import { askedSettings, assertSameSettings } from "../earlier/start-or-resume.js";
import { type TrainRunOptions, trainRun } from "../train-run.js";

/** Options of {@link trainFolds}; `resume` names a group. */
export interface TrainFoldsOptions extends Omit<TrainRunOptions, "again" | "force" | "report"> {}

/**
 * Trains every fold as a run of one group, tunes thresholds on all out-of-fold answers and evaluates the ensemble of the
 * folds on test. A group that was interrupted goes on where it stopped: finished folds stay as they are.
 * @throws the same as trainRun; UnknownNameError where there is no such group
 */
export async function trainFolds(
  given: Project | LoadedProject,
  options: TrainFoldsOptions = {},
): Promise<GroupResult> {
  const project = "graph" in given ? given : resolveProject(given);
  const { split } = project.settings.data;
  const storeDir = resolve(options.store ?? join(project.projectDir, ".cool"));
  const tell = (text: string): void => {
    for (const logger of options.loggers ?? []) logger.message?.(text);
  };
  const warn = (text: string): void => {
    for (const logger of options.loggers ?? []) logger.warning?.(text);
  };
  if (options.key !== undefined) checkedName("key", options.key);
  let group = withStore(storeDir, (store) => beginGroup(store, project, options));
  if ((options.resume ?? options.key) !== undefined && split.folds !== undefined && split.folds !== group.planned) {
    throw new ConfigError(
      `The group ${group.name} has ${group.planned} folds, and data.split.folds is ${split.folds} now. Restore the setting, or start a new group.`,
      { group: group.id, planned: group.planned, folds: split.folds },
    );
  }
  const trainMissing = async (): Promise<void> => {
    for (let fold = 1; fold <= group.planned; fold++) {
      const run = group.runs.find(({ position }) => position === fold)?.id;
      const state = run === undefined ? null : withStore(storeDir, (store) => store.getRun(run).state);
      if (state === "finished") continue;
      tell(`fold ${fold} of ${group.planned}`);
      const { id } = group;
      await trainRun(withFold(project, fold, group.planned), {
        ...options,
        ...beginningOf(group, fold, run, options),
        store: storeDir,
        onBegun: (begun) => {
          options.onBegun?.(begun);
          group = withStore(storeDir, (store) => store.addToGroup(id, begun, fold));
        },
      });
    }
  };
  try {
    await trainMissing();
  } catch (error) {
    // what is wrong with data or settings is found before the first run exists; a key may be another process's, too
    if (group.runs.length === 0 && options.key === undefined)
      withStore(storeDir, (store) => store.removeGroup(group.id));
    throw error;
  }
  const store = openRunStore(storeDir);
  try {
    return await completeFolds(store, group, { project: project.configFile ?? undefined, onWarning: warn });
  } finally {
    store.close();
  }
}

/** How the run of a fold begins: with a key, whichever process has begun it, it is the same run. */
function beginningOf(
  group: RunGroup,
  fold: number,
  run: string | undefined,
  { key }: TrainFoldsOptions,
): Pick<TrainRunOptions, "name" | "key" | "resume"> {
  const name = `${group.name}-fold-${fold}`;
  if (key !== undefined) return { name, key: `${group.id}/fold-${fold}` };
  return run === undefined
    ? { name, resume: undefined }
    : { name: undefined, ...{ seed: undefined, from: undefined }, resume: run };
}

function beginGroup(store: RunStore, project: LoadedProject, options: TrainFoldsOptions): RunGroup {
  const { resume, name } = options;
  if (resume === undefined) {
    const { folds: planned = DEFAULT_FOLDS } = project.settings.data.split;
    const key = options.key?.trim();
    const keyed = key === undefined ? null : store.keyedGroup(project.name, key);
    if (keyed !== null) return sameSettings(store, project, keyed, options);
    const group = { kind: "folds", project: project.name, planned } as const;
    return store.createGroup({ ...group, name: name ?? key ?? `${project.name}-folds`, key });
  }
  const found = store.findGroup(resume);
  if (found !== null) return found;
  throw new UnknownNameError(
    "group",
    resume,
    store.listGroups().map((group) => group.name),
  );
}

/** @throws ConfigError where the folds that have begun have other settings than those that are asked for */
function sameSettings(store: RunStore, project: LoadedProject, group: RunGroup, options: TrainFoldsOptions): RunGroup {
  for (const { id, position } of group.runs) {
    const asked = askedSettings(withFold(project, position, group.planned), options);
    assertSameSettings(store, store.getRun(id), options.key ?? "", asked);
  }
  return group;
}

/** The project with one part of train and valid held out. */
function withFold(project: LoadedProject, fold: number, folds: number): LoadedProject {
  const { settings } = project;
  const { data } = settings;
  return { ...project, settings: { ...settings, data: { ...data, split: { ...data.split, folds, fold } } } };
}

function withStore<T>(dir: string, use: (store: RunStore) => T): T {
  const store = openRunStore(dir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}
