/** @file Curves of runs, with as many points as a screen can show. */
import type { MetricPoint } from "../../tasks/evaluation.js";
import type { RunStore } from "../../storage/run-store.js";
import type { CurveKey } from "./questions.js";
import type { CurveName, Series } from "./types.js";

/** Every curve of some runs. @param ids of runs */
export function curveNames(store: RunStore, ids: readonly string[]): CurveName[] {
  const names = new Map<string, CurveName>();
  for (const id of ids) {
    for (const { split, taskPath, metricName } of store.listCurves(id)) {
      const key = `${split}/${taskPath}/${metricName}`;
      const runs = (names.get(key)?.runs ?? 0) + 1;
      names.set(key, { split, task_path: taskPath, metric_name: metricName, runs });
    }
  }
  return [...names.values()];
}

/** @param points at most so many of each */
export function seriesOf(
  store: RunStore,
  ids: readonly string[],
  curves: readonly CurveKey[],
  points: number,
): Series[] {
  return ids.flatMap((run) =>
    curves.flatMap((curve): Series[] => {
      const all = store.readMetrics(run, curve);
      if (all.length === 0) return [];
      const kept = thinned(all, points);
      return [
        {
          ...{ run, split: curve.split, task_path: curve.taskPath, metric_name: curve.metricName },
          steps: kept.map(({ step }) => step),
          epochs: kept.map(({ epoch }) => epoch),
          values: kept.map(({ value }) => (value !== null && Number.isFinite(value) ? value : null)),
          points: all.length,
        },
      ];
    }),
  );
}

/** The lowest and the highest of each stretch, so that no peak is lost; first and last stay. */
export function thinned(all: readonly MetricPoint[], most: number): readonly MetricPoint[] {
  if (all.length <= most) return all;
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const inner = all.slice(1, -1);
  const kept = new Set<MetricPoint>(all.slice(0, 1));
  for (let i = 0; i < stretches; i++) {
    const stretch = inner.slice(
      Math.floor((i * inner.length) / stretches),
      Math.floor(((i + 1) * inner.length) / stretches),
    );
    for (const point of extremes(stretch)) kept.add(point);
  }
  for (const last of all.slice(-1)) kept.add(last);
  return [...kept];
}

/** In the order in which they come. */
function extremes(stretch: readonly MetricPoint[]): MetricPoint[] {
  const finite = stretch.filter(({ value }) => value !== null && Number.isFinite(value));
  const [first] = finite;
  if (first === undefined) return stretch.slice(0, 1);
  const [low, high] = [first, first].map((start, i) =>
    finite.reduce((best, point) => ((point.value ?? 0) < (best.value ?? 0) === (i === 0) ? point : best), start),
  );
  return stretch.filter((point) => point === low || point === high);
}
