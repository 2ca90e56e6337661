/** @file Masked losses of a batch: equal to PyTorch's, true to finite differences, additive over shards. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { batchLoss, countTerms } from "../../../src/engine/optimization/losses.js";
import { type BatchTargets, gatherTargets } from "../../../src/engine/batches/targets.js";
import { layOutHeads } from "../../../src/engine/model/layout.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";

/** Numbers of one task, row by row; null is a missing label. */
interface TorchTask {
  readonly logits: readonly (readonly number[])[];
  readonly answers: readonly (readonly (number | null)[])[];
  readonly units: readonly number[];
  readonly mask: readonly number[];
  readonly sum: number;
  readonly terms: number;
  readonly gradient: readonly (readonly number[])[];
}
interface TorchCase {
  readonly name: string;
  readonly total: number;
  readonly tasks: readonly TorchTask[];
}

const torch = JSON.parse(readFileSync(new URL("../../../fixtures/torch/losses.json", import.meta.url), "utf8")) as {
  readonly cases: readonly TorchCase[];
};

// the tasks of fixtures/torch/make.py, on two features, so that columns and tasks are in different orders
const definitions = defineTasks({
  features: ["first", "second"],
  tasks: {
    yes: binary(),
    kind: classification({ classes: ["a", "b", "c", "d"], lossWeight: 0.5 }),
    labels: multilabel({ labels: ["x", "y", "z"], lossWeight: 2 }),
    number: boundedRegression({ min: -2, max: 6, lossWeight: 20 }),
    pixels: boundedRegression({ scale: "image-width", lossWeight: 3 }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.yes(x.second));
  out.add(flow.kind(x.first));
  out.add(flow.labels(x.second));
  out.add(flow.number(x.first));
  out.add(flow.pixels(x.second));
});
const layout = layOutHeads(traceFlow(definitions, "all"));

/** One matrix per task → the matrix that all heads share. */
function merge(perTask: readonly (readonly (readonly number[])[])[]): Float32Array {
  const rows = perTask[0]?.length ?? 0;
  const merged = new Float32Array(rows * layout.width);
  layout.columns.forEach(({ offset }, task) => {
    perTask[task]?.forEach((values, row) => {
      merged.set(values, row * layout.width + offset);
    });
  });
  return merged;
}

function targetsOf(torchCase: TorchCase): BatchTargets {
  return {
    rows: torchCase.tasks[0]?.mask.length ?? 0,
    labels: torchCase.tasks.map(({ answers, units }, task) => ({
      answers: Float32Array.from(answers.flat(), (answer) => answer ?? Number.NaN),
      unitScale: layout.columns[task]?.task.name === "pixels" ? Float32Array.from(units) : null,
    })),
    masks: torchCase.tasks.map(({ mask }) => Uint8Array.from(mask)),
  };
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number))));
}

const cases = torch.cases.map((torchCase) => ({
  name: torchCase.name,
  torchCase,
  logits: merge(torchCase.tasks.map((task) => task.logits)),
  targets: targetsOf(torchCase),
}));

describe("columns", () => {
  test("of tasks on one feature lie side by side, features in declared order", () => {
    expect(layout.columns.map(({ task, offset, width }) => [task.name, offset, width])).toEqual([
      ["yes", 5, 1],
      ["kind", 0, 4],
      ["labels", 6, 3],
      ["number", 4, 1],
      ["pixels", 9, 1],
    ]);
    expect(layout.width).toBe(10);
  });
});

describe.each(cases)("$name", ({ torchCase, logits, targets }) => {
  test("loss, terms and gradient equal PyTorch's", () => {
    const gradient = new Float32Array(logits.length).fill(Number.NaN);
    const loss = batchLoss(layout, logits, targets, gradient);
    expect(Math.abs(loss.total - torchCase.total)).toBeLessThanOrEqual(1e-6 * Math.max(1, torchCase.total));
    torchCase.tasks.forEach(({ sum, terms }, task) => {
      expect(loss.tasks[task]?.terms).toBe(terms);
      expect(Math.abs((loss.tasks[task]?.sum as number) - sum)).toBeLessThanOrEqual(1e-6 * Math.max(1, sum));
    });
    expect(largestDifference(gradient, merge(torchCase.tasks.map((task) => task.gradient)))).toBeLessThan(1e-6);
  });

  test("the gradient is the slope of the loss", () => {
    const gradient = new Float32Array(logits.length);
    const { total } = batchLoss(layout, logits, targets, gradient);
    logits.forEach((logit, i) => {
      const at = (z: number) => batchLoss(layout, logits.with(i, z), targets, null).total;
      // a power of two, so that single precision holds both points where logits are small
      const h = 2 ** -8;
      const [low, high] = [Math.fround(logit - h), Math.fround(logit + h)];
      const slope = (at(high) - at(low)) / (high - low);
      expect(Math.abs((gradient[i] as number) - slope)).toBeLessThan(1e-4 * Math.max(1, total));
    });
  });

  test("shards that share denominators add up to the whole", () => {
    const whole = new Float32Array(logits.length);
    const expected = batchLoss(layout, logits, targets, whole);
    const denominators = countTerms(layout, targets);
    let total = 0;
    const gradients: Float32Array[] = [];
    for (const rows of [[0, 1, 2], [3], [4, 5, 6, 7]]) {
      const from = (rows[0] as number) * layout.width;
      const gradient = new Float32Array(rows.length * layout.width);
      const part = logits.subarray(from, from + gradient.length);
      const own = gatherTargets(layout, targets.labels, targets.masks, rows);
      total += batchLoss(layout, part, own, gradient, denominators).total;
      gradients.push(gradient);
    }
    expect(total).toBeCloseTo(expected.total, 10);
    expect(gradients.flatMap((gradient) => [...gradient])).toEqual([...whole]);
  });
});

describe("a task without an active row", () => {
  test("adds exactly 0, with a gradient of exactly 0, whatever its logits and labels", () => {
    const { torchCase, logits, targets } = cases[1] as (typeof cases)[number];
    const rows = targets.rows;
    layout.columns.forEach(({ offset, width }, task) => {
      const masks = targets.masks.with(task, new Uint8Array(rows));
      const wild = logits.slice();
      for (let row = 0; row < rows; row++) {
        wild.fill(Number.NaN, row * layout.width + offset, row * layout.width + offset + width);
      }
      const gradient = new Float32Array(logits.length);
      const loss = batchLoss(layout, wild, { ...targets, masks }, gradient);
      const { lossWeight } = layout.columns[task]?.task ?? { lossWeight: 0 };
      const { sum, terms } = torchCase.tasks[task] as TorchTask;
      expect(loss.tasks[task]).toEqual({ sum: 0, terms: 0 });
      expect(loss.total).toBeCloseTo(torchCase.total - (lossWeight * sum) / terms, 5);
      gradient.forEach((value, i) => {
        const column = i % layout.width;
        if (column >= offset && column < offset + width) expect(value).toBe(0);
      });
    });
  });
});

describe("a partly labelled multilabel row", () => {
  test("counts its known labels only", () => {
    const labels = [
      { answers: Float32Array.of(Number.NaN), unitScale: null },
      { answers: Float32Array.of(Number.NaN), unitScale: null },
      { answers: Float32Array.of(1, Number.NaN, 0), unitScale: null },
      { answers: Float32Array.of(Number.NaN), unitScale: null },
      { answers: Float32Array.of(Number.NaN), unitScale: Float32Array.of(1) },
    ];
    const targets = { rows: 1, labels, masks: labels.map(() => Uint8Array.of(1)) };
    const gradient = new Float32Array(layout.width);
    const loss = batchLoss(layout, new Float32Array(layout.width), targets, gradient);
    // two terms of log 2 at logit 0, weight 2, mean over the two
    expect(loss.tasks[2]).toEqual({ sum: 2 * Math.log(2), terms: 2 });
    expect(loss.total).toBeCloseTo(2 * Math.log(2), 12);
    expect([...gradient.subarray(6, 9)]).toEqual([-0.5, 0, 0.5]);
  });
});

describe("a loss weight", () => {
  test("of 0 takes a task out of total and gradient, but not out of its own loss", () => {
    const { torchCase, logits, targets } = cases[0] as (typeof cases)[number];
    const weightless = layout.columns.map((column) => ({ ...column, task: { ...column.task, lossWeight: 0 } }));
    const gradient = new Float32Array(logits.length);
    const loss = batchLoss({ ...layout, columns: weightless }, logits, targets, gradient);
    expect(loss.total).toBe(0);
    expect(gradient.every((value) => value === 0)).toBe(true);
    expect(loss.tasks[0]?.sum).toBeCloseTo((torchCase.tasks[0] as TorchTask).sum, 5);
  });
});

describe("gathering rows of a dataset", () => {
  test("takes labels, units and masks in the order asked for, a row as often as asked for", () => {
    const { targets } = cases[1] as (typeof cases)[number];
    const rows = [5, 0, 5];
    const gathered = gatherTargets(layout, targets.labels, targets.masks, rows);
    expect(gathered.rows).toBe(3);
    layout.columns.forEach(({ task }, index) => {
      const width = task.name === "labels" ? 3 : 1;
      const { answers, unitScale } = targets.labels[index] as (typeof targets.labels)[number];
      expect([...(gathered.labels[index]?.answers ?? [])]).toEqual(
        rows.flatMap((row) => [...answers.subarray(row * width, (row + 1) * width)]),
      );
      expect(gathered.labels[index]?.unitScale ?? null).toEqual(
        unitScale === null ? null : Float32Array.from(rows, (row) => unitScale[row] as number),
      );
      expect([...(gathered.masks[index] ?? [])]).toEqual(rows.map((row) => targets.masks[index]?.[row]));
    });
  });
});
