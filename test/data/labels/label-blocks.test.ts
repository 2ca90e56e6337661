/** @file Labels of large tables, whose columns are typed blocks, are those of the same cells one by one. */
import { expect, test } from "vitest";
import { readLabels } from "../../../src/data/labels/labels.js";
import { codeBlock, numberBlock } from "../../../src/data/tables/cell-blocks.js";
import { type Cells, PackedCells } from "../../../src/data/tables/cells.js";
import type { Table } from "../../../src/data/tables/table.js";
import { joinTables } from "../../../src/data/tables/tables.js";
import { binary, boundedRegression, classification } from "../../../src/tasks/index.js";
import { graphOf } from "../files.js";

const table = (columns: Readonly<Record<string, Cells>>): Table => ({
  rows: Object.values(columns)[0]?.length ?? 0,
  columns: new Map(Object.entries(columns)),
  file: "labels.parquet",
  baseDir: ".",
  firstLine: null,
});

const numbers = (...blocks: readonly (readonly (number | null)[])[]): Cells =>
  new PackedCells(
    blocks.map((cells) =>
      numberBlock(
        Float64Array.from(cells, (cell) => cell ?? 0),
        Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)),
        false,
      ),
    ),
    blocks[0]?.length ?? 0,
  );

const texts = (cells: readonly (string | null)[]): Cells => {
  const block = codeBlock(cells);
  return block === null ? cells : new PackedCells([block], cells.length);
};

test("numbers of a byte, texts and floats in blocks are labels as their cells say", () => {
  const columns = {
    open: numbers([1, 0, null, 1], [0, 0, 1]),
    colour: texts(["red", null, "blue", "red", "red", "blue", ""]),
    size: numbers([0.5, 1.25, null, 0], [0.5, 0.75, 1.5]),
  };
  const graph = graphOf({
    open: binary(),
    colour: classification({ classes: ["red", "blue"] }),
    size: boundedRegression({ min: 0, max: 2 }),
  });
  const expected = [
    [1, 0, Number.NaN, 1, 0, 0, 1],
    [0, Number.NaN, 1, 0, 0, 1, Number.NaN],
    [0.5, 1.25, Number.NaN, 0, 0.5, 0.75, 1.5],
  ];
  const answersOf = (own: Readonly<Record<string, Cells>>): number[][] =>
    readLabels(graph, joinTables([table(own)]), null).map(({ answers }) => [...answers]);
  expect(answersOf(columns)).toEqual(expected);
  const plain = Object.entries(columns).map(([name, cells]) => [name, [...cells]] as const);
  expect(answersOf(Object.fromEntries(plain))).toEqual(expected);
});

test("every cell of a value that is no label is refused, each with its row", () => {
  const read = () =>
    readLabels(graphOf({ open: binary() }), joinTables([table({ open: numbers([1, 2, 0], [2, 0, 2]) })]), null);
  expect(read).toThrow(
    /3 labels in labels\.parquet cannot be read: row 2, column "open": 2 is not a yes-or-no label.*row 4, row 6/,
  );
});
