/** @file The epochs of a run: train, validate, log, keep the best. */
import { evaluateSplit, LOSS, totalLoss } from "../analysis/evaluate.js";
import { type GuessedTokens, guessedRows } from "../analysis/masked-language.js";
import { type ScoredSplit, scoreSplit } from "../analysis/score.js";
import { tokenLengths } from "../data/batches.js";
import type { BatchMasker } from "../engine/batches/mask-tokens.js";
import type { Network } from "../engine/model/network.js";
import type { Forwarder } from "../engine/inference/predict.js";
import { afterEpoch, type ScheduleState, startSchedule } from "../engine/optimization/schedule.js";
import type { EpochReport, StepReport, Trainer } from "../engine/optimization/trainer.js";
import { InterruptedError, TrainingError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { activeRows, bothMasks, labelledRows, type RowMask } from "../flow/masks.js";
import type { EpochSummary, LoggerGroup, RunLogger, StepProgress } from "../logging/run-logger.js";
import type { MetricPoint } from "../storage/tables/metric-points.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { isEvaluated, type Labels } from "../tasks/index.js";
import { buildNetwork, recordStart } from "./fresh-network.js";
import { onDemandMetricsOf } from "../project/metrics.js";
import { type Monitor, monitoredValue, parseMonitor } from "../project/monitor.js";
import { openAugmenter } from "./open-augmenter.js";
import { outputsOf } from "../asking/outputs.js";
import { openTraining } from "./replicas.js";
import { runFiles } from "../records/run-folder.js";
import type { Settings } from "../project/settings.js";
import { defaultThresholds } from "../records/thresholds.js";
import type { RunContext } from "./train-run.js";

/**
 * Trains to the last epoch, or until early stopping or the signal.
 * @param openLogger opens the run's curves at the step where training goes on
 * @returns steps done
 * @throws InterruptedError after writing a checkpoint, TrainingError where the loss is not finite
 */
export async function trainEpochs(context: RunContext, openLogger: (step: number) => RunLogger): Promise<number> {
  const { store, run, loggers, dataset, signal } = context;
  const { train } = context.settings;
  const engine = await openEngine(context);
  const { network, trainer, forwarder } = engine;
  let { schedule } = engine;
  loggers.open(() => openLogger(trainer.position.step));
  const augmenter = await openAugmenter(context);
  try {
    const masks = lossMasks(context);
    const mask = await maskerOf(context);
    while (trainer.position.epoch <= train.epochs && !stoppedEarly(train, schedule)) {
      const { epoch } = trainer.position;
      const clock = new EpochClock(loggers, epoch, train.epochs);
      // a step that fails leaves the checkpoints as they are: the weights before it may be on their way to infinity
      const report = await trainer.finishEpoch(dataset, dataset.splits.train, masks, schedule.learningRate, {
        ...(signal === undefined ? {} : { signal }),
        ...(augmenter === null ? {} : { augment: augmenter.augment }),
        ...(mask === null ? {} : { mask }),
        onStep: (step) => clock.tick(step),
        afterStep: ({ step }) => (isCheckpointDue(train, step) ? engine.save("last", schedule) : undefined),
      });
      if (report.interrupted) {
        await engine.save("last", schedule);
        throw new InterruptedError("Interrupted.");
      }
      const valid = await scoreValid(context, network, forwarder);
      const rows = [
        ...(await trainRows(context, network, report, engine.monitor)),
        ...epochRows(context, valid, engine.monitor),
        ...(await evaluateMasked(context, network, "valid", forwarder)),
        ...logVarianceRows(context, trainer, report),
      ];
      // before a checkpoint is written: the ones there are must stay sound
      assertFinite(rows, trainer.position.step, epoch);
      const [trainLoss, validLoss] = [splitTotal(context, rows, "train"), splitTotal(context, rows, "valid")];
      const decision = afterEpoch(
        engine.scheduleConfig,
        schedule,
        epoch,
        monitoredValue(engine.monitor, rows, validLoss),
      );
      const summary: EpochSummary = {
        epoch,
        epochs: train.epochs,
        step: trainer.position.step,
        learningRate: schedule.learningRate,
        gradientNorm: report.meanGradientNorm,
        ...clock.totals(),
        trainLoss,
        validLoss,
        improved: decision.improved,
        rows,
      };
      schedule = decision.state;
      store.appendMetrics(run.id, metricPoints(summary));
      store.updateRun(run.id, { epochsDone: epoch });
      loggers.epoch(summary);
      if (valid !== null) await loggers.scored({ scored: valid, step: summary.step, after: epoch });
      if (context.settings.log.histograms) loggers.weights(await weightsOf(network), summary.step);
      if (decision.reduced) loggers.message(`learning rate lowered to ${schedule.learningRate.toExponential(1)}`);
      if (decision.improved) await engine.save("best", schedule);
      await engine.save("last", schedule);
    }
    if (stoppedEarly(train, schedule)) {
      loggers.message(`stopped early: ${train.monitor} has not improved for ${schedule.epochsSinceBest} epochs`);
    }
    return trainer.position.step;
  } finally {
    await augmenter?.close();
    await engine.dispose();
  }
}

async function openEngine(context: RunContext) {
  const [{ Trainer }, { openStepEngine }, { hasCheckpoint, saveCheckpoint, loadNetwork, loadTrainingState }] =
    await Promise.all([
      import("../engine/optimization/trainer.js"),
      import("../engine/optimization/open-step-engine.js"),
      import("../engine/model/checkpoint.js"),
    ]);
  const { project, settings, runDir } = context;
  const { graph, inputs } = project;
  const {
    optimizer,
    batchSize,
    clipNorm,
    seed,
    reduceOnPlateau,
    earlyStopping,
    taskWeighting,
    freeze = [],
  } = settings.train;
  const monitor = parseMonitor(graph, settings.train.monitor);
  const { higherIsBetter } = monitor;
  const files = runFiles(runDir);
  const scheduleConfig = { learningRate: optimizer.learningRate, reduceOnPlateau, earlyStopping, higherIsBetter };
  // a run that ended before its first checkpoint begins again
  const resumed = context.resumed && hasCheckpoint(files.checkpoint("last"));
  const state = resumed ? loadTrainingState(files.checkpoint("last")) : null;
  const network = resumed
    ? await loadNetwork(files.checkpoint("last"), graph, inputs, { freeze })
    : await openFresh(context);
  const config = { optimizer, batchSize, clipNorm, seed, taskWeighting };
  const replicas = await openTraining(context, network, state?.optimizer);
  const steps =
    replicas?.steps ??
    (await openStepEngine(network, config, {
      restored: state?.optimizer,
      warn: (message) => context.loggers.warning(message),
    }));
  const trainer: Trainer = new Trainer(network, config, state ?? undefined, steps);
  return {
    network,
    trainer,
    forwarder: replicas?.forwarder,
    monitor,
    scheduleConfig,
    async dispose(): Promise<void> {
      await steps.dispose();
      await replicas?.close();
      network.dispose();
    },
    schedule: state?.schedule ?? startSchedule(scheduleConfig),
    async save(name: "best" | "last", schedule: ScheduleState): Promise<void> {
      const training = { ...(await trainer.snapshot()), schedule };
      await saveCheckpoint(files.checkpoint(name), network, name === "last" ? training : undefined);
    },
  };
}

async function openFresh({ project, settings, store, runDir, loggers }: RunContext): Promise<Network> {
  const fresh = await buildNetwork(project, settings.train, store);
  recordStart(fresh, runDir, loggers);
  return fresh.network;
}

function isCheckpointDue({ checkpointEverySteps }: Settings["train"], step: number): boolean {
  return checkpointEverySteps !== null && step % checkpointEverySteps === 0;
}

function stoppedEarly({ earlyStopping }: Settings["train"], schedule: ScheduleState): boolean {
  return earlyStopping !== null && schedule.epochsSinceBest >= earlyStopping.patience;
}

/** A loss of null over some rows is NaN: the weights can answer nothing any more. */
function assertFinite(rows: readonly EvaluationRow[], step: number, epoch: number): void {
  const unsound = rows.find(
    ({ metric_name, metric_res, num_samples }) =>
      metric_name === LOSS && num_samples > 0 && !Number.isFinite(metric_res ?? Number.NaN),
  );
  if (unsound === undefined) return;
  throw new TrainingError(
    `The loss of task "${unsound.task_path}" on ${unsound.split} is not finite after step ${step} (epoch ${epoch}). The checkpoints of the epochs before are kept. Lower train.optimizer.learningRate or set train.clipNorm.`,
    { task: unsound.task_path, split: unsound.split, step, epoch },
  );
}

/** Loss mask of each task over all rows: active by ground truth, and labelled. */
function lossMasks({ project, dataset }: Pick<RunContext, "project" | "dataset">): RowMask[] {
  const { graph } = project;
  const answers = dataset.labels.map((labels) => labels.answers);
  const active = activeRows(graph, answers, dataset.rows, dataset.offsets);
  return graph.tasks.map(({ index, spec }) =>
    // a masked token is its own label
    spec.kind === "maskedLanguageModeling"
      ? (active[index] as RowMask)
      : bothMasks(active[index] as RowMask, labelledRows(spec, answers[index] as Float32Array)),
  );
}

/** null where no tokens are masked. */
async function maskerOf({ project, settings }: MaskedContext): Promise<BatchMasker | null> {
  if (maskedTaskOf(project.graph) === undefined) return null;
  const { createBatchMasker } = await import("../engine/batches/mask-tokens.js");
  return createBatchMasker(project.graph, project.inputs, settings.train.seed);
}

type MaskedContext = Pick<RunContext, "project" | "settings" | "dataset" | "signal">;

function maskedTaskOf({ tasks }: FlowGraph) {
  return tasks.find(({ spec }) => spec.kind === "maskedLanguageModeling");
}

function maskedRows({ project }: Pick<RunContext, "project">, split: Split, tally: GuessedTokens | null) {
  const task = maskedTaskOf(project.graph);
  return task === undefined || tally === null ? [] : guessedRows(split, task.path, tally);
}

/** How well masked tokens of a split are guessed, where that is asked for. */
export async function evaluateMasked(
  context: MaskedContext,
  network: Network,
  split: Split,
  forwarder: Forwarder | undefined,
): Promise<EvaluationRow[]> {
  const { project, dataset, signal } = context;
  const task = maskedTaskOf(project.graph);
  const rows = dataset.splits[split];
  if (task === undefined || !isEvaluated(task.spec) || rows.length === 0) return [];
  const mask = await maskerOf(context);
  if (mask === null) return [];
  const { guessMasked } = await import("../engine/inference/guess-masked.js");
  const options = { ...(signal === undefined ? {} : { signal }), ...(forwarder === undefined ? {} : { forwarder }) };
  const tally = await guessMasked(network, dataset, rows, lossMasks(context), mask, options);
  return maskedRows(context, split, tally);
}

/** Metrics of the epoch on the training rows, from the logits at the time of each row's step. */
async function trainRows(
  context: RunContext,
  network: Network,
  report: EpochReport,
  monitor: Monitor,
): Promise<EvaluationRow[]> {
  const { splitTasks } = await import("../engine/inference/predict.js");
  const logits = splitTasks(network.layout, report.logits, report.tokenOutputs);
  const scored = await scoreRows(context, "train", report.rows, logits, report.movedLabels);
  return [...epochRows(context, scored, monitor), ...maskedRows(context, "train", report.masked)];
}

/** Learned log-variances, on the curves of the tasks that they weigh. */
function logVarianceRows({ project }: RunContext, trainer: Trainer, { rows }: EpochReport): EvaluationRow[] {
  return trainer.logVariances.flatMap((value, task): EvaluationRow[] => {
    const path = project.graph.tasks[task]?.path;
    if (value === null || path === undefined) return [];
    const count = { num_samples: rows.length, gates: "truth" } as const;
    return [{ split: "train", task_path: path, metric_name: "log_variance", metric_res: value, ...count }];
  });
}

async function weightsOf(network: Network): Promise<Record<string, Float32Array>> {
  const { readWeights } = await import("../engine/model/read-weights.js");
  return readWeights(network);
}

/** null where there is nothing to validate on. */
async function scoreValid(
  context: RunContext,
  network: Network,
  forwarder: Forwarder | undefined,
): Promise<ScoredSplit | null> {
  const rows = context.dataset.splits.valid;
  if (rows.length === 0) return null;
  return scoreRows(context, "valid", rows, await predictRows(context, network, rows, { forwarder }));
}

/** Logits of some rows of the run's dataset, per task. */
export async function predictRows(
  context: Pick<RunContext, "dataset" | "signal" | "loggers">,
  network: Network,
  rows: Int32Array,
  { what, forwarder }: { readonly what?: string; readonly forwarder?: Forwarder | undefined } = {},
): Promise<Float32Array[]> {
  const [{ predictLogits }, { readInputs }] = await Promise.all([
    import("../engine/inference/predict.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  return predictLogits(network, rows, (some) => readInputs(network, context.dataset, some), {
    lengths: tokenLengths(context.dataset.inputs),
    labelled: context.dataset,
    ...(forwarder === undefined ? {} : { forwarder }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    ...(what === undefined
      ? {}
      : { onProgress: (done: number, total: number) => context.loggers.work({ what, done, total }) }),
  });
}

async function scoreRows(
  { project, dataset }: RunContext,
  split: Split,
  rows: Int32Array,
  logits: readonly Float32Array[],
  movedLabels: readonly (Labels | null)[] | null = null,
): Promise<ScoredSplit> {
  const { graph } = project;
  const outputs = await outputsOf(dataset, graph, split, rows, logits);
  return scoreSplit(
    graph,
    { ...outputs, labels: outputs.labels.map((labels, i) => movedLabels?.[i] ?? labels) },
    defaultThresholds(graph),
  );
}

/** Metrics of an epoch, gated by truth. */
function epochRows(
  { project, settings }: RunContext,
  scored: ScoredSplit | null,
  { further }: Monitor,
): EvaluationRow[] {
  const asked = [...onDemandMetricsOf(settings), ...further];
  return scored === null ? [] : evaluateSplit(project.graph, scored, ["truth"], asked);
}

function splitTotal({ project }: RunContext, rows: readonly EvaluationRow[], split: Split): number {
  const own = rows.filter((row) => row.split === split);
  return own.length === 0 ? Number.NaN : (totalLoss(project.graph, own).metric_res ?? Number.NaN);
}

/** Speed and progress of one epoch. */
class EpochClock {
  readonly #started = performance.now();
  #rows = 0;
  #lossSum = 0;
  #steps = 0;

  constructor(
    private readonly loggers: LoggerGroup,
    private readonly epoch: number,
    private readonly epochs: number,
  ) {}

  tick(report: StepReport): void {
    this.#rows += report.rows;
    this.#lossSum += report.loss.total;
    this.#steps += 1;
    const seconds = (performance.now() - this.#started) / 1000;
    const secondsPerStep = seconds / this.#steps;
    const stepsLeft = report.batches - report.batch + (this.epochs - this.epoch) * report.batches;
    const progress: StepProgress = {
      epoch: this.epoch,
      epochs: this.epochs,
      batch: report.batch,
      batches: report.batches,
      step: report.step,
      loss: this.#lossSum / this.#steps,
      imagesPerSecond: this.#rows / seconds,
      secondsLeft: stepsLeft * secondsPerStep,
    };
    this.loggers.step(progress);
    this.#seconds = seconds;
  }
  #seconds = 0;

  /** Of the training steps alone, without validation. */
  totals(): { readonly imagesPerSecond: number; readonly seconds: number } {
    return { imagesPerSecond: this.#seconds === 0 ? 0 : this.#rows / this.#seconds, seconds: this.#seconds };
  }
}

function metricPoints(summary: EpochSummary): MetricPoint[] {
  const { step, epoch } = summary;
  const wallTime = Date.now() / 1000;
  const point = (split: Split, taskPath: string, metricName: string, value: number | null): MetricPoint => ({
    split,
    taskPath,
    metricName,
    step,
    epoch,
    value,
    wallTime,
  });
  return [
    point("train", "_total", "loss", summary.trainLoss),
    ...(Number.isNaN(summary.validLoss) ? [] : [point("valid", "_total", "loss", summary.validLoss)]),
    point("train", "_total", "learning_rate", summary.learningRate),
    point("train", "_total", "images_per_second", summary.imagesPerSecond),
    point("train", "_total", "gradient_norm", summary.gradientNorm),
    ...summary.rows.map((row) => point(row.split, row.task_path, row.metric_name, row.metric_res)),
  ];
}
