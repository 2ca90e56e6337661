/** @file After training: tune on valid, evaluate all splits, keep predictions and the best and worst samples. */
import { learnBaselines } from "../analysis/baselines.js";
import { bestAndWorst } from "../analysis/interpret.js";
import { type ScoredSplit, scoreSplitSliced, withThresholds } from "../analysis/score.js";
import { shortcomings } from "../analysis/shortcomings.js";
import { type Tuning, tuneThresholds } from "../analysis/tune.js";
import { type Dataset, firstTokens, type InputSpec } from "../data/dataset.js";
import { type RowColumn, selectRows } from "../data/tables/row-columns.js";
import type { FlowGraph } from "../flow/graph.js";
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

/** Answers to the splits, and how well masked tokens are guessed, where that is asked for. */
export interface ScoredSplits {
  readonly scored: ScoredSplit[];
  readonly guessed: EvaluationRow[];
}

/**
 * Answers of the best checkpoint become thresholds, evaluation, predictions and the best and worst samples: kept in the
 * run's folder, and told.
 * @param score answers to every split that has rows, with default thresholds
 * @throws InterruptedError where the run's signal fires
 */
export async function completeRun(
  context: AnsweredContext,
  { step, best }: TrainedEpochs,
  score: () => Promise<ScoredSplits>,
): Promise<CompletedRun> {
  const { project, settings, store, run, runDir, loggers, signal } = context;
  const { graph } = project;
  const { scored: untuned, guessed } = await score();
  await yieldTo(signal);
  const tuning = tuneOnValid(graph, untuned, settings.tune.metric);
  for (const { task_path, label, warning } of tuning.reports) {
    if (warning !== undefined) loggers.warning(`${task_path}${label === null ? "" : ` (${label})`}: ${warning}`);
  }
  const scored = untuned.map((split) => withThresholds(graph, split, tuning.thresholds));
  await yieldTo(signal);
  const baselines = learnBaselines(scored.find(({ split }) => split === "train")?.tasks ?? []);
  await yieldTo(signal);
  const evaluated = evaluateSplits(
    graph,
    scored,
    guessed,
    onDemandMetricsOf(settings),
    baselines,
    settings.evaluate.tolerance,
  );
  const evaluation = scored.reduce(
    (rows, split) =>
      intervalsOf(
        graph,
        split,
        rows,
        settings,
        groupColumns(context.dataset, split.split, settings.data.split.groupBy),
      ),
    evaluated,
  );
  await writeAnswers(context, scored);
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
  for (const split of scored) {
    loggers.samples({ split: split.split, tasks: bestAndWorst(graph, split, settings.log.top) });
    await yieldTo(signal);
  }
  loggers.evaluation({ rows: evaluation, ...best });
  for (const warning of shortcomings(graph, evaluation)) loggers.warning(warning);
  for (const split of scored) await loggers.scored({ scored: split, step, after: "final", epoch: best.epoch });
  store.recordArtifacts(run.id, await digestFiles(runDir));
  return { thresholds, evaluation };
}

/** Predictions of every split and, where there are tokens, their words. */
async function writeAnswers(
  { dataset, runDir, signal }: Pick<RunContext, "dataset" | "runDir" | "signal">,
  scored: readonly ScoredSplit[],
): Promise<void> {
  const files = runFiles(runDir);
  const tokens = firstTokens(dataset.inputs);
  for (const split of scored) {
    await writePredictions(files.predictions(split.split), split, signal);
    await yieldTo(signal);
    const { columns = [] } = dataset;
    if (columns.length > 0) {
      await writeRowColumns(files.columns(split.split), columns, dataset.splits[split.split], signal);
    }
    if (tokens === undefined) continue;
    await writeWords(files.words(split.split), tokens, dataset.splits[split.split]);
    await yieldTo(signal);
  }
}

/** What the tables say of a split's rows by which intervals take them together. */
function groupColumns({ columns = [], splits }: Dataset, split: Split, groupBy: string | undefined): RowColumn[] {
  return columns.flatMap((column) => (column.name === groupBy ? [selectRows(column, splits[split])] : []));
}

/**
 * Outputs of the best checkpoint on every split that has rows, with default thresholds, and how well masked tokens are
 * guessed, where that is asked for.
 */
export async function scoreSplits(
  given: RunContext,
  inputs: Readonly<Record<string, InputSpec>>,
): Promise<ScoredSplits> {
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
    const { replicas: choice, batchSize } = context.settings.train;
    const needs = {
      choice,
      backend: context.backend,
      batchSize,
      projectDir: project.projectDir,
      configFile: project.configFile,
    };
    return await withAnswerer(network, needs, async (answerer) => {
      const scored: ScoredSplit[] = [];
      const guessed: EvaluationRow[] = [];
      for (const split of SPLITS) {
        const rows = dataset.splits[split];
        if (rows.length === 0) continue;
        const logits = await predictRows(context, network, rows, { what: `evaluating on ${split}`, answerer });
        await yieldTo(context.signal);
        const outputs = outputsOf(dataset, graph, split, rows, logits);
        await yieldTo(context.signal);
        scored.push(await inSlices(scoreSplitSliced(graph, outputs, defaultThresholds(graph)), context.signal));
        await yieldTo(context.signal);
        guessed.push(...(await evaluateMasked(context, network, split, answerer)));
      }
      return { scored, guessed };
    });
  } finally {
    await frozen?.close();
    whole.dispose();
  }
}

function tuneOnValid(graph: FlowGraph, scored: readonly ScoredSplit[], metric: string): Tuning {
  const valid = scored.find(({ split }) => split === "valid");
  return valid === undefined
    ? { thresholds: defaultThresholds(graph), reports: [] }
    : tuneThresholds(graph, valid, metric);
}
