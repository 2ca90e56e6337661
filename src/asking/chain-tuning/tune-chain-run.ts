/** @file `cool tune --end-to-end`: thresholds of a finished run chosen together, from its stored predictions. */
import type { Aim } from "../../analysis/chain-tuning/ascent.js";
import type { ChainObjective } from "../../analysis/chain-tuning/objective.js";
import {
  type ChainValue,
  chainValue,
  type MovedThreshold,
  tuneChain,
  type UnreachedFloor,
} from "../../analysis/chain-tuning/tune-chain.js";
import { DEFAULT_TOLERANCE, evaluateEndToEnd } from "../../analysis/end-to-end.js";
import { type ScoredSplit, withThresholds } from "../../analysis/score.js";
import { tuneThresholds } from "../../analysis/tune.js";
import { at } from "../../arrays.js";
import { ConfigError, UsageError } from "../../errors.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { ThresholdsByPath } from "../../records/thresholds.js";
import type { RunStore } from "../../storage/run-store.js";
import type { EvaluationRow, Split } from "../../tasks/evaluation.js";
import { behaviourOf, type Thresholds } from "../../tasks/index.js";
import {
  assertHasValid,
  type OpenRunOptions,
  openStoredRun,
  predictedSplits,
  readScoredSplit,
  type StoredRun,
} from "../stored-run.js";
import { applyThresholds } from "../tune-run.js";
import { readCosts } from "./cost-file.js";
import { chainMetric, floorText, parseFloor, unreachedText } from "./floors.js";

export interface TuneChainOptions extends OpenRunOptions {
  /** Default: f1_score. */
  readonly metric?: string | undefined;
  /** File of costs, instead of a metric. */
  readonly cost?: string | undefined;
  readonly atLeast?: readonly string[] | undefined;
}

/** What one split comes to with the thresholds that the run had, with those tuned one by one, and with the new ones. */
export interface ChainComparison {
  readonly split: Split;
  /** The objective, or a floor as it was given. */
  readonly name: string;
  readonly before: number;
  readonly separate: number;
  readonly after: number;
}

export interface TuneChainResult {
  readonly run: RunSummary;
  readonly split: "valid";
  /** `f1_score`, or `cost`: the cost per row, of which less is better. */
  readonly objective: string;
  readonly method: "exact" | "ascent";
  readonly thresholds: ThresholdsByPath;
  readonly moved: readonly MovedThreshold[];
  readonly values: readonly ChainComparison[];
  /** Rows end to end of valid and test. */
  readonly before: readonly EvaluationRow[];
  readonly after: readonly EvaluationRow[];
}

/**
 * Chooses the thresholds of a run together on valid and keeps them as `cool tune` does.
 * @throws UsageError for costs, floors or a flow that cannot be tuned so; ConfigError where a floor cannot be reached
 */
export async function tuneChainRun(
  store: RunStore,
  reference: string,
  options: TuneChainOptions = {},
): Promise<TuneChainResult> {
  const stored = await openStoredRun(store, reference, options);
  const { graph, run, dir, config } = stored;
  assertTunable(stored);
  const aim: Aim = {
    objective: objectiveOf(stored, options),
    floors: (options.atLeast ?? []).map((text) => parseFloor(text, graph)),
  };
  const tolerance = config.settings.evaluate.tolerance ?? DEFAULT_TOLERANCE;
  const metric = aim.objective.kind === "metric" ? aim.objective.metric : config.settings.tune.metric;
  const valid = await readScoredSplit(stored, "valid");
  const separate = tuneThresholds(graph, valid, metric).thresholds;
  const tuning = tuneChain(graph, withThresholds(graph, valid, separate), aim, { tolerance });
  if (tuning.unreached !== null) throw unreachable(stored, tuning.unreached);
  const choices = [stored.thresholds, separate, tuning.thresholds];
  const name = aim.objective.kind === "metric" ? aim.objective.metric : "cost";
  const splits = [valid, ...(predictedSplits(dir).includes("test") ? [await readScoredSplit(stored, "test")] : [])];
  const values = splits.flatMap((scored) => compare(stored, scored, aim, name, choices, tolerance));
  const rowsBy = (thresholds: readonly Thresholds[]): EvaluationRow[] =>
    splits.flatMap((scored) => evaluateEndToEnd(graph, withThresholds(graph, scored, thresholds), tolerance));
  const [before, after] = [rowsBy(stored.thresholds), rowsBy(tuning.thresholds)];
  const thresholds = await applyThresholds(store, stored, tuning.thresholds, `${name}@end_to_end`);
  return {
    ...{ run: summarize(run, dir), split: "valid", objective: name, method: tuning.method, thresholds },
    ...{ moved: tuning.moved, values, before, after },
  };
}

function objectiveOf({ graph }: StoredRun, { metric, cost }: TuneChainOptions): ChainObjective {
  if (cost === undefined) return { kind: "metric", metric: chainMetric(metric ?? "f1_score") };
  if (metric === undefined) return { kind: "cost", costs: readCosts(cost, graph) };
  throw new UsageError("--metric and --cost are two aims. Give one of them.", { metric, cost });
}

function compare(
  { graph }: StoredRun,
  scored: ScoredSplit,
  aim: Aim,
  name: string,
  choices: readonly (readonly Thresholds[])[],
  tolerance: number,
): ChainComparison[] {
  const valueWith = (which: number): ChainValue => chainValue(graph, scored, aim, tolerance, at(choices, which));
  const [before, separate, after] = [valueWith(0), valueWith(1), valueWith(2)];
  const { split } = scored;
  return [
    { split, name, before: before.value, separate: separate.value, after: after.value },
    ...aim.floors.map((floor, i) => ({
      ...{ split, name: floorText(floor, graph), before: at(before.floors, i) },
      ...{ separate: at(separate.floors, i), after: at(after.floors, i) },
    })),
  ];
}

function assertTunable(stored: StoredRun): void {
  assertHasValid(stored);
  const { graph, run } = stored;
  const { id, name } = run;
  if (graph.tasks.every(({ precondition }) => precondition === null)) {
    throw new UsageError(
      `The flow of run ${id} (${name}) has no gates: its thresholds do not hang together. cool tune without --end-to-end finds the best of each.`,
      { run: id },
    );
  }
  if (graph.tasks.every(({ spec }) => behaviourOf(spec).questions(spec).length === 0)) {
    throw new UsageError(`The flow of run ${id} (${name}) has no thresholds: nothing in it is answered by yes or no.`, {
      run: id,
    });
  }
}

function unreachable({ run, graph }: StoredRun, unreached: UnreachedFloor): ConfigError {
  const { floor, best } = unreached;
  return new ConfigError(
    `Run ${run.id} (${run.name}): ${unreachedText(unreached, graph)}. The thresholds stay as they are.`,
    { run: run.id, floor: floorText(floor, graph), best },
  );
}
