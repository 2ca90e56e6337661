/** @file The curves of a run while they grow: only what is new is read. */
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { CurveName } from "../storage/tables/metric-points.js";
import type { MetricPoint } from "../tasks/evaluation.js";

interface Known {
  readonly version: number;
  readonly points: readonly MetricPoint[];
}

export class CurveCache {
  readonly #known = new Map<string, Known>();

  /** The points of a curve by ascending step, as they stand in the store at a version of it. */
  read(store: RunStore, run: RunRecord, name: CurveName, version: number): readonly MetricPoint[] {
    // a resumed run passes its last steps a second time
    const key = [run.id, run.sessionAt, name.split, name.taskPath, name.metricName].join("\n");
    const known = this.#known.get(key);
    if (known?.version === version) return known.points;
    const points = this.#grown(store, run.id, name, known?.points ?? []);
    this.#known.set(key, { version, points });
    return points;
  }

  #grown(store: RunStore, id: string, name: CurveName, before: readonly MetricPoint[]): readonly MetricPoint[] {
    const last = before.at(-1);
    if (last === undefined) return store.readMetrics(id, name);
    // the value of the last step may be another one by now
    const added = store.readMetrics(id, { ...name, fromStep: last.step });
    const points = [...before.slice(0, -1), ...added];
    // steps that went back
    return points.length === store.countPoints(id, name) ? points : store.readMetrics(id, name);
  }
}
