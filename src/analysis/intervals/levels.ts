/** @file Weighted kappa of ordered grades. */
import { f64At } from "../../arrays.js";
import type { ClassAnswers } from "./classes.js";
import { FISHER, type Interval, intervalOn, isFlat, spreadOf } from "./spread.js";

/**
 * Of κ = 1 − n·Σw / ΣΣ w·labelled·answered with w = |i − j|^power, by its derivative with respect to each answer's cell
 * (Fleiss, Cohen & Everitt, Psychological Bulletin 72, 1969), symmetric on Fisher's scale. None without spread.
 */
export function kappaInterval(
  { classes, entries, label, answer, units }: ClassAnswers,
  power: number,
): Interval | null {
  const labelled = new Float64Array(classes);
  const answered = new Float64Array(classes);
  const weight = (i: number, j: number): number => Math.abs(i - j) ** power;
  let observed = 0;
  for (let i = 0; i < entries.length; i++) {
    const [truth, said] = [label(i), answer(i)];
    if (Number.isNaN(said)) return null;
    labelled[truth] = f64At(labelled, truth) + 1;
    answered[said] = f64At(answered, said) + 1;
    observed += weight(truth, said);
  }
  const n = entries.length;
  const toAnswers = labelled.map((_, i) => answered.reduce((sum, own, j) => sum + weight(i, j) * own, 0));
  const toLabels = answered.map((_, j) => labelled.reduce((sum, own, i) => sum + weight(i, j) * own, 0));
  const expected = labelled.reduce((sum, own, i) => sum + own * f64At(toAnswers, i), 0);
  const value = 1 - (n * observed) / expected;
  if (!Number.isFinite(value)) return null;
  const influence = (i: number): number => {
    const [truth, said] = [label(i), answer(i)];
    const around = f64At(toAnswers, truth) + f64At(toLabels, said);
    return (n * observed * around) / expected ** 2 - (observed + n * weight(truth, said)) / expected;
  };
  const spread = spreadOf(
    entries,
    Float64Array.from(entries, (_, i) => influence(i)),
    units,
  );
  return isFlat(value, spread) ? null : intervalOn(value, spread, FISHER);
}
