/** @file Asynchronous successive halving (Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020). */
import type { ValueCurve } from "./curves.js";
import { bestUntil } from "./curves.js";

export interface AshaConfig {
  readonly kind: "asha";
  /** η: of the runs that reach a rung, one in so many goes on. */
  readonly reduction: number;
  /** r: epochs up to the first rung. */
  readonly minEpochs: number;
}

/**
 * Epochs at which runs are compared: r · ηᵏ.
 * @param epochs of a whole run, which is no rung: it has finished by then
 */
export function rungs({ reduction, minEpochs }: AshaConfig, epochs: number): number[] {
  const found: number[] = [];
  for (let rung = minEpochs; rung < epochs; rung *= reduction) found.push(Math.round(rung));
  return found;
}

/**
 * Whether a run that has come to a rung ends there: unless it is among the best 1/η of all runs that have come to it so
 * far, itself included. Nobody waits for others; the first one at a rung goes on. This is the stopping form of the
 * algorithm: a run that does not go on when it comes to a rung is not taken up again later.
 * @param own lower is better
 * @param others curves of the study's other runs, also of those that have ended
 */
export function prunedByAsha(
  config: AshaConfig,
  epoch: number,
  epochs: number,
  own: ValueCurve,
  others: readonly ValueCurve[],
): boolean {
  if (!rungs(config, epochs).includes(epoch)) return false;
  const value = bestUntil(own, epoch) ?? Number.POSITIVE_INFINITY;
  const reached = others.flatMap((curve) =>
    (curve.at(-1)?.epoch ?? 0) >= epoch ? [bestUntil(curve, epoch) ?? Number.POSITIVE_INFINITY] : [],
  );
  const promoted = Math.max(1, Math.floor((reached.length + 1) / config.reduction));
  const better = reached.filter((other) => other < value).length;
  return better >= promoted || !Number.isFinite(value);
}
