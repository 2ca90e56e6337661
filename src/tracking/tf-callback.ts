/** @file tfjs's `model.fit` as a tracked run. */
import type { LoggedValues } from "./curves.js";
import type { TrackedRun } from "./tracked-run.js";

/** What `callbacks` of `fit` takes; tfjs itself is not loaded for it. */
export interface TfCallback {
  onEpochEnd(epoch: number, logs?: LoggedValues): void;
}

/**
 * Logs the losses and metrics of every epoch: `await model.fit(x, y, { callbacks: tfCallback(run) })`. `loss` and `acc`
 * are those of train, `val_loss` and `val_acc` those of valid; a step is an epoch.
 */
export function tfCallback(run: Pick<TrackedRun, "log">): TfCallback {
  return {
    onEpochEnd(epoch, logs = {}) {
      const done = epoch + 1;
      run.log(logs, { step: done, epoch: done });
    },
  };
}
