/** @file `cool check --against`: whether a run may take the place of another, for CI. */
import { compareOutcomes, type OutcomeComparison } from "../../analysis/comparison/compare-outcomes.js";
import { type ContractCount, countContracts } from "../../analysis/contracts/count-contracts.js";
import { holm } from "../../analysis/statistics/holm.js";
import { openStoredRun, readScoredSplit, type StoredRun } from "../../asking/stored-run.js";
import { StoreError, UsageError } from "../../errors.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { RunStore } from "../../storage/run-store.js";
import type { EvaluatedGates, Split } from "../../tasks/evaluation.js";
import { compareRunSamples, seededByTask } from "../compare-run-samples.js";

export interface AgainstOptions {
  readonly split: Split;
  readonly gates: EvaluatedGates;
  /** How much worse a task may be: of shares a share, of errors and losses a part of the base's. */
  readonly margin: number;
  readonly project?: string | undefined;
}

/** One task of both runs, on the rows that both were asked; end to end, on those that are due or that either was. */
export interface AgainstTask {
  readonly task_path: string;
  readonly measure: string;
  readonly n: number;
  /** Mean of the measure; null without rows. */
  readonly base: number | null;
  readonly value: number | null;
  /** One-sided, of being worse by more than the margin; null where nothing could be tested. */
  readonly p_value: number | null;
  /** Adjusted over the tasks. */
  readonly p_holm: number | null;
  readonly worse: boolean;
}

export interface Against {
  readonly run: RunSummary;
  readonly against: RunSummary;
  readonly split: Split;
  readonly gates: EvaluatedGates;
  readonly margin: number;
  readonly tasks: readonly AgainstTask[];
  /** Tasks that the base has and the run has not, or cannot be compared, with the reason. */
  readonly skipped_tasks: readonly { readonly task_path: string; readonly reason: string }[];
  readonly contracts: readonly ContractCount[];
  readonly passed: boolean;
}

const SIGNIFICANT = 0.05;

/**
 * Compares a run with a base on the rows of a split that both have. It does not pass where a task is worse by more than
 * the margin, beyond chance (p < 0.05, adjusted by Holm's method over the tasks), where it answers a number with NaN and
 * the base does not, where a task is gone, or where its predictions break a contract of its flow.
 * @throws UnknownNameError for a run, StoreError where there is nothing to compare, UsageError for one and the same run
 */
export async function checkAgainst(
  store: RunStore,
  reference: string,
  base: string,
  options: AgainstOptions,
): Promise<Against> {
  const { split, gates, margin } = options;
  const [own, other] = [await openStoredRun(store, reference, options), await openStoredRun(store, base, options)];
  if (own.run.id === other.run.id) {
    throw new UsageError(
      `The run to check, "${reference}", and --against "${base}" are the same run, ${own.run.id} (${own.run.name}). Name the other one with --run.`,
      { run: own.run.id },
    );
  }
  const compared =
    gates === "end_to_end"
      ? await outcomesOfRuns(other, own, options)
      : await compareRunSamples(store, [other.run.id, own.run.id], { split, gates, margin, top: 0 });
  if (compared === null || compared.shared === 0) {
    throw new StoreError(
      `Runs ${own.run.id} (${own.run.name}) and ${other.run.id} (${other.run.name}) share no rows of the ${split} split, so that nothing can be compared. Take runs of the same data and split, or another --split.`,
      { run: own.run.id, against: other.run.id, split },
    );
  }
  const adjusted = holm(compared.tasks.map(({ p_worse = null }) => p_worse));
  const tasks = compared.tasks.map(({ task_path, measure, n, values, p_worse = null }, i): AgainstTask => {
    const p_holm = adjusted[i] ?? null;
    const [first, second] = values;
    return {
      ...{ task_path, measure, n, base: first, value: second, p_value: p_worse, p_holm },
      worse: isWorse(first, second, p_holm),
    };
  });
  const skipped = compared.skipped_tasks.filter(({ reason }) => reason !== ONLY_NEW);
  const contracts = countContracts(own.graph, await readScoredSplit(own, split));
  const passed =
    tasks.every(({ worse }) => !worse) &&
    skipped.length === 0 &&
    contracts.every(({ broken }) => broken.predictions === 0);
  return {
    run: summarize(own.run, own.dir),
    against: summarize(other.run, other.dir),
    ...{ split, gates, margin, tasks, skipped_tasks: skipped, contracts, passed },
  };
}

/**
 * @param base mean of its measure, and `value` the run's; null without rows, and where an answer is NaN
 * @param p adjusted; null where nothing was tested
 */
export function isWorse(base: number | null, value: number | null, p: number | null): boolean {
  // answers that are none are no test's, and never good
  return p === null ? base !== null && value === null : p < SIGNIFICANT;
}

/** What users of both runs get. */
async function outcomesOfRuns(
  base: StoredRun,
  run: StoredRun,
  { split, margin }: AgainstOptions,
): Promise<OutcomeComparison> {
  const answered = async (stored: StoredRun) => ({
    graph: stored.graph,
    scored: await readScoredSplit(stored, split),
    tolerance: run.config.settings.evaluate.tolerance,
  });
  return compareOutcomes(await answered(base), await answered(run), { margin, randomOf: seededByTask });
}

/** What `compareSamples` says of a task that the base has not. */
const ONLY_NEW = "only the second run has it";
