/** @file Thresholds chosen together, against every combination of them in plain loops. */
import { describe, expect, it } from "vitest";
import { chainQuestions } from "../../../src/analysis/chain-tuning/candidates.js";
import type { AnswerCosts, ChainMetric } from "../../../src/analysis/chain-tuning/objective.js";
import { chainValue, tuneChain } from "../../../src/analysis/chain-tuning/tune-chain.js";
import { evaluateEndToEnd } from "../../../src/analysis/end-to-end.js";
import { type ScoredSplit, scoreSplit, withThresholds } from "../../../src/analysis/score.js";
import { tuneThresholds } from "../../../src/analysis/tune.js";
import { at, f32At } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { FlowGraph } from "../../../src/flow/graph.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification, multilabel } from "../../../src/tasks/index.js";

const TASKS = {
  open: binary(),
  locked: binary(),
  color: classification({ classes: ["red", "green", "blue"] }),
  marks: multilabel({ labels: ["dot", "stripe"] }),
  near: binary(),
};

/** Conditions that are conjunctions: a tree with a class and a label among the gates. */
const tree = traceFlow(
  defineTasks({ features: ["f"], tasks: TASKS }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("blue").not()));
    out.add(flow.near(x.f).given(out.marks.has("dot")));
  }),
  "all",
);
/** The same with a disjunction. */
const bush = traceFlow(
  defineTasks({ features: ["f"], tasks: TASKS }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("blue").not()));
    out.add(flow.near(x.f).given(out.locked.or(out.marks.has("dot"))));
  }),
  "all",
);
const WIDTHS = [1, 1, 3, 2, 1];
const UNTUNED = [[0.5], [0.5], [], [0.5, 0.5], [0.5]];

/** Labels that hang together as the flow says, and scores of few different values, so that all thresholds can be tried. */
function drawSplit(graph: FlowGraph, seed: string, rows: number, levels: number, unscored = 0): ScoredSplit {
  const { next, int } = createRandom(seed);
  const answers = [1, 1, 1, 2, 1].map((width) => new Float32Array(rows * width).fill(Number.NaN));
  for (let row = 0; row < rows; row++) {
    const set = (task: number, value: number, place = row) => {
      at(answers, task)[place] = value;
      return value;
    };
    const open = set(0, Number(next() < 0.6));
    const locked = open === 1 ? 0 : set(1, Number(next() < 0.5));
    const blue = open === 1 && set(2, int(3)) === 2;
    const dot = open === 1 && !blue ? set(3, Number(next() < 0.5), 2 * row) : 0;
    if (open === 1 && !blue) set(3, Number(next() < 0.3), 2 * row + 1);
    if (dot === 1 || (graph === bush && locked === 1)) set(4, Number(next() < 0.5));
  }
  const outputs = WIDTHS.map((width, task) => {
    const own = at(answers, task);
    return Float32Array.from({ length: rows * width }, (_, i) => {
      if (next() < unscored && width !== 3) return Number.NaN;
      const label = width === 3 ? Number(own[Math.floor(i / 3)] === i % 3) : own[i];
      const pull = label === undefined || Number.isNaN(label) ? 0 : 2 * label - 1;
      return (Math.round((next() - 0.5 + 0.25 * pull) * levels) / levels) * 4 + 0.1;
    });
  });
  const ids = Array.from({ length: rows }, (_, row) => String(row));
  return scoreSplit(
    graph,
    { split: "valid", ids, outputs, labels: answers.map((own) => ({ answers: own, unitScale: null })) },
    UNTUNED,
  );
}

/** The mean of an end-to-end metric over the tasks of which something is due, from the evaluation. */
function meanBy(graph: FlowGraph, scored: ScoredSplit, metric: ChainMetric): number {
  const rows = evaluateEndToEnd(graph, scored);
  const values = graph.tasks.flatMap(({ path, index }) => {
    if (!at(scored.tasks, index).lossMask.includes(1)) return [];
    const name = metric === "accuracy" && path === "color" ? "accuracy_1" : metric;
    const found = rows.find(({ task_path, metric_name }) => task_path === path && metric_name === name);
    return [found?.metric_res ?? 0];
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What all answers cost per row, row by row. */
function costBy(graph: FlowGraph, scored: ScoredSplit, costs: readonly AnswerCosts[]): number {
  let total = 0;
  scored.tasks.forEach(({ decoded, labels, activeTruth, activePredicted }, task) => {
    const { wrong, missed, needless } = at(costs, task);
    const width = graph.tasks[task]?.path === "marks" ? 2 : 1;
    scored.ids.forEach((_, row) => {
      if (activeTruth[row] === 1 && activePredicted[row] === 0) total += missed;
      if (activeTruth[row] === 0 && activePredicted[row] === 1) total += needless;
      if (activeTruth[row] === 0 || activePredicted[row] === 0) return;
      for (let i = row * width; i < (row + 1) * width; i++)
        if (decoded[i] !== labels.answers[i]) total += wrong / width;
    });
  });
  return total / scored.ids.length;
}

/** Every combination of candidates. */
function* allThresholds(graph: FlowGraph, scored: ScoredSplit): Generator<number[][]> {
  const questions = chainQuestions(graph, scored);
  const choice = questions.map(() => 0);
  for (;;) {
    const thresholds = UNTUNED.map((own) => [...own]);
    questions.forEach(({ task, place, candidates }, i) => {
      at(thresholds, task)[place] = at(candidates, at(choice, i));
    });
    yield thresholds;
    let digit = questions.length - 1;
    while (digit >= 0 && at(choice, digit) === at(questions, digit).candidates.length - 1) choice[digit--] = 0;
    if (digit < 0) return;
    choice[digit] = at(choice, digit) + 1;
  }
}

const COSTS: readonly AnswerCosts[] = [
  { wrong: 1, missed: 1, needless: 1 },
  { wrong: 2, missed: 3, needless: 0.5 },
  { wrong: 1, missed: 4, needless: 2 },
  { wrong: 0.7, missed: 1, needless: 1.5 },
  { wrong: 3, missed: 0.25, needless: 1 },
];
const separateOf = (graph: FlowGraph, scored: ScoredSplit) =>
  withThresholds(graph, scored, tuneThresholds(graph, scored).thresholds);

describe("the least cost", () => {
  it.each([0, 1, 2])("is that of the best of all combinations (draw %i)", (seed) => {
    const scored = separateOf(tree, drawSplit(tree, `cost ${seed}`, 30, 3, seed === 2 ? 0.1 : 0));
    const aim = { objective: { kind: "cost", costs: COSTS }, floors: [] } as const;
    const tuned = tuneChain(tree, scored, aim);
    expect(tuned.method).toBe("exact");
    let least = Number.POSITIVE_INFINITY;
    for (const thresholds of allThresholds(tree, scored)) {
      least = Math.min(least, costBy(tree, withThresholds(tree, scored, thresholds), COSTS));
    }
    expect(costBy(tree, withThresholds(tree, scored, tuned.thresholds), COSTS)).toBeCloseTo(least, 10);
    expect(chainValue(tree, scored, aim, 0.05, tuned.thresholds).value).toBeCloseTo(least, 10);
  });

  it("is approached by ascent where conditions are no conjunctions", () => {
    const scored = separateOf(bush, drawSplit(bush, "bush", 30, 3));
    const aim = { objective: { kind: "cost", costs: COSTS }, floors: [] } as const;
    const tuned = tuneChain(bush, scored, aim);
    expect(tuned.method).toBe("ascent");
    let least = Number.POSITIVE_INFINITY;
    for (const thresholds of allThresholds(bush, scored)) {
      least = Math.min(least, costBy(bush, withThresholds(bush, scored, thresholds), COSTS));
    }
    expect(costBy(bush, withThresholds(bush, scored, tuned.thresholds), COSTS)).toBeCloseTo(least, 10);
  });
});

describe.each(["f1_score", "accuracy"] as const)("the mean %s end to end", (metric) => {
  const aim = { objective: { kind: "metric", metric }, floors: [] } as const;

  it.each([0, 1])("is that of the best of all combinations (draw %i)", (seed) => {
    const graph = seed === 0 ? tree : bush;
    const scored = separateOf(graph, drawSplit(graph, `mean ${seed}`, 24, 2));
    const tuned = tuneChain(graph, scored, aim);
    let best = 0;
    for (const thresholds of allThresholds(graph, scored)) {
      best = Math.max(best, meanBy(graph, withThresholds(graph, scored, thresholds), metric));
    }
    expect(meanBy(graph, withThresholds(graph, scored, tuned.thresholds), metric)).toBeCloseTo(best, 10);
  });

  it.each(Array.from({ length: 6 }, (_, seed) => seed))(
    "is never worse than that of thresholds tuned one by one (draw %i)",
    (seed) => {
      const graph = seed % 2 === 0 ? tree : bush;
      const scored = separateOf(graph, drawSplit(graph, `never worse ${seed}`, 150, 40, 0.02));
      const tuned = tuneChain(graph, scored, aim, { restarts: 2 });
      const after = withThresholds(graph, scored, tuned.thresholds);
      expect(meanBy(graph, after, metric)).toBeGreaterThanOrEqual(meanBy(graph, scored, metric) - 1e-12);
      expect(chainValue(graph, after, aim).value).toBeCloseTo(meanBy(graph, after, metric), 12);
      const cost = { objective: { kind: "cost", costs: COSTS }, floors: [] } as const;
      const cheap = withThresholds(graph, scored, tuneChain(graph, scored, cost, { restarts: 2 }).thresholds);
      expect(costBy(graph, cheap, COSTS)).toBeLessThanOrEqual(costBy(graph, scored, COSTS) + 1e-12);
      expect(chainValue(graph, cheap, cost).value).toBeCloseTo(costBy(graph, cheap, COSTS), 12);
    },
  );
});

describe("a floor", () => {
  const scored = separateOf(tree, drawSplit(tree, "floor", 200, 40));
  const recall = (split: ScoredSplit, task: string): number =>
    evaluateEndToEnd(tree, split).find(({ task_path, metric_name }) => task_path === task && metric_name === "recall")
      ?.metric_res ?? 0;
  const objective = { kind: "metric", metric: "accuracy" } as const;

  it("is reached by the task that it is about, and costs of the objective what it must", () => {
    const floor = { metric: "recall", task: 1, least: 0.95 } as const;
    expect(recall(scored, "locked")).toBeLessThan(0.95);
    const tuned = tuneChain(tree, scored, { objective, floors: [floor] });
    expect(tuned.unreached).toBeNull();
    const after = withThresholds(tree, scored, tuned.thresholds);
    expect(recall(after, "locked")).toBeGreaterThanOrEqual(0.95);
    const free = withThresholds(tree, scored, tuneChain(tree, scored, { objective, floors: [] }).thresholds);
    expect(meanBy(tree, after, "accuracy")).toBeLessThanOrEqual(meanBy(tree, free, "accuracy"));
  });

  it("that nothing reaches comes with the best that can be had", () => {
    const floor = { metric: "recall", task: 2, least: 0.999 } as const;
    const { unreached } = tuneChain(tree, scored, { objective, floors: [floor] });
    expect(unreached?.floor).toEqual(floor);
    expect(unreached?.best).toBeLessThan(0.999);
    expect(unreached?.best).toBeGreaterThan(0.5);
    expect(unreached?.barren).toEqual({ neverDue: [], nothingToFind: [], fruitful: 1 });
  });

  it("says of which tasks nothing is due, and of which no label is a yes", () => {
    // the first question is always answered no, so that those behind a yes are never due
    const closed = drawSplit(tree, "closed", 100, 40);
    const tasks = closed.tasks.map((task, index) => ({
      ...task,
      labels: { ...task.labels, answers: task.labels.answers.map((value) => (index < 2 ? 0 : value)) },
      activeTruth: task.activeTruth.map(() => Number(index < 2)),
    }));
    const none = { ...closed, tasks };
    const unreachedBy = (task: number | null, metric: ChainMetric) =>
      tuneChain(tree, none, { objective, floors: [{ metric, task, least: 0.999 }] }).unreached?.barren;
    expect(unreachedBy(0, "recall")).toEqual({ neverDue: [], nothingToFind: [0], fruitful: 0 });
    expect(unreachedBy(2, "recall")).toEqual({ neverDue: [2], nothingToFind: [], fruitful: 0 });
    expect(unreachedBy(null, "recall")).toEqual({ neverDue: [2, 3, 4], nothingToFind: [0, 1], fruitful: 0 });
  });
});

it("candidates are at most 64, with the threshold to begin with and both ends", () => {
  const scored = separateOf(tree, drawSplit(tree, "many", 3000, 100_000));
  for (const { candidates, start, task, place, bins } of chainQuestions(tree, scored)) {
    expect(candidates.length).toBeLessThanOrEqual(64);
    expect([...candidates]).toEqual([...new Set(candidates)].sort((a, b) => a - b));
    expect(candidates[start]).toBe(at(at(scored.tasks, task).thresholds, place));
    const { kept } = at(scored.tasks, task);
    if (kept.kind !== "logits") throw new Error("summaries");
    const width = WIDTHS[task] ?? 1;
    bins.forEach((bin, row) => {
      const score = f32At(kept.activated, row * width + place);
      expect(bin).toBe(candidates.filter((candidate) => score >= candidate).length);
    });
  }
});
