/** @file Metrics of tasks per pixel: overlap of regions and of their outlines, from counts of pixels. */
import type { BinarySpec, ClassificationSpec } from "../../flow/graph.js";
import { isPerPixel } from "../../flow/graph.js";
import { lazily, type Metric, type MetricTable, metricTable } from "../metrics/table.js";
import type { Scored } from "../scored.js";
import { boundaryF1 } from "./boundary.js";
import {
  accuracyOf,
  type ClassCounts,
  countPixels,
  diceOf,
  iouOf,
  meanOverClasses,
  ofClass,
  type PixelCounts,
} from "./confusion.js";

type RegionSpec = BinarySpec | ClassificationSpec;

interface RegionContext {
  readonly count: number;
  readonly scored: Scored<RegionSpec>;
  /** null where a pixel that counts has no answer. */
  readonly counts: () => PixelCounts | null;
}

const ALWAYS = { higherIsBetter: true, tunable: false, onDemand: false } as const;
const ON_DEMAND = { ...ALWAYS, onDemand: true } as const;

const counted =
  (metric: (counts: PixelCounts) => number | null) =>
  ({ counts }: RegionContext): number | null => {
    const found = counts();
    return found === null ? null : metric(found);
  };

const ofOne = (index: number, metric: (own: ClassCounts) => number | null) =>
  counted((counts) => metric(ofClass(counts, index)));

const YES = 1;
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

const BINARY_ROWS: readonly Metric<RegionContext>[] = [
  { ...ALWAYS, name: "iou", compute: ofOne(YES, iouOf) },
  { ...ALWAYS, name: "dice", compute: ofOne(YES, diceOf) },
  { ...ALWAYS, name: "pixel_accuracy", compute: counted(accuracyOf) },
  { ...ALWAYS, name: "boundary_f1", compute: (context) => meanBoundary(context, [YES]) },
  { ...ALWAYS, name: "precision", compute: ofOne(YES, ({ both, answered }) => ratio(both, answered)) },
  {
    ...ALWAYS,
    name: "recall",
    bestOfConstants: true,
    compute: ofOne(YES, ({ both, labelled }) => ratio(both, labelled)),
  },
];

function classRows({ classes }: ClassificationSpec): Metric<RegionContext>[] {
  const all = classes.map((_, index) => index);
  return [
    { ...ALWAYS, name: "mean_iou", compute: counted((counts) => meanOverClasses(counts, iouOf)) },
    { ...ALWAYS, name: "mean_dice", compute: counted((counts) => meanOverClasses(counts, diceOf)) },
    { ...ALWAYS, name: "pixel_accuracy", compute: counted(accuracyOf) },
    { ...ALWAYS, name: "boundary_f1", compute: (context) => meanBoundary(context, all) },
    ...classes.map((name, index) => ({ ...ALWAYS, name: `iou/${name}`, compute: ofOne(index, iouOf) })),
    ...classes.map((name, index) => ({ ...ON_DEMAND, name: `dice/${name}`, compute: ofOne(index, diceOf) })),
  ];
}

/** Mean over pictures of the mean over classes with an outline; null where no picture has any, or pixels are not whole pictures. */
function meanBoundary({ scored, counts }: RegionContext, classes: readonly number[]): number | null {
  const { spec, labels, decoded, mask } = scored;
  if (!isPerPixel(spec) || counts() === null) return null;
  const pixels = spec.size[0] * spec.size[1];
  if (mask.length % pixels !== 0) return null;
  let [sum, pictures] = [0, 0];
  for (let start = 0; start < mask.length; start += pixels) {
    const picture = { size: spec.size, start, labels: labels.answers, decoded, mask };
    const values = classes.map((value) => boundaryF1(picture, value)).filter((value) => value !== null);
    if (values.length === 0) continue;
    sum += values.reduce((total, value) => total + value, 0) / values.length;
    pictures++;
  }
  return pictures === 0 ? null : sum / pictures;
}

function contextOf(scored: Scored<RegionSpec>): RegionContext {
  const counts = lazily(() => countPixels(scored));
  return { count: labelledPixels(scored), scored, counts };
}

function labelledPixels({ labels, mask }: Scored<RegionSpec>): number {
  let count = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel] === 1 && !Number.isNaN(labels.answers[pixel])) count++;
  }
  return count;
}

/** iou and dice of yes, pixel_accuracy, boundary_f1, precision and recall; null where a score is NaN. */
export const binaryRegionMetrics: MetricTable<BinarySpec> = metricTable(() => BINARY_ROWS, contextOf);

/**
 * mean_iou and mean_dice over the classes that occur among labels or answers (scikit-learn's `jaccard_score` and
 * `f1_score`, macro), pixel_accuracy, boundary_f1, and the IoU of each class.
 */
export const classRegionMetrics: MetricTable<ClassificationSpec> = metricTable(classRows, contextOf);
