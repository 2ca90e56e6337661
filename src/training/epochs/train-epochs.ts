/** @file The epochs of a run: train, validate, tell, keep the best. */
import type { Network } from "../../engine/model/network.js";
import { afterEpoch, hasStoppedEarly, type ScheduleConfig, startSchedule } from "../../engine/optimization/schedule.js";
import { rateFactor } from "../../engine/optimization/learning-rate.js";
import type { ScheduleState } from "../../engine/model/training-state.js";
import type { EpochReport } from "../../engine/optimization/epoch-record.js";
import type { EpochOptions } from "../../engine/optimization/trainer.js";
import { InterruptedError, PrunedError } from "../../errors.js";
import type { RowMask } from "../../flow/masks.js";
import type { EpochSummary, EvaluatedCheckpoint } from "../../logging/run-logger.js";
import type { Settings } from "../../project/settings.js";
import { EpochClock } from "./epoch-clock.js";
import { type EpochEngine, openEngine } from "./epoch-engine.js";
import {
  assertFinite,
  conflictPoints,
  epochMetrics,
  epochPoints,
  failurePoints,
  unsoundPoints,
} from "./epoch-metrics.js";
import { openAugmenter } from "../open-augmenter.js";
import { lossMasks, maskerOf } from "../predict-rows.js";
import { trafficPoints } from "../ranks/run-ranks.js";
import type { RunContext } from "../run-context.js";
import { type SampledRows, sampleRows } from "./sample-rows.js";
import { type WatchedMetric, watchMetric } from "./watched-metric.js";

/** Where training came to. */
export interface TrainedEpochs {
  /** Steps in all. */
  readonly step: number;
  /** The best checkpoint, which is the one to be evaluated. */
  readonly best: EvaluatedCheckpoint;
}

/** What one epoch after the other works with. */
interface Training {
  readonly context: RunContext;
  readonly engine: EpochEngine;
  readonly masks: readonly RowMask[];
  readonly sampled: SampledRows;
  readonly watched: WatchedMetric;
  readonly config: ScheduleConfig;
  /** How batches are changed before their step. */
  readonly changes: Pick<EpochOptions, "augment" | "mask">;
}

/**
 * Trains to the last epoch, or until early stopping or the signal.
 * @param openLoggers opens what listens to the run, at the step where training goes on
 * @throws InterruptedError after writing a checkpoint, TrainingError where the loss is not finite
 */
export async function trainEpochs(
  given: RunContext,
  openLoggers: (step: number) => Promise<void>,
): Promise<TrainedEpochs> {
  const engine = await openEngine(given);
  const context = { ...given, dataset: engine.dataset };
  try {
    await openLoggers(engine.trainer.position.step);
    const masks = lossMasks(context);
    const sampled = sampleRows(context, engine.trained, masks);
    const watched = await watchMetric(context, masks);
    const config = scheduleConfig(context.settings.train, watched);
    const augmenter = engine.augment === null ? await openAugmenter(context) : null;
    const changes = { augment: engine.augment ?? augmenter?.augment, mask: (await maskerOf(context)) ?? undefined };
    try {
      return await runEpochs({ context, engine, masks, sampled, watched, config, changes });
    } finally {
      await augmenter?.close();
    }
  } finally {
    await engine.dispose();
  }
}

async function runEpochs(training: Training): Promise<TrainedEpochs> {
  const { context, engine, watched, config } = training;
  const { loggers, settings } = context;
  const { trainer } = engine;
  let schedule = engine.restored ?? startSchedule(config);
  while (trainer.position.epoch <= settings.train.epochs && !hasStoppedEarly(config, schedule)) {
    schedule = await runEpoch(training, schedule);
  }
  if (hasStoppedEarly(config, schedule)) {
    const waited = schedule.epochsSinceBest;
    loggers.message(`stopped early: ${monitorName(watched)} has not improved for ${waited} epochs`);
  }
  return { step: trainer.position.step, best: bestCheckpoint(context, schedule.best?.epoch ?? null) };
}

/** @returns the schedule for the epochs that follow */
async function runEpoch(training: Training, before: ScheduleState): Promise<ScheduleState> {
  const { context, engine, watched, config } = training;
  const { loggers, settings, ranks } = context;
  const { trainer, network, answerer } = engine;
  const first = trainer.position.step;
  const { epoch } = trainer.position;
  const clock = new EpochClock(epoch, settings.train.epochs);
  const report = await trainRows(training, before, clock);
  const { step } = trainer.position;
  const asked = { answerer, onDemand: watched.monitor?.onDemand ?? [], logVariances: trainer.logVariances };
  const { rows, valid, trainLoss, validLoss } = await epochMetrics(context, network, report, asked);
  // before a checkpoint is written: the ones there are must stay sound
  try {
    assertFinite(rows, step, epoch);
  } catch (error) {
    loggers.points(unsoundPoints({ trainLoss, validLoss, rows }, { step, epoch }));
    throw error;
  }
  const { state, improved, kept, reduced } = afterEpoch(config, before, epoch, watched.valueOf(rows, validLoss, epoch));
  const summary: EpochSummary = {
    ...{ epoch, epochs: settings.train.epochs, step, rows, trainLoss, validLoss, improved },
    learningRate: rateOf(context, before)(step - 1),
    gradientNorm: report.meanGradientNorm,
    ...clock.totals(),
  };
  loggers.points([...epochPoints(summary), ...conflictPoints(summary, context.project.graph, report.conflicts)]);
  if (ranks !== undefined) loggers.points(trafficPoints(ranks, step - first, { step, epoch }));
  loggers.epoch(summary);
  if (valid !== null) await loggers.scored({ scored: valid, step, after: epoch, epoch });
  if (settings.log.histograms) loggers.weights(await weightsOf(network), step);
  if (reduced) loggers.message(`learning rate lowered to ${state.learningRate.toExponential(1)}`);
  if (kept) await engine.save("best", state);
  await engine.save("last", state);
  if (epoch < settings.train.epochs) prune(context, epoch);
  return state;
}

/** @throws PrunedError where the run's judge ends it; its checkpoints are written by then */
function prune({ judge, run }: RunContext, epoch: number): void {
  const reason = judge?.({ id: run.id, epoch }) ?? null;
  if (reason !== null) throw new PrunedError(reason, { run: run.id, epoch });
}

/**
 * The steps of an epoch. One that fails leaves the checkpoints as they are: the weights before it may be on their way
 * to infinity.
 */
async function trainRows(
  { context, engine, masks, sampled, changes }: Training,
  schedule: ScheduleState,
  clock: EpochClock,
): Promise<EpochReport> {
  const { loggers, settings, signal } = context;
  const rows = sampled.rowsOf(engine.trainer.position.epoch);
  const rate = rateOf(context, schedule);
  const trained = engine.trainer.finishEpoch(sampled.dataset, rows, masks, rate, {
    ...changes,
    signal,
    onStep: (step) => loggers.step(clock.tick(step)),
    afterStep: ({ step }) => (isCheckpointDue(settings.train, step) ? engine.save("last", schedule) : undefined),
  });
  const report = await trained.catch((error: unknown) => {
    loggers.points(failurePoints(error));
    throw error;
  });
  if (!report.interrupted) return report;
  await engine.save("last", schedule);
  throw new InterruptedError("Interrupted.");
}

/** The learning rate of every step, by the number of those before: what is set, or what a plateau has left, times the schedule's factor. */
function rateOf(context: RunContext, { learningRate }: ScheduleState): (step: number) => number {
  const { schedule, epochs } = context.settings.train;
  // a run of an earlier version has no such setting
  if (schedule == null) return () => learningRate;
  const length = { epochs, stepsPerEpoch: stepsPerEpoch(context) };
  return (step) => learningRate * rateFactor(schedule, step, length);
}

/** Every epoch has as many. */
function stepsPerEpoch({ dataset, settings }: RunContext): number {
  return Math.ceil(dataset.splits.train.length / settings.train.batchSize);
}

/** With nothing to watch nothing can be waited for. */
function scheduleConfig(train: Settings["train"], { monitor }: WatchedMetric): ScheduleConfig {
  const { learningRate } = train.optimizer;
  if (monitor === null) return { learningRate, reduceOnPlateau: null, earlyStopping: null };
  const { reduceOnPlateau, earlyStopping } = train;
  return { learningRate, reduceOnPlateau, earlyStopping, higherIsBetter: monitor.higherIsBetter };
}

function monitorName({ monitor }: WatchedMetric): string {
  return monitor === null ? "nothing" : `${monitor.taskPath}/${monitor.metric}`;
}

function bestCheckpoint(context: RunContext, epoch: number | null): EvaluatedCheckpoint {
  return { epoch, epochs: context.settings.train.epochs, step: (epoch ?? 0) * stepsPerEpoch(context) };
}

function isCheckpointDue({ checkpointEverySteps }: Settings["train"], step: number): boolean {
  return checkpointEverySteps !== null && step % checkpointEverySteps === 0;
}

async function weightsOf(network: Network): Promise<Record<string, Float32Array>> {
  const { readWeights } = await import("../../engine/model/read-weights.js");
  return readWeights(network);
}
