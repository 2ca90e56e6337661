/** @file What the views of `cool watch` are made of; the seam between them and the store. */
import type { RunRecord } from "../../storage/run-record.js";
import type { CurveName } from "../../storage/tables/metric-points.js";
import type { MetricPoint } from "../../tasks/evaluation.js";
import type { Monitored, Trace, WatchedChart } from "../../watching/watched-run.js";

/** A monitored metric and its value, as the list shows it. */
export interface ListedValue {
  readonly monitor: string;
  readonly value: number | null;
}

export interface WatchData {
  readonly now: Date;
  /** The store's folder. */
  readonly dir: string;
  /** Whether the store is there now. */
  readonly isThere: boolean;
  /** In the list's order. */
  readonly runs: readonly RunRecord[];
  /** Whether older runs are left out. */
  readonly isCut: boolean;
  /** A run by its id, also one in the trash; null where it was deleted. */
  readonly run: (id: string) => RunRecord | null;
  /** By id. */
  readonly values: (runs: readonly RunRecord[]) => ReadonlyMap<string, ListedValue>;
  readonly monitored: (run: RunRecord) => Monitored;
  readonly charts: (run: RunRecord) => readonly WatchedChart[];
  readonly points: (run: RunRecord, name: CurveName) => readonly MetricPoint[];
  readonly activeRows: (run: RunRecord) => readonly Trace[];
  readonly load: (run: RunRecord) => readonly Trace[];
  readonly output: (run: RunRecord) => readonly string[];
}
