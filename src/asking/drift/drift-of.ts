/** @file New data beside what a run was trained on: inputs, features, answers, and the rows that are furthest. */
import { at, f64At, i32At } from "../../arrays.js";
import { compareAnswers } from "../../analysis/drift/answers.js";
import { classifierTest, distancesFrom, type Vectors } from "../../analysis/drift/features.js";
import {
  areEnough,
  compareCounts,
  compareNumbers,
  type DriftTest,
  judge,
  type JudgedTest,
  PSI_LIMIT,
  unseenCategories,
} from "../../analysis/drift/tests.js";
import type { Watched } from "../../data/monitor/row-statistics.js";
import { CoolError, lineOf, InterruptedError } from "../../errors.js";
import { type Monitor, readMonitor } from "../../records/monitor/monitor.js";
import type { OpenInputs, PredictOptions } from "../open-inputs.js";
import type { SamplePicture } from "../../logging/panels/picture.js";
import { inputPicture } from "../sample-pictures.js";
import { everyRow, type RunAnswerer } from "../run-answerer.js";
import { readScoredSplit, type StoredRun } from "../stored-run.js";
import { watchRows, watchTrain } from "./watch-rows.js";

export interface DriftOptions extends PredictOptions {
  /** Chance of any false alarm; default 0.01. */
  readonly alpha?: number | undefined;
  /** Population stability index from which on a change counts; default 0.2. */
  readonly effect?: number | undefined;
  /** Furthest rows that are named; default 20. */
  readonly top?: number | undefined;
  /** Folder that pictures are named from, where those of the furthest rows are wanted. */
  readonly pictures?: string | undefined;
}

/** A row that is far from train. */
export interface FarRow {
  readonly input: string;
  /** Mahalanobis, of the features; 1 is the median of train. */
  readonly distance: number;
  /** Share of the rows of train that are nearer. */
  readonly beyond: number;
}

export interface DriftFound {
  readonly rows: number;
  readonly skipped: number;
  readonly alpha: number;
  readonly tests: readonly JudgedTest[];
  /** Whether the rows are enough to tell any change from chance. */
  readonly enough: boolean;
  readonly furthest: readonly FarRow[];
  /** What could not be compared, and why. */
  readonly notes: readonly string[];
  /** Of this run, where it is to be kept: the run had none, or none of its features. */
  readonly fresh: Monitor | null;
  /** Of the furthest rows, where they are wanted. */
  readonly pictures: readonly SamplePicture[];
}

export const DEFAULT_ALPHA = 0.01;
const DEFAULT_TOP = 20;

/** @param cacheDir where decoded pictures of train are kept */
export async function driftOf(
  stored: StoredRun,
  answerer: RunAnswerer,
  opened: OpenInputs,
  options: DriftOptions & { readonly cacheDir: string },
): Promise<DriftFound> {
  const { alpha = DEFAULT_ALPHA, effect = PSI_LIMIT, top = DEFAULT_TOP } = options;
  const { monitor, fresh, notes } = await monitorOf(stored, answerer, options);
  const scored = await answerer.score(opened, options);
  const { watched, features } = await watchRows(stored, answerer, opened.sources, everyRow(opened), options);
  const train = await readScoredSplit(stored, "train");
  const isComparable = features !== null && monitor.features?.width === features.width;
  const tests = [
    ...compareInputs(monitor, watched, effect),
    ...(isComparable && monitor.features !== null ? [classifierTest(monitor.features, features)] : []),
    ...compareAnswers(stored.graph, train, scored, effect),
  ];
  const rows = { train: monitor.record.rows, now: opened.ids.length };
  const unseen = [...(opened.unseen ?? [])].map(([input, found]) => unseenCategories(input, found, rows));
  const judged = [...unseen, ...judge(tests, alpha)];
  const far = isComparable && monitor.features !== null ? furthest(monitor.features, features, opened.ids, top) : [];
  const folder = options.pictures;
  return {
    ...{ rows: opened.ids.length, skipped: opened.skipped.length, alpha, notes, fresh, tests: judged },
    enough: judged.some(({ drift }) => drift) || areEnough(tests, alpha),
    furthest: far.map(({ row: _, ...shown }) => shown),
    pictures: folder === undefined ? [] : far.map(({ row }) => inputPicture(opened.sources, row, folder)),
  };
}

/** What the run keeps, else what its tables say now. */
async function monitorOf(
  stored: StoredRun,
  answerer: RunAnswerer,
  options: PredictOptions & { readonly cacheDir: string },
): Promise<{ readonly monitor: Monitor; readonly fresh: Monitor | null; readonly notes: readonly string[] }> {
  const kept = readMonitor(stored.dir);
  if (kept !== null && kept.features !== null) return { monitor: kept, fresh: null, notes: [] };
  if (kept !== null && stored.config.adopted !== undefined) {
    const notes = ["features are not compared: of an adopted model only the answers are known"];
    return { monitor: kept, fresh: null, notes };
  }
  try {
    const found = await watchTrain(stored, answerer, options);
    const notes = found.features === null ? ["features are not compared: the trunk has none of a whole row"] : [];
    return { monitor: found, fresh: found, notes };
  } catch (error) {
    if (kept === null || error instanceof InterruptedError || !(error instanceof CoolError)) throw error;
    return { monitor: kept, fresh: null, notes: [`features are not compared: ${lineOf(error)}`] };
  }
}

function compareInputs({ record }: Monitor, watched: readonly Watched[], limit: number): DriftTest[] {
  return record.inputs.flatMap((before): DriftTest[] => {
    const now = watched.find(({ name, kind }) => name === before.name && kind === before.kind);
    const about = { kind: "input", name: before.name } as const;
    if (before.kind === "categories") {
      if (now?.kind !== "categories") return [];
      return [compareCounts(about, before.names, before.counts, now.counts, { limit })];
    }
    if (now?.kind !== "numbers") return [];
    const { sketch } = before;
    const missing = now.values.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0);
    const present = now.values.length - missing;
    const gaps = compareCounts(
      { kind: "input", name: `${before.name} missing` },
      ["there", "missing"],
      [sketch.count, sketch.missing],
      [present, missing],
      { limit, shown: 1 },
    );
    return [compareNumbers(about, sketch, now.values, limit), ...(sketch.missing + missing === 0 ? [] : [gaps])];
  });
}

function furthest(
  train: Vectors,
  now: Vectors,
  ids: readonly string[],
  top: number,
): (FarRow & { readonly row: number })[] {
  const { distance, beyond } = distancesFrom(train, now);
  const order = Int32Array.from(ids, (_, row) => row).sort((a, b) => f64At(distance, b) - f64At(distance, a));
  return Array.from(order.subarray(0, top), (_, i) => {
    const row = i32At(order, i);
    return { row, input: at(ids, row), distance: f64At(distance, row), beyond: f64At(beyond, row) };
  });
}
