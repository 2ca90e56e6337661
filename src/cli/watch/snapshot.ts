/** @file What `cool watch` shows, once: as one picture for pipes, and as JSON. */
import type { ListedRun } from "../../records/list-runs.js";
import { listed } from "../../records/list-runs.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { RunStore } from "../../storage/run-store.js";
import type { MetricPoint } from "../../tasks/evaluation.js";
import type { WatchedStore } from "../../watching/watched-store.js";
import type { Size } from "../screen/terminal.js";
import type { WatchData } from "./data.js";
import { StoreData } from "./store-data.js";
import { initialState } from "./state.js";
import { drawWatch } from "./view.js";

export interface WatchSnapshot {
  readonly store: string;
  readonly runs: readonly WatchedRunJson[];
}

export interface WatchedRunJson extends ListedRun {
  /** Name of the metric that the run is monitored by. */
  readonly monitor: string;
  readonly last: PointJson | null;
  readonly best: PointJson | null;
  /** Rows of the last epoch that counted for each task. */
  readonly active_rows: Readonly<Record<string, number | null>>;
  /** The last values of the machine's load. */
  readonly load: Readonly<Record<string, number | null>>;
  /** The last lines of its output. */
  readonly output: readonly string[];
}

interface PointJson {
  readonly split: string;
  readonly step: number;
  readonly epoch: number | null;
  readonly value: number | null;
}

/** Runs whose details a snapshot tells. */
const MOST_RUNS = 50;
const LINES = 20;

/** The runs, the newest first, with what is known of each. */
export function watchSnapshot(watched: WatchedStore, ids: ReadonlySet<string> | null): WatchSnapshot {
  const data = new StoreData(watched, ids).at(new Date(), "newest");
  const { store } = watched;
  return {
    store: watched.dir,
    runs: store === null ? [] : data.runs.slice(0, MOST_RUNS).map((run) => runJson(store, run, data)),
  };
}

function runJson(store: RunStore, run: RunRecord, data: WatchData): WatchedRunJson {
  const { name, last, best } = data.monitored(run);
  const lastOf = (traces: ReturnType<WatchData["load"]>): Record<string, number | null> =>
    Object.fromEntries(traces.map((trace) => [trace.name, finite(trace.values.at(-1))]));
  return {
    ...listed(store, run),
    monitor: name,
    last: pointJson(last),
    best: pointJson(best),
    active_rows: lastOf(data.activeRows(run)),
    load: lastOf(data.load(run)),
    output: data.output(run).slice(-LINES),
  };
}

const finite = (value: number | null | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

function pointJson(point: MetricPoint | null): PointJson | null {
  if (point === null) return null;
  const { split, step, epoch, value } = point;
  return { split, step, epoch, value: finite(value) };
}

/** One picture, as text without colours. */
export function watchText(
  watched: WatchedStore,
  { ids, open }: { readonly ids: ReadonlySet<string> | null; readonly open: string | null },
  size: Size,
): string {
  const data = new StoreData(watched, ids).at(new Date(), "newest");
  // a row more: the last one is of keys
  const grid = drawWatch(initialState(open), data, { ...size, rows: size.rows + 1 }, false);
  return Array.from({ length: size.rows }, (_, row) => grid.text(row))
    .join("\n")
    .trimEnd();
}
