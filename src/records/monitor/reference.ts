/** @file Inputs of train → what new data is compared with. */
import { i32At } from "../../arrays.js";
import { sketchOf } from "../../analysis/drift/sketch.js";
import { type InputSource, isPixelSource } from "../../data/dataset.js";
import { type Watched, watchInputs } from "../../data/monitor/row-statistics.js";
import type { MonitorRecord } from "./monitor.js";

/** Rows that are looked at; of pictures so many that their pixels are these. */
const MOST_ROWS = 3000;
const MOST_PIXELS = 50_000_000;
const FEWEST_ROWS = 300;

/** Evenly spaced rows of a split. */
export function someRows(rows: Int32Array, sources: Readonly<Record<string, InputSource>>): Int32Array {
  const areas = Object.values(sources).map((source) =>
    isPixelSource(source) ? source.spec.size[0] * source.spec.size[1] : 1,
  );
  const most = Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, Math.floor(MOST_PIXELS / Math.max(1, ...areas))));
  if (rows.length <= most) return rows;
  return Int32Array.from({ length: most }, (_, i) => i32At(rows, Math.floor((i * rows.length) / most)));
}

/** @param names of the declared inputs */
export function referenceOf(
  sources: Readonly<Record<string, InputSource>>,
  names: readonly string[],
  train: Int32Array,
): MonitorRecord {
  const rows = someRows(train, sources);
  return recordOfWatched(watchInputs(sources, names, rows), rows.length);
}

/** @param rows that were looked at */
export function recordOfWatched(watched: readonly Watched[], rows: number): MonitorRecord {
  return {
    formatVersion: 1,
    rows,
    inputs: watched.map((one) =>
      one.kind === "categories" ? one : { kind: "numbers", name: one.name, sketch: sketchOf(one.values) },
    ),
    features: null,
  };
}
