/** @file Curves of runs, with as many points as a screen can show. */
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
      const { points: kept, total } = store.thinnedMetrics(run, curve, Math.max(1, Math.floor(points / 4)));
      if (total === 0) return [];
      return [
        {
          ...{ run, split: curve.split, task_path: curve.taskPath, metric_name: curve.metricName },
          steps: kept.map(({ step }) => step),
          epochs: kept.map(({ epoch }) => epoch),
          values: kept.map(({ value }) => (value !== null && Number.isFinite(value) ? value : null)),
          points: total,
        },
      ];
    }),
  );
}
