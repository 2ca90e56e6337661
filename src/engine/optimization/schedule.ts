/** @file What follows from an epoch's validation loss, or another metric: best checkpoint, lower learning rate, early stop. */
import type { ScheduleState } from "../model/training-state.js";

export interface ScheduleConfig {
  readonly learningRate: number;
  /** Multiply the learning rate by `factor` after `patience` epochs without improvement; null: never. */
  readonly reduceOnPlateau: {
    readonly factor: number;
    readonly patience: number;
    readonly minLearningRate: number;
  } | null;
  /** Stop after `patience` epochs without improvement; null: never. */
  readonly earlyStopping: { readonly patience: number } | null;
  /** Whether what is watched is better when higher; default no, as a loss. */
  readonly higherIsBetter?: boolean;
}

export interface ScheduleDecision {
  readonly state: ScheduleState;
  /** Whether the epoch is better than all before it. */
  readonly improved: boolean;
  /** Whether its weights are to be kept as the best: where it improved, and where nothing is known to be better. */
  readonly kept: boolean;
  readonly reduced: boolean;
}

/** Where a run's schedule stands before its first epoch. */
export function startSchedule(config: ScheduleConfig): ScheduleState {
  return { learningRate: config.learningRate, best: null, epochsSinceBest: 0, epochsOnPlateau: 0 };
}

/**
 * @param value validation loss, or other metric, of the epoch; null where it is undefined, which is never an
 * improvement
 */
export function afterEpoch(
  config: ScheduleConfig,
  state: ScheduleState,
  epoch: number,
  value: number | null,
): ScheduleDecision {
  const before = state.best?.loss ?? null;
  const improved = value !== null && (before === null || isBetter(config, value, before));
  const kept = improved || before === null;
  const waited = improved ? 0 : state.epochsOnPlateau + 1;
  const plateau = config.reduceOnPlateau;
  const lower =
    plateau === null ? state.learningRate : Math.max(state.learningRate * plateau.factor, plateau.minLearningRate);
  const reduced = plateau !== null && waited >= plateau.patience && lower < state.learningRate;
  return {
    state: {
      learningRate: reduced ? lower : state.learningRate,
      best: kept ? { loss: value, epoch } : state.best,
      epochsSinceBest: improved ? 0 : state.epochsSinceBest + 1,
      epochsOnPlateau: reduced ? 0 : waited,
    },
    improved,
    kept,
    reduced,
  };
}

/** Whether early stopping ends the training here. */
export function hasStoppedEarly({ earlyStopping }: ScheduleConfig, { epochsSinceBest }: ScheduleState): boolean {
  return earlyStopping !== null && epochsSinceBest >= earlyStopping.patience;
}

function isBetter({ higherIsBetter = false }: ScheduleConfig, value: number, best: number): boolean {
  return higherIsBetter ? value > best : value < best;
}
