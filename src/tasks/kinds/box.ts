/** @file box: one upright rectangle on the picture. Sigmoids of its centre and size; smooth L1 or GIoU. */
import { sigmoid } from "../../decoding/activations.js";
import { decoders } from "../../decoding/decoders.js";
import {
  type Edges,
  edgesFrom,
  edgesOnPicture,
  numbersAt,
  numbersFrom,
  readEdges,
  writeEdges,
} from "../../decoding/figures.js";
import type { BoxSpec } from "../../flow/graph.js";
import { checkOptions, LIST, oneOf, POSITIVE } from "../../options.js";
import { isMissing, type TaskBehaviour, UNFITTED, UNMIXED, UNWEIGHTED } from "../behaviour.js";
import { type Answered, endToEndFigure } from "../end-to-end.js";
import { meanOfProbabilities } from "../ensembles.js";
import { generalizedIouLoss, intersectionOverUnion } from "../boxes.js";
import { leastLoss, logitOf, mean, median, rowsOf } from "../constants.js";
import { costOf, type ErrorCost, slopeOf } from "../error-cost.js";
import { numberCell, problemWithColumns } from "../figure-cells.js";
import { boxMetrics } from "../metrics.js";

/** Options of {@link box}. */
export interface BoxOptions extends Partial<Omit<BoxSpec, "kind" | "column" | "scale" | "framed">> {
  /** Four columns, in the order of the format. */
  readonly columns: BoxSpec["column"];
  /** `image`: labels are pixels of the row's original image; default: fractions of its width and height. */
  readonly scale?: "image";
}

/**
 * A box on the row's picture: four numbers in four columns, together one label. With `scale: "image"` they are pixels of
 * the original image. Augmentation moves the box with the picture.
 * @param options.format `xywh` (default): the upper left corner, width and height; `cxcywh`: the centre instead of the
 *   corner; `xyxy`: the upper left and the lower right corner
 * @param options.loss `smooth-l1` (default) of centre and size, or `giou`, 1 − the generalized intersection over union
 * @param options.beta error, as a fraction of the picture, at which `smooth-l1` becomes linear; default 1/9
 */
export function box(options: BoxOptions): BoxSpec {
  checkOptions<BoxOptions>("box", options, {
    columns: LIST,
    format: oneOf("xywh", "cxcywh", "xyxy"),
    scale: oneOf("image"),
    loss: oneOf("smooth-l1", "giou"),
    beta: POSITIVE,
    lossWeight: null,
  });
  const { columns, format = "xywh", scale = null, loss = "smooth-l1", ...rest } = options;
  return { kind: "box", column: columns, format, scale, loss, ...rest };
}

/** Names of the numbers of a label, by format. */
const NUMBERS: { readonly [F in BoxSpec["format"]]: readonly string[] } = {
  xywh: ["x", "y", "width", "height"],
  cxcywh: ["center_x", "center_y", "width", "height"],
  xyxy: ["left", "top", "right", "bottom"],
};

/** Centre and size, which the logits are of: extents that come from a sigmoid are never negative. */
function centreOf(edges: Edges): Edges {
  return numbersFrom("cxcywh", edges);
}

function costFor({ beta = 1 / 9 }: BoxSpec): ErrorCost {
  return { kind: "huber", delta: beta, factor: 1 / beta };
}

/** ∂/∂(centre, size) from ∂/∂edges. */
function alongCentre([left = 0, top = 0, right = 0, bottom = 0]: readonly number[]): readonly number[] {
  return [left + right, top + bottom, (right - left) / 2, (bottom - top) / 2];
}

// labels are single precision and boxes are often rounded outwards: a thousandth beyond the edge is still on it
const TOLERANCE = 1e-3;

function problemWithEdges([left, top, right, bottom]: Edges): string | null {
  if (right < left || bottom < top) return "makes a box of negative size; correct the label, or the task's format";
  if (left < -TOLERANCE || top < -TOLERANCE || right > 1 + TOLERANCE || bottom > 1 + TOLERANCE) {
    return "makes a box that reaches beyond the picture; correct the label, or the task's format or scale";
  }
  return null;
}

/** Intersection over union of an answered box and the labelled one. */
function iouAt({ spec, decoded, labels }: Answered<BoxSpec>, row: number): number {
  return intersectionOverUnion(
    readEdges(spec, decoded, row, labels.unitScale),
    readEdges(spec, labels.answers, row, labels.unitScale),
  );
}

export const boxBehaviour: TaskBehaviour<BoxSpec> = {
  head: () => "dense",
  ...decoders.box,
  logitNames: () => NUMBERS.cxcywh,
  classes: () => null,
  choices: () => null,
  options: ({ format, loss }) => ({ format, loss }),
  problemWith(spec) {
    if (spec.beta !== undefined && spec.loss !== "smooth-l1") {
      return `has a beta, which is the bend of the loss "smooth-l1", but its loss is "${spec.loss}"; remove the beta`;
    }
    return problemWithColumns(spec.column, NUMBERS[spec.format]);
  },
  parseLabel(spec, cells, scales, out, at) {
    out.fill(Number.NaN, at, at + 4);
    const numbers = cells.map(numberCell);
    const wrong = numbers.find((number) => typeof number === "string");
    if (typeof wrong === "string") return wrong;
    // a box without one of its numbers is none
    if (cells.length < 4 || cells.some(isMissing)) return null;
    out.set(numbers as number[], at);
    const problem = problemWithEdges(
      edgesOnPicture(spec, out.subarray(at, at + 4), 0, scales.length === 0 ? null : Float32Array.from(scales)),
    );
    if (problem !== null) out.fill(Number.NaN, at, at + 4);
    return problem;
  },
  onPicture: () => "moves",
  ...UNMIXED,
  figure: { kind: "box", read: readEdges, onPicture: edgesOnPicture, write: writeEdges },
  ...UNFITTED,
  ...UNWEIGHTED,
  lossTerms: (spec, labels, row) => (Number.isNaN(labels.answers[row * 4]) ? 0 : spec.loss === "giou" ? 1 : 4),
  lossSum(spec, logits, labels, row, gradient) {
    if (Number.isNaN(labels.answers[row * 4])) return 0;
    const at = row * logits.stride + logits.offset;
    const label = readEdges(spec, labels.answers, row, labels.unitScale);
    const [x, y, width, height] = numbersAt(logits.data, at);
    const own: Edges = [sigmoid(x), sigmoid(y), sigmoid(width), sigmoid(height)];
    const slopes = [0, 0, 0, 0];
    const loss =
      spec.loss === "giou"
        ? generalizedIouLoss(edgesFrom("cxcywh", own), label, slopes)
        : smoothL1(costFor(spec), own, centreOf(label), slopes);
    if (gradient === null) return loss;
    for (const [i, slope] of (spec.loss === "giou" ? alongCentre(slopes) : slopes).entries()) {
      const p = own[i] ?? Number.NaN;
      gradient[at + i] = slope * p * (1 - p);
    }
    return loss;
  },
  lossForm: (spec) => ({ activation: "sigmoid", cost: spec.loss === "giou" ? { kind: "giou" } : costFor(spec) }),
  target(spec, labels, row, i) {
    return centreOf(readEdges(spec, labels.answers, row, labels.unitScale))[i] ?? Number.NaN;
  },
  // fractions of the picture are no scores
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const boxes = Array.from(rowsOf(mask))
      .map((row) => centreOf(readEdges(spec, labels.answers, row, labels.unitScale)))
      .filter((numbers) => !numbers.some(Number.isNaN));
    if (boxes.length === 0) return [];
    const each = (of: (values: readonly number[]) => number): number[] =>
      [0, 1, 2, 3].map((i) => logitOf(of(boxes.map((numbers) => numbers[i] ?? Number.NaN))));
    return [each(median), each(mean), ...leastLoss(boxBehaviour, spec, labels, mask)];
  },
  // the mean of their answers
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: boxMetrics(NUMBERS, readEdges),
  headlineMetric: () => "mean_iou",
  endToEnd: endToEndFigure("iou_50", (answered, row) => iouAt(answered, row) >= 0.5),
  judgement: { name: "iou", isDecision: false, higherIsBetter: true, ranksSamples: true, valueAt: iouAt },
  likelihood: () => "categorical",
  answerType: () => "numbers",
};

/** @param slopes receives ∂/∂numbers */
function smoothL1(cost: ErrorCost, numbers: readonly number[], targets: readonly number[], slopes: number[]): number {
  return numbers.reduce((sum, number, i) => {
    const error = number - (targets[i] ?? Number.NaN);
    slopes[i] = slopeOf(cost, error);
    return sum + costOf(cost, error);
  }, 0);
}
