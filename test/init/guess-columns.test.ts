/** @file What columns are taken for, by their names and cells. */
import { expect, test } from "vitest";
import type { Table } from "../../src/data/tables/table.js";
import { UnknownNameError } from "../../src/errors.js";
import { guessColumns } from "../../src/init/guess-columns.js";

const ROWS = 40;

function table(columns: Readonly<Record<string, (row: number) => unknown>>): Table {
  const cells = Object.entries(columns).map(
    ([name, of]) => [name, Array.from({ length: ROWS }, (_, row) => of(row))] as const,
  );
  return { rows: ROWS, columns: new Map(cells), file: "labels.csv", baseDir: ".", firstLine: 2 };
}

const rolesOf = (columns: Parameters<typeof table>[0]): Record<string, string> =>
  Object.fromEntries(
    guessColumns(table(columns)).map((role) => [role.column, role.role === "task" ? role.kind : role.role]),
  );

test("a table of pictures names its picture, its split and a kind for each label", () => {
  const roles = rolesOf({
    img: (row) => `images/${row}.jpg`,
    width: () => "160",
    split: (row) => (row % 5 === 0 ? "val" : "train"),
    wbc_present: (row) => String(row % 2),
    wbc_x1: (row) => (row % 2 === 0 ? "" : String(row * 1.5)),
    rbc_count: (row) => String(row % 7),
    species: (row) => (row % 3 === 0 ? "" : ["raccoon", "kangaroo"][row % 2]),
    cell_types: (row) => (row % 2 === 0 ? "RBC,WBC" : "RBC"),
    empty: () => "",
  });
  expect(roles).toEqual({
    img: "image",
    width: "ignored",
    split: "split",
    wbc_present: "binary",
    wbc_x1: "regression",
    rbc_count: "regression",
    species: "classification",
    cell_types: "multilabel",
    empty: "ignored",
  });
});

test("in a table without pictures complete numbers and categories are inputs, and what has gaps is a label", () => {
  const roles = rolesOf({
    age: (row) => String(20 + row),
    site: (row) => ["north", "south"][row % 2],
    relapse: (row) => (row % 4 === 0 ? "" : String(row % 2)),
    months: (row) => (row % 4 === 0 ? "" : String(row)),
  });
  expect(roles).toEqual({ age: "numeric", site: "categorical", relapse: "binary", months: "regression" });
});

test("labels of several values are bits, classes are indices, and empty cells are missing", () => {
  const [marks, species] = guessColumns(
    table({
      marks: (row) => ["red,blue", "blue", "none", ""][row % 4],
      species: (row) => ["cat", "dog", "", "cat"][row % 4],
    }),
  );
  expect(marks).toMatchObject({ role: "task", kind: "multilabel", names: ["blue", "red"] });
  expect(species).toMatchObject({ role: "task", kind: "classification", names: ["cat", "dog"] });
  if (marks?.role !== "task" || species?.role !== "task") throw new Error("both are labels");
  expect([...marks.labels.values.subarray(0, 4)]).toEqual([3, 1, 0, Number.NaN]);
  expect([...species.labels.values.subarray(0, 4)]).toEqual([0, 1, Number.NaN, 0]);
});

test("what the user says wins, and a column that is not there is named with the nearest one", () => {
  const columns = table({ count: (row) => String(row % 3) });
  const tasks = new Map([["count", "classification"]] as const);
  expect(guessColumns(columns, { tasks })[0]).toMatchObject({ kind: "classification", names: ["0", "1", "2"] });
  expect(guessColumns(columns, { ignore: ["count"] })[0]).toMatchObject({ role: "ignored" });
  expect(() => guessColumns(columns, { image: "coutn" })).toThrow(UnknownNameError);
});
