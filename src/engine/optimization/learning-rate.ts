/** @file How the learning rate goes from step to step, as a factor of the one that is set. */

/** Steps at the beginning, in which the rate grows from a part of itself along a line. */
interface WarmUp {
  /** Epochs that it takes; may be a fraction of one. */
  readonly warmupEpochs: number;
  /** The factor that it starts from. */
  readonly warmupFrom: number;
}

/** The same rate throughout, after a warm-up. */
interface ConstantRate extends WarmUp {
  readonly kind: "constant";
}

/** Down along half a wave: Loshchilov & Hutter, "SGDR" (2017), without restarts. */
interface CosineRate extends WarmUp {
  readonly kind: "cosine";
  /** The factor that it ends near. */
  readonly finalFactor: number;
}

/** Up to the rate that is set and down again: Smith & Topin, "Super-Convergence" (2018). */
interface OneCycleRate {
  readonly kind: "oneCycle";
  /** Part of all steps in which it grows. */
  readonly warmupFraction: number;
  /** The factor that it starts from. */
  readonly initialFactor: number;
  /** The factor that it ends at. */
  readonly finalFactor: number;
}

/** Multiplied after every epoch. */
interface ExponentialRate extends WarmUp {
  readonly kind: "exponential";
  readonly factor: number;
}

/** Multiplied after some epochs. */
interface StepRate extends WarmUp {
  readonly kind: "steps";
  readonly factor: number;
  /** Epochs after which it is. */
  readonly epochs: readonly number[];
}

export type RateSchedule = ConstantRate | CosineRate | OneCycleRate | ExponentialRate | StepRate;

/** How long training is. */
export interface TrainingLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/**
 * Factor of the learning rate in one step: a function of the step alone, so that a resumed run goes on exactly. The
 * numbers are those of torch.optim.lr_scheduler: LinearLR before CosineAnnealingLR (by step), OneCycleLR (cosine),
 * ExponentialLR and MultiStepLR (by epoch) times LinearLR.
 * @param step updates done before, from 0
 */
export function rateFactor(schedule: RateSchedule, step: number, { epochs, stepsPerEpoch }: TrainingLength): number {
  const steps = epochs * stepsPerEpoch;
  const epochsDone = Math.floor(step / stepsPerEpoch);
  switch (schedule.kind) {
    case "constant":
      return warmUpFactor(schedule, step, stepsPerEpoch);
    case "cosine": {
      const first = warmUpSteps(schedule, stepsPerEpoch);
      if (step < first) return warmUpFactor(schedule, step, stepsPerEpoch);
      return alongCosine(1, schedule.finalFactor, (step - first) / Math.max(1, steps - first));
    }
    case "oneCycle":
      return oneCycleFactor(schedule, step, steps);
    case "exponential":
      return warmUpFactor(schedule, step, stepsPerEpoch) * schedule.factor ** epochsDone;
    case "steps": {
      const passed = schedule.epochs.filter((epoch) => epoch <= epochsDone).length;
      return warmUpFactor(schedule, step, stepsPerEpoch) * schedule.factor ** passed;
    }
    default:
      return schedule satisfies never;
  }
}

function warmUpSteps({ warmupEpochs }: WarmUp, stepsPerEpoch: number): number {
  return Math.round(warmupEpochs * stepsPerEpoch);
}

function warmUpFactor(warmUp: WarmUp, step: number, stepsPerEpoch: number): number {
  const steps = warmUpSteps(warmUp, stepsPerEpoch);
  return step >= steps ? 1 : warmUp.warmupFrom + (1 - warmUp.warmupFrom) * (step / steps);
}

function oneCycleFactor({ warmupFraction, initialFactor, finalFactor }: OneCycleRate, step: number, steps: number) {
  // both phases end at a step, as in torch: the first after a fraction of all steps, the second at the last one
  const top = warmupFraction * steps - 1;
  if (step <= top) return alongCosine(initialFactor, 1, top <= 0 ? 1 : step / top);
  return alongCosine(1, finalFactor, Math.min(1, (step - top) / Math.max(1, steps - 1 - top)));
}

/** From one value to another along half a wave. @param part of the way, from 0 to 1 */
function alongCosine(from: number, to: number, part: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, part)))) / 2;
}
