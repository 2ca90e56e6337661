/** @file After training: tune on valid, evaluate all splits, keep predictions and the best and worst samples. */
import { type Baselines, learnBaselines } from "../analysis/baselines.js";
import { bestAndWorst } from "../analysis/interpret.js";
import { type ScoredSplit, scoreSplitSliced, type SplitOutputs } from "../analysis/score.js";
import { shortcomings } from "../analysis/shortcomings.js";
import { type Tuning, tuneThresholds } from "../analysis/tune.js";
import { type Dataset, firstTokens, type InputSpec } from "../data/dataset.js";
import { type RowColumn, selectRows } from "../data/tables/row-columns.js";
import { inSlices, yieldTo } from "../platform/yield-to.js";
import { type EvaluationRow, type Split, SPLITS } from "../tasks/evaluation.js";
import { onDemandMetricsOf } from "../project/metrics.js";
import { evaluateSplits } from "../asking/evaluate-splits.js";
import { intervalsOf } from "../asking/slices/intervals.js";
import { outputsOf } from "../asking/outputs.js";
import { writePredictions } from "../records/predictions/write.js";
import { writeRowColumns } from "../records/rows/row-columns.js";
import { openFrozen } from "./frozen-features.js";
import { withAnswerer } from "../asking/replicas.js";
import { networkSpecs } from "../engine/model/pretrained/external-part.js";
import { externalsOf } from "../records/run-documents.js";
import { dropCalibration } from "../records/calibration.js";
import { keepMonitor } from "../records/monitor/monitor.js";
import { referenceOf } from "../records/monitor/reference.js";
import type { SamplesEvent } from "../logging/run-logger.js";
import { runFiles, writeJson } from "../records/run-folder.js";
import { writeWords } from "../records/stored-words.js";
import { defaultThresholds, type ThresholdsByPath, thresholdsByPath, thresholdRows } from "../records/thresholds.js";
import { evaluateMasked, predictRows } from "./predict-rows.js";
import { assertPresent } from "./assert-present.js";
import { digestFiles } from "../records/run-artifacts.js";
import type { RunContext } from "./run-context.js";
import type { TrainedEpochs } from "./epochs/train-epochs.js";

export interface CompletedRun {
  readonly thresholds: ThresholdsByPath;
  readonly evaluation: readonly EvaluationRow[];
}

/** What a run has when its answers are completed, whatever gave them. */
export type AnsweredContext = Omit<RunContext, "backend" | "resumed">;

/** What the network put out on each split, and how well masked tokens are guessed, where that is asked for. */
export interface AnsweredSplits {
  readonly splits: readonly SplitOutputs[];
  readonly guessed: readonly EvaluationRow[];
}

/**
 * Answers of the best checkpoint become thresholds, evaluation, predictions and the best and worst samples: kept in the
 * run's folder, and told. One split is scored after the other, so that no more than one is in memory with all that
 * follows from its logits.
 * @param answer outputs on every split that has rows
 * @throws InterruptedError where the run's signal fires
 */
export async function completeRun(
  context: AnsweredContext,
  trained: TrainedEpochs,
  answer: () => Promise<AnsweredSplits>,
): Promise<CompletedRun> {
  const { project, settings, store, run, runDir, loggers, signal } = context;
  const { graph } = project;
  const { best } = trained;
  const { splits: answered, guessed } = await answer();
  await yieldTo(signal);
  const tuning = await tuneOnValid(context, answered);
  for (const { task_path, label, warning } of tuning.reports) {
    if (warning !== undefined) loggers.warning(`${task_path}${label === null ? "" : ` (${label})`}: ${warning}`);
  }
  let baselines: Baselines = {};
  const evaluation: EvaluationRow[] = [];
  const samples: SamplesEvent[] = [];
  for (const outputs of answered) {
    await yieldTo(signal);
    const scored = await inSlices(scoreSplitSliced(graph, outputs, tuning.thresholds), signal);
    await yieldTo(signal);
    // train comes first: what it teaches, all are compared with
    if (scored.split === "train") baselines = learnBaselines(scored.tasks);
    await yieldTo(signal);
    evaluation.push(...(await evaluateScored(context, scored, guessed, baselines)));
    await writeAnswers(context, scored);
    samples.push({ split: scored.split, tasks: bestAndWorst(graph, scored, settings.log.top) });
    await yieldTo(signal);
    await loggers.scored({ scored, step: trained.step, after: "final", epoch: best.epoch });
  }
  const { inputs, splits } = context.dataset;
  keepMonitor(runDir, { record: referenceOf(inputs, Object.keys(project.inputs), splits.train), features: null });
  await yieldTo(signal);
  assertPresent(store, run.id);
  const thresholds = thresholdsByPath(graph, tuning.thresholds);
  writeJson(runFiles(runDir).baselines, baselines);
  writeJson(runFiles(runDir).thresholds, thresholds);
  // of a run that goes on: it was fitted to other weights
  dropCalibration(store, run.id, runDir);
  const byLabel = thresholdRows(graph, tuning.thresholds);
  loggers.thresholds({ metric: settings.tune.metric, thresholds: byLabel });
  for (const event of samples) loggers.samples(event);
  loggers.evaluation({ rows: evaluation, ...best });
  for (const warning of shortcomings(graph, evaluation)) loggers.warning(warning);
  store.recordArtifacts(run.id, await digestFiles(runDir));
  return { thresholds, evaluation };
}

/** Evaluation rows of one split, with intervals. */
async function evaluateScored(
  { project: { graph }, settings, dataset, signal }: AnsweredContext,
  scored: ScoredSplit,
  guessed: readonly EvaluationRow[],
  baselines: Baselines,
): Promise<EvaluationRow[]> {
  const onDemand = onDemandMetricsOf(settings);
  const rows = evaluateSplits(graph, [scored], guessed, onDemand, baselines, settings.evaluate.tolerance);
  await yieldTo(signal);
  return intervalsOf(graph, scored, rows, settings, groupColumns(dataset, scored.split, settings.data.split.groupBy));
}

/** Predictions of a split and, where there are tokens, their words. */
async function writeAnswers(
  { dataset, runDir, signal }: Pick<RunContext, "dataset" | "runDir" | "signal">,
  scored: ScoredSplit,
): Promise<void> {
  const files = runFiles(runDir);
  const { split } = scored;
  const rows = dataset.splits[split];
  await writePredictions(files.predictions(split), scored, signal);
  await yieldTo(signal);
  const { columns = [] } = dataset;
  if (columns.length > 0) await writeRowColumns(files.columns(split), columns, rows, signal);
  const tokens = firstTokens(dataset.inputs);
  if (tokens !== undefined) await writeWords(files.words(split), tokens, rows);
  await yieldTo(signal);
}

/** What the tables say of a split's rows by which intervals take them together. */
function groupColumns({ columns = [], splits }: Dataset, split: Split, groupBy: string | undefined): RowColumn[] {
  return columns.flatMap((column) => (column.name === groupBy ? [selectRows(column, splits[split])] : []));
}

/**
 * Outputs of the best checkpoint on every split that has rows, and how well masked tokens are guessed, where that is
 * asked for.
 */
export async function answerSplits(
  given: RunContext,
  inputs: Readonly<Record<string, InputSpec>>,
): Promise<AnsweredSplits> {
  const { project, dataset, runDir } = given;
  const { graph } = project;
  const { loadNetwork } = await import("../engine/model/checkpoint.js");
  const externals = externalsOf(runDir);
  const whole = await loadNetwork(runFiles(runDir).checkpoint("best"), graph, networkSpecs(inputs, externals));
  const rows = Int32Array.from(SPLITS.flatMap((split) => [...dataset.splits[split]]));
  const frozen = await openFrozen(given, whole, { rows, externals });
  const network = frozen?.network ?? whole;
  const context = { ...given, dataset: frozen?.dataset ?? dataset };
  try {
    const { replicas, batchSize } = context.settings.train;
    // the other ranks have done their part
    const choice = context.ranks === undefined ? replicas : 1;
    const needs = {
      choice,
      backend: context.backend,
      batchSize,
      projectDir: project.projectDir,
      configFile: project.configFile,
    };
    return await withAnswerer(network, needs, async (answerer) => {
      const answered: SplitOutputs[] = [];
      const guessed: EvaluationRow[] = [];
      for (const split of SPLITS) {
        const rows = dataset.splits[split];
        if (rows.length === 0) continue;
        const logits = await predictRows(context, network, rows, { what: `evaluating on ${split}`, answerer });
        await yieldTo(context.signal);
        answered.push(outputsOf(dataset, graph, split, rows, logits));
        await yieldTo(context.signal);
        guessed.push(...(await evaluateMasked(context, network, split, answerer)));
      }
      return { splits: answered, guessed };
    });
  } finally {
    await frozen?.close();
    whole.dispose();
  }
}

async function tuneOnValid(
  { project: { graph }, settings, signal }: AnsweredContext,
  answered: readonly SplitOutputs[],
): Promise<Tuning> {
  const valid = answered.find(({ split }) => split === "valid");
  const thresholds = defaultThresholds(graph);
  if (valid === undefined) return { thresholds, reports: [] };
  return tuneThresholds(
    graph,
    await inSlices(scoreSplitSliced(graph, valid, thresholds), signal),
    settings.tune.metric,
  );
}
