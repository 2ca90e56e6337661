/** @file Trials from the best to the worst, by one objective or by several. */
import { hypervolume } from "../front/hypervolume.js";
import { fronts } from "../front/pareto.js";
import { isFinished, type FinishedTrial, type Trial } from "./trials.js";

/**
 * Finished ones first, then pruned ones, those that came further before the others, then failed ones. Several objectives
 * are ordered by fronts; within one, whoever adds most to the volume that those before it dominate comes next (as in
 * MOTPE: Ozaki, Tanigaki, Watanabe & Onishi, GECCO 2020).
 */
export function bestFirst(trials: readonly Trial[]): Trial[] {
  const finished = trials.filter(isFinished);
  const pruned = trials.flatMap((trial) => (trial.outcome.kind === "pruned" ? [{ trial, ...trial.outcome }] : []));
  const others = trials.filter(({ outcome }) => outcome.kind !== "finished" && outcome.kind !== "pruned");
  const byProgress = pruned.toSorted((a, b) => b.epochs - a.epochs || a.value - b.value);
  return [...orderFinished(finished), ...byProgress.map(({ trial }) => trial), ...others];
}

function orderFinished(trials: readonly FinishedTrial[]): Trial[] {
  const values = trials.map(({ outcome }) => outcome.values);
  if ((values[0]?.length ?? 1) === 1) {
    return trials.toSorted((a, b) => (a.outcome.values[0] ?? 0) - (b.outcome.values[0] ?? 0));
  }
  const reference = worstOf(values);
  return fronts(values).flatMap((front) => byContribution(front, values, reference).map((i) => trials[i] as Trial));
}

/** A little worse than the worst in every objective, so that points at the ends of a front count, too. */
function worstOf(values: readonly (readonly number[])[]): number[] {
  const [first = []] = values;
  return first.map((_, axis) => {
    const own = values.map((point) => point[axis] ?? 0);
    const [low, high] = [Math.min(...own), Math.max(...own)];
    return high + 0.1 * (high - low || Math.abs(high) || 1);
  });
}

function byContribution(
  front: readonly number[],
  values: readonly (readonly number[])[],
  reference: readonly number[],
): number[] {
  const [left, chosen]: [number[], number[]] = [[...front], []];
  const point = (i: number): readonly number[] => values[i] ?? [];
  while (left.length > 0) {
    const gains = left.map((i) => hypervolume([...chosen, i].map(point), reference));
    chosen.push(...left.splice(gains.indexOf(Math.max(...gains)), 1));
  }
  return chosen;
}
