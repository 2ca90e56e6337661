/** @file The curves of a run, read one by one and with as many points as a drawing can show. */
import { haveOwnEpochs } from "../comparing/epoch-axis.js";
import { decimate } from "../plotting/decimate.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { ThinnedCurve } from "../storage/tables/thinned-points.js";
import type { MetricPoint } from "../tasks/evaluation.js";
import { yieldNow } from "./yield-now.js";
import type { Curve } from "./document.js";

type Series = Pick<MetricPoint, "split" | "taskPath" | "metricName">;

/** Names of a run's curves, in the order of `paths`; those of other tasks behind them. */
export function seriesOf(store: RunStore, run: RunRecord, paths: readonly string[]): Series[] {
  const place = new Map(paths.map((path, i) => [path, i]));
  const placeOf = ({ taskPath }: Series): number => place.get(taskPath) ?? paths.length;
  const textOf = ({ split, taskPath, metricName }: Series): string => `${split}\n${taskPath}\n${metricName}`;
  return store.listCurves(run.id).sort((a, b) => placeOf(a) - placeOf(b) || (textOf(a) < textOf(b) ? -1 : 1));
}

/**
 * @param most points of each curve
 * @param signal stops between two curves
 */
export async function readCurves(
  store: RunStore,
  run: RunRecord,
  series: readonly Series[],
  most: number,
  signal?: AbortSignal,
): Promise<Curve[]> {
  const curves: Curve[] = [];
  for (const one of series) {
    await yieldNow(signal);
    curves.push(curveOf(one, read(store, run.id, one, most), most));
  }
  return curves;
}

/** All points of a curve whose points may each have an epoch of its own, which is then its axis; else what is drawn over steps. */
function read(store: RunStore, id: string, series: Series, most: number): ThinnedCurve {
  const thinned = store.thinnedMetrics(id, series, columnsOf(most));
  const { points, total, notFinite } = thinned;
  const [first, last] = [points[0]?.epoch ?? null, points.at(-1)?.epoch ?? null];
  const mayHaveOwnEpochs = first !== null && last !== null && last - first >= total - 1;
  if (points.length === total || !mayHaveOwnEpochs) return thinned;
  return { points: store.readMetrics(id, series), total, notFinite };
}

/** Four points stand for each. */
function columnsOf(most: number): number {
  return Math.max(1, Math.floor(most / 4));
}

export function curveOf(
  { split, taskPath, metricName }: Series,
  { points, total, notFinite }: ThinnedCurve,
  most: number,
): Curve {
  const unit = haveOwnEpochs(points) ? "epoch" : "step";
  const drawn = points.map((point) => ({
    x: (unit === "epoch" ? point.epoch : null) ?? point.step,
    y: point.value ?? Number.NaN,
  }));
  const [first = 0, last = 0] = [drawn[0]?.x, drawn.at(-1)?.x];
  const width = last - first || 1;
  const kept = decimate(drawn, columnsOf(most), (x) => (x - first) / width);
  return {
    ...{ split, task_path: taskPath, metric_name: metricName, unit },
    x: kept.map(({ x }) => x),
    y: kept.map(({ y }) => (Number.isFinite(y) ? Number(y.toPrecision(5)) : null)),
    points: total,
    not_finite: notFinite,
  };
}
