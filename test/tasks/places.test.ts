/** @file box and point: losses as torchvision's and PyTorch's, overlaps, cells, answers, and how they move with pictures. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestAndWorst } from "../../src/analysis/interpret.js";
import { scoreSplit } from "../../src/analysis/score.js";
import { moveLabels, movingFigures } from "../../src/data/labels/augment-labels.js";
import type { Moves } from "../../src/data/augment.js";
import { figuresOf } from "../../src/logging/panels/figures.js";
import type { BoxSpec, TaskSpec } from "../../src/flow/graph.js";
import type { Edges } from "../../src/decoding/figures.js";
import { generalizedIouLoss, intersectionOverUnion } from "../../src/tasks/boxes.js";
import type { Labels, Scored } from "../../src/tasks/behaviour.js";
import { behaviourOf, binary, box, point } from "../../src/tasks/index.js";
import { graphOf } from "../data/files.js";

interface PlaceCase {
  readonly beta?: number;
  readonly unitScale: readonly number[];
  readonly answers: readonly (readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly gradient: readonly (readonly number[])[];
  readonly decoded: readonly (readonly number[])[];
}
const torch = JSON.parse(readFileSync(new URL("../../fixtures/torch/kinds.json", import.meta.url), "utf8")) as {
  readonly box: readonly (PlaceCase & Pick<BoxSpec, "format" | "loss"> & { readonly iou: readonly number[] })[];
  readonly point: readonly PlaceCase[];
};

const columns = ["a", "b", "c", "d"];
const labelsOf = ({ answers, unitScale }: Pick<PlaceCase, "answers" | "unitScale">): Labels => ({
  answers: Float32Array.from(answers.flat()),
  unitScale: Float32Array.from(answers.flatMap(() => unitScale)),
});

function expectLosses(spec: TaskSpec, place: PlaceCase, terms: number): void {
  const behaviour = behaviourOf(spec);
  const labels = labelsOf(place);
  const slopes = new Float32Array(place.logits.flat().length);
  const view = { data: Float32Array.from(place.logits.flat()), stride: behaviour.logitWidth(spec), offset: 0 };
  for (const [row, loss] of place.losses.entries()) {
    expect(behaviour.lossSum(spec, view, labels, row, slopes)).toBeCloseTo(loss, 5);
    expect(behaviour.lossTerms(spec, labels, row)).toBe(terms);
  }
  for (const [i, slope] of place.gradient.flat().entries()) expect(slopes[i]).toBeCloseTo(slope, 5);
}

function decodedBy(spec: TaskSpec, place: PlaceCase): Float32Array {
  const behaviour = behaviourOf(spec);
  const activated = behaviour.activate(spec, Float32Array.from(place.logits.flat()));
  return behaviour.decode(spec, activated, [], labelsOf(place).unitScale);
}

function scoredBy(spec: TaskSpec, place: PlaceCase): Scored {
  return {
    spec,
    logits: new Float32Array(),
    activated: new Float32Array(),
    decoded: decodedBy(spec, place),
    labels: labelsOf(place),
    mask: new Uint8Array(place.answers.length).fill(1),
  };
}

const metricsOf = (scored: Scored): Record<string, number | null> =>
  Object.fromEntries(
    behaviourOf(scored.spec)
      .metrics.values(scored)
      .map(({ name, value }) => [name, value]),
  );
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const cases = torch.box.map((each) => {
  const { format, loss, beta } = each;
  return {
    name: `${loss}, ${format}`,
    each,
    spec: box({ columns, format, loss, scale: "image", ...(beta === undefined ? {} : { beta }) }),
  };
});

describe("a box", () => {
  test.each(cases)("has torchvision's loss and its gradient: $name", ({ spec, each }) => {
    expectLosses(spec, each, spec.loss === "giou" ? 1 : 4);
  });

  test.each(cases)(
    "answers in the pixels and the format of its columns, cut off at the picture: $name",
    ({ spec, each }) => {
      const decoded = decodedBy(spec, each);
      for (const [i, number] of each.decoded.flat().entries()) expect(decoded[i]).toBeCloseTo(number, 2);
    },
  );

  test.each(cases)("has torchvision's overlaps as metrics: $name", ({ spec, each }) => {
    const values = metricsOf(scoredBy(spec, each));
    expect(values.mean_iou).toBeCloseTo(mean(each.iou), 5);
    expect(values.iou_50).toBeCloseTo(mean(each.iou.map((iou) => Number(iou >= 0.5))), 9);
    const errors = each.decoded.map((numbers, row) =>
      numbers.map((number, i) => Math.abs(number - (each.answers[row]?.[i] as number))),
    );
    expect(values.mean_absolute_error).toBeCloseTo(mean(errors.flat()), 2);
    const first = { xywh: "x", cxcywh: "center_x", xyxy: "left" }[spec.format];
    expect(values[`mean_absolute_error/${first}`]).toBeCloseTo(mean(errors.map(([error]) => error as number)), 2);
  });

  test("overlaps as pixels counted one by one say", () => {
    const edge = fc.integer({ min: 0, max: 12 });
    const boxes = fc
      .tuple(edge, edge, edge, edge)
      .map(([a, b, c, d]): Edges => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]);
    fc.assert(
      fc.property(boxes, boxes, (first, second) => {
        const covers = ([left, top, right, bottom]: Edges, x: number, y: number) =>
          x >= left && x < right && y >= top && y < bottom;
        let [both, either] = [0, 0];
        for (let x = 0; x < 12; x++) {
          for (let y = 0; y < 12; y++) {
            const [a, b] = [covers(first, x, y), covers(second, x, y)];
            if (a && b) both++;
            if (a || b) either++;
          }
        }
        expect(intersectionOverUnion(first, second)).toBeCloseTo(either === 0 ? 0 : both / either, 12);
      }),
    );
  });

  test("has the gradient of finite differences in each edge, also of boxes apart and within each other", () => {
    const edge = fc.double({ min: 0, max: 1, noNaN: true });
    const sized = fc.double({ min: 0.05, max: 1, noNaN: true });
    const boxes = fc.tuple(edge, edge, sized, sized).map(([x, y, w, h]): Edges => [x, y, x + w, y + h]);
    const step = 1e-6;
    fc.assert(
      fc.property(boxes, boxes, (own, label) => {
        // where two edges meet the loss has a kink
        const near = own.some((value) => label.some((other) => Math.abs(value - other) < 1e-4));
        if (near) return;
        const gradient = [0, 0, 0, 0];
        generalizedIouLoss(own, label, gradient);
        for (const [i, value] of own.entries()) {
          const at = (change: number) =>
            generalizedIouLoss(own.with(i, value + change) as unknown as Edges, label, null);
          expect(gradient[i]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 5);
        }
      }),
    );
  });

  test("is one label: four numbers, within the picture, of no negative size; without one of them it is none", () => {
    const spec = box({ columns, scale: "image" });
    const out = new Float32Array(4);
    const parse = (cells: readonly unknown[], scales: readonly number[] = [100, 50]) => [
      behaviourOf(spec).parseLabel(spec, cells, scales, out, 0),
      ...out,
    ];
    const none = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    expect(parse([10, "5", 90, 45])).toEqual([null, 10, 5, 90, 45]);
    expect(parse([10, 5, "", 45])).toEqual([null, ...none]);
    expect(parse([10, 5, "wide", 45])).toEqual(["is not a number; write a number or leave it empty", ...none]);
    expect(parse([20, 5, 90, 45])[0]).toMatch(/reaches beyond the picture/);
    expect(parse([20, 5, -3, 45])[0]).toMatch(/negative size/);
    // the picture's size is not known yet
    expect(parse([20, 5, 9000, 45], [Number.NaN, Number.NaN])).toEqual([null, 20, 5, 9000, 45]);
  });

  test("needs four different columns, and a beta only where the loss bends", () => {
    const problem = (spec: BoxSpec) => behaviourOf(spec).problemWith(spec);
    expect(problem(box({ columns: ["x", "y", "w"] }))).toBe(
      "has 3 columns; name 4, its columns in the order x, y, width, height",
    );
    expect(problem(box({ columns: ["x", "y", "w", "w"] }))).toMatch(/names the column "w" twice/);
    expect(problem(box({ columns, loss: "giou", beta: 0.1 }))).toMatch(/has a beta/);
    expect(problem(box({ columns, loss: "giou" }))).toBeNull();
    // @ts-expect-error a box takes columns
    expect(() => box({ column: "x" })).toThrow(/there is no option "column". Did you mean "columns"\?/);
  });

  test("of which an answer is NaN has no metrics", () => {
    const [first] = cases;
    if (first === undefined) throw new Error("no case");
    const scored = scoredBy(first.spec, first.each);
    scored.decoded[5] = Number.NaN;
    const values = metricsOf(scored);
    expect([values.mean_iou, values.iou_50, values.mean_absolute_error]).toEqual([null, null, null]);
  });
});

describe("a point", () => {
  const [place] = torch.point;
  if (place === undefined) throw new Error("no case");
  const spec = point({ columns: ["x", "y"], scale: "image", beta: place.beta ?? 0 });

  test("has PyTorch's smooth L1 loss and its gradient, and answers in pixels", () => {
    expectLosses(spec, place, 2);
    const decoded = decodedBy(spec, place);
    for (const [i, number] of place.decoded.flat().entries()) expect(decoded[i]).toBeCloseTo(number, 2);
  });

  test("has its distance from the label as a metric", () => {
    const distances = place.decoded.map(([x = 0, y = 0], row) => {
      const [labelX = 0, labelY = 0] = place.answers[row] ?? [];
      return Math.hypot(x - labelX, y - labelY);
    });
    expect(metricsOf(scoredBy(spec, place)).mean_distance).toBeCloseTo(mean(distances), 2);
  });

  test("outside of the picture is refused", () => {
    const out = new Float32Array(2);
    expect(behaviourOf(spec).parseLabel(spec, [3, 60], [100, 50], out, 0)).toMatch(
      /is outside the picture, from 0 to 50/,
    );
    expect(behaviourOf(spec).parseLabel(spec, [3, null], [100, 50], out, 0)).toBeNull();
    expect([...out]).toEqual([Number.NaN, Number.NaN]);
  });
});

const STILL: Moves = {
  warp: null,
  horizontal: { flip: false, scale: 1, shift: 0 },
  vertical: { flip: false, scale: 1, shift: 0 },
};

/** A label of a picture of 200 × 100 pixels after a move. */
function moved(spec: TaskSpec, numbers: readonly number[], moves: Partial<Moves>): number[] {
  const labels = [{ answers: Float32Array.from(numbers), unitScale: Float32Array.of(200, 100) }];
  moveLabels(movingFigures(graphOf({ it: spec })), labels, 0, { ...STILL, ...moves });
  return Array.from(labels[0]?.answers ?? [], (number) => Math.round(number * 100) / 100);
}

describe("with its picture", () => {
  const corner = box({ columns, scale: "image" });
  const flip = { flip: true, scale: 1, shift: 0 };
  const shifted = (shift: number) => ({ flip: false, scale: 1, shift });
  // a quarter turn: what was at (x, y) of a square is at (1 − y, x)
  const turned = { warp: [0, -1, 1, 1, 0, 0, 0, 0, 1] } as const;

  test("a box is mirrored, shifted, turned, and cut off at the edge", () => {
    expect(moved(corner, [20, 10, 60, 40], { horizontal: flip })).toEqual([120, 10, 60, 40]);
    expect(moved(corner, [20, 10, 60, 40], { vertical: shifted(0.1) })).toEqual([20, 20, 60, 40]);
    expect(moved(corner, [20, 10, 60, 40], { horizontal: shifted(-0.2) })).toEqual([0, 10, 40, 40]);
    // in fractions from (0.1, 0.1) to (0.4, 0.5), so to (0.5, 0.1) to (0.9, 0.4)
    expect(moved(corner, [20, 10, 60, 40], turned)).toEqual([100, 10, 80, 30]);
  });

  test("a box of another format is the same box", () => {
    expect(moved(box({ columns, format: "xyxy", scale: "image" }), [20, 10, 80, 50], { horizontal: flip })).toEqual([
      120, 10, 180, 50,
    ]);
    expect(moved(box({ columns, format: "cxcywh", scale: "image" }), [50, 30, 60, 40], { horizontal: flip })).toEqual([
      150, 30, 60, 40,
    ]);
  });

  test("a box or point that leaves the picture, or is missing, is missing as a whole", () => {
    const none = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
    expect(moved(corner, [20, 10, 60, 40], { horizontal: shifted(-0.5) })).toEqual(none);
    expect(moved(corner, none, { horizontal: flip })).toEqual(none);
    const place = point({ columns: ["x", "y"], scale: "image" });
    expect(moved(place, [20, 10], { horizontal: flip })).toEqual([180, 10]);
    expect(moved(place, [20, 10], turned)).toEqual([180, 10]);
    expect(moved(place, [20, 10], { horizontal: shifted(-0.2) })).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("on contact sheets", () => {
  const graph = graphOf({ present: binary(), it: box({ columns: ["a", "b", "c", "d"] }) });
  // logits of 0: a box of half the picture's size in its middle
  const outputs = [new Float32Array(3), new Float32Array(12)];
  const labels: Labels[] = [
    { answers: Float32Array.of(1, 1, 1), unitScale: null },
    {
      // half of it; the same centre, all of the picture; nothing of it, though its numbers are as near
      answers: Float32Array.of(0.25, 0.25, 0.5, 0.25, 0, 0, 1, 1, 0.8, 0.25, 0.2, 0.5),
      unitScale: null,
    },
  ];
  const scored = scoreSplit(graph, { split: "valid", ids: ["half", "all", "apart"], outputs, labels }, [[0.5], []]);

  test("boxes are ranked by their overlap, the least last", () => {
    const ranking = bestAndWorst(graph, scored, 3)[1];
    expect(ranking?.best.map(({ id }) => id)).toEqual(["half", "all", "apart"]);
    expect(ranking?.worst.map(({ id }) => id)).toEqual(["apart", "all", "half"]);
    expect(ranking?.best[0]).toMatchObject({ label: [0.25, 0.25, 0.5, 0.25], prediction: [0.25, 0.25, 0.5, 0.5] });
  });

  test("the labelled and the predicted box are drawn", () => {
    expect(figuresOf(graph, scored, "present")(0)).toEqual([
      { source: "prediction", shape: { kind: "box", x: 0.25, y: 0.25, width: 0.5, height: 0.5 } },
      { source: "truth", shape: { kind: "box", x: 0.25, y: 0.25, width: 0.5, height: 0.25 } },
    ]);
  });
});
