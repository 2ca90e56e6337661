/** @file One run while it trains: its curves in the order of the flow, active rows, the machine's load, its output. */
import { directionOf } from "../analysis/comparison/directions.js";
import { monitorOf } from "../comparing/curves.js";
import { peekJson, recordOf, runFiles } from "../records/run-folder.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { CurveName } from "../storage/tables/metric-points.js";
import { ACTIVE_ROWS, type MetricPoint, SPLITS, SYSTEM_TASK } from "../tasks/evaluation.js";
import { CurveCache } from "./curve-cache.js";
import { lastLines } from "./log-tail.js";

const TOTAL = "_total";

/** A metric of a task, with its curves by split. */
export interface WatchedChart {
  readonly taskPath: string;
  readonly metricName: string;
  readonly curves: readonly CurveName[];
}

/** What a run is chosen by. */
export interface Monitored {
  /** `_total/loss`. */
  readonly name: string;
  readonly last: MetricPoint | null;
  /** null where nobody has said which way is better. */
  readonly best: MetricPoint | null;
}

/** A value over time, the newest last. */
export interface Trace {
  readonly name: string;
  readonly values: readonly number[];
}

/** Reads runs at a version of their store; what was read of that version is not read again. */
export class RunReader {
  readonly #curves = new CurveCache();
  readonly #flows = new Map<string, readonly string[]>();

  points(store: RunStore, run: RunRecord, name: CurveName, version: number): readonly MetricPoint[] {
    return this.#curves.read(store, run, name, version);
  }

  /**
   * The monitored metric first, then the total loss, then each task's loss and first metric, tasks as the flow declares
   * them, then whatever else there is, in the same order.
   */
  charts(store: RunStore, run: RunRecord): WatchedChart[] {
    const charts = new Map<string, { taskPath: string; metricName: string; curves: CurveName[] }>();
    for (const name of store.listCurves(run.id)) {
      if (name.taskPath === SYSTEM_TASK || name.metricName === ACTIVE_ROWS) continue;
      const key = `${name.taskPath}/${name.metricName}`;
      const chart = charts.get(key) ?? { taskPath: name.taskPath, metricName: name.metricName, curves: [] };
      charts.set(key, chart);
      chart.curves.push(name);
    }
    const monitor = monitorOf(store, run.id);
    const flow = this.#flow(store, run);
    const headlines = headlinesOf([...charts.values()]);
    const rank = (key: string, { taskPath }: WatchedChart): number => {
      if (key === monitor) return -2;
      if (key === `${TOTAL}/loss`) return -1;
      const place = flow.includes(taskPath) ? flow.indexOf(taskPath) : flow.length;
      return headlines.has(key) ? place : place + flow.length + 1;
    };
    const bySplit = (a: CurveName, b: CurveName): number => SPLITS.indexOf(a.split) - SPLITS.indexOf(b.split);
    return [...charts]
      .map(([key, chart], i) => ({ chart, rank: rank(key, chart), i }))
      .sort((a, b) => a.rank - b.rank || a.i - b.i)
      .map(({ chart }) => ({ ...chart, curves: chart.curves.sort(bySplit) }));
  }

  monitored(store: RunStore, run: RunRecord, version: number): Monitored {
    const name = monitorOf(store, run.id);
    const [taskPath = "", ...metric] = name.split("/");
    const metricName = metric.join("/");
    const points = (split: "valid" | "train"): readonly MetricPoint[] =>
      this.points(store, run, { split, taskPath, metricName }, version);
    const valid = points("valid");
    const own = valid.length > 0 ? valid : points("train");
    const higher = directionOf({}, taskPath, metricName);
    const best = higher === null ? null : bestPoint(own, higher);
    return { name, last: own.at(-1) ?? null, best };
  }

  /** Of each task the rows of each epoch that counted for it. */
  activeRows(store: RunStore, run: RunRecord, version: number): Trace[] {
    const flow = this.#flow(store, run);
    const place = ({ taskPath }: CurveName): number => (flow.includes(taskPath) ? flow.indexOf(taskPath) : flow.length);
    return store
      .listCurves(run.id)
      .filter(({ split, metricName }) => split === "train" && metricName === ACTIVE_ROWS)
      .sort((a, b) => place(a) - place(b))
      .map((name) => ({ name: name.taskPath, values: valuesOf(this.points(store, run, name, version)) }));
  }

  load(store: RunStore, run: RunRecord, version: number): Trace[] {
    return store
      .listCurves(run.id)
      .filter(({ taskPath }) => taskPath === SYSTEM_TASK)
      .map((name) => ({ name: name.metricName, values: valuesOf(this.points(store, run, name, version)) }));
  }

  output(store: RunStore, run: RunRecord): string[] {
    return lastLines(runFiles(store.runDir(run.id)).stdout);
  }

  /** Paths of the flow's tasks; none of a run of another program. */
  #flow(store: RunStore, run: RunRecord): readonly string[] {
    const known = this.#flows.get(run.id);
    if (known !== undefined) return known;
    const { tasks } = recordOf(peekJson(runFiles(store.runDir(run.id)).graph));
    const paths = Array.isArray(tasks) ? tasks.map((task) => String(recordOf(task).path)) : [];
    this.#flows.set(run.id, paths);
    return paths;
  }
}

/** Of each task its loss and its first other metric. */
function headlinesOf(charts: readonly WatchedChart[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(
    charts.flatMap(({ taskPath, metricName }) => {
      if (taskPath === TOTAL) return [];
      const kind = `${taskPath}\n${metricName === "loss"}`;
      if (seen.has(kind)) return [];
      seen.add(kind);
      return [`${taskPath}/${metricName}`];
    }),
  );
}

function valuesOf(points: readonly MetricPoint[]): number[] {
  return points.map(({ value }) => value ?? Number.NaN);
}

function bestPoint(points: readonly MetricPoint[], higher: boolean): MetricPoint | null {
  let best: MetricPoint | null = null;
  for (const point of points) {
    const { value } = point;
    if (value === null || !Number.isFinite(value)) continue;
    const isBetter = best?.value == null || (higher ? value > best.value : value < best.value);
    if (isBetter) best = point;
  }
  return best;
}
