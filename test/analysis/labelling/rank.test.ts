/** @file What to label next, against brute force over sets of questions and over all answers of a row. */
import { describe, expect, it } from "vitest";
import { latticeOf } from "../../../src/analysis/audit/lattice.js";
import { type OpenQuestion, rowBundle } from "../../../src/analysis/labelling/bundles.js";
import { drawOffers } from "../../../src/analysis/labelling/draw.js";
import { answerCounts, balanceOf, taskNeeds, typicalGain } from "../../../src/analysis/labelling/gains.js";
import { rankCells } from "../../../src/analysis/labelling/rank.js";
import { askedProbabilities, signatureProbabilities, studentBelow } from "../../../src/analysis/labelling/reach.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { at } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { ASKED, askedByLabels, NOT_ASKED } from "../../../src/flow/asked.js";
import { defineTasks } from "../../../src/flow/define.js";
import { activeRows } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";
import { defaultThresholds } from "../../support/security-flow.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      blocked: binary(),
      open: binary(),
      color: classification({ classes: ["red", "green", "blue"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      x: boundedRegression({ max: 10 }),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.blocked(x.f));
    out.add(flow.open(x.f).given(out.blocked.not()));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("blue").not().or(out.open.not())));
    out.add(flow.x(x.f).given(out.open.and(out.marks.has("dot").not())));
  }),
  "all",
);
const VALUES: readonly (readonly (readonly number[])[])[] = [
  [[0], [1]],
  [[0], [1]],
  [[0], [1], [2]],
  [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ],
  [[5]],
];

/** Rows of random logits, of whose labels a part is known. */
function drawRows(count: number, seed: string, known = 0.3) {
  const random = createRandom(seed);
  const widths = [1, 1, 3, 2, 1];
  const outputs = widths.map((width) => Float32Array.from({ length: width * count }, () => 4 * random.next() - 2));
  const answers = [1, 1, 1, 2, 1].map((width) => new Float32Array(width * count).fill(Number.NaN));
  for (let row = 0; row < count; row++) {
    for (const [task, values] of VALUES.entries()) {
      const value = at(values, random.int(values.length));
      if (random.next() < known) at(answers, task).set(value, row * value.length);
    }
  }
  const labels = answers.map((column) => ({ answers: column, unitScale: null }));
  const ids = Array.from({ length: count }, (_, row) => `${row}`);
  return scoreSplit(graph, { split: "train", ids, outputs, labels }, defaultThresholds(graph));
}

describe("how likely a question is asked", () => {
  it("is the share of all answers to what is unknown, by their probability", () => {
    const scored = drawRows(40, "reach");
    const lattice = latticeOf(graph);
    if (lattice === null) throw new Error("the flow has a lattice");
    for (let row = 0; row < 40; row++) {
      const found = askedProbabilities(
        lattice,
        lattice.layers.map(({ form, signatures }, i) =>
          signatureProbabilities(at(scored.tasks, i), form, signatures, row, null),
        ),
      );
      let ways: { readonly p: number; readonly answers: readonly (readonly number[])[] }[] = [{ p: 1, answers: [] }];
      for (const [task, values] of VALUES.entries()) {
        const { labels, kept, labelled } = at(scored.tasks, task);
        const scores = kept.kind === "logits" ? kept.activated : new Float32Array();
        ways = ways.flatMap(({ p, answers }) =>
          values.map((value) => {
            const width = value.length;
            const label = labels.answers.subarray(row * width, (row + 1) * width);
            if (labelled[row] === 1) return { p: value.join() === label.join() ? p : 0, answers: [...answers, value] };
            const own =
              task === 2
                ? at(scores, row * 3 + at(value, 0))
                : task === 4
                  ? 1
                  : value.reduce((product, yes, i) => {
                      const score = at(scores, row * width + i);
                      return product * (yes === 1 ? score : 1 - score);
                    }, 1);
            return { p: p * own, answers: [...answers, value] };
          }),
        );
      }
      const columns = VALUES.map((_, task) => Float32Array.from(ways.flatMap(({ answers }) => at(answers, task))));
      const active = activeRows(graph, columns, ways.length);
      graph.tasks.forEach((_, task) => {
        const asked = ways.reduce((sum, { p }, way) => sum + p * at(at(active, task), way), 0);
        expect(found[task]).toBeCloseTo(asked, 5);
      });
    }
  });

  // scipy.stats.t(4).cdf
  it.each([
    [0, 0.5],
    [1, 0.8130495168499705],
    [-2.5, 0.03338327240599407],
    [6, 0.9980587314765197],
  ])("takes a number to be below a bound as the t distribution says (%d)", (t, below) => {
    expect(studentBelow(t)).toBeCloseTo(below, 9);
  });
});

describe("questions that are asked together", () => {
  it("a gate is worth what it opens", () => {
    const gate: OpenQuestion = { task: 0, after: [], asked: 1, gain: 0, seconds: 1 };
    const child: OpenQuestion = { task: 1, after: [0], asked: 0.5, gain: 4, seconds: 2 };
    expect(rowBundle([gate])).toBeNull();
    expect(rowBundle([gate, child])).toMatchObject({ gain: 2, seconds: 2 });
    expect(
      rowBundle([
        { ...gate, gain: 3 },
        { ...child, gain: 1 },
      ])?.questions,
    ).toHaveLength(1);
  });
});

describe("cells to label next", () => {
  const scored = drawRows(300, "rank", 0.25);
  const needs = graph.tasks.map(() => ({ errorRate: 0.2, labels: 50, influence: 1 }));
  const seconds = [1, 1, 3, 3, 5];
  const ranked = rankCells(graph, scored, { budget: 120, seconds, needs, seed: "rank" }) ?? [];

  it("are empty, and not closed by a gate that is known", () => {
    const labels = scored.tasks.map((task) => task.labels.answers);
    const status = askedByLabels(graph, labels, 300);
    expect(ranked.length).toBeGreaterThan(100);
    for (const { row, task, after } of ranked) {
      expect(at(scored.tasks, task).labelled[row]).toBe(0);
      expect(status[task]?.[row]).not.toBe(NOT_ASKED);
      expect(after.length === 0).toBe(status[task]?.[row] === ASKED || after.length === 0);
    }
  });

  it("come after the gates that they hang on, each once", () => {
    const seen = new Set<string>();
    for (const { row, task, after } of ranked) {
      for (const gate of after) expect(seen.has(`${row} ${gate}`)).toBe(true);
      expect(seen.has(`${row} ${task}`)).toBe(false);
      seen.add(`${row} ${task}`);
    }
  });

  it("are as many as the budget says and not more, by how likely they are asked", () => {
    for (const budget of [1, 2.5, 7, 30, 120]) {
      const found = rankCells(graph, scored, { budget, seconds, needs, seed: `budget ${budget}` }) ?? [];
      const expected = found.reduce((sum, { asked }) => sum + asked, 0);
      expect(expected).toBeLessThanOrEqual(budget + 1e-6);
      // what is left is too little for any question of a row
      expect(expected).toBeGreaterThan(budget - 1);
    }
  });

  it("are less of a row where there is no room for all of them: a gate before what hangs on it", () => {
    const gate: OpenQuestion = { task: 0, after: [], asked: 1, gain: 1, seconds: 1 };
    const child: OpenQuestion = { task: 1, after: [0], asked: 0.5, gain: 4, seconds: 1 };
    const other: OpenQuestion = { task: 2, after: [], asked: 1, gain: 2, seconds: 1 };
    const asked = (room: number) => rowBundle([gate, child, other], room)?.questions.map(({ task }) => task) ?? null;
    expect(asked(2.5)).toEqual([0, 1, 2]);
    // the child goes last of all: it brings most
    expect(asked(2)).toEqual([0, 1]);
    expect(asked(1)).toEqual([0]);
    expect(asked(0.5)).toBeNull();
  });

  it("are those of a task that is wrong often and has few labels, and not of one that is always right", () => {
    const uneven = needs.map((need, task) => ({
      ...need,
      errorRate: task === 1 ? 0.6 : 1e-6,
      labels: task === 1 ? 5 : 500,
    }));
    const found = rankCells(graph, scored, { budget: 30, seconds, needs: uneven, seed: "rank" }) ?? [];
    const own = found.filter(({ task }) => task === 1).length;
    // most of the others are its gates; every row has a chance
    expect(own + found.filter(({ task }) => task === 0).length).toBeGreaterThan(0.8 * found.length);
    expect(own).toBeGreaterThanOrEqual(0.4 * found.length);
  });

  it("spread over rows that are answered differently", () => {
    const twice = {
      ...scored,
      ids: [...scored.ids],
      tasks: scored.tasks,
    };
    const rows = new Set(
      (rankCells(graph, twice, { budget: 20, seconds, needs, seed: "rank" }) ?? []).map(({ row }) => row),
    );
    expect(rows.size).toBeGreaterThan(5);
  });
});

describe("a row of which only the gates are known", () => {
  const rows = 41;
  const own = (value: (row: number) => readonly number[]) =>
    Float32Array.from(Array.from({ length: rows }, (_, row) => value(row)).flat());
  // of every other row the gates are labelled, of the others nothing; row 0 has a color, too
  const isKnown = (row: number): boolean => row % 2 === 0;
  const label = (answer: number) => own((row) => [isKnown(row) ? answer : Number.NaN]);
  const nothing = (width: number) => new Float32Array(rows * width).fill(Number.NaN);
  const labels = [label(0), label(1), own((row) => [row === 0 ? 1 : Number.NaN]), nothing(2), nothing(1)];
  const outputs = [own(() => [-3]), own(() => [3]), own(() => [1, 0, 0]), own(() => [0, 0]), own(() => [0])];
  const split = {
    ...{ split: "train" as const, ids: Array.from({ length: rows }, (_, row) => `${row}`), outputs },
    labels: labels.map((answers) => ({ answers, unitScale: null })),
  };
  const features = own((row) => [row === 0 ? 0 : 100 + row]);

  it("is as far from labelled ones as another, and its cells are drawn by what they bring", () => {
    const needs = graph.tasks.map(({ path }) => ({
      errorRate: path === "color" ? 0.5 : 1e-9,
      labels: 5,
      influence: 1,
    }));
    const scored = scoreSplit(graph, split, defaultThresholds(graph));
    const colors = Array.from({ length: 20 }, (_, i) => `seed ${i}`).flatMap((seed) => {
      const options = { budget: 15, seconds: [1, 1, 1, 1, 1], needs, features, seed };
      return (rankCells(graph, scored, options) ?? []).filter(({ task }) => task === 2);
    });
    const behind = colors.filter(({ row }) => isKnown(row)).length;
    // as many rows of either sort; where the gates come first 1 / 3 of the gain per second, and the mean of both besides
    const expected = 1 / (1 + 1 / 3 + (1 + 1 / 3) / 2);
    expect(behind / colors.length).toBeGreaterThan(expected - 0.1);
    expect(behind / colors.length).toBeLessThan(expected + 0.1);
  });
});

describe("rows", () => {
  const questions = (gain: number): OpenQuestion[] => [{ task: 0, after: [], asked: 1, gain, seconds: 2 }];
  const offers = [3, 1, 0.5].map((gain, row) => {
    const bundle = rowBundle(questions(gain));
    if (bundle === null) throw new Error("there is a gain");
    return { row, bundle, isNew: false };
  });
  const shares = (all: typeof offers): number[] => {
    const random = createRandom("shares");
    const first = Array.from({ length: 20_000 }, () => drawOffers(all, random)[0]?.row);
    return all.map(({ row }) => first.filter((one) => one === row).length / first.length);
  };

  it("are drawn in proportion to gain per second", () => {
    const expected = [3 / 4.5, 1 / 4.5, 0.5 / 4.5];
    for (const [i, share] of shares(offers).entries()) expect(share).toBeCloseTo(at(expected, i), 1.7);
  });

  it("of which nothing is known have a chance, whatever the network thinks of them", () => {
    // the mean gain besides: 1.5 questions of 2 seconds
    const expected = [4.5 / 9, 2.5 / 9, 2 / 9];
    const found = shares(offers.map((offer) => ({ ...offer, isNew: true })));
    for (const [i, share] of found.entries()) expect(share).toBeCloseTo(at(expected, i), 1.7);
  });

  it("are the same for the same seed", () => {
    const scored = drawRows(100, "seeds");
    const needs = graph.tasks.map(() => ({ errorRate: 0.2, labels: 50, influence: 1 }));
    const cells = (seed: string) => rankCells(graph, scored, { budget: 20, seconds: [1, 1, 1, 1, 1], needs, seed });
    expect(cells("a")).toEqual(cells("a"));
    expect(cells("a")).not.toEqual(cells("b"));
  });
});

describe("what the answers to a gate weigh", () => {
  it("is what balanced class weights are, on average 1 where answers are as often as before", () => {
    // 9 labels of no and 2 of yes, with one more of each
    expect(balanceOf([0, 1], [8, 1])).toBeCloseTo(11 / (2 * 2), 12);
    expect(balanceOf([1, 0], [8, 1])).toBeCloseTo(11 / (2 * 9), 12);
    expect(balanceOf([9 / 11, 2 / 11], [8, 1])).toBeCloseTo(1, 12);
    expect(balanceOf([0.2, 0.3, 0.5], [4, 4, 4])).toBeCloseTo(1, 12);
  });

  it("counts labels by answer, where there are answers to count", () => {
    const scored = drawRows(200, "counts", 0.6);
    for (const task of scored.tasks) {
      const { answers } = task.labels;
      const used = [...task.lossMask.keys()].filter((row) => task.lossMask[row] === 1);
      const counts = answerCounts(task);
      if (task.task.spec.kind === "multilabel" || task.task.spec.kind === "boundedRegression") {
        expect(counts).toBeNull();
        continue;
      }
      const values = task.task.spec.kind === "classification" ? [0, 1, 2] : [0, 1];
      expect(counts).toEqual(values.map((value) => used.filter((row) => answers[row] === value).length));
    }
  });
});

describe("what a label is worth", () => {
  it("is the slope of an error that falls with the root of the number of labels", () => {
    const need = { errorRate: 0.3, labels: 99, influence: 2 };
    const error = (labels: number): number => 0.3 * Math.sqrt(100 / labels);
    const slope = (labels: number): number => (error(labels - 0.01) - error(labels + 0.01)) / 0.02;
    expect(typicalGain(need, 0)).toBeCloseTo(2 * slope(100), 6);
    expect(typicalGain(need, 60)).toBeCloseTo(2 * slope(160), 6);
  });

  it("counts what hangs on a gate, by how often it is asked", () => {
    const held = drawRows(200, "needs", 0.8);
    const found = taskNeeds(graph, held, [10, 20, 30, 40, 50], 0.05);
    expect(found.map((need) => need?.labels)).toEqual([10, 20, 30, 40, 50]);
    const [blocked, open, , , x] = found;
    expect(blocked?.influence).toBeGreaterThan(1.25);
    expect(blocked?.influence).toBeLessThanOrEqual(Math.sqrt(5));
    expect(open?.influence).toBeGreaterThan(1);
    expect(x?.influence).toBe(1);
  });
});
