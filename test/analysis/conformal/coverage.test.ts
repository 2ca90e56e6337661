/** @file Sets of answers: what they guarantee, in simulation, and what they hold, by brute force. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { at, f32At } from "../../../src/arrays.js";
import {
  checkedLevel,
  type Coverage,
  fitAnswerCoverage,
  fitTreeCoverage,
} from "../../../src/analysis/conformal/coverage.js";
import { conformalQuantile, ErrorRanks, rowsNeeded } from "../../../src/analysis/conformal/quantile.js";
import { describeSet, type RowSets, SetReader } from "../../../src/analysis/conformal/sets.js";
import { type AnswersWithin, answersWithin } from "../../../src/analysis/conformal/strangeness.js";
import { type ScoredSplit, scoreSplit } from "../../../src/analysis/score.js";
import { createRandom } from "../../../src/data/rng.js";
import { ConfigError, UsageError } from "../../../src/errors.js";
import { defineTasks } from "../../../src/flow/define.js";
import { activeRows, answerWidth } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  classification,
  multilabel,
  ordinal,
} from "../../../src/tasks/index.js";
import { answersOf, drawn, graphFrom, scoredFrom } from "../../support/random-flows.js";

const door = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      present: binary(),
      colour: classification({ classes: ["red", "green", "blue"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      grade: ordinal({ levels: ["low", "middle", "high"] }),
      x: boundedRegression({ max: 1 }),
    },
  }).flow("door", (flow, x, out) => {
    out.add(flow.present(x.f));
    out.add(flow.colour(x.f).given(out.present));
    out.add(flow.marks(x.f).given(out.colour.is("red").or(out.colour.is("blue"))));
    out.add(flow.grade(x.f).given(out.present.not()));
    out.add(flow.x(x.f).given(out.present));
  }),
  "door",
);

/** Rows of a network that is too sure of itself: labels are drawn from half of its logits. */
class Rows {
  readonly #logits: readonly Float32Array[];
  readonly #answers: readonly Float32Array[];

  constructor(count: number, seed: string) {
    const { next } = createRandom(seed);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const share = (z = 0): number => 1 / (1 + Math.exp(-z / 2));
    const yes = (z: number): number => Number(next() < share(z));
    const draw = (width: number): Float32Array => Float32Array.from({ length: count * width }, () => 4 * normal());
    const logits = [draw(1), draw(3), draw(2), draw(2), draw(1)];
    // at least a higher level is never likelier
    for (let row = 0; row < count; row++) {
      at(logits, 3)
        .subarray(row * 2, row * 2 + 2)
        .sort()
        .reverse();
    }
    const choice = (row: number): number => {
      const weights = [0, 1, 2].map((c) => Math.exp(f32At(at(logits, 1), row * 3 + c) / 2));
      const u = next() * weights.reduce((sum, weight) => sum + weight, 0);
      const [red = 0, green = 0] = weights;
      return u < red ? 0 : u < red + green ? 1 : 2;
    };
    const level = (row: number): number => {
      const u = next();
      return [0, 1].filter((i) => u < share(logits[3]?.[row * 2 + i])).length;
    };
    const answers = [
      Float32Array.from(at(logits, 0), yes),
      Float32Array.from({ length: count }, (_, row) => choice(row)),
      Float32Array.from(at(logits, 2), yes),
      Float32Array.from({ length: count }, (_, row) => level(row)),
      Float32Array.from(at(logits, 4), (z) => Math.min(1, Math.max(0, 1 / (1 + Math.exp(-z)) + 0.1 * normal()))),
    ];
    const active = activeRows(door, answers, count);
    this.#logits = logits;
    // what is not asked has no label
    this.#answers = answers.map((column, i) =>
      column.map((answer, j) => (active[i]?.[Math.floor(j / width(i))] === 1 ? answer : Number.NaN)),
    );
  }

  split(rows: readonly number[]): ScoredSplit {
    const pick = (values: Float32Array, count: number): Float32Array => {
      const picked = new Float32Array(rows.length * count);
      for (const [i, row] of rows.entries()) picked.set(values.subarray(row * count, (row + 1) * count), i * count);
      return picked;
    };
    return scoreSplit(
      door,
      {
        split: "valid",
        ids: rows.map(String),
        outputs: door.tasks.map(({ spec }, i) => pick(at(this.#logits, i), behaviourOf(spec).logitWidth(spec))),
        labels: door.tasks.map((_, i) => ({ answers: pick(at(this.#answers, i), width(i)), unitScale: null })),
      },
      [[0.5], [], [0.5, 0.5], [], []],
    );
  }
}

function width(task: number): number {
  return answerWidth(at(door.tasks, task).spec);
}

/** Whether a set holds the label of a row. */
function holds(within: AnswersWithin, answers: Float32Array, row: number, count: number): boolean {
  const labels = answers.subarray(row * count, (row + 1) * count);
  if (within.form === "choice") return within.within[f32At(labels, 0)] === true;
  return labels.every((label, i) =>
    within.form === "labels"
      ? (label === 1 ? within.yes : within.no)[i] === true
      : label >= at(within.low, i) - 1e-6 && label <= at(within.high, i) + 1e-6,
  );
}

const SPLITS = 500;
const [CALIBRATED, TESTED] = [300, 60];

describe("500 splits into rows that calibrate and rows that test", () => {
  const count = 3000;
  const rows = new Rows(count, "coverage");
  const { next } = createRandom("splits");
  const level = 0.9;
  const sums = { trees: 0, rows: 0, covered: 0, bonferroni: 0 };
  const single = door.tasks.map(() => ({ covered: 0, rows: 0 }));

  /** Of each task whose question is due in a row whether its set has the answer; others are right. */
  function judge(scored: ScoredSplit, { answers }: RowSets, row: number): boolean[] {
    return scored.tasks.map(({ labels, activeTruth }, i) => {
      const within = answers[i];
      return activeTruth[row] === 0 || (within != null && holds(within, labels.answers, row, width(i)));
    });
  }

  for (let split = 0; split < SPLITS; split++) {
    const chosen = new Set<number>();
    while (chosen.size < CALIBRATED + TESTED) chosen.add(Math.floor(next() * count));
    const valid = rows.split([...chosen].slice(0, CALIBRATED));
    const tested = rows.split([...chosen].slice(CALIBRATED));
    const tree = fitTreeCoverage(door, valid, level);
    const answer = fitAnswerCoverage(door, valid, level);
    const shared: Coverage = { ...fitAnswerCoverage(door, valid, 1 - (1 - level) / door.tasks.length), of: "tree" };
    const [trees, others, answers] = [tree, shared, answer].map((one) => new SetReader(door, tested, one));
    if (trees === undefined || others === undefined || answers === undefined) throw new Error();
    for (let row = 0; row < TESTED; row++) {
      sums.rows++;
      const set = trees.at(row);
      sums.covered += Number(judge(tested, set, row).every(Boolean));
      sums.trees += set.trees ?? Number.NaN;
      sums.bonferroni += others.at(row).trees ?? Number.NaN;
      for (const [i, isCovered] of judge(tested, answers.at(row), row).entries()) {
        if (at(tested.tasks, i).activeTruth[row] === 0) continue;
        at(single, i).rows++;
        at(single, i).covered += Number(isCovered);
      }
    }
  }

  it("hold the true tree as often as was asked for, within a point", () => {
    expect(Math.abs(sums.covered / sums.rows - level)).toBeLessThan(0.01);
  });

  it("make sets of trees that are smaller than those of Bonferroni's correction", () => {
    expect(sums.trees / sums.bonferroni).toBeLessThan(0.95);
  });

  it.each([...door.tasks.keys()])("hold the true answer of task %i where it is asked, within a point", (i) => {
    const { covered, rows: due } = at(single, i);
    expect(covered / due).toBeGreaterThan(level - 0.01);
    // levels between two of a set are in it on top
    expect(covered / due).toBeLessThan(level + (at(door.tasks, i).spec.kind === "ordinal" ? 0.03 : 0.015));
  });
});

describe("sets of one row", () => {
  it("count the trees, and know the questions of all, some and no trees, as all answers one by one have it", () => {
    let unsure = 0;
    fc.assert(
      fc.property(drawn, fc.double({ min: 0.3, max: 1, noNaN: true }), (choices, limit) => {
        const graph = graphFrom(choices);
        const scored = scoredFrom(graph, choices.numbers);
        const limits = graph.tasks.map(() => limit);
        const found = new SetReader(graph, scored, {
          of: "tree",
          level: 0.9,
          rows: 1,
          warnings: [],
          calibrations: {},
          limits,
        }).at(0);
        let worlds: number[][][] = [[]];
        for (const { spec, index } of graph.tasks) {
          const { kept } = at(scored.tasks, index);
          const scores = kept.kind === "logits" ? kept.activated : new Float32Array(0);
          const within = answersWithin(at(scored.tasks, index), 0, limit);
          const allowed = answersOf(spec, scores).filter(
            ({ answer }) => within !== null && holds(within, Float32Array.from(answer), 0, answer.length),
          );
          worlds = worlds.flatMap((world) => allowed.map(({ answer }) => [...world, answer]));
        }
        const columns = graph.tasks.map((_, i) => Float32Array.from(worlds.flatMap((world) => at(world, i))));
        const active = activeRows(graph, columns, worlds.length);
        const trees = new Set(
          worlds.map((world, w) => JSON.stringify(world.map((answer, i) => (active[i]?.[w] === 1 ? answer : null)))),
        );
        expect(found.trees).toBe(trees.size);
        graph.tasks.forEach((_, i) => {
          const seen = new Set(active[i]);
          const expected = seen.size === 2 ? "unsure" : seen.has(1) ? "yes" : "no";
          if (expected === "unsure") unsure++;
          expect(found.asked[i]).toBe(expected);
        });
      }),
      { numRuns: 300 },
    );
    expect(unsure).toBeGreaterThan(30);
  });

  it("are said in the words of the labels", () => {
    const specs = Object.fromEntries(door.tasks.map(({ path, spec }) => [path, spec]));
    const { present = binary(), colour = binary(), marks = binary(), x = binary() } = specs;
    expect(describeSet(present, { form: "choice", within: [true, true] })).toEqual({ answers: [false, true] });
    expect(describeSet(colour, { form: "choice", within: [true, false, true] })).toEqual({ answers: ["red", "blue"] });
    expect(describeSet(marks, { form: "labels", yes: [true, true], no: [false, true] })).toEqual({
      certain: ["dot"],
      unsure: ["stripe"],
    });
    expect(describeSet(x, { form: "numbers", low: [0.25], high: [Number.POSITIVE_INFINITY] })).toEqual({
      low: [0.25],
      high: [null],
    });
  });
});

describe("rows that a coverage needs", () => {
  it.each([
    [0.95, 19],
    [0.9, 9],
    [0.5, 1],
    [0.99, 99],
  ])("for %f are %i", (level, rows) => {
    expect(rowsNeeded(level)).toBe(rows);
    expect(
      conformalQuantile(
        Float64Array.from({ length: rows }, (_, i) => i),
        level,
      ),
    ).toBe(rows - 1);
    expect(conformalQuantile(new Float64Array(rows - 1), level)).toBe(Number.POSITIVE_INFINITY);
  });

  const rows = new Rows(400, "few");
  const first = (count: number): ScoredSplit => rows.split(Array.from({ length: count }, (_, row) => row));

  it("are named where there are too few", () => {
    expect(() => fitTreeCoverage(door, first(20), 0.95)).toThrow(
      "A coverage of 0.95 needs at least 19 rows whose whole tree is labelled, among every second one (the others make tasks comparable) in valid; there are 10. Label more rows, or ask for at most 0.909.",
    );
    expect(() => fitTreeCoverage(door, first(20), 0.95)).toThrow(ConfigError);
    expect(() => fitAnswerCoverage(door, first(5), 0.95)).toThrow(
      "needs at least 19 active labelled rows of any task in valid; there are 5.",
    );
  });

  it("leave everything in the sets of a task that has too few by itself, which is said", () => {
    const coverage = fitAnswerCoverage(door, first(40), 0.95);
    expect(coverage.limits[0]).toBeLessThan(1);
    expect(coverage.limits[2]).toBe(Number.POSITIVE_INFINITY);
    expect(coverage.warnings.join("\n")).toMatch(
      /marks: \d+ active labelled rows of valid say nothing at 0.95, 19 would/,
    );
  });

  it("are said to be few of all where labels of what is due are missing", () => {
    const valid = first(300);
    expect(fitTreeCoverage(door, valid, 0.9).warnings.join("\n")).not.toContain("do not count");
    const marks = at(valid.tasks, 2);
    const answers = marks.labels.answers.map(() => Number.NaN);
    const tasks = valid.tasks.map((task, i) => (i === 2 ? { ...marks, labels: { ...marks.labels, answers } } : task));
    const { rows: counted, warnings } = fitTreeCoverage(door, { ...valid, tasks }, 0.9);
    expect(counted).toBeLessThan(135);
    expect(warnings).toContain(
      `${150 - counted} of 150 rows of valid do not count, because labels are missing where a question is due or may be (most often marks); the guarantee is for inputs like the others`,
    );
  });

  it("know which classes never occurred", () => {
    const valid = first(300);
    const colour = at(valid.tasks, 1);
    const answers = colour.labels.answers.map((label) => (label === 2 ? 0 : label));
    const tasks = valid.tasks.map((task, i) => (i === 1 ? { ...colour, labels: { ...colour.labels, answers } } : task));
    expect(fitAnswerCoverage(door, { ...valid, tasks }, 0.9).warnings).toEqual([
      "colour: blue never occurs in valid, so nothing is known of how often it is missed",
    ]);
    const none = { ...colour, lossMask: colour.lossMask.map(() => 0) };
    const unlabelled = valid.tasks.map((task, i) => (i === 1 ? none : task));
    expect(fitAnswerCoverage(door, { ...valid, tasks: unlabelled }, 0.9).warnings.join()).toMatch(
      /colour: .*, blue never occur in valid, so nothing is known of how often they are missed/,
    );
  });

  it.each([0, 1, -1, 1.5, Number.NaN])("are none of a coverage of %f", (level) => {
    expect(() => checkedLevel(level)).toThrow(UsageError);
  });
});

test("errors beyond the largest that was seen have ranks, too, so that intervals end", () => {
  const ranks = new ErrorRanks([1, 3, 2]);
  expect([3, 4, 6, Number.POSITIVE_INFINITY].map((error) => ranks.rankOf(error))).toEqual([0.5, 0.8125, 0.875, 1]);
  expect([0.75, 0.8125, 0.875, 1].map((rank) => ranks.errorAt(rank))).toEqual([3, 4, 6, Number.POSITIVE_INFINITY]);
});

test("ranks of errors and errors of ranks belong together", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { maxLength: 20 }),
      fc.double({ min: 0, max: 6, noNaN: true }),
      fc.nat(20),
      (errors, error, step) => {
        const ranks = new ErrorRanks(errors);
        const rank = step / 21;
        expect(error <= ranks.errorAt(rank)).toBe(ranks.rankOf(error) <= rank + 1e-12);
      },
    ),
  );
});
