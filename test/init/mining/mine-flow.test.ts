/** @file Preconditions found in the empty cells of tables that were drawn from flows. */
import { describe, expect, test } from "vitest";
import type { Condition } from "../../../src/flow/graph.js";
import { CellLikelihood } from "../../../src/init/mining/cell-likelihood.js";
import type { LabelColumn } from "../../../src/init/mining/label-column.js";
import { mineFlow } from "../../../src/init/mining/mine-flow.js";
import { drawFlow } from "./drawn-flows.js";
import { unexplained } from "./oracle.js";

describe("tables drawn from random flows", () => {
  // in the next four, gates are often missing where it is unknown, too, whether they were asked;
  // in the last ones, rows do not tell the true condition from another one
  const seeds = [
    ...Array.from({ length: 80 }, (_, seed) => seed + 1),
    ...[335, 401, 1971, 2103],
    ...[181, 1222, 1452, 3332, 3709, 4095, 21195, 22853, 24729, 30253],
  ];
  test.each(seeds)("the mined masks are the true ones or as likely, seed %i", (seed) => {
    const drawn = drawFlow(seed);
    expect(unexplained(drawn, mineFlow(drawn.columns).tasks)).toEqual([]);
  });

  test("masks that are neither the true ones nor as likely are told", () => {
    const drawn = drawFlow(181);
    const wrong = mineFlow(drawn.columns).tasks.map((task) => ({ ...task, given: null, equivalent: [], nearly: [] }));
    expect(unexplained(drawn, wrong)).toContainEqual(expect.stringContaining("t5: always"));
  });

  test("the likelihood of a table is that of flipping through all that may be missing", () => {
    const [gate, asked] = [
      { name: "gate", form: { kind: "binary" as const }, values: Float64Array.of(1, 0, Number.NaN, 1, Number.NaN) },
      {
        name: "asked",
        form: { kind: "binary" as const },
        values: Float64Array.of(1, Number.NaN, 0, Number.NaN, Number.NaN),
      },
    ];
    const given: Condition = { kind: "true", task: "gate" };
    // of the known gates two of three are true; m: the missing rate of `gate`, n: that of `asked`
    const [m, share] = [0.25, 2 / 3];
    const by = (n: number) =>
      (1 - m) * (1 - n) * (1 - m) * (m * share * (1 - n)) * ((1 - m) * n) * (m * (share * n + 1 - share));
    const columns = [
      { column: gate, condition: null, missingRate: m },
      { column: asked, condition: null, missingRate: Number.NaN },
    ];
    const found = Math.exp(new CellLikelihood(columns, 1, [given]).logLikelihood(given));
    const rates = Array.from({ length: 1001 }, (_, i) => by(i / 1000));
    expect(found).toBeLessThanOrEqual(Math.max(...rates) + 1e-12);
    // its rate is near the best one: one more of each kind is counted
    expect(found).toBeGreaterThan(0.95 * Math.max(...rates));
  });
});

describe("evidence", () => {
  const binary = (name: string, of: (row: number) => number, rows = 300): LabelColumn => ({
    ...{ name, form: { kind: "binary" } },
    values: Float64Array.from({ length: rows }, (_, row) => of(row)),
  });
  const found = (columns: readonly LabelColumn[], name: string) =>
    mineFlow(columns).tasks.find((task) => task.name === name);
  const bit = (row: number, which: number): number => (Math.imul(row + 1, 2654435761) >>> (8 + which)) & 1;

  test("of two conditions that fit equally the first one is taken and the other is named", () => {
    const columns = [
      binary("open", (row) => bit(row, 0)),
      binary("same", (row) => bit(row, 0)),
      binary("locked", (row) => (bit(row, 0) === 0 ? bit(row, 1) : Number.NaN)),
    ];
    const not = (task: string): Condition => ({ kind: "not", of: { kind: "true", task } });
    expect(found(columns, "locked")).toMatchObject({ given: not("open"), equivalent: [not("same")] });
    const turned = [...columns.slice(0, 2).reverse(), ...columns.slice(2)];
    expect(found(turned, "locked")).toMatchObject({ given: not("same"), equivalent: [not("open")] });
  });

  test("one part of a condition may be said otherwise, too", () => {
    const [door, person] = [binary("door", (row) => bit(row, 0)), binary("person", (row) => bit(row, 1))];
    const twin = binary("twin", (row) => bit(row, 1));
    const face = binary("face", (row) => (bit(row, 0) === 1 && bit(row, 1) === 1 ? bit(row, 2) : Number.NaN));
    const and = (second: string): Condition => ({
      ...{
        kind: "and",
        of: [
          { kind: "true", task: "door" },
          { kind: "true", task: second },
        ],
      },
    });
    expect(found([door, person, twin, face], "face")).toMatchObject({
      given: and("person"),
      equivalent: [and("twin")],
    });
  });

  test("a condition that a few rows contradict is none, and these rows are listed", () => {
    const wrong = [12, 55, 250].filter((row) => bit(row, 0) === 1);
    expect(wrong.length).toBeGreaterThan(0);
    const columns = [
      binary("open", (row) => bit(row, 0)),
      binary("locked", (row) => (bit(row, 0) === 0 || wrong.includes(row) ? bit(row, 1) : Number.NaN)),
    ];
    expect(found(columns, "locked")).toMatchObject({
      given: null,
      almost: [{ condition: { kind: "not", of: { kind: "true", task: "open" } }, exceptions: wrong }],
    });
  });

  test("of many rows some are searched, and all are judged: what is rare is found, and so is one exception", () => {
    const rows = 120_000;
    let exception = 100_000;
    while (bit(exception, 0) === 0) exception++;
    const columns = [
      binary("open", (row) => bit(row, 0), rows),
      binary("rare", (row) => Number(row % 2_400 === 7), rows),
      binary("asked_of_rare", (row) => (row % 2_400 === 7 ? bit(row, 1) : Number.NaN), rows),
      binary("locked", (row) => (bit(row, 0) === 0 || row === exception ? bit(row, 1) : Number.NaN), rows),
      ...Array.from({ length: 20 }, (_, i) => binary(`other${i}`, (row) => bit(row, i + 2), rows)),
    ];
    const mined = new Map(mineFlow(columns).tasks.map((task) => [task.name, task]));
    expect(mined.get("asked_of_rare")).toMatchObject({ given: { kind: "true", task: "rare" }, active: 50 });
    expect(mined.get("locked")).toMatchObject({ given: null, almost: [{ exceptions: [exception] }] });
  });
});
