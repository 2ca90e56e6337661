/** @file What a run's stored answers say of each task: confusion, reliability, thresholds, best and worst samples. */
import { type Calibration, calibration } from "../analysis/calibration/reliability.js";
import { confusionMatrix } from "../analysis/confusion.js";
import { countContracts } from "../analysis/contracts/count-contracts.js";
import type { ScoredSplit, ScoredTask } from "../analysis/score.js";
import { predictedSplits, readScoredSplit, type StoredRun } from "../asking/stored-run.js";
import { storedPictures } from "../asking/sample-pictures.js";
import { isSummarized } from "../tasks/index.js";
import type { Split } from "../tasks/evaluation.js";
import { type Allowance, type LeftOut, MOST_CLASSES } from "./budget.js";
import type { ConfusionReport, ContractReport, ReliabilityReport, ThresholdReport } from "./document.js";
import { scoredSamples, type ShownSamples } from "./samples.js";
import { thresholdReports } from "./thresholds.js";
import { yieldNow } from "./yield-now.js";

/** What is told of one task beyond its metrics. */
export interface TaskDetails {
  readonly confusion: ConfusionReport[];
  readonly reliability: ReliabilityReport[];
  readonly thresholds: ThresholdReport[];
}

export interface RunDetails {
  readonly byTask: ReadonlyMap<string, TaskDetails>;
  readonly contracts: readonly ContractReport[];
  /** null where no split has answers. */
  readonly samples: ShownSamples | null;
}

/** How much may be told. */
export interface DetailLimits {
  readonly cells: Allowance;
  /** Candidates of each threshold. */
  readonly candidates: number;
  readonly leftOut: LeftOut;
  readonly signal: AbortSignal | undefined;
}

/** Of valid and test, as far as the run has answers on them. */
export async function runDetails(stored: StoredRun, limits: DetailLimits): Promise<RunDetails> {
  const splits = predictedSplits(stored.dir).filter((split) => split !== "train");
  const byTask = new Map(
    stored.graph.tasks.map(({ path }): [string, TaskDetails] => [
      path,
      { confusion: [], reliability: [], thresholds: [] },
    ]),
  );
  const contracts: ContractReport[] = [];
  let samples: ShownSamples | null = null;
  for (const split of splits) {
    await yieldNow(limits.signal);
    const scored = await readScoredSplit(stored, split);
    contracts.push(...contractReports(stored, scored));
    for (const task of scored.tasks) {
      await yieldNow(limits.signal);
      const details = byTask.get(task.task.path);
      if (details !== undefined) addDetails(details, task, split, limits);
    }
    samples ??= scoredSamples(stored.graph, scored, await storedPictures(stored, split));
  }
  return { byTask, contracts, samples };
}

function addDetails(details: TaskDetails, scored: ScoredTask, split: Split, limits: DetailLimits): void {
  // of very many classes only summaries are kept
  if (isSummarized(scored.task.spec)) return;
  const matrix = confusionMatrix(scored);
  if (matrix !== null && matrix.total > 0) addConfusion(details, { split, ...matrix }, limits);
  const calibrated = calibration(scored);
  if (calibrated !== null && calibrated.count > 0) details.reliability.push(reliabilityReport(calibrated, split));
  details.thresholds.push(...thresholdReports(scored, split, limits.candidates));
}

function addConfusion(details: TaskDetails, confusion: ConfusionReport, { cells, leftOut }: DetailLimits): void {
  if (confusion.classes.length > MOST_CLASSES) {
    leftOut.say(`Confusion matrices of more than ${MOST_CLASSES} classes are left out.`);
  } else if (cells.take(confusion.classes.length ** 2)) {
    details.confusion.push(confusion);
  } else leftOut.say("Confusion matrices of later tasks are left out.");
}

function reliabilityReport({ bins, count, expectedCalibrationError }: Calibration, split: Split): ReliabilityReport {
  return {
    ...{ split, count, expected_calibration_error: expectedCalibrationError },
    bins: bins.map(({ lower, upper, count: own, meanScore, shareOfYes }) => ({
      ...{ lower, upper, count: own },
      mean_score: rounded(meanScore),
      share_of_yes: rounded(shareOfYes),
    })),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6));
}

function contractReports({ graph }: StoredRun, scored: ScoredSplit): ContractReport[] {
  return countContracts(graph, scored).map(({ split, contract, broken, known }) => ({
    ...{ split, contract },
    rows: known.predictions,
    broken: broken.predictions,
  }));
}

/** The details of a task, none where nothing is known. */
export function detailsOf(details: RunDetails | null, path: string): TaskDetails {
  return details?.byTask.get(path) ?? { confusion: [], reliability: [], thresholds: [] };
}
