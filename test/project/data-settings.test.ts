/** @file Settings of the data: tables, implied labels and augmentation, and what is said of wrong ones. */
import { describe, expect, test } from "vitest";
import { applyAssignments } from "../../src/project/assignments.js";
import { parseSettings, tablesOf } from "../../src/project/settings.js";

const parse = (data: unknown) => parseSettings({ data }, "the project").data;

test("one table, several, or one and several more are read in this order", () => {
  expect(tablesOf(parse({ table: "a.csv" }))).toEqual(["a.csv"]);
  const tables = [{ table: "b.csv", columns: { img: "path" }, split: { column: "fold" } }, { table: "c.csv" }];
  expect(tablesOf(parse({ tables }))).toEqual(["b.csv", "c.csv"]);
  expect(tablesOf(parse({ table: "a.csv", tables }))).toEqual(["a.csv", "b.csv", "c.csv"]);
});

test("nothing is implied or augmented by default, and what is left out of augment does nothing", () => {
  expect(parse({ table: "a.csv" })).toMatchObject({ impliedLabels: false, augment: null });
  expect(parse({ table: "a.csv", augment: { flipHorizontal: 0.5 } }).augment).toEqual({
    flipHorizontal: 0.5,
    flipVertical: 0,
    shift: 0,
    scale: [1, 1],
    brightness: 0,
    contrast: 0,
    saturation: 0,
    rotate: 0,
    crop: [1, 1],
    perspective: 0,
    blur: 0,
    noise: 0,
    erase: 0,
    mixup: 0,
    cutmix: 0,
    mixShare: 1,
  });
  const assigned = applyAssignments({ data: { table: "a.csv" } }, ["data.augment.shift=0.1"]);
  expect(parseSettings(assigned, "the project").data.augment?.shift).toBe(0.1);
});

describe("a wrong setting is named with the nearest one", () => {
  test.each([
    [{}, '"data.table" is wrong: name a file or a SQL query, or several in data.tables'],
    [{ tables: [{ tabel: "a.csv" }] }, '"data.tables.0.tabel" is not a setting; did you mean "data.tables.0.table"?'],
    [{ table: "a.csv", augment: { fliphorizontal: 1 } }, 'did you mean "data.augment.flipHorizontal"?'],
    [{ table: "a.csv", augment: { scale: [1.2, 0.8] } }, '"data.augment.scale" is wrong: write [smallest, largest]'],
    [{ tables: [{}] }, '"data.tables.0.table" is missing; it is a string'],
    [{ table: "a.csv", augment: { shift: 2 } }, '"data.augment.shift" is wrong'],
    [{ table: "a.csv", augment: { crop: [1, 0.5] } }, '"data.augment.crop" is wrong: write [smallest, largest]'],
    [
      { table: "a.csv", augment: { rotat: 9 } },
      '"data.augment.rotat" is not a setting; did you mean "data.augment.rotate"?',
    ],
  ])("%j", (data, message) => {
    expect(() => parse(data)).toThrow(message);
  });
});
