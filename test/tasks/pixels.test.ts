/** @file Losses and metrics of tasks per pixel, beside PyTorch, scikit-learn and SciPy. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { BinarySpec, ClassificationSpec } from "../../src/flow/graph.js";
import { behaviourOf, isOverlap, overlapLoss } from "../../src/tasks/index.js";
import { toleranceOf } from "../../src/tasks/pixels/boundary.js";
import { countPixels, iouOf, meanOverClasses, ofClass } from "../../src/tasks/pixels/confusion.js";

interface Case {
  readonly logits: number[];
  readonly labels: number[];
  readonly answers: number[];
  readonly dice: { readonly losses: number[]; readonly gradient: number[] };
  readonly diceCrossEntropy: Case["dice"];
  readonly iou: number[];
  readonly diceMetric: number[];
  readonly accuracy: number;
  readonly boundary: number;
  readonly pictureIou: number[];
}

const fixture = new URL("../../fixtures/pixels/vectors.json", import.meta.url);
const { size, pictures, binary, classification } = JSON.parse(readFileSync(fixture, "utf8")) as {
  readonly size: [number, number];
  readonly pictures: number;
  readonly binary: Case;
  readonly classification: Case;
};
const pixels = size[0] * size[1];
const yes: BinarySpec & { per: "pixel"; size: [number, number] } = { kind: "binary", per: "pixel", size };
const choice: ClassificationSpec & { per: "pixel"; size: [number, number] } = {
  ...{ kind: "classification", per: "pixel", size },
  classes: ["a", "b", "c"],
};
const answersOf = ({ labels }: Case) => Float32Array.from(labels, (label) => (label < 0 ? Number.NaN : label));

describe.each([
  ["binary", yes, binary],
  ["classification", choice, classification],
] as const)("the Dice loss of a %s", (_kind, spec, vectors) => {
  const answers = answersOf(vectors);
  const mask = Uint8Array.from(answers, (answer) => Number(!Number.isNaN(answer)));
  const width = spec.kind === "binary" ? 1 : 3;

  it.each([
    ["dice", vectors.dice],
    ["dice-cross-entropy", vectors.diceCrossEntropy],
  ] as const)("%s is PyTorch's, picture by picture, and so is its gradient", (loss, expected) => {
    const own = { ...spec, loss } as const;
    if (!isOverlap(own)) throw new Error("not of pictures");
    const data = Float32Array.from(vectors.logits);
    const gradient = new Float32Array(data.length);
    for (let i = 0; i < pictures; i++) {
      const picture = { answers, mask, from: i * pixels, to: (i + 1) * pixels };
      const value = overlapLoss(own, { data, stride: width, offset: 0 }, picture, gradient);
      expect(value).toBeCloseTo(expected.losses[i] as number, 6);
    }
    for (const [i, slope] of gradient.entries()) {
      expect(slope / pictures).toBeCloseTo(expected.gradient[i] as number, 6);
    }
  });

  it("has no gradient where nothing counts, and no loss", () => {
    const none = new Uint8Array(mask.length);
    const gradient = new Float32Array(vectors.logits.length);
    const view = { data: Float32Array.from(vectors.logits), stride: width, offset: 0 };
    const own = { ...spec, loss: "dice" } as const;
    expect(overlapLoss(own, view, { answers, mask: none, from: 0, to: pixels }, gradient)).toBe(0);
    expect(gradient.some((slope) => slope !== 0)).toBe(false);
  });
});

describe("metrics of regions", () => {
  const scoredOf = <S extends BinarySpec | ClassificationSpec>(spec: S, vectors: Case) => {
    const logits = Float32Array.from(vectors.logits);
    const labels = { answers: answersOf(vectors), unitScale: null };
    const decoded = Float32Array.from(vectors.answers);
    const activated = behaviourOf(spec).activate(spec, logits);
    return { spec, logits, activated, decoded, labels, mask: new Uint8Array(decoded.length).fill(1) };
  };
  const valuesOf = <S extends BinarySpec | ClassificationSpec>(spec: S, scored: ReturnType<typeof scoredOf<S>>) =>
    Object.fromEntries(
      behaviourOf<S>(spec)
        .metrics.values(scored as never, ["dice/a", "dice/b", "dice/c"])
        .map(({ name, value }) => [name, value]),
    );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it("are scikit-learn's over pixels, and SciPy's distances along outlines", () => {
    const region = valuesOf(yes, scoredOf(yes, binary));
    expect(region.iou).toBeCloseTo(binary.iou[0] as number, 12);
    expect(region.dice).toBeCloseTo(binary.diceMetric[0] as number, 12);
    expect(region.pixel_accuracy).toBeCloseTo(binary.accuracy, 12);
    const classes = valuesOf(choice, scoredOf(choice, classification));
    expect(classes.mean_iou).toBeCloseTo(mean(classification.iou), 12);
    expect(classes.mean_dice).toBeCloseTo(mean(classification.diceMetric), 12);
    expect(classes["iou/b"]).toBeCloseTo(classification.iou[1] as number, 12);
    expect(classes["dice/c"]).toBeCloseTo(classification.diceMetric[2] as number, 12);
    expect(classes.pixel_accuracy).toBeCloseTo(classification.accuracy, 12);
  });

  it("of outlines count known pixels alone", () => {
    for (const [spec, vectors] of [[yes, binary] as const, [choice, classification] as const]) {
      const scored = scoredOf<BinarySpec | ClassificationSpec>(spec, vectors);
      const known = Uint8Array.from(scored.labels.answers, (answer) => Number(!Number.isNaN(answer)));
      const { boundary_f1: found } = valuesOf<BinarySpec | ClassificationSpec>(spec, { ...scored, mask: known });
      expect(found).toBeCloseTo(vectors.boundary, 12);
    }
    expect([toleranceOf([9, 12]), toleranceOf([512, 512])]).toEqual([1, 5]);
  });

  it("of pictures add up to those of all of them", () => {
    const scored = scoredOf(choice, classification);
    const parts = Array.from({ length: pictures }, (_, i) => countPixels(scored, i * pixels, (i + 1) * pixels));
    const whole = countPixels(scored);
    const sum = parts.reduce(
      (total, part) => total.map((count, i) => count + (part?.counts[i] ?? 0)),
      new Float64Array(9),
    );
    expect([...sum]).toEqual([...(whole?.counts ?? [])]);
    parts.forEach((part, i) => {
      expect(part === null ? null : meanOverClasses(part, iouOf)).toBeCloseTo(
        classification.pictureIou[i] as number,
        12,
      );
    });
  });

  it("are undefined where a class is neither labelled nor answered, and where a score is NaN", () => {
    const none = { ...scoredOf(yes, binary), decoded: new Float32Array(3 * pixels) };
    const unlabelled = { ...none, labels: { answers: new Float32Array(3 * pixels), unitScale: null } };
    expect(valuesOf(yes, unlabelled)).toMatchObject({ iou: null, dice: null, pixel_accuracy: 1, boundary_f1: null });
    const blind = { ...none, activated: none.activated.map(() => Number.NaN) };
    expect(valuesOf(yes, blind)).toMatchObject({ iou: null, dice: null, pixel_accuracy: null, boundary_f1: null });
    const counts = countPixels(unlabelled);
    expect(counts === null ? null : iouOf(ofClass(counts, 0))).toBe(1);
  });
});
