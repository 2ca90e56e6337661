/** @file What follows from an epoch's validation loss, or another metric: best checkpoint, lower learning rate, early stop. */

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

/** Serialisable: a resumed run goes on from it. */
export interface ScheduleState {
  readonly learningRate: number;
  /** Best validation loss, or other metric, so far (null: it was undefined) and its epoch; null before the first. */
  readonly best: { readonly loss: number | null; readonly epoch: number } | null;
  readonly epochsSinceBest: number;
  /** Epochs since the best loss or the last reduction. */
  readonly epochsOnPlateau: number;
}

export interface ScheduleDecision {
  readonly state: ScheduleState;
  readonly improved: boolean;
  readonly reduced: boolean;
  readonly stop: boolean;
}

export function startSchedule(config: ScheduleConfig): ScheduleState {
  return { learningRate: config.learningRate, best: null, epochsSinceBest: 0, epochsOnPlateau: 0 };
}

/**
 * @param loss validation loss, or other metric, of the epoch; NaN (nothing to validate on) counts as an improvement, so that the
 * latest weights are kept as best
 */
export function afterEpoch(
  config: ScheduleConfig,
  state: ScheduleState,
  epoch: number,
  loss: number,
): ScheduleDecision {
  const improved = Number.isNaN(loss) || state.best === null || isBetter(config, loss, state.best.loss);
  const best = improved ? { loss: Number.isNaN(loss) ? null : loss, epoch } : state.best;
  const epochsSinceBest = improved ? 0 : state.epochsSinceBest + 1;
  const waited = improved ? 0 : state.epochsOnPlateau + 1;
  const plateau = config.reduceOnPlateau;
  const lower =
    plateau === null ? state.learningRate : Math.max(state.learningRate * plateau.factor, plateau.minLearningRate);
  const reduced = plateau !== null && waited >= plateau.patience && lower < state.learningRate;
  return {
    state: {
      learningRate: reduced ? lower : state.learningRate,
      best,
      epochsSinceBest,
      epochsOnPlateau: reduced ? 0 : waited,
    },
    improved,
    reduced,
    stop: config.earlyStopping !== null && epochsSinceBest >= config.earlyStopping.patience,
  };
}

/** Anything is better than what was undefined. */
function isBetter({ higherIsBetter = false }: ScheduleConfig, value: number, best: number | null): boolean {
  return best === null || (higherIsBetter ? value > best : value < best);
}
