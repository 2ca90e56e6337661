/** @file What columns are taken for, by their names and cells. */
import { describe, expect, test } from "vitest";
import { UnknownNameError } from "../../src/errors.js";
import { guessColumns } from "../../src/init/guess-columns.js";
import { rolesOf, table } from "./table.js";

describe("beside pictures", () => {
  test("the picture, the split and a kind for each label are told apart", () => {
    const roles = rolesOf({
      img: (row) => `images/${row}.jpg`,
      width: (row) => String(160 + (row % 2)),
      split: (row) => (row % 5 === 0 ? "val" : "train"),
      wbc_present: (row) => String(row % 2),
      wbc_x1: (row) => (row % 2 === 0 ? "" : String(row * 1.5)),
      rbc_count: (row) => String(row % 7),
      species: (row) => (row % 3 === 0 ? "" : ["raccoon", "kangaroo"][row % 2]),
      cell_types: (row) => (row % 2 === 0 ? "RBC,WBC" : "RBC"),
      quality: (row) => ["low", "medium", "high"][row % 3],
      stars: (row) => String(row % 5),
      rating: (row) => String(row % 5),
      empty: () => "",
      constant: () => "yes",
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
      quality: "ordinal",
      stars: "ordinal",
      rating: "ordinal",
      empty: "ignored",
      constant: "ignored",
    });
  });

  test("a second column of pictures is unclear, until the user says which one is meant", () => {
    const columns = {
      img: (row: number) => `${row}.png`,
      mask: (row: number) => `m${row}.png`,
      door: (row: number) => row % 2,
    };
    expect(rolesOf(columns)).toEqual({ img: "unclear", mask: "unclear", door: "binary" });
    expect(rolesOf(columns, { image: "img" })).toEqual({ img: "image", mask: "ignored", door: "binary" });
    expect(rolesOf(columns, { inputs: ["img", "mask"] })).toEqual({ img: "image", mask: "image", door: "binary" });
  });

  test("dates, numbers of rows, ids and free texts are no labels", () => {
    const roles = rolesOf({
      img: (row) => `${row}.png`,
      taken: (row) => `2024-01-${String(1 + (row % 28)).padStart(2, "0")}`,
      nr: (row) => String(row + 1),
      patient_id: (row) => `p${row * 7}`,
      comment: (row) => `seen at place ${row}`,
      door: (row) => String(row % 2),
    });
    expect(roles).toEqual({
      ...{ img: "image", taken: "ignored", nr: "ignored", patient_id: "ignored", comment: "ignored", door: "binary" },
    });
  });

  test("numbers with a decimal comma are no lists of labels", () => {
    expect(rolesOf({ img: (row) => `${row}.png`, size: (row) => `${row % 3},${row % 2}` }).size).not.toBe("multilabel");
  });
});

describe("beside texts", () => {
  test("sentences are an input, and everything else is asked of them", () => {
    const roles = rolesOf({
      text: (row) => `this is message ${row} of many`,
      request: (row) => String(row % 2),
      topic: (row) => ["a", "b", "c"][row % 3],
    });
    expect(roles).toEqual({ text: "tokens", request: "binary", topic: "classification" });
  });

  test("lists with a label for each token are left out, with how to ask them", () => {
    const [, part, marks] = guessColumns(
      table({
        text: (row) => `this is ${"so ".repeat(row % 4)}message ${row}`,
        part: (row) => Array.from({ length: 4 + (row % 4) }, (_, i) => ["noun", "verb"][i % 2]),
        marks: (row) => ["red", "blue"].slice(0, 1 + (row % 2)),
      }),
    );
    expect(part).toMatchObject({ role: "ignored", why: expect.stringContaining('per: "token"') });
    expect(marks).toMatchObject({ role: "task", kind: "multilabel" });
  });
});

describe("numbers and categories alone", () => {
  const columns = {
    age: (row: number) => String(20 + ((row * 7) % 50)),
    site: (row: number) => ["north", "south", "west"][row % 3],
    smoker: (row: number) => String(Number(row % 7 < 3)),
    // filled where smoker is 1
    packs: (row: number) => (row % 7 < 3 ? String((row * 5) % 11) : ""),
  };

  test("a label is one whose empty cells hang on another column, with that column", () => {
    expect(rolesOf(columns)).toEqual({ age: "numeric", site: "categorical", smoker: "binary", packs: "regression" });
  });

  test("where nothing says which columns are labels, those that may be are unclear", () => {
    const { age, site } = columns;
    const roles = guessColumns(table({ age, site, relapse: (row) => (row % 4 === 0 ? "" : String(row % 2)) }));
    expect(roles.map(({ role }) => role)).toEqual(["unclear", "unclear", "unclear"]);
    expect(roles[2]).toMatchObject({ flags: ["--task relapse=binary", "--input relapse"] });
  });

  test("once a label is named, the others are inputs", () => {
    const { age, site } = columns;
    const roles = rolesOf(
      { age, site, bmi: (row) => (row % 9 === 0 ? "" : String(row)), relapse: (row) => String(row % 2) },
      { tasks: new Map([["relapse", "binary"]]) },
    );
    expect(roles).toEqual({ age: "numeric", site: "categorical", bmi: "numeric", relapse: "binary" });
  });

  test("a column that is called a label is one", () => {
    const { age, site } = columns;
    expect(rolesOf({ age, site, target: (row) => String(row % 2) })).toEqual({
      ...{ age: "numeric", site: "categorical", target: "binary" },
    });
  });
});

test("labels of several values are bits, classes and levels are indices, and empty cells are missing", () => {
  const columns = table({
    img: (row) => `${row}.png`,
    marks: (row) => ["red,blue", "blue", "none", ""][row % 4],
    species: (row) => ["cat", "dog", "", "cat"][row % 4],
    size: (row) => ["large", "small", "medium", ""][row % 4],
  });
  const [, marks, species, size] = guessColumns(columns);
  expect(marks).toMatchObject({ role: "task", kind: "multilabel", names: ["blue", "red"] });
  expect(species).toMatchObject({ role: "task", kind: "classification", names: ["cat", "dog"] });
  expect(size).toMatchObject({ role: "task", kind: "ordinal", names: ["small", "medium", "large"] });
  const first = (role: typeof marks) => (role?.role === "task" ? [...role.labels.values.subarray(0, 4)] : []);
  expect(first(marks)).toEqual([3, 1, 0, Number.NaN]);
  expect(first(species)).toEqual([0, 1, Number.NaN, 0]);
  expect(first(size)).toEqual([2, 0, 1, Number.NaN]);
});

test("what the user says wins, and a column that is not there is named with the nearest one", () => {
  const columns = table({ img: (row) => `${row}.png`, count: (row) => String(row % 3) });
  const tasks = new Map([["count", "classification"]] as const);
  expect(guessColumns(columns, { tasks })[1]).toMatchObject({ kind: "classification", names: ["0", "1", "2"] });
  expect(guessColumns(columns, { ignore: ["count"] })[1]).toMatchObject({ role: "ignored" });
  expect(() => guessColumns(columns, { image: "coutn" })).toThrow(UnknownNameError);
  expect(() => guessColumns(columns, { tasks: new Map([["img", "binary"]]) })).toThrow(
    'The column "img" cannot be binary: row 1 says "0.png", not 0, 1, true or false.',
  );
});
