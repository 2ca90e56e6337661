/** @file Splits: counts, stability, groups, and what is refused. */
import { describe, expect, test } from "vitest";
import { type Splits, splitByColumn, splitRows } from "../../src/data/split.js";
import type { Table } from "../../src/data/tables/table.js";
import { ConfigError } from "../../src/errors.js";

const ids = (count: number) => Array.from({ length: count }, (_, i) => `images/${i}.jpg`);
const fractions = { train: 0.8, valid: 0.1, test: 0.1, seed: 7 };
const counts = (splits: Splits) => [splits.train.length, splits.valid.length, splits.test.length];

/** Split of each id. */
function membership(names: readonly string[], splits: Splits): Map<string, string> {
  return new Map(
    Object.entries(splits).flatMap(([split, rows]) => [...rows].map((row) => [names[row] as string, split])),
  );
}

describe("splitRows", () => {
  test("counts are exact, spare rows go to the largest remainders", () => {
    expect(counts(splitRows(ids(1000), fractions))).toEqual([800, 100, 100]);
    // 7 × (0.5, 0.3, 0.2) = 3.5, 2.1, 1.4
    expect(counts(splitRows(ids(7), { train: 0.5, valid: 0.3, test: 0.2, seed: 0 }))).toEqual([4, 2, 1]);
    // 1, 0.5, 0.5: valid and test tie, valid comes first
    expect(counts(splitRows(ids(2), { train: 0.5, valid: 0.25, test: 0.25, seed: 0 }))).toEqual([1, 1, 0]);
    expect(counts(splitRows(ids(3), { train: 1, valid: 0, test: 0, seed: 0 }))).toEqual([3, 0, 0]);
    expect(counts(splitRows(ids(3), { train: 0, valid: 0, test: 1, seed: 0 }))).toEqual([0, 0, 3]);
    expect(counts(splitRows([], fractions))).toEqual([0, 0, 0]);
  });

  test("every row is in one split, ascending", () => {
    const splits = splitRows(ids(50), fractions);
    const all = [...splits.train, ...splits.valid, ...splits.test];
    expect(all.sort((a, b) => a - b)).toEqual(ids(50).map((_, i) => i));
    for (const rows of Object.values(splits)) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
  });

  test("the order of the rows does not matter, the seed does", () => {
    const names = ids(200);
    const reversed = [...names].reverse();
    const before = membership(names, splitRows(names, fractions));
    expect(membership(reversed, splitRows(reversed, fractions))).toEqual(new Map([...before]));
    expect(membership(names, splitRows(names, { ...fractions, seed: 8 }))).not.toEqual(before);
  });

  test("ten more rows among a thousand move at most ten of the others across each cut", () => {
    const names = ids(1000);
    const more = [...ids(1010)];
    const before = membership(names, splitRows(names, fractions));
    const after = membership(more, splitRows(more, fractions));
    const moved = names.filter((name) => before.get(name) !== after.get(name));
    expect(moved.length).toBeLessThanOrEqual(20);
  });

  test("rows of one image stay together", () => {
    const names = ids(40).flatMap((id, i) => [`${id}#${2 * i + 1}`, `${id}#${2 * i + 2}`]);
    const splits = splitRows(names, { train: 0.5, valid: 0.3, test: 0.2, seed: 3 });
    const member = membership(names, splits);
    for (let i = 0; i < names.length; i += 2) {
      expect(member.get(names[i] as string)).toBe(member.get(names[i + 1] as string));
    }
    expect(counts(splits)).toEqual([40, 24, 16]);
  });

  test.each([
    { train: 0.8, valid: 0.1, test: 0.2, seed: 0 },
    { train: 1.1, valid: -0.1, test: 0, seed: 0 },
    { train: Number.NaN, valid: 0.5, test: 0.5, seed: 0 },
  ])("fractions $train, $valid, $test are refused", (wrong) => {
    expect(() => splitRows(ids(3), wrong)).toThrow(ConfigError);
  });
});

describe("splitByColumn", () => {
  const table = (cells: readonly unknown[]): Table => ({
    rows: cells.length,
    columns: new Map([["split", cells]]),
    file: "labels.csv",
    baseDir: "/",
    firstLine: 2,
  });

  test("knows the words in any case", () => {
    const splits = splitByColumn(table(["Train", "val", "VALID", " validation ", "test", "train"]), "split");
    expect(splits).toEqual({
      train: Int32Array.of(0, 5),
      valid: Int32Array.of(1, 2, 3),
      test: Int32Array.of(4),
    });
  });

  test("names the row and value of any other word", () => {
    expect(() => splitByColumn(table(["train", "holdout"]), "split")).toThrow(
      'labels.csv, row 2 (line 3), column "split": "holdout" is not a split.',
    );
    expect(() => splitByColumn(table(["train", null]), "split")).toThrow("null is not a split");
  });

  test("names the nearest column if there is none of that name", () => {
    expect(() => splitByColumn(table(["train"]), "splits")).toThrow(
      'labels.csv has no column "splits" for the split. Did you mean "split"?',
    );
  });
});
