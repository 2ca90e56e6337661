/** @file Splits that are sound: groups stay whole, classes get their shares, folds part what is not test. */
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/data/rng.js";
import { strataOf } from "../../src/data/labels/strata.js";
import { cut, itemsOf, type SplitSpec } from "../../src/data/split.js";
import { splitTables } from "../../src/data/split-tables.js";
import { type Item, type Stratum, stratify } from "../../src/data/stratify.js";
import type { JoinedTables } from "../../src/data/tables/tables.js";
import type { Table } from "../../src/data/tables/table.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { atOnce } from "../../src/platform/yield-to.js";
import { binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

const items = (rows: number): Item[] => Array.from({ length: rows }, (_, row) => [row]);
const stratum = (name: string, rows: readonly number[]): Stratum => ({ name, rows: Int32Array.from(rows) });
const countIn = (part: readonly Item[], own: Stratum): number =>
  part.flat().filter((row) => own.rows.includes(row)).length;

describe("iterative stratification", () => {
  test("gives every class of a single label its share, to the row", () => {
    const labels = Array.from({ length: 100 }, (_, row) => (row < 7 ? "rare" : row < 35 ? "some" : "most"));
    const strata = ["rare", "some", "most"].map((name) =>
      stratum(
        name,
        labels.flatMap((label, row) => (label === name ? [row] : [])),
      ),
    );
    const shares = [0.5, 0.3, 0.2];
    const parts = atOnce(stratify(items(100), shares, strata));
    expect(parts.map((part) => part.length).reduce((a, b) => a + b)).toBe(100);
    for (const own of strata) {
      for (const [i, part] of parts.entries()) {
        expect(Math.abs(countIn(part, own) - (shares[i] ?? 0) * own.rows.length), own.name).toBeLessThanOrEqual(1);
      }
    }
  });

  /** Label distribution, the measure of Sechidis et al. (2011), §4: lower is better. */
  const distribution = (parts: readonly (readonly Item[])[], strata: readonly Stratum[], rows: number): number => {
    const perLabel = strata.map((own) => {
      const whole = own.rows.length / (rows - own.rows.length);
      const off = parts.map((part) => {
        const count = countIn(part, own);
        return Math.abs(count / (part.flat().length - count) - whole);
      });
      return off.reduce((a, b) => a + b) / parts.length;
    });
    return perLabel.reduce((a, b) => a + b) / strata.length;
  };

  test("of many labels per row is better than the best of twenty random splits", () => {
    const random = createRandom("labels");
    const rows = 300;
    const strata = Array.from({ length: 12 }, (_, s) =>
      stratum(
        String(s),
        Array.from({ length: rows }, (_, row) => row).filter(() => random.next() < 0.02 + s / 30),
      ),
    );
    const shares = Array.from({ length: 5 }, () => 0.2);
    const stratified = distribution(atOnce(stratify(items(rows), shares, strata)), strata, rows);
    const ids = Int32Array.from({ length: rows }, (_, row) => row);
    const drawn = Array.from({ length: 20 }, (_, seed) =>
      distribution(cut([...atOnce(itemsOf(ids, String, seed))], shares), strata, rows),
    );
    expect(stratified).toBeLessThan(0.5 * Math.min(...drawn));
  });

  test("keeps groups whole, and their rows near the shares", () => {
    const random = createRandom("groups");
    let row = 0;
    const groups: Item[] = Array.from({ length: 60 }, () =>
      Array.from({ length: 1 + Math.floor(random.next() * 9) }, () => row++),
    );
    const positive = stratum(
      "yes",
      groups.filter(() => random.next() < 0.3).flatMap((group) => group.filter(() => random.next() < 0.7)),
    );
    const parts = atOnce(stratify(groups, [0.7, 0.15, 0.15], [positive]));
    for (const group of groups) {
      expect(parts.filter((part) => part.includes(group))).toHaveLength(1);
    }
    expect(countIn(parts[1] ?? [], positive) / positive.rows.length).toBeCloseTo(0.15, 1);
    expect(parts.map((part) => part.flat().length / row)).toEqual([
      expect.closeTo(0.7, 1),
      expect.closeTo(0.15, 1),
      expect.closeTo(0.15, 1),
    ]);
  });

  test("leaves a part with a share of 0 empty", () => {
    const parts = atOnce(stratify(items(10), [0.8, 0, 0.2], [stratum("a", [0, 1, 2])]));
    expect(parts.map((part) => part.length)).toEqual([8, 0, 2]);
  });
});

test("strata are made of active labels alone", () => {
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: {
        open: binary(),
        colour: classification({ classes: ["red", "blue"] }),
        tags: multilabel({ labels: ["a", "b"] }),
        width: boundedRegression({ max: 10 }),
      },
    }).flow("main", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.colour(x.f).given(out.open));
      out.add(flow.tags(x.f));
      out.add(flow.width(x.f));
    }),
    "main",
  );
  const column = (...answers: readonly number[]) => ({ answers: Float32Array.from(answers), unitScale: null });
  const labels = [
    column(1, 1, 0, Number.NaN),
    // labelled in row 2 and 3, where it is not asked
    column(0, 1, 0, 0),
    column(1, 0, 0, 1, Number.NaN, Number.NaN, 0, 0),
    column(1, 2, 3, 4),
  ];
  const found = atOnce(strataOf(graph, labels, 4, null));
  expect(found.map(({ task_path, name, rows }) => `${task_path} ${name}: ${[...rows]}`)).toEqual([
    "open true: 0,1",
    "open false: 2",
    "colour red: 0",
    "colour blue: 1",
    "tags a: 0",
    "tags b: 1",
    "width quarter 1: 0",
    "width quarter 2: 1",
    "width quarter 3: 2",
    "width quarter 4: 3",
  ]);
});

describe("tables", () => {
  const patients = Array.from({ length: 120 }, (_, row) => `p${Math.floor(row / 4)}`);
  const tableOf = (columns: Readonly<Record<string, readonly unknown[]>>, file = "labels.csv"): Table => {
    const [first = []] = Object.values(columns);
    return { file, baseDir: "/", columns: new Map(Object.entries(columns)), rows: first.length, firstLine: null };
  };
  const joinedOf = (...tables: readonly Table[]): JoinedTables => ({
    tables,
    firstRows: tables.map((_, i) => tables.slice(0, i).reduce((sum, { rows }) => sum + rows, 0)),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    file: tables.map(({ file }) => file).join(" and "),
  });
  const judged = (joined: JoinedTables, project: SplitSpec, strata: readonly Stratum[] = []) =>
    atOnce(
      splitTables({
        joined,
        ids: joined.tables.map((table) => Array.from({ length: table.rows }, (_, row) => `${row}.jpg`)),
        specs: joined.tables.map(() => project),
        project,
        judgesFolds: true,
        *strata() {
          yield;
          return strata.map((own) => ({ ...own, task_path: "ill", isClass: true }));
        },
      }),
    );
  const split = (...given: Parameters<typeof judged>) => judged(...given).splits;
  const shares = { train: 0.6, valid: 0.2, test: 0.2, seed: 7 } as const;
  const groupsIn = (rows: Int32Array, of: readonly string[]) => new Set([...rows].map((row) => of[row]));

  test("split by group share no group, in one table or in two", () => {
    const two = joinedOf(tableOf({ patient: patients }), tableOf({ patient: patients.slice(0, 40) }, "more.csv"));
    const of = [...patients, ...patients.slice(0, 40)];
    for (const joined of [joinedOf(tableOf({ patient: patients })), two]) {
      const splits = split(joined, { ...shares, groupBy: "patient" });
      const [train, valid, test_] = [splits.train, splits.valid, splits.test].map((rows) => groupsIn(rows, of));
      expect(splits.train.length + splits.valid.length + splits.test.length).toBe(joined.rows);
      expect([...(train ?? [])].filter((group) => valid?.has(group) || test_?.has(group))).toEqual([]);
      expect([...(valid ?? [])].filter((group) => test_?.has(group))).toEqual([]);
      expect(splits.test.length / joined.rows).toBeCloseTo(0.2, 1);
    }
  });

  test("cut into folds: each row of train and valid is held out once, and test stays", () => {
    const joined = joinedOf(tableOf({ patient: patients }));
    const project = { ...shares, groupBy: "patient", stratify: true, folds: 4 };
    const ill = stratum(
      "true",
      patients.flatMap((patient, row) => (Number(patient.slice(1)) % 3 === 0 ? [row] : [])),
    );
    const whole = split(joined, project, [ill]);
    const folds = [1, 2, 3, 4].map((fold) => split(joined, { ...project, fold }, [ill]));
    const held = folds.flatMap(({ valid }) => [...valid]).sort((a, b) => a - b);
    expect(held).toEqual([...whole.train, ...whole.valid].sort((a, b) => a - b));
    for (const { train, valid, test: own } of folds) {
      expect([...own]).toEqual([...whole.test]);
      expect([...groupsIn(valid, patients)].filter((group) => groupsIn(train, patients).has(group))).toEqual([]);
      const share = [...valid].filter((row) => ill.rows.includes(row)).length / valid.length;
      expect(share).toBeCloseTo(1 / 3, 1);
    }
  });

  test("that a column splits are cut into folds as well", () => {
    const words = patients.map((_, row) => (row % 5 === 0 ? "test" : row % 5 === 1 ? "val" : "train"));
    const joined = joinedOf(tableOf({ split: words }));
    const folds = [1, 2].map((fold) => split(joined, { column: "split", folds: 2, fold }));
    expect(folds.map(({ train, valid, test: own }) => [train.length, valid.length, own.length])).toEqual([
      [48, 48, 24],
      [48, 48, 24],
    ]);
    expect([...(folds[0]?.valid ?? [])]).toEqual([...(folds[1]?.train ?? [])]);
  });

  test.each([
    [
      "a column with one group",
      { ...shares, groupBy: "clinic" },
      /labels\.csv: the column "clinic", which data\.split\.groupBy names, has one group alone in 120 rows, too few for 3 splits/,
    ],
    ["a column that is not there", { ...shares, groupBy: "patients" }, /"patients".*did you mean "patient"/i],
    [
      "fewer groups than folds",
      { ...shares, groupBy: "third", folds: 5, fold: 1 },
      /Train and valid together have \d groups of "third", too few for 5 folds. Lower data\.split\.folds to \d/,
    ],
    [
      "fewer groups than folds, before any fold is asked for",
      { ...shares, groupBy: "third", folds: 5 },
      /Train and valid together have \d groups of "third", too few for 5 folds/,
    ],
    ["a fold that is not there", { ...shares, folds: 3, fold: 4 }, /data\.split\.fold is 4, and there are 3 folds/],
    [
      "groups that straddle the splits of a column",
      { column: "split", groupBy: "clinic" },
      /"a" of the column "clinic" stands in train and in test/,
    ],
  ] as const)("refuse %s", (_what, project, message) => {
    const joined = joinedOf(
      tableOf({
        patient: patients,
        clinic: patients.map(() => "a"),
        third: patients.map((_, row) => `t${row % 5}`),
        split: patients.map((_, row) => (row < 20 ? "test" : "train")),
      }),
    );
    expect(() => split(joined, project)).toThrow(message);
  });

  const one = joinedOf(tableOf({ split: patients.map((_, row) => (row % 5 === 0 ? "test" : "train")) }));
  const pool = patients.flatMap((_, row) => (row % 5 === 0 ? [] : [row]));
  /** Yes in some rows of train and valid, no in all others. */
  const answered = (yes: readonly number[]) => [
    stratum("true", yes),
    stratum(
      "false",
      pool.filter((row) => !yes.includes(row)),
    ),
  ];
  const plain = { column: "split", folds: 5 };
  const folds = { ...plain, stratify: true };

  test("a class of fewer rows than folds is a warning, of the cut and of each fold", () => {
    const few = answered(pool.slice(0, 3));
    const held = [1, 2, 3, 4, 5].map((fold) => split(one, { ...folds, fold }, few).valid);
    const without = held.flatMap((rows, i) => (pool.slice(0, 3).some((row) => rows.includes(row)) ? [] : [i + 1]));
    expect(without).toHaveLength(2);
    const text = `ill: there are 3 usable rows of "true" in train and valid together, and folds ${without.join(" and ")} of 5 hold out none of them; label more, or lower data.split.folds to 3`;
    expect(judged(one, folds, few).warnings).toEqual([text]);
    expect(judged(one, { ...folds, fold: 2 }, few).warnings).toEqual([text]);
    expect(judged(one, folds, answered(pool.slice(0, 5))).warnings).toEqual([]);
  });

  test("a class of one row is a warning that names the fold which trains without it", () => {
    const [only = -1] = pool;
    const few = answered([only]);
    const held = [1, 2, 3, 4, 5].find((fold) => split(one, { ...folds, fold }, few).valid.includes(only));
    const others = [1, 2, 3, 4, 5].filter((fold) => fold !== held);
    expect(judged(one, folds, few).warnings).toEqual([
      `ill: there is 1 usable row of "true" in train and valid together, and folds ${others.slice(0, 3).join(", ")} and ${others[3]} of 5 do not hold it out, and fold ${held} trains without it; label more`,
    ]);
  });

  test("folds that are not stratified say how each would have its share", () => {
    const { valid } = split(one, { ...plain, fold: 2 });
    const yes = pool.filter((row) => !valid.includes(row)).slice(0, 40);
    expect(judged(one, plain, answered(yes)).warnings).toEqual([
      'ill: there are 40 usable rows of "true" in train and valid together, and fold 2 of 5 holds out none of them; write data.split.stratify: true',
    ]);
    expect(judged(one, folds, answered(yes)).warnings).toEqual([]);
  });

  test("a task that is asked in fewer rows than folds is one warning; in one alone it cannot be taught", () => {
    const few = pool.slice(0, 2);
    const [warning, ...more] = judged(one, folds, [stratum("true", few)]).warnings;
    expect(more).toEqual([]);
    expect(warning).toMatch(
      /^ill: there are 2 usable rows in train and valid together, and folds \d, \d and \d of 5 hold out none of them; label more, or lower data\.split\.folds to 2$/,
    );
    expect(() => judged(one, folds, [stratum("true", few.slice(0, 1))])).toThrow(
      /The task "ill" has 1 usable row in train and valid together, and fold \d holds it out: nothing/,
    );
  });

  test("a group of most rows leaves no fold empty", () => {
    const clinics = patients.map((_, row) => (row < 100 ? "large" : `small ${row % 6}`));
    const joined = joinedOf(tableOf({ clinic: clinics }));
    const sizes = [1, 2, 3, 4].map(
      (fold) =>
        split(joined, { train: 0.8, valid: 0.2, test: 0, seed: 7, groupBy: "clinic", folds: 4, fold }).valid.length,
    );
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });
});
