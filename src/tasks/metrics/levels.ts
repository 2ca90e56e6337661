/** @file Metrics of ordered grades: how far the answered level is from the labelled one. */
import { at, f32At } from "../../arrays.js";
import type { OrdinalSpec } from "../../flow/graph.js";
import type { Scored } from "../scored.js";
import { lazily, type Metric, type MetricTable, metricTable } from "./table.js";

interface LevelContext {
  readonly count: number;
  /** [labelled level][answered level]; null where a row has no answer, because a score of it is NaN. */
  readonly confusions: () => readonly (readonly number[])[] | null;
}

const row = (
  name: string,
  higherIsBetter: boolean,
  onDemand: boolean,
  of: (confusions: readonly (readonly number[])[], count: number) => number,
): Metric<LevelContext> => ({
  name,
  higherIsBetter,
  tunable: false,
  onDemand,
  compute({ confusions, count }) {
    const found = confusions();
    return found === null ? null : of(found, count);
  },
});

const ROWS: readonly Metric<LevelContext>[] = [
  row("accuracy", true, false, (confusions, count) => weighted(confusions, (i, j) => Number(i === j)) / count),
  row("mean_absolute_error", false, false, (confusions, count) => weighted(confusions, distance) / count),
  row("quadratic_weighted_kappa", true, false, (confusions, count) => weightedKappa(confusions, count, 2)),
  row("linear_weighted_kappa", true, true, (confusions, count) => weightedKappa(confusions, count, 1)),
];

/**
 * accuracy, mean_absolute_error in levels, and quadratic_weighted_kappa; linear_weighted_kappa on demand. All are null
 * without rows and where a score is NaN; a kappa also where all labels and all answers are of one level.
 */
export const levelMetrics: MetricTable<OrdinalSpec> = metricTable(
  () => ROWS,
  (scored) => {
    const rows = labelledRows(scored);
    return { count: rows.length, confusions: lazily(() => confusionsOf(scored, rows)) };
  },
);

function labelledRows({ labels, mask }: Scored<OrdinalSpec>): number[] {
  return [...mask.keys()].filter((row) => mask[row] === 1 && !Number.isNaN(labels.answers[row]));
}

function confusionsOf({ spec, labels, decoded }: Scored<OrdinalSpec>, rows: readonly number[]): number[][] | null {
  const counts = spec.levels.map(() => spec.levels.map(() => 0));
  for (const row of rows) {
    const answer = f32At(decoded, row);
    if (Number.isNaN(answer)) return null;
    const ofLabel = at(counts, f32At(labels.answers, row));
    ofLabel[answer] = at(ofLabel, answer) + 1;
  }
  return counts;
}

function distance(i: number, j: number): number {
  return Math.abs(i - j);
}

/** Σ over all cells of weight × cell. */
function weighted(cells: readonly (readonly number[])[], weight: (i: number, j: number) => number): number {
  return cells.reduce((sum, line, i) => sum + line.reduce((part, cell, j) => part + weight(i, j) * cell, 0), 0);
}

/**
 * 1 − Σ w·observed / Σ w·expected with w = |i − j|^power, over all levels, whether or not they occur: Cohen, "Weighted
 * kappa" (1968); `sklearn.metrics.cohen_kappa_score(labels=range(levels))`. NaN where nothing but one level occurs.
 */
function weightedKappa(confusions: readonly (readonly number[])[], count: number, power: number): number {
  const labelled = confusions.map((line) => line.reduce((sum, cell) => sum + cell, 0));
  const answered = labelled.map((_, j) => confusions.reduce((sum, line) => sum + at(line, j), 0));
  const expected = labelled.map((a) => answered.map((b) => (a * b) / count));
  const weight = (i: number, j: number): number => distance(i, j) ** power;
  return 1 - weighted(confusions, weight) / weighted(expected, weight);
}
