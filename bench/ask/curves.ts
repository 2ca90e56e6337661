/** @file What curves of score over labelled cells come to: how many cells one needs for the score of another. */

import { median } from "../report.js";

/** One training. */
export interface Point {
  /** Labelled cells that it has learned from, the start among them. */
  readonly cells: number;
  readonly score: number;
  /** Labelled cells of each task, and by task how many questions are answered right end to end. */
  readonly labels: readonly number[];
  readonly right: Readonly<Record<string, number>>;
}

type Place = Pick<Point, "cells" | "score">;

/**
 * The curve that never falls and is nearest in squares (pool adjacent violators: Ayer et al., Annals of Mathematical
 * Statistics 26, 1955): more labels do no harm, a single training's luck does.
 */
export function risingCurve(points: readonly Place[]): Place[] {
  const blocks: { sum: number; size: number }[] = [];
  for (const { score } of points) {
    let block = { sum: score, size: 1 };
    for (;;) {
      const last = blocks.at(-1);
      if (last === undefined || last.sum / last.size < block.sum / block.size) break;
      blocks.pop();
      block = { sum: last.sum + block.sum, size: last.size + block.size };
    }
    blocks.push(block);
  }
  const scores = blocks.flatMap(({ sum, size }) => Array.from({ length: size }, () => sum / size));
  return points.map(({ cells }, i) => ({ cells, score: scores[i] ?? Number.NaN }));
}

/** Score at so many cells, between two points on a line over the logarithm of cells. */
export function scoreAt(points: readonly Place[], cells: number): number {
  const curve = risingCurve(points);
  const next = curve.findIndex((point) => point.cells >= cells);
  const [high, low] = [curve[next], curve[next - 1]];
  if (high === undefined) return Number.NaN;
  if (low === undefined) return high.score;
  const share = Math.log(cells / low.cells) / Math.log(high.cells / low.cells);
  return low.score + share * (high.score - low.score);
}

/** The fewest cells with that score, found the same way; Infinity where no point of the curve reaches it. */
export function cellsFor(points: readonly Place[], score: number): number {
  const curve = risingCurve(points);
  const next = curve.findIndex((point) => point.score >= score);
  const [high, low] = [curve[next], curve[next - 1]];
  if (high === undefined) return Number.POSITIVE_INFINITY;
  if (low === undefined) return high.cells;
  const share = (score - low.score) / (high.score - low.score);
  return low.cells * (high.cells / low.cells) ** share;
}

/** What one seed comes to: a curve for each way of labelling. */
export interface Simulated {
  readonly seed: number;
  readonly curves: Readonly<Record<string, readonly Point[]>>;
}

/** Cells that `ask` needs for the score that a baseline has at so many cells, as a share of them. */
export interface Shares {
  readonly baseline: string;
  readonly cells: number;
  /** Median over the seeds; Infinity: not reached. */
  readonly median: number;
  readonly by_seed: readonly number[];
}

export function sharesOf(simulated: readonly Simulated[], baseline: string, cells: number): Shares {
  const by_seed = simulated.map(
    ({ curves }) => cellsFor(curves.ask ?? [], scoreAt(curves[baseline] ?? [], cells)) / cells,
  );
  return { baseline, cells, median: median(by_seed), by_seed };
}
