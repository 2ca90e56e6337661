/** @file The next trial of a study, and whether a run of it goes on. */
import { prunedByAsha, rungs } from "../pruning/asha.js";
import { type ValueCurve, bestUntil } from "../pruning/curves.js";
import { prunedByMedian } from "../pruning/median.js";
import { grid, randomChoice } from "../search/simple.js";
import { sobolChoice } from "../search/sobol.js";
import { tpeChoice } from "../search/tpe.js";
import type { Outcome, Trial } from "../search/trials.js";
import type { Parameters } from "../space/space.js";
import type { Claim, StoredTrial, StudyCurves } from "../../storage/tables/studies.js";
import type { StudyDefinition } from "./definition.js";
import { turned } from "./objectives.js";

/** A trial whose process has died so often is given up: it may be the trial that it dies of. */
export const MOST_ATTEMPTS = 3;

/** Where a search remembers the combinations: computing a grid for each trial takes as long as the grid is large. */
const grids = new WeakMap<StudyDefinition, readonly Parameters[]>();

export function gridOf(definition: StudyDefinition): readonly Parameters[] {
  const known = grids.get(definition);
  if (known !== undefined) return known;
  const combinations = grid(definition.space);
  grids.set(definition, combinations);
  return combinations;
}

/** What a process does next: go on with what was interrupted, begin another trial, or nothing. */
export function nextClaim(definition: StudyDefinition, planned: number, trials: readonly StoredTrial[]): Claim | null {
  const again = trials.find(({ state, attempts }) => state === "interrupted" && attempts < MOST_ATTEMPTS);
  if (again !== undefined) return { kind: "again", number: again.number };
  if (trials.length >= planned) return null;
  const parameters = nextParameters(definition, trials);
  return parameters === null ? null : { kind: "new", parameters };
}

/** null: the grid has no more. */
function nextParameters(definition: StudyDefinition, trials: readonly StoredTrial[]): Parameters | null {
  const { space, search, seed } = definition;
  const number = (trials.at(-1)?.number ?? 0) + 1;
  switch (search) {
    case "grid":
      return gridOf(definition)[number - 1] ?? null;
    case "random":
      return randomChoice(space, seed, number);
    case "sobol":
      return sobolChoice(space, seed, number);
    case "tpe":
      return tpeChoice(space, trialsOf(definition, trials), seed, number);
    default:
      return search satisfies never;
  }
}

/** Trials of the store as searches see them. */
export function trialsOf(definition: StudyDefinition, trials: readonly StoredTrial[]): Trial[] {
  return trials.map((trial) => {
    const { number, parameters } = trial;
    return { number, parameters, outcome: outcomeOf(definition, trial) };
  });
}

function outcomeOf({ objectives }: StudyDefinition, trial: StoredTrial): Outcome {
  switch (trial.state) {
    case "running":
    case "interrupted":
      return { kind: "running" };
    case "failed":
      return { kind: "failed" };
    case "finished": {
      const values = objectives.map((objective, i) => {
        const value = trial.objectives?.[i] ?? null;
        return value === null ? Number.NaN : turned(value, objective);
      });
      return values.every((value) => Number.isFinite(value)) ? { kind: "finished", values } : { kind: "failed" };
    }
    case "pruned": {
      const [objective] = objectives;
      const value = trial.objectives?.[0] ?? null;
      if (objective === undefined || value === null) return { kind: "failed" };
      return { kind: "pruned", epochs: trial.epochsDone, value: turned(value, objective) };
    }
    default:
      return trial.state satisfies never;
  }
}

/** A run that is judged after an epoch. */
export interface JudgedRun {
  /** Of its trial. */
  readonly number: number;
  readonly epoch: number;
  /** That are planned for it. */
  readonly epochs: number;
}

/** Whether a run is compared with others after this epoch, for which their curves are read. */
export function isJudged({ prune }: StudyDefinition, epoch: number, epochs: number): boolean {
  if (prune === null) return false;
  return prune.kind === "asha" ? rungs(prune, epochs).includes(epoch) : epoch >= prune.minEpochs;
}

/** @returns why the run is pruned, as a sentence; null: it goes on */
export function judgement(
  { prune, objectives }: StudyDefinition,
  { number, epoch, epochs }: JudgedRun,
  curves: StudyCurves,
): string | null {
  const [objective] = objectives;
  if (prune === null || objective === undefined) return null;
  const turnedCurve = (trial: number): ValueCurve =>
    (curves.get(trial) ?? []).map((point) => ({ epoch: point.epoch, value: turned(point.value, objective) }));
  const own = turnedCurve(number);
  const others = [...curves.keys()].filter((trial) => trial !== number).map(turnedCurve);
  const isPruned =
    prune.kind === "asha" ? prunedByAsha(prune, epoch, epochs, own, others) : prunedByMedian(prune, epoch, own, others);
  if (!isPruned) return null;
  const best = bestUntil(own, epoch);
  const shown = best === null ? "no value" : `${Number(turned(best, objective).toPrecision(4))}`;
  return `Pruned after epoch ${epoch} of ${epochs}: ${shown} is not among the best of the study so far.`;
}
