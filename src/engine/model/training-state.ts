/** @file What a checkpoint keeps of training beside the weights, so that a resumed run goes on exactly. */

/** What an optimizer remembers between steps. */
export interface OptimizerState {
  /** Updates applied so far. */
  readonly updates: number;
  /** One vector per slot (moments or momentum), each as long as the parameters. */
  readonly slots: Readonly<Record<string, Float32Array>>;
}

/** What has followed from the epochs so far: see `schedule.ts`. */
export interface ScheduleState {
  readonly learningRate: number;
  /**
   * The epoch whose weights are the best so far, with its validation loss, or other metric; null before the first.
   * A loss of null: no epoch has had a value yet, and the latest one stands in.
   */
  readonly best: { readonly loss: number | null; readonly epoch: number } | null;
  readonly epochsSinceBest: number;
  /** Epochs since the best loss or the last reduction. */
  readonly epochsOnPlateau: number;
}

/** Where training stands: enough, with the weights and the optimizer's state, to go on exactly. */
export interface TrainerPosition {
  /** Epochs from 1; the one in progress. */
  readonly epoch: number;
  /** Batches of that epoch already done. */
  readonly batch: number;
  /** Updates since the start of the run. */
  readonly step: number;
}

/** What the epoch in progress has seen so far: kept with a checkpoint, so that its metrics are those of all its rows. */
export interface EpochSoFar {
  /** Logits at the time of each row's step, [rows, layout.width]. */
  readonly logits: Float32Array;
  /** Sum of the norms of its gradients. */
  readonly gradientNormSum: number;
  /** How often tasks' gradients were in conflict, by the tasks' indices: steps, and conflicts; none where it is not kept. */
  readonly conflicts?: Readonly<Record<string, readonly [steps: number, conflicts: number]>> | undefined;
}

/** What goes on exactly from where training stands, with the weights. */
export interface TrainerSnapshot {
  readonly position: TrainerPosition;
  readonly optimizer: OptimizerState;
  /** Of an epoch that is not at its end. */
  readonly epoch?: EpochSoFar | undefined;
}
