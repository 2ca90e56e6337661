/** @file Trials from the best to the worst, by one objective or by several. */
import { hypervolume } from "../front/hypervolume.js";
import { fronts } from "../front/pareto.js";
import { isFinished, type FinishedTrial, type Trial } from "./trials.js";

/**
 * Finished ones first, then pruned ones, those that came further before the others, then failed ones. Several objectives
 * are ordered by fronts; within one, whoever adds most to the volume that those before it dominate comes next (as in
 * MOTPE: Ozaki, Tanigaki, Watanabe & Onishi, GECCO 2020).
 * @param count of the best that are asked for: putting all of a large front in order takes far longer
 */
export function bestFirst(trials: readonly Trial[], count: number = trials.length): Trial[] {
  const finished = trials.filter(isFinished);
  const pruned = trials.flatMap((trial) => (trial.outcome.kind === "pruned" ? [{ trial, ...trial.outcome }] : []));
  const others = trials.filter(({ outcome }) => outcome.kind !== "finished" && outcome.kind !== "pruned");
  const byProgress = pruned.toSorted((a, b) => b.epochs - a.epochs || a.value - b.value);
  return [...orderFinished(finished, count), ...byProgress.map(({ trial }) => trial), ...others].slice(0, count);
}

function orderFinished(trials: readonly FinishedTrial[], count: number): Trial[] {
  const values = trials.map(({ outcome }) => outcome.values);
  if ((values[0]?.length ?? 1) === 1) {
    return trials.toSorted((a, b) => (a.outcome.values[0] ?? 0) - (b.outcome.values[0] ?? 0));
  }
  const reference = worstOf(values);
  const order: number[] = [];
  for (const front of fronts(values)) {
    if (order.length >= count) break;
    order.push(...byContribution(front, values, reference, count - order.length));
  }
  return order.map((i) => trials[i] as Trial);
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

/** Greedily. What a point adds never grows, so that what it added before bounds it (lazy evaluation: Minoux 1978). */
function byContribution(
  front: readonly number[],
  values: readonly (readonly number[])[],
  reference: readonly number[],
  count: number,
): number[] {
  const chosen: number[] = [];
  const left = front.map((index) => ({ index, bound: Number.POSITIVE_INFINITY, isKnown: false }));
  const volumeWith = (more: readonly number[]): number =>
    hypervolume(
      [...chosen, ...more].map((i) => values[i] ?? []),
      reference,
    );
  while (left.length > 0 && chosen.length < count) {
    const before = volumeWith([]);
    for (const one of left) one.isKnown = false;
    for (;;) {
      const bounds = left.map(({ bound }) => bound);
      const place = bounds.indexOf(Math.max(...bounds));
      const first = left[place];
      if (first === undefined || first.isKnown) {
        chosen.push(...left.splice(place, 1).map(({ index }) => index));
        break;
      }
      first.bound = volumeWith([first.index]) - before;
      first.isKnown = true;
    }
  }
  return chosen;
}
