/** @file regression and ordinal: losses as PyTorch's, metrics as scikit-learn's, cells, answers and statistics. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fitTasks } from "../../src/data/labels/fit-tasks.js";
import { defineTasks } from "../../src/flow/define.js";
import type { BoundedRegressionSpec, OrdinalSpec, RegressionSpec, TaskSpec } from "../../src/flow/graph.js";
import { traceFlow } from "../../src/flow/trace.js";
import type { Labels, Scored } from "../../src/tasks/behaviour.js";
import { behaviourOf, binary, boundedRegression, ordinal, regression } from "../../src/tasks/index.js";

const read = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url), "utf8"));

interface LossCase {
  readonly answers: readonly (number | readonly number[])[];
  readonly logits: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly gradient: readonly (readonly number[])[];
}
const torch = read("torch/kinds.json") as {
  readonly regression: readonly (LossCase & Pick<RegressionSpec, "loss" | "delta" | "statistics">)[];
  readonly ordinal: readonly (LossCase & { readonly levels: number; readonly decoded: readonly number[] })[];
  readonly boundedRegression: readonly (LossCase & BoundedRegressionSpec)[];
};
const sklearn = read("sklearn/numbers.json") as {
  readonly [K in "regression" | "ordinal"]: readonly {
    readonly name: string;
    readonly levels?: number;
    readonly labels: readonly (number | null)[];
    readonly answers: readonly number[];
    readonly expected: Readonly<Record<string, number | null>>;
  }[];
};

const levelsOf = (count = 0): string[] => Array.from({ length: count }, (_, i) => `level ${i}`);
const labelsOf = (answers: readonly (number | null)[]): Labels => ({
  answers: Float32Array.from(answers, (answer) => answer ?? Number.NaN),
  unitScale: null,
});

function expectLosses(spec: TaskSpec, { answers, logits, losses, gradient }: LossCase): void {
  const behaviour = behaviourOf(spec);
  const stride = behaviour.logitWidth(spec);
  const slopes = new Float32Array(logits.flat().length);
  const view = { data: Float32Array.from(logits.flat()), stride, offset: 0 };
  losses.forEach((loss, row) => {
    expect(behaviour.lossSum(spec, view, labelsOf(answers.flat()), row, slopes)).toBeCloseTo(loss, 5);
  });
  for (const [i, slope] of gradient.flat().entries()) expect(slopes[i]).toBeCloseTo(slope, 5);
}

function expectMetrics(spec: TaskSpec, index: number, kind: "regression" | "ordinal"): void {
  const found = sklearn[kind][index];
  if (found === undefined) throw new Error("no such case");
  const { labels, answers, expected } = found;
  const { metrics } = behaviourOf(spec);
  const scored: Scored = {
    spec,
    logits: new Float32Array(),
    activated: new Float32Array(),
    decoded: Float32Array.from(answers),
    labels: labelsOf(labels),
    mask: new Uint8Array(labels.length).fill(1),
  };
  const values = metrics.values(scored, Object.keys(expected));
  expect(values.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const { name, value, count } of values) {
    expect(count).toBe(labels.filter((label) => label !== null).length);
    const wanted = expected[name] ?? null;
    if (wanted === null || value === null) expect(value, name).toBe(wanted);
    else expect(Math.abs(value - wanted), name).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(wanted)));
  }
}

describe("a regression", () => {
  test.each(torch.regression)("has PyTorch's $loss loss of the standardized error, and its gradient", (each) => {
    const { loss, delta, statistics } = each;
    expectLosses({ ...regression({ loss, ...(delta === undefined ? {} : { delta }) }), statistics }, each);
  });

  test.each(sklearn.regression.map(({ name }, i) => [name, i] as const))("has scikit-learn's metrics: %s", (_, i) => {
    expectMetrics(regression(), i, "regression");
  });

  test("reads any number, and refuses what is none", () => {
    const spec = regression();
    const out = new Float32Array(1);
    const parse = (cell: unknown) => behaviourOf(spec).parseLabel(spec, [cell], [], out, 0);
    for (const [cell, value] of [
      ["-12.5", -12.5],
      [3, 3],
      ["1e9", 1e9],
    ] as const) {
      expect(parse(cell)).toBeNull();
      expect(out[0]).toBe(value);
    }
    expect([parse(""), out[0]]).toEqual([null, Number.NaN]);
    expect(parse("far")).toMatch(/is not a number/);
    expect(parse(Number.POSITIVE_INFINITY)).toMatch(/is not a number/);
  });

  test("answers in label units: one deviation from the mean is that far from it", () => {
    const spec = { ...regression(), statistics: { mean: 100, deviation: 4 } };
    const behaviour = behaviourOf<RegressionSpec>(spec);
    expect([...behaviour.decode(spec, behaviour.activate(spec, Float32Array.of(0, 1, -2)), [], null)]).toEqual([
      100, 104, 92,
    ]);
  });

  test("is standardized by the labels that train it: of the train split, known and active", () => {
    const graph = traceFlow(
      defineTasks({ features: ["f"], tasks: { on: binary(), price: regression(), rent: regression() } }).flow(
        "main",
        (flow, { f }, out) => {
          out.add(flow.on(f));
          out.add(flow.price(f).given(out.on));
          out.add(flow.rent(f).given(out.price.atLeast(3)));
        },
      ),
      "main",
    );
    const labels = [labelsOf([1, 1, 1, 0, 1, 1]), labelsOf([2, 4, null, 900, 6, 800]), labelsOf([7, 7, 7, 7, 7, 7])];
    const splits = { train: Int32Array.of(0, 1, 2, 3, 4), valid: Int32Array.of(5), test: Int32Array.of() };
    const specs = fitTasks(graph, { rows: 6, labels, splits, offsets: null }).tasks.map(({ spec }) => spec);
    // rows 0, 1 and 4: mean 4, deviation √(8/3); equal labels have a deviation of nothing to divide by
    expect(specs[1]).toMatchObject({ statistics: { mean: 4 } });
    expect((specs[1] as RegressionSpec).statistics?.deviation).toBeCloseTo(Math.sqrt(8 / 3), 12);
    expect(specs[2]).toMatchObject({ statistics: { mean: 7, deviation: 1 } });
    expect(specs[0]).toEqual(binary());
  });

  test("refuses a loss that there is none of, and a delta without the loss that bends there", () => {
    // @ts-expect-error not a loss
    expect(() => regression({ loss: "cubed" })).toThrow(/"loss" is "cubed"; expected "squared" or "absolute"/);
    expect(() => regression({ loss: "huber", delta: 0 })).toThrow(/expected a number above 0/);
    const spec = regression({ delta: 2 });
    expect(behaviourOf(spec).problemWith(spec)).toMatch(/has a delta, which is the bend of the loss "huber"/);
  });
});

describe("a bounded regression", () => {
  test.each(torch.boundedRegression)("has PyTorch's $loss loss of the error in fractions, and its gradient", (each) => {
    const { loss, delta, min, max } = each;
    const spec = boundedRegression({
      ...{ min, max },
      ...(loss === undefined ? {} : { loss }),
      ...(delta === undefined ? {} : { delta }),
    });
    expectLosses(spec, each);
  });

  test("says its loss in its spec only where it is not the default, as the specs of earlier runs", () => {
    expect(boundedRegression({ max: 3 })).toEqual({ kind: "boundedRegression", min: 0, max: 3, scale: null });
    const spec = boundedRegression({ max: 3, delta: 0.2 });
    expect(behaviourOf(spec).problemWith(spec)).toMatch(/has a delta/);
  });
});

describe("an ordinal", () => {
  test.each(torch.ordinal)("of $levels levels has the loss of CORAL, its gradient, and its ranks", (each) => {
    const spec = ordinal({ levels: levelsOf(each.levels) });
    expectLosses(spec, each);
    const behaviour = behaviourOf<OrdinalSpec>(spec);
    const activated = behaviour.activate(spec, Float32Array.from(each.logits.flat()));
    expect([...behaviour.decode(spec, activated, [], null)]).toEqual(each.decoded);
  });

  test.each(sklearn.ordinal.map(({ name }, i) => [name, i] as const))("has scikit-learn's metrics: %s", (_, i) => {
    expectMetrics(ordinal({ levels: levelsOf(sklearn.ordinal[i]?.levels) }), i, "ordinal");
  });

  test("reads a level's name or index, and names the nearest of one that it does not know", () => {
    const spec = ordinal({ levels: ["none", "mild", "severe"] });
    const out = new Float32Array(1);
    const parse = (cell: unknown) => [behaviourOf(spec).parseLabel(spec, [cell], [], out, 0), out[0]];
    expect(parse("severe")).toEqual([null, 2]);
    expect(parse(1)).toEqual([null, 1]);
    expect(parse(null)).toEqual([null, Number.NaN]);
    expect(parse("midl")[0]).toBe('names the unknown level "midl"; did you mean "mild"?');
    expect(parse(3)[0]).toMatch(/unknown level "3"/);
  });

  test("answers nothing where a score is NaN", () => {
    const spec = ordinal({ levels: ["a", "b", "c"] });
    const decoded = behaviourOf(spec).decode(spec, Float32Array.of(0.9, Number.NaN, 0.9, 0.2), [], null);
    expect([...decoded]).toEqual([Number.NaN, 1]);
    expect([0, 1].map((row) => behaviourOf(spec).describe(spec, decoded, row))).toEqual([null, "b"]);
  });

  test("needs two levels, each named once", () => {
    const problem = (levels: readonly string[]) => {
      const spec = ordinal({ levels });
      return behaviourOf(spec).problemWith(spec);
    };
    expect(problem(["only"])).toMatch(/fewer than two levels/);
    expect(problem(["a", "b", "a"])).toMatch(/names the level "a" twice/);
    expect(problem(["a", "b"])).toBeNull();
  });
});
