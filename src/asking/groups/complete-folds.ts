/** @file The folds of a cross-validation together: thresholds, out-of-fold answers, and the ensemble on test. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { at, i32At } from "../../arrays.js";
import { learnBaselines } from "../../analysis/baselines.js";
import { type ScoredSplit, scoreSplit, type SplitOutputs, withThresholds } from "../../analysis/score.js";
import { shortcomings } from "../../analysis/shortcomings.js";
import { tuneThresholds } from "../../analysis/tune.js";
import { StoreError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { offsetsOf, type Offsets } from "../../flow/masks.js";
import { onDemandMetricsOf } from "../../project/metrics.js";
import { readPredictions } from "../../records/predictions/read.js";
import { writePredictions } from "../../records/predictions/write.js";
import { runFiles } from "../../records/run-folder.js";
import { defaultThresholds, thresholdsByPath } from "../../records/thresholds.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import type { EvaluationRow, GroupEvaluationRow, Split } from "../../tasks/evaluation.js";
import type { Labels, Thresholds } from "../../tasks/index.js";
import { evaluateSplits } from "../evaluate-splits.js";
import type { OpenRunOptions, StoredRun } from "../stored-run.js";
import { applyThresholds } from "../tune-run.js";
import { ensembleOutputs } from "./ensemble.js";
import { dropGroupCalibration } from "./group-calibration.js";
import { groupFolder, type GroupResult, groupResult, openMembers } from "./group-runs.js";

/**
 * Tunes thresholds on the out-of-fold answers of all folds, which every fold then decides by, and evaluates the folds one
 * by one and together.
 * @param onWarning is told what an evaluation shows that a reader might overlook
 * @throws StoreError where a fold is missing or has not finished
 */
export async function completeFolds(
  store: RunStore,
  group: RunGroup,
  options: OpenRunOptions & { readonly onWarning?: (text: string) => void } = {},
): Promise<GroupResult> {
  const members = await openMembers(store, group, options);
  const first = at(members, 0);
  const { graph, config } = first;
  const untuned = scoreSplit(graph, await outOfFoldOutputs(members), defaultThresholds(graph));
  const { metric } = config.settings.tune;
  const { thresholds, reports } = tuneThresholds(graph, untuned, metric);
  for (const { task_path, label, warning } of reports) {
    if (warning !== undefined) options.onWarning?.(`${task_path}${label === null ? "" : ` (${label})`}: ${warning}`);
  }
  for (const member of members) await applyThresholds(store, member, thresholds, metric);
  const scored = [withThresholds(graph, untuned, thresholds), ...(await ensembleOnTest(members, thresholds))];
  const together = evaluateSplits(
    graph,
    scored,
    [],
    onDemandMetricsOf(config.settings),
    learnBaselines(untuned.tasks),
    config.settings.evaluate.tolerance,
  );
  for (const split of scored) await keepPredictions(store, group, split);
  // of a group that goes on: it was fitted to other weights
  dropGroupCalibration(store, group.id);
  const perRun = members.map(({ run }) => store.readEvaluation(run.id));
  const ended = store.endGroup(group.id, groupRows(together, perRun));
  for (const warning of shortcomings(graph, together)) options.onWarning?.(warning);
  return { ...groupResult(store, ended), thresholds: thresholdsByPath(graph, thresholds) };
}

/**
 * Of valid the answers of each fold to the rows that it held out, of test those of the ensemble, by the thresholds that
 * the folds share.
 * @throws StoreError where a fold's predictions are missing
 */
export async function groupSplits(members: readonly StoredRun[]): Promise<ScoredSplit[]> {
  const { graph, thresholds } = at(members, 0);
  const valid = scoreSplit(graph, await outOfFoldOutputs(members), thresholds);
  return [valid, ...(await ensembleOnTest(members, thresholds))];
}

/** Answers of all folds to the rows that each one held out, in terms of the first fold's graph. */
export async function outOfFoldOutputs(members: readonly StoredRun[]): Promise<SplitOutputs> {
  const { graph } = at(members, 0);
  return joinOutputs(await Promise.all(members.map((member) => outputsFor(graph, member, "valid"))));
}

/** A split of one fold in terms of the first fold's graph. */
async function outputsFor(graph: FlowGraph, member: StoredRun, split: Split): Promise<SplitOutputs> {
  const own = await readPredictions(runFiles(member.dir).predictions(split), member.graph, split);
  return { ...own, outputs: ensembleOutputs(graph, [{ graph: member.graph, outputs: own.outputs }]) };
}

/** One split after the other. */
export function joinOutputs(parts: readonly SplitOutputs[]): SplitOutputs {
  const first = at(parts, 0);
  return {
    split: "valid",
    ids: parts.flatMap(({ ids }) => ids),
    offsets: joinOffsets(parts.map(({ offsets = null }) => offsets)),
    outputs: first.outputs.map((_, task) => joinArrays(parts.map(({ outputs }) => at(outputs, task)))),
    labels: first.labels.map((_, task): Labels => {
      const own = parts.map(({ labels }) => at(labels, task));
      const scales = own.flatMap(({ unitScale }) => (unitScale === null ? [] : [unitScale]));
      return {
        answers: joinArrays(own.map(({ answers }) => answers)),
        unitScale: scales.length < own.length ? null : joinArrays(scales),
      };
    }),
  };
}

function joinArrays(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const array of arrays) {
    joined.set(array, end);
    end += array.length;
  }
  return joined;
}

function joinOffsets(parts: readonly (Offsets | null)[]): Offsets | null {
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length) return null;
  return offsetsOf(
    known.flatMap((part) => Array.from({ length: part.length - 1 }, (_, i) => i32At(part, i + 1) - i32At(part, i))),
  );
}

/** Answers of the ensemble; nothing where there is no test split. */
export async function ensembleOnTest(
  members: readonly StoredRun[],
  thresholds: readonly Thresholds[],
): Promise<ScoredSplit[]> {
  const { graph, config } = at(members, 0);
  const { split } = config.settings.data;
  if (!("column" in split) && split.test === 0) return [];
  const own = await Promise.all(
    members.map(async (member) => ({
      graph: member.graph,
      ...(await readPredictions(runFiles(member.dir).predictions("test"), member.graph, "test")),
    })),
  );
  const first = at(own, 0);
  const other = own.find(({ ids }) => ids.length !== first.ids.length || ids.some((id, row) => id !== first.ids[row]));
  if (other !== undefined) {
    throw new StoreError("The folds have other test rows: their data was changed between them. Run them anew.", {});
  }
  return [scoreSplit(graph, { ...first, outputs: ensembleOutputs(graph, own) }, thresholds)];
}

async function keepPredictions(store: RunStore, { id }: RunGroup, scored: ScoredSplit): Promise<void> {
  const file = join(groupFolder(store, id), `${scored.split}.parquet`);
  mkdirSync(dirname(file), { recursive: true });
  await writePredictions(file, scored);
}

/** Rows of all together with the mean and the deviation of those of each run. */
function groupRows(
  together: readonly EvaluationRow[],
  perRun: readonly (readonly EvaluationRow[])[],
): GroupEvaluationRow[] {
  const keyOf = ({ split, gates, task_path, metric_name }: EvaluationRow): string =>
    [split, gates, task_path, metric_name].join("\n");
  const values = new Map<string, number[]>();
  for (const row of perRun.flat()) {
    const known = values.get(keyOf(row)) ?? [];
    if (row.metric_res !== null) known.push(row.metric_res);
    values.set(keyOf(row), known);
  }
  return together.map((row) => {
    const own = values.get(keyOf(row)) ?? [];
    return { ...row, ...momentsOf(own), runs: own.length };
  });
}

/** Mean, and standard deviation of the sample. */
function momentsOf(values: readonly number[]): { readonly mean: number | null; readonly deviation: number | null } {
  if (values.length === 0) return { mean: null, deviation: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}
