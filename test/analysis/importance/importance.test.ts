/** @file Permutation importance against plain loops by the definition of scikit-learn's `permutation_importance`. */
import { describe, expect, it } from "vitest";
import {
  type Importance,
  permutationImportance,
  permutationOf,
  type Shuffled,
} from "../../../src/analysis/importance/importance.js";
import { type ScoredSplit, scoreSplit } from "../../../src/analysis/score.js";
import { at, f32At } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, regression } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: { open: binary(), locked: binary(), size: regression(), never: binary() },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open));
    out.add(flow.size(x.f).given(out.open.not()));
    out.add(flow.never(x.f).given(out.open));
  }),
  "all",
);
// the spec of a regression knows the scale of its labels once it has been trained
const fitted = {
  ...graph,
  tasks: graph.tasks.map((task) =>
    task.spec.kind === "regression" ? { ...task, spec: { ...task.spec, statistics: { mean: 1, deviation: 2 } } } : task,
  ),
};

const ROWS = 60;
const random = createRandom("importance");
const x = Array.from({ length: ROWS }, () => Array.from({ length: 3 }, () => random.next() - 0.5));
const noisy = (value: number): number => value + 0.3 * (random.next() - 0.5);
const open = x.map((row) => Number(noisy(at(row, 0)) > 0));
const locked = x.map((row, i) => (open[i] === 1 && i % 7 !== 0 ? Number(noisy(at(row, 1)) > 0) : Number.NaN));
const size = x.map((row, i) => (open[i] === 0 ? 1 + 4 * noisy(at(row, 2)) : Number.NaN));
const labels = [open, locked, size, x.map(() => Number.NaN)];
const logits = (row: readonly number[]) => [3 * at(row, 0), 5 * at(row, 1) + at(row, 0), 2 * at(row, 2), 0];

/** A network that is a few sums. */
function answersTo(rows: Int32Array, shuffled: Shuffled | null): ScoredSplit {
  const cells = Array.from(rows, (row, i) =>
    at(x, row).map((value, column) =>
      shuffled?.columns.includes(`x${column}`) === true ? at(at(x, at(shuffled.from, i)), column) : value,
    ),
  );
  return scoreSplit(
    fitted,
    {
      split: "valid",
      ids: Array.from(rows, String),
      outputs: labels.map((_, task) => Float32Array.from(cells, (row) => at(logits(row), task))),
      labels: labels.map((own) => ({ answers: Float32Array.from(rows, (row) => at(own, row)), unitScale: null })),
    },
    [[0.5], [0.5], [], [0.5]],
  );
}

const all = Int32Array.from({ length: ROWS }, (_, row) => row);
const question = {
  ...{ graph: fitted, scored: answersTo(all, null), columns: [["x0"], ["x1"], ["x2"], ["x0", "x1"]] },
  ...{ repeats: 4, seed: 11, answer: async (rows: Int32Array, shuffled: Shuffled | null) => answersTo(rows, shuffled) },
};

/** The definition in loops: the mean, over permutations of the rows that count, of score − permuted score. */
function reference(task: number, columns: readonly number[]): { mean: number; error: number; score: number } {
  const rows = [...all].filter((row) => !Number.isNaN(labels[task]?.[row]));
  const score = (cellsOf: (i: number) => readonly number[]): number => {
    let sum = 0;
    rows.forEach((row, i) => {
      const logit = at(logits(cellsOf(i)), task);
      const label = f32At(Float32Array.of(labels[task]?.[row] ?? 0), 0);
      // of the regression minus its absolute error, so that more is better, as scikit-learn's scorers are
      sum += task === 2 ? -Math.abs(1 + 2 * logit - label) : Number(Number(logit >= 0) === label);
    });
    return sum / rows.length;
  };
  const base = score((i) => at(x, at(rows, i)));
  const drops = [0, 1, 2, 3].map((repeat) => {
    const names = columns.map((column) => `x${column}`);
    const order = permutationOf(11, names, Int32Array.from(rows), repeat);
    const permuted = rows.map((row) => [...at(x, row)]);
    permuted.forEach((row, i) => {
      for (const column of columns) row[column] = at(at(x, at(order, i)), column);
    });
    return base - score((i) => at(permuted, i));
  });
  const mean = drops.reduce((sum, drop) => sum + drop, 0) / drops.length;
  const variance = drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0) / (drops.length - 1);
  return { mean, error: Math.sqrt(variance / drops.length), score: base };
}

describe("permutation importance", () => {
  it("is the mean drop over permutations of the rows on which a task is active and labelled", async () => {
    const found = await permutationImportance(question);
    expect(found.map(({ task_path }) => task_path)).toEqual(
      ["open", "locked", "size"].flatMap((path) => [path, path, path, path]),
    );
    for (const [i, one] of found.entries()) {
      const task = Math.floor(i / 4);
      const columns = one.columns.map((name) => Number(name.slice(1)));
      const expected = reference(task, columns);
      expect(one.importance).toBeCloseTo(expected.mean, 6);
      expect(one.standard_error).toBeCloseTo(expected.error, 6);
      expect(one.score).toBeCloseTo(task === 2 ? -expected.score : expected.score, 6);
      expect(one.num_samples).toBe((labels[task] ?? []).filter((label) => !Number.isNaN(label)).length);
    }
    const of = (path: string, ...columns: string[]): Importance | undefined =>
      found.find((one) => one.task_path === path && one.columns.join() === columns.join());
    // what a task does not read is worth nothing at all, and a column counts in the branch that reads it
    expect(of("size", "x0")).toMatchObject({ importance: 0, standard_error: 0 });
    expect(of("locked", "x1")?.importance).toBeGreaterThan(0.2);
    expect(of("size", "x2")).toMatchObject({ metric_name: "mean_absolute_error", higher_is_better: false });
    expect(of("size", "x2")?.importance).toBeGreaterThan(0.5);
  });

  it("is the same for the same seed, and another for another", async () => {
    expect(await permutationImportance(question)).toEqual(await permutationImportance(question));
    const other = await permutationImportance({ ...question, seed: 12 });
    expect(other).not.toEqual(await permutationImportance(question));
    const [single] = await permutationImportance({ ...question, repeats: 1, tasks: ["locked"] });
    expect(single).toMatchObject({ task_path: "locked", standard_error: null });
  });

  it("tells of every pass, and ends where its signal fires", async () => {
    const told: [number, number][] = [];
    await permutationImportance({ ...question, onProgress: (...one) => told.push(one) });
    // three sets of rows, each once as it is and then 4 times for 4 columns
    expect(told).toHaveLength(3 * 17);
    expect(told.at(-1)).toEqual([51, 51]);
    await expect(permutationImportance({ ...question, signal: AbortSignal.abort() })).rejects.toThrow("Interrupted");
  });
});
