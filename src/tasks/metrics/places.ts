/** @file Metrics of boxes and points on the picture. */
import { f32At } from "../../arrays.js";
import type { BoxSpec, PointSpec } from "../../flow/graph.js";
import type { AnswerColumn } from "../../flow/masks.js";
import type { UnitScale } from "../../decoding/decoders.js";
import type { Edges } from "../../decoding/figures.js";
import { intersectionOverUnion } from "../boxes.js";
import type { Scored } from "../scored.js";
import { lazily, type Metric, type MetricTable, metricTable } from "./table.js";

interface PlaceContext {
  /** Labelled rows. */
  readonly count: number;
  /** Per row: of a box the intersection over union, of a point the distance from the label. */
  readonly values: () => readonly number[];
  /** Mean absolute error of each number of the answer. */
  readonly errors: () => readonly number[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const row = (
  name: string,
  higherIsBetter: boolean,
  compute: Metric<PlaceContext>["compute"],
): Metric<PlaceContext> => ({
  name,
  higherIsBetter,
  tunable: false,
  onDemand: false,
  compute,
});

/** The mean absolute error in label units, of all numbers together and of each. */
function errorRows(names: readonly string[]): Metric<PlaceContext>[] {
  const all = row("mean_absolute_error", false, ({ errors }) => mean(errors()));
  const each = names.map((name, i) =>
    row(`mean_absolute_error/${name}`, false, ({ errors }) => errors()[i] ?? Number.NaN),
  );
  return [all, ...each];
}

/**
 * mean_iou, iou_50 (the share of boxes whose intersection over union is at least one half), and the mean absolute error
 * in label units, of all four numbers and of each. Undefined without rows, and where an answer is NaN.
 * @param names of the numbers, by format
 * @param edgesAt of a box in fractions of the picture
 */
export function boxMetrics(
  names: { readonly [F in BoxSpec["format"]]: readonly string[] },
  edgesAt: (spec: BoxSpec, answers: AnswerColumn, row: number, unitScale: UnitScale) => Edges,
): MetricTable<BoxSpec> {
  return metricTable(
    ({ format }) => [
      row("mean_iou", true, ({ values }) => mean(values())),
      row("iou_50", true, ({ values }) => mean(values().map((iou) => (Number.isNaN(iou) ? iou : Number(iou >= 0.5))))),
      ...errorRows(names[format]),
    ],
    (scored) => {
      const { spec, decoded, labels } = scored;
      return contextOf(scored, 4, (at) =>
        intersectionOverUnion(
          edgesAt(spec, decoded, at, labels.unitScale),
          edgesAt(spec, labels.answers, at, labels.unitScale),
        ),
      );
    },
  );
}

/** Between an answered point and the labelled one, in label units. */
export function distanceAt(decoded: AnswerColumn, labels: AnswerColumn, row: number): number {
  const along = (i: number): number => f32At(decoded, row * 2 + i) - f32At(labels, row * 2 + i);
  return Math.hypot(along(0), along(1));
}

/**
 * mean_distance from the labelled point, and the mean absolute error of both coordinates and of each, in label units.
 * Undefined without rows, and where an answer is NaN.
 */
export const pointMetrics: MetricTable<PointSpec> = metricTable(
  () => [row("mean_distance", false, ({ values }) => mean(values())), ...errorRows(["x", "y"])],
  (scored) => contextOf(scored, 2, (at) => distanceAt(scored.decoded, scored.labels.answers, at)),
);

function contextOf(
  { labels: { answers }, decoded, mask }: Pick<Scored, "labels" | "decoded" | "mask">,
  width: number,
  valueAt: (row: number) => number,
): PlaceContext {
  const rows = [...mask.keys()].filter((at) => mask[at] === 1 && !Number.isNaN(answers[at * width]));
  const errorOf = (at: number): number => Math.abs(f32At(decoded, at) - f32At(answers, at));
  return {
    count: rows.length,
    values: lazily(() => rows.map(valueAt)),
    errors: lazily(() => Array.from({ length: width }, (_, i) => mean(rows.map((at) => errorOf(at * width + i))))),
  };
}
