/** @file Shares of a gap, against plain loops over rows, coalitions and orders. */
import { describe, expect, it } from "vitest";
import { type Blame, type BlamedRow, blameSplit } from "../../../src/analysis/blame/blame.js";
import { evaluateEndToEnd } from "../../../src/analysis/end-to-end.js";
import { evaluateSplit } from "../../../src/analysis/evaluate.js";
import { type ScoredSplit, scoreSplit } from "../../../src/analysis/score.js";
import { at, f32At } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { ASKED, askedByLabels, NOT_ASKED, UNDECIDED } from "../../../src/flow/asked.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification, multilabel } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      open: binary(),
      locked: binary(),
      color: classification({ classes: ["red", "green", "blue"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      near: binary(),
      size: binary(),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("blue").not()));
    out.add(flow.near(x.f).given(out.locked.or(out.color.is("red"))));
    out.add(flow.size(x.f).given(out.marks.has("dot").and(out.near)));
  }),
  "all",
);
const WIDTHS = [1, 1, 3, 2, 1, 1];

type Truth = boolean | null;
const not = (a: Truth): Truth => (a === null ? null : !a);
const and = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === null || b === null ? null : true;
const or = (a: Truth, b: Truth): Truth => not(and(not(a), not(b)));

/** The flow by hand: what a task is asked by, of what is said of its gates. */
const CONDITIONS: Record<string, (say: (task: string, value: number, offset?: number) => Truth) => Truth> = {
  open: () => true,
  locked: (say) => not(say("open", 1)),
  color: (say) => say("open", 1),
  marks: (say) => not(say("color", 2)),
  near: (say) => or(say("locked", 1), say("color", 0)),
  size: (say) => and(say("marks", 1, 0), say("near", 1)),
};
const GATES: Record<string, readonly string[]> = {
  open: [],
  locked: ["open"],
  color: ["open"],
  marks: ["open", "color"],
  near: ["open", "locked", "color"],
  size: ["open", "locked", "color", "marks", "near"],
};

function drawSplit(seed: string, rows: number, missing: number): ScoredSplit {
  const { next, int } = createRandom(seed);
  const labels = [1, 1, 1, 2, 1, 1].map((width, task) =>
    Float32Array.from({ length: rows * width }, () =>
      next() < missing ? Number.NaN : task === 2 ? int(3) : Number(next() < 0.6),
    ),
  );
  const outputs = WIDTHS.map((width, task) => {
    const logits = Float32Array.from({ length: rows * width }, () => (next() - 0.5) * 6);
    const own = at(labels, task);
    own.forEach((label, i) => {
      if (Number.isNaN(label)) return;
      const place = task === 2 ? i * 3 + label : i;
      logits[place] = f32At(logits, place) + (task === 2 ? 2 : 3 * label - 1.5);
    });
    return logits;
  });
  return scoreSplit(
    graph,
    {
      split: "test",
      ids: Array.from({ length: rows }, (_, row) => `row ${row}`),
      outputs,
      labels: labels.map((answers) => ({ answers, unitScale: null })),
    },
    [[0.5], [0.5], [], [0.5, 0.5], [0.5], [0.5]],
  );
}

const dueOf = new WeakMap<ScoredSplit, Uint8Array[]>();
function dueIn(scored: ScoredSplit): Uint8Array[] {
  const answers = scored.tasks.map(({ labels }) => labels.answers);
  const due = dueOf.get(scored) ?? askedByLabels(graph, answers, scored.ids.length);
  dueOf.set(scored, due);
  return due;
}

/** Whether a task is asked in one row where some errors, named `gate misses`, are corrected. */
function askedBy(scored: ScoredSplit, row: number, task: string, corrected: ReadonlySet<string>): boolean {
  const due = dueIn(scored);
  const ask = (path: string): Truth =>
    at(
      [CONDITIONS[path]],
      0,
    )?.((gate, value, offset = 0) => {
      if (ask(gate) !== true) return null;
      const index = graph.tasks.findIndex((node) => node.path === gate);
      const place = row * (gate === "marks" ? 2 : 1) + offset;
      const truthOf = (answer: number): Truth => (Number.isNaN(answer) ? null : answer === value);
      const said = truthOf(f32At(at(scored.tasks, index).decoded, place));
      const truth = truthOf(f32At(at(scored.tasks, index).labels.answers, place));
      if (truth === null || at(due, index)[row] === NOT_ASKED || truth === said) return said;
      return corrected.has(`${gate} ${truth ? "misses" : "false_alarms"}`) ? truth : said;
    }) ?? null;
  return ask(task) === true;
}

/** Score of a task with some errors corrected, row by row. */
function scoreBy(scored: ScoredSplit, task: string, corrected: ReadonlySet<string>): number {
  const index = graph.tasks.findIndex(({ path }) => path === task);
  const { decoded, labels, labelled } = at(scored.tasks, index);
  const due = at(dueIn(scored), index);
  const width = task === "marks" ? 2 : 1;
  let [right, counted] = [0, 0];
  scored.ids.forEach((_, row) => {
    if (due[row] === UNDECIDED || (due[row] === ASKED && labelled[row] === 0)) return;
    const asked = askedBy(scored, row, task, corrected);
    if (due[row] === ASKED || asked) counted++;
    if (due[row] !== ASKED || !asked) return;
    const known = Array.from({ length: width }, (_one, i) => row * width + i).filter(
      (i) => !Number.isNaN(labels.answers[i]),
    );
    right += known.filter((i) => decoded[i] === labels.answers[i]).length / known.length;
  });
  return right / counted;
}

/** The mean over all orders of what each player changes. */
function sharesBy(players: readonly string[], value: (corrected: ReadonlySet<string>) => number): Map<string, number> {
  const shares = new Map(players.map((player) => [player, 0]));
  const values = new Map<string, number>();
  const cached = (set: readonly string[]): number => {
    const key = [...set].sort().join();
    const known = values.get(key) ?? value(new Set(set));
    values.set(key, known);
    return known;
  };
  const orders: string[][] = [];
  const extend = (order: readonly string[]): void => {
    if (order.length === players.length) orders.push([...order]);
    for (const player of players) if (!order.includes(player)) extend([...order, player]);
  };
  extend([]);
  for (const order of orders) {
    order.forEach((player, i) => {
      const change = cached(order.slice(0, i + 1)) - cached(order.slice(0, i));
      shares.set(player, (shares.get(player) ?? 0) + change / orders.length);
    });
  }
  return shares;
}

const playersOf = (gates: readonly string[]) => gates.flatMap((gate) => [`${gate} misses`, `${gate} false_alarms`]);
const blameOf = (blame: Blame, task: string) => {
  const found = blame.tasks.find(({ task_path }) => task_path === task);
  if (found === undefined) throw new Error(`no ${task}`);
  return found;
};

describe.each([0, 0.2])("where %f of the labels are missing", (missing) => {
  const scored = drawSplit(`blame ${missing}`, 80, missing);
  const blame = blameSplit(graph, scored);

  it.each(["locked", "color", "marks", "near"])("shares of %s are those of all orders of correcting", (task) => {
    const gates = at([GATES[task]], 0) ?? [];
    const expected = sharesBy(playersOf(gates), (corrected) => scoreBy(scored, task, corrected));
    const { gates: found, method } = blameOf(blame, task);
    expect(method).toBe("exact");
    expect(found.map(({ gate }) => gate)).toEqual(gates);
    for (const { gate, misses, false_alarms, share } of found) {
      expect(misses).toBeCloseTo(expected.get(`${gate} misses`) ?? Number.NaN, 10);
      expect(false_alarms).toBeCloseTo(expected.get(`${gate} false_alarms`) ?? Number.NaN, 10);
      expect(share).toBeCloseTo(misses + false_alarms, 12);
    }
  });

  it("a gate that alone becomes perfect gains what its answers by the labels gain", () => {
    const before = scoreBy(scored, "size", new Set());
    for (const { gate, alone } of blameOf(blame, "size").gates) {
      expect(alone).toBeCloseTo(scoreBy(scored, "size", new Set(playersOf([gate]))) - before, 12);
    }
    for (const { gate, gain, tasks } of blame.gates) {
      const below = blame.tasks.flatMap(({ gates }) => gates.filter((one) => one.gate === gate));
      expect(tasks).toBe(below.length);
      expect(gain).toBeCloseTo(below.reduce((sum, { alone }) => sum + alone, 0) / tasks, 12);
    }
  });

  it("rows behind a number are those whose asking the error decides", () => {
    const rows: BlamedRow[] = [];
    const { gates } = blameOf(blameSplit(graph, scored, { task: "marks", onRow: (row) => rows.push(row) }), "marks");
    const index = graph.tasks.findIndex(({ path }) => path === "marks");
    const due = at(dueIn(scored), index);
    const players = playersOf(["open", "color"]);
    const { labelled, labels, decoded } = at(scored.tasks, index);
    for (const player of players) {
      const others = players.filter((one) => one !== player);
      const expected = scored.ids.filter((_, row) => {
        const known = [2 * row, 2 * row + 1].filter((i) => !Number.isNaN(labels.answers[i]));
        const isRight = known.some((i) => labels.answers[i] === decoded[i]);
        if (due[row] === UNDECIDED || (due[row] === ASKED && (labelled[row] === 0 || !isRight))) return false;
        return Array.from({ length: 2 ** others.length }, (_one, set) =>
          others.filter((_two, i) => (set >> i) % 2 === 1),
        ).some(
          (set) =>
            askedBy(scored, row, "marks", new Set(set)) !== askedBy(scored, row, "marks", new Set([...set, player])),
        );
      });
      const found = rows.filter(({ gate, error }) => `${gate} ${error}` === player).map(({ sample }) => sample);
      expect(found).toEqual(expected);
      const share = gates.find(({ gate }) => player.startsWith(gate));
      expect(player.endsWith("misses") ? share?.missed_rows : share?.false_alarm_rows).toBe(expected.length);
    }
  });
});

it.each(Array.from({ length: 12 }, (_, seed) => seed))(
  "shares and own error make up what is lost (draw %i)",
  (seed) => {
    const scored = drawSplit(`sum ${seed}`, 120, seed % 3 === 0 ? 0 : 0.1 * (seed % 3));
    const rows = evaluateEndToEnd(graph, scored);
    const truths = evaluateSplit(graph, scored, ["truth"]);
    for (const task of blameSplit(graph, scored).tasks) {
      if (task.gap === null) continue;
      const sum = task.gates.reduce((total, { share }) => total + share, 0);
      expect(sum).toBeCloseTo(task.gap ?? Number.NaN, 12);
      expect((task.own_error ?? 0) + sum).toBeCloseTo(1 - (task.end_to_end ?? 0), 12);
      const same = (row: (typeof rows)[number]) =>
        row.task_path === task.task_path && row.metric_name === task.metric_name;
      expect(rows.find(same)).toMatchObject({ num_samples: task.num_samples });
      expect(task.end_to_end).toBeCloseTo(rows.find(same)?.metric_res ?? Number.NaN, 12);
      // of several labels the metric with true gates counts labels instead of rows
      if (task.task_path !== "marks") expect(task.truth).toBeCloseTo(truths.find(same)?.metric_res ?? Number.NaN, 12);
    }
  },
);

it("sampled shares make up the gap, and lie within their errors of the exact ones", () => {
  const scored = drawSplit("sampled", 300, 0.1);
  const exact = blameOf(blameSplit(graph, scored), "near");
  const sampled = blameOf(blameSplit(graph, scored, { limits: { players: 0, worlds: 0 }, orders: 300 }), "near");
  expect(sampled.method).toBe("sampled");
  expect(sampled.gates.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(sampled.gap ?? Number.NaN, 12);
  expect(sampled).toMatchObject({ gap: exact.gap, num_samples: exact.num_samples, end_to_end: exact.end_to_end });
  sampled.gates.forEach(({ share, standard_error = Number.NaN }, i) => {
    expect(standard_error).toBeGreaterThan(0);
    expect(Math.abs(share - at(exact.gates, i).share)).toBeLessThan(4 * standard_error);
  });
});
