/** @file The curves of a run, read one by one and with as many points as a drawing can show. */
import { haveOwnEpochs } from "../comparing/epoch-axis.js";
import { decimate } from "../plotting/decimate.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { MetricPoint } from "../tasks/evaluation.js";
import { yieldNow } from "./yield-now.js";
import type { Curve } from "./document.js";

type Series = Pick<MetricPoint, "split" | "taskPath" | "metricName">;

/** Names of a run's curves, in the order of `paths`; those of other tasks behind them. */
export function seriesOf(store: RunStore, run: RunRecord, paths: readonly string[]): Series[] {
  const place = new Map(paths.map((path, i) => [path, i]));
  const placeOf = ({ taskPath }: Series): number => place.get(taskPath) ?? paths.length;
  return store
    .lastMetrics(run.id)
    .map(({ split, taskPath, metricName }) => ({ split, taskPath, metricName }))
    .sort((a, b) => placeOf(a) - placeOf(b));
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
    curves.push(curveOf(one, store.readMetrics(run.id, one), most));
  }
  return curves;
}

/** @param points by ascending step */
export function curveOf({ split, taskPath, metricName }: Series, points: readonly MetricPoint[], most: number): Curve {
  const unit = haveOwnEpochs(points) ? "epoch" : "step";
  const drawn = points.map((point) => ({
    x: (unit === "epoch" ? point.epoch : null) ?? point.step,
    y: point.value ?? Number.NaN,
  }));
  const [first = 0, last = 0] = [drawn[0]?.x, drawn.at(-1)?.x];
  const width = last - first || 1;
  const kept = decimate(drawn, Math.max(1, Math.floor(most / 4)), (x) => (x - first) / width);
  return {
    ...{ split, task_path: taskPath, metric_name: metricName, unit },
    x: kept.map(({ x }) => x),
    y: kept.map(({ y }) => (Number.isFinite(y) ? Number(y.toPrecision(5)) : null)),
    points: points.length,
    not_finite: points.filter(({ value }) => value !== null && !Number.isFinite(value)).length,
  };
}
