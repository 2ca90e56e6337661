/** @file `cool evaluate`: the evaluation frame of a finished run, from its stored predictions. */
import { type ContractCount, countContracts } from "../analysis/contracts/count-contracts.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { EvaluatedGates, EvaluationRow, Split } from "../tasks/evaluation.js";
import { evaluateSplits } from "./evaluate-splits.js";
import { storedIntervals } from "./slices/intervals.js";
import { askAmong, askFor, onDemandMetricsOf } from "../project/metrics.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import {
  guessedRowsOf,
  hasLostFolder,
  type OpenRunOptions,
  openStoredRun,
  predictedSplits,
  readScoredSplit,
  usableRun,
} from "./stored-run.js";

export interface EvaluateResult {
  readonly run: RunSummary;
  readonly evaluation: readonly EvaluationRow[];
  /** How often the flow's contracts are broken; not there where it has none. */
  readonly contracts?: readonly ContractCount[];
}

export interface EvaluateOptions extends OpenRunOptions {
  /** Default: every one of which the run has predictions. */
  readonly split?: Split | undefined;
  /** Default: all kinds. */
  readonly gates?: EvaluatedGates | undefined;
  /** Is told where the results are not those of the run's folder. */
  readonly onWarning?: (text: string) => void;
  /** These metrics alone, or `all` that there are; default: the usual ones and those of the run's evaluate.metrics. */
  readonly metrics?: readonly string[] | undefined;
}

/**
 * Of a run whose folder has been deleted, what the store keeps: the metrics that were computed when it ended.
 * @throws UnknownNameError for a run, or a metric that none of its tasks has
 */
export async function evaluateRun(
  store: RunStore,
  reference: string,
  options: EvaluateOptions = {},
): Promise<EvaluateResult> {
  const run = usableRun(store, reference);
  if (hasLostFolder(store, run)) return keptEvaluation(store, run, options);
  const stored = await openStoredRun(store, run.id, options);
  const splits = options.split === undefined ? predictedSplits(stored.dir) : [options.split];
  const asked = options.metrics === undefined ? null : askFor(stored.graph, options.metrics);
  const onDemand = asked?.onDemand ?? onDemandMetricsOf(stored.config.settings);
  const guessed = guessedRowsOf(store, stored);
  const evaluation: EvaluationRow[] = [];
  const contracts: ContractCount[] = [];
  for (const split of splits) {
    const scored = await readScoredSplit(stored, split);
    const { tolerance } = stored.config.settings.evaluate;
    const rows = evaluateSplits(stored.graph, [scored], guessed, onDemand, stored.baselines, tolerance);
    evaluation.push(...(await storedIntervals(stored, scored, rows)));
    contracts.push(...countContracts(stored.graph, scored));
  }
  const wanted = evaluation.filter(
    (row) => (options.gates === undefined || row.gates === options.gates) && (asked?.selects(row) ?? true),
  );
  return {
    run: summarize(stored.run, stored.dir),
    evaluation: wanted,
    ...(contracts.length === 0 ? {} : { contracts }),
  };
}

function keptEvaluation(store: RunStore, run: RunRecord, options: EvaluateOptions): EvaluateResult {
  const { split, gates, metrics, onWarning } = options;
  const dir = store.runDir(run.id);
  const rows = store.readEvaluation(run.id);
  const asked = metrics === undefined ? null : askAmong(rows, metrics, `what the store keeps of run ${run.id}`);
  onWarning?.(
    `The folder of run ${run.id} (${run.name}) has been deleted: these are the results that the store keeps.`,
  );
  const evaluation = rows.filter(
    (row) =>
      (split === undefined || row.split === split) &&
      (gates === undefined || row.gates === gates) &&
      (asked?.selects(row) ?? true),
  );
  return { run: summarize(run, dir), evaluation };
}
