/** @file Cells of `data.weight`. */
import { expect, test } from "vitest";
import { readRowWeights } from "../../../src/data/labels/row-weights.js";
import type { Table } from "../../../src/data/tables/table.js";
import { joinTables } from "../../../src/data/tables/tables.js";

function tableOf(file: string, columns: Readonly<Record<string, readonly unknown[]>>): Table {
  const rows = Object.values(columns)[0]?.length ?? 0;
  return { file, rows, columns: new Map(Object.entries(columns)), baseDir: "/", rowNumbers: null } as unknown as Table;
}

const train = Int32Array.of(0, 1);

test("weights are numbers from 0 up; rows of a table without the column count 1", () => {
  const joined = joinTables([tableOf("a.csv", { w: ["2", 0.5] }), tableOf("b.csv", { x: [1] })]);
  expect([...readRowWeights(joined, "w", train)]).toEqual([2, 0.5, 1]);
});

test.each([
  [["1", "-1"], /row 2 .*column "w", setting "data\.weight": "-1" is no weight; write a number from 0/],
  [["1", ""], /"" is no weight/],
  [["1", "many"], /"many" is no weight/],
  [["0", "0"], /No row of the train split counts: the column "w" \(data\.weight\) is 0/],
])("%j is refused", (cells, message) => {
  expect(() => readRowWeights(joinTables([tableOf("a.csv", { w: cells })]), "w", train)).toThrow(message);
});

test("a column that no table has is named with the nearest", () => {
  const joined = joinTables([tableOf("a.csv", { weights: [1, 1] })]);
  expect(() => readRowWeights(joined, "weight", train)).toThrow(
    'a.csv has no column "weight" for the setting data.weight. Did you mean "weights"?',
  );
});
