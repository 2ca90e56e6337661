/** @file Curves of runs and groups of runs as they are drawn: chosen by name, by step, epoch or time, smoothed. */
import { StoreError, UsageError } from "../errors.js";
import { meanWithBand } from "../plotting/band.js";
import type { BandPoint, PlotPoint } from "../plotting/curve.js";
import type { NamedCurve } from "../plotting/panels.js";
import { smooth } from "../plotting/smooth.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { CurveName } from "../storage/tables/metric-points.js";
import { type MetricPoint, SYSTEM_TASK } from "../tasks/evaluation.js";
import { curveText, matchingCurves } from "./curve-names.js";
import { haveOwnEpochs } from "./epoch-axis.js";

/** What the x axis counts: optimizer steps, epochs, or seconds since the run began. */
export const X_AXES = ["step", "epoch", "time"] as const;
export type XAxis = (typeof X_AXES)[number];

export interface CurvesQuery {
  /** Names with stars; none: what the first run is monitored by. */
  readonly metrics: readonly string[];
  readonly x: XAxis;
  /** Weight of what came before, in [0, 1). */
  readonly smooth: number;
}

export interface DrawnCurve extends NamedCurve {
  /** Ids: one, or those of a group that have the curve. */
  readonly runs: readonly string[];
}

export interface DrawnCurves {
  readonly curves: readonly DrawnCurve[];
  /** What a person should know: runs that lack a curve. */
  readonly notes: readonly string[];
}

/** A run, or all runs of a group. */
interface Drawn {
  readonly name: string;
  readonly runs: readonly RunRecord[];
  readonly isGroup: boolean;
}

/**
 * @param references runs and groups of runs; none: the latest run
 * @throws UnknownNameError for a name that no run has, StoreError where the runs have no curves yet
 */
export function drawnCurves(store: RunStore, references: readonly string[], query: CurvesQuery): DrawnCurves {
  const drawn = named((references.length === 0 ? ["latest"] : references).map((reference) => find(store, reference)));
  const namesOf = new Map(drawn.flatMap(({ runs }) => runs).map(({ id }) => [id, store.listCurves(id)]));
  const known = unique([...namesOf.values()].flat());
  if (known.length === 0) {
    throw new StoreError(
      `${drawn.map(({ name }) => name).join(", ")} ${drawn.length === 1 ? "has" : "have"} no curves yet.`,
      {
        runs: [...namesOf.keys()],
      },
    );
  }
  const first = drawn[0]?.runs[0]?.id ?? "";
  const { metrics } = query;
  const wanted = metrics.length > 0 ? matchingCurves(known, metrics) : usualCurves(known, monitorOf(store, first));
  const notes: string[] = [];
  const curves = wanted.flatMap((name) =>
    drawn.flatMap((of) => {
      const runs = of.runs.filter(({ id }) => namesOf.get(id)?.some((own) => curveText(own) === curveText(name)));
      if (runs.length > 0) return [curveOf(store, { ...of, runs }, name, query)];
      notes.push(`${of.name} has no curve ${curveText(name)}.`);
      return [];
    }),
  );
  return { curves, notes };
}

/** What a run is monitored by; where it has no such curve its losses, else all that it has. */
function usualCurves(known: readonly CurveName[], monitor: string): readonly CurveName[] {
  const own = known.filter(({ taskPath }) => taskPath !== SYSTEM_TASK);
  const monitored = own.filter(({ taskPath, metricName }) => `${taskPath}/${metricName}` === monitor);
  if (monitored.length > 0) return monitored;
  const losses = own.filter(({ metricName }) => metricName === "loss");
  return losses.length > 0 ? losses : own.length > 0 ? own : known;
}

/** `train.monitor`; the total loss of what another program trains. */
export function monitorOf(store: RunStore, id: string): string {
  const monitor = store.readConfig(id)["train.monitor"];
  return typeof monitor === "string" ? monitor : "_total/loss";
}

function find(store: RunStore, reference: string): Drawn {
  const group = store.findGroup(reference);
  if (group === null) {
    const run = store.findRun(reference);
    return { name: run.name, runs: [run], isGroup: false };
  }
  return { name: group.name, runs: group.runs.map(({ id }) => store.getRun(id)), isGroup: true };
}

/** Runs of the same name are told apart by their ids; one that is named twice is drawn once. */
function named(drawn: readonly Drawn[]): Drawn[] {
  const keyOf = ({ runs, isGroup }: Drawn): string => `${isGroup} ${runs.map(({ id }) => id).join()}`;
  const each = [...new Map(drawn.map((one) => [keyOf(one), one])).values()];
  return each.map((one) => {
    const isShared = each.some((other) => other !== one && other.name === one.name);
    return isShared ? { ...one, name: `${one.name} ${one.runs[0]?.id.split("-").at(-1) ?? ""}` } : one;
  });
}

function unique(names: readonly CurveName[]): CurveName[] {
  return [...new Map(names.map((name) => [curveText(name), name])).values()];
}

function curveOf(store: RunStore, { name, runs, isGroup }: Drawn, curve: CurveName, query: CurvesQuery): DrawnCurve {
  const { points, band } = isGroup
    ? groupPoints(store, runs, curve, query.x)
    : {
        points: runs.flatMap((run) => pointsOf(store.readMetrics(run.id, curve), run, query.x, curve)),
        band: undefined,
      };
  return {
    ...curve,
    run: isGroup ? `${name} (mean of ${runs.length})` : name,
    runs: runs.map(({ id }) => id),
    points: smooth(points, query.smooth),
    ...(query.smooth > 0 ? { raw: points } : {}),
    ...(band === undefined ? {} : { band: smoothBand(band, query.smooth) }),
  };
}

/** The edges of a band, as its mean is. */
function smoothBand(band: readonly BandPoint[], weight: number): BandPoint[] {
  const edge = (side: "low" | "high"): PlotPoint[] =>
    smooth(
      band.map((point) => ({ x: point.x, y: point[side] })),
      weight,
    );
  const [lows, highs] = [edge("low"), edge("high")];
  return band.map(({ x }, i) => ({ x, low: lows[i]?.y ?? Number.NaN, high: highs[i]?.y ?? Number.NaN }));
}

/** The points of one curve by what the axis counts. @throws UsageError where they have no epochs, and those are asked for */
function pointsOf(points: readonly MetricPoint[], run: RunRecord, x: XAxis, name: CurveName): PlotPoint[] {
  const placed = points.flatMap((point): PlotPoint[] => {
    const place = placeOf(point, run, x);
    return place === null ? [] : [{ x: place, y: point.value ?? Number.NaN }];
  });
  if (placed.length === 0 && points.length > 0) throw withoutEpochs(run, name);
  return placed.sort((a, b) => a.x - b.x);
}

function withoutEpochs(run: RunRecord, name: CurveName): UsageError {
  return new UsageError(`The curve ${curveText(name)} of ${run.name} has no epochs. Draw it by --x step or time.`, {
    run: run.id,
    curve: curveText(name),
  });
}

function placeOf({ step, epoch, wallTime }: MetricPoint, run: RunRecord, x: XAxis): number | null {
  switch (x) {
    case "step":
      return step;
    case "epoch":
      return epoch;
    case "time":
      return wallTime - Date.parse(run.startedAt) / 1000;
    default:
      return x satisfies never;
  }
}

/**
 * Folds differ in their steps by a row or two, so that they meet by epoch where each point has one of its own.
 * @throws UsageError where they have no epochs, and those are asked for
 */
function groupPoints(
  store: RunStore,
  runs: readonly RunRecord[],
  name: CurveName,
  x: XAxis,
): { readonly points: readonly PlotPoint[]; readonly band: readonly BandPoint[] } {
  const read = runs.map((run) => ({ run, points: store.readMetrics(run.id, name) }));
  const meeting: XAxis = read.every(({ points }) => haveOwnEpochs(points)) ? "epoch" : "step";
  const places = new Map<number, number[]>();
  for (const { run, points } of read) {
    for (const point of points) {
      const [key, place] = [placeOf(point, run, meeting), placeOf(point, run, x)];
      if (key === null || place === null) continue;
      const own = places.get(key) ?? [];
      places.set(key, own);
      own.push(place);
    }
  }
  const [first] = runs;
  if (places.size === 0 && first !== undefined && read.some(({ points }) => points.length > 0))
    throw withoutEpochs(first, name);
  const mean = (key: number): number => {
    const own = places.get(key) ?? [];
    return own.reduce((sum, place) => sum + place / own.length, 0);
  };
  const { points, band } = meanWithBand(read.map(({ run, points: own }) => pointsOf(own, run, meeting, name)));
  return {
    points: points.filter(({ x: key }) => places.has(key)).map((point) => ({ ...point, x: mean(point.x) })),
    band: band.filter(({ x: key }) => places.has(key)).map((one) => ({ ...one, x: mean(one.x) })),
  };
}
