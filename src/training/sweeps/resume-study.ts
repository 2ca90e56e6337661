/** @file A study that is gone on with: by its name or id, or by whatever starts the same again. */
import { isDeepStrictEqual } from "node:util";
import { ConfigError, UsageError } from "../../errors.js";
import { loadProject } from "../../project/load-project.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import { definitionOf, findStudy } from "../../sweeping/study/study-document.js";
import { gridOf } from "../../sweeping/study/suggest.js";
import { type AskedStudy, askedStudy, storeStudy, type StudyOptions } from "./begin-study.js";

/**
 * @returns the study's id, with as many trials planned as are asked for
 * @throws UnknownNameError, UsageError where it is another project's, or fewer trials are asked for than have begun
 */
export async function resumeStudy(
  projectDir: string,
  storeDir: string,
  reference: string,
  trials: number | undefined,
): Promise<string> {
  const project = await loadProject(projectDir);
  const store = openRunStore(storeDir, { create: false });
  try {
    const group = findStudy(store, reference);
    refuseForeign(group, project.name, projectDir);
    planMore(store, group, trials);
    return group.id;
  } finally {
    store.close();
  }
}

/**
 * Begins the study of a name, or goes on with it. Whoever begins it at the same moment works on the same study.
 * @throws ConfigError where the study of this name searches something else
 */
export async function startOrResumeStudy(projectDir: string, name: string, options: StudyOptions): Promise<string> {
  const asked = await askedStudy(projectDir, options);
  const known = knownStudy(asked, name, projectDir, options);
  if (known !== null) return known;
  try {
    return storeStudy(asked, options.storeDir);
  } catch (error) {
    // of a name that another process has taken since
    const other = knownStudy(asked, name, projectDir, options);
    if (other === null) throw error;
    return other;
  }
}

function knownStudy(asked: AskedStudy, name: string, projectDir: string, options: StudyOptions): string | null {
  const { storeDir, trials } = options;
  const store = openRunStore(storeDir);
  try {
    const group = store.findGroup(name);
    // what else has the name is refused where a study is stored
    if (group?.kind !== "sweep") return null;
    refuseForeign(group, asked.project, projectDir);
    assertSameStudy(store, group, asked, options.search === undefined ? ["search"] : []);
    if (trials !== undefined && trials > group.planned) planMore(store, group, trials);
    return group.id;
  } finally {
    store.close();
  }
}

/**
 * @param defaults parts that nobody has said: which search is the default depends on the number of trials
 * @throws ConfigError that names what differs
 */
function assertSameStudy(
  store: RunStore,
  group: RunGroup,
  { definition }: AskedStudy,
  defaults: readonly string[],
): void {
  const before: Readonly<Record<string, unknown>> = { ...definitionOf(store, group) };
  const now: Readonly<Record<string, unknown>> = JSON.parse(JSON.stringify(definition));
  const said = Object.keys(now).filter((part) => !defaults.includes(part));
  const changed = said.filter((part) => !isDeepStrictEqual(before[part], now[part]));
  if (changed.length === 0) return;
  const shown = changed.map((part) => `${part} is ${textOf(now[part])} and was ${textOf(before[part])}`);
  throw new ConfigError(
    `The study ${group.name} has begun with something else: ${shown.join("; ")}. Start with the same to go on with it, or choose another name.`,
    { study: group.id, changed },
  );
}

const LONGEST_TEXT = 300;

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

function refuseForeign(group: RunGroup, project: string, projectDir: string): void {
  if (group.project === project) return;
  throw new UsageError(
    `The study ${group.name} is of the project ${group.project}, and ${projectDir} is ${project}. Name its folder: cool sweep FOLDER --resume ${group.name}`,
    { study: group.id, project },
  );
}

function planMore(store: RunStore, group: RunGroup, trials: number | undefined): void {
  const definition = definitionOf(store, group);
  const most = definition.search === "grid" ? gridOf(definition).length : Number.POSITIVE_INFINITY;
  const begun = store.readTrials(group.id).length;
  if (trials !== undefined && trials < begun) {
    throw new UsageError(
      `The study ${group.name} has begun ${begun} trials already; --trials ${trials} would be fewer.`,
      { study: group.id, trials, begun },
    );
  }
  if (trials !== undefined) store.planTrials(group.id, Math.min(trials, most));
}
