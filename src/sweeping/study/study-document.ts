/** @file A study as `--json`, tables, pictures and reports show it. */
import { UnknownNameError } from "../../errors.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import type { StoredTrial, TrialState } from "../../storage/tables/studies.js";
import { fronts } from "../front/pareto.js";
import { mainEffects } from "../importance/fanova.js";
import { isFinished } from "../search/trials.js";
import { type Parameters, type Space, toUnit } from "../space/space.js";
import { parseDefinition, type PruneConfig, type StudyDefinition } from "./definition.js";
import { objectiveName } from "./objectives.js";
import { trialsOf } from "./suggest.js";

export interface StudySummary {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly search: StudyDefinition["search"];
  readonly seed: number;
  readonly prune: PruneConfig | null;
  readonly objectives: readonly { readonly name: string; readonly direction: "minimize" | "maximize" }[];
  /** `key=value` settings that all trials have in common. */
  readonly fixed: readonly string[];
  readonly planned: number;
  /** How many there are in each state. */
  readonly trials: Readonly<Record<TrialState, number>>;
  /** Of all runs together. */
  readonly epochs_done: number;
  readonly created_at: string;
  /** null while trials are left. */
  readonly ended_at: string | null;
}

export interface ShownTrial {
  readonly number: number;
  /** null before it has a run, and after that was deleted. */
  readonly run: string | null;
  readonly state: TrialState;
  readonly values: Parameters;
  /** In the order of the study's; of a pruned trial the best of its epochs. */
  readonly objectives: readonly (number | null)[];
  readonly epochs_done: number;
  readonly error: string | null;
}

/** What `cool sweep --json` prints. */
export interface StudyDocument {
  readonly study: StudySummary;
  readonly trials: readonly ShownTrial[];
  /** Numbers of the best trial or, of several objectives, of those that no other is better than. */
  readonly best: readonly number[];
  /** By share, the largest first; null before there are enough finished trials, and of several objectives. */
  readonly importance: readonly { readonly parameter: string; readonly importance: number }[] | null;
}

/** Fewer finished trials say nothing of what parameters do. */
const LEAST_TRIALS = 4;

/** @throws UnknownNameError where no study has this name or id */
export function findStudy(store: RunStore, reference: string): RunGroup {
  const studies = listStudies(store);
  const found = reference === "latest" ? studies[0] : store.findGroup(reference);
  if (found !== null && found?.kind === "sweep") return found;
  const names = studies.flatMap(({ name, id }) => [name, id]);
  throw new UnknownNameError("study", reference, names, undefined, { exitCode: 2 });
}

/** The latest first. */
export function listStudies(store: RunStore): RunGroup[] {
  return store.listGroups().filter(({ kind }) => kind === "sweep");
}

export function definitionOf(store: RunStore, { id, name }: Pick<RunGroup, "id" | "name">): StudyDefinition {
  return parseDefinition(store.readStudy(id) ?? "null", name);
}

export function studySummary(
  { id, name, project, planned, createdAt, endedAt }: RunGroup,
  { search, seed, prune, objectives, fixed }: StudyDefinition,
  trials: readonly StoredTrial[],
): StudySummary {
  const count = (state: TrialState): number => trials.filter((trial) => trial.state === state).length;
  return {
    ...{ id, name, project, search, seed, prune, fixed },
    objectives: objectives.map((objective) => ({ name: objectiveName(objective), direction: objective.direction })),
    planned,
    trials: {
      finished: count("finished"),
      pruned: count("pruned"),
      failed: count("failed"),
      interrupted: count("interrupted"),
      running: count("running"),
    },
    epochs_done: trials.reduce((sum, { epochsDone }) => sum + epochsDone, 0),
    created_at: createdAt,
    ended_at: endedAt,
  };
}

export function studyDocument(store: RunStore, group: RunGroup): StudyDocument {
  const definition = definitionOf(store, group);
  const trials = store.readTrials(group.id);
  return {
    study: studySummary(group, definition, trials),
    trials: trials.map(({ number, run, state, parameters, objectives, epochsDone, error }) => ({
      ...{ number, run, state, values: parameters, epochs_done: epochsDone, error },
      objectives: objectives ?? definition.objectives.map(() => null),
    })),
    best: bestTrials(definition, trials),
    importance: importanceOf(definition, trials),
  };
}

/** Numbers of the trials that no other is better than, the best of the first objective first. */
export function bestTrials(definition: StudyDefinition, trials: readonly StoredTrial[]): number[] {
  const finished = trialsOf(definition, trials)
    .filter(isFinished)
    .toSorted((a, b) => (a.outcome.values[0] ?? 0) - (b.outcome.values[0] ?? 0) || a.number - b.number);
  const [front = []] = fronts(finished.map(({ outcome }) => outcome.values));
  const numbers = front.flatMap((i) => finished[i]?.number ?? []);
  return definition.objectives.length === 1 ? numbers.slice(0, 1) : numbers;
}

function importanceOf(definition: StudyDefinition, trials: readonly StoredTrial[]): StudyDocument["importance"] {
  const { space, objectives } = definition;
  const finished = trialsOf(definition, trials).filter(isFinished);
  if (objectives.length > 1 || finished.length < LEAST_TRIALS) return null;
  const effects = mainEffects(
    finished.map(({ parameters, outcome }) => ({ place: placeOf(space, parameters), value: outcome.values[0] ?? 0 })),
  );
  return space
    .map(({ name }, axis) => ({ parameter: name, importance: effects[axis] ?? 0 }))
    .toSorted((a, b) => b.importance - a.importance);
}

/** Coordinates of a trial in the unit cube; a parameter that does not apply lies in the middle. */
export function placeOf(space: Space, values: Parameters): number[] {
  return space.map((parameter) => {
    const value = values[parameter.name];
    return value === undefined ? 0.5 : toUnit(parameter, value);
  });
}
