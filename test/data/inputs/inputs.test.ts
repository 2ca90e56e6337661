/** @file Numbers, categories and tokens from real files: what the network sees, and what is said of bad cells. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type InputSource, type InputSpec, isTokenSource } from "../../../src/data/dataset.js";
import { categorical, idCount, image, numeric, tokens } from "../../../src/data/inputs/inputs.js";
import { loadTableInputs } from "../../../src/data/inputs/table-inputs.js";
import { joinTables } from "../../../src/data/tables/tables.js";
import { readCategorical } from "../../../src/data/inputs/vectors.js";
import { loadDataset } from "../../../src/data/load.js";
import { readTables } from "../../../src/data/tables/tables.js";
import { ConfigError, DataError } from "../../../src/errors.js";
import { boundedRegression } from "../../../src/tasks/index.js";
import { duckdb, graphOf, newFolder, write } from "../files.js";

/** Opens one input of a table; the first `fit` rows are the train split. */
async function open(content: string, input: InputSpec, options: { name?: string; fit?: number; dir?: string } = {}) {
  const { name = "table.csv", fit, dir = newFolder() } = options;
  if (content !== "") write(dir, name, content);
  const tables = await readTables([{ table: name }], dir);
  const fitRows = fit === undefined ? null : Int32Array.from({ length: fit }, (_, row) => row);
  const { inputs } = await loadTableInputs(
    tables,
    { inputs: { x: input }, projectDir: dir, onBadImage: "error" },
    fitRows,
  );
  return inputs.x as InputSource;
}

async function messageOf(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => expect.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

const all = (rows: number): number[] => Array.from({ length: rows }, (_, row) => row);

describe("a vector of numbers", () => {
  const TABLE = "age,height\n1,10\n3,10\n8,-4\n";

  test("is as it stands in the table where it is not standardized", async () => {
    const source = await open(TABLE, numeric({ columns: ["height", "age"] }, { standardize: false }));
    expect(source.read([2, 0])).toEqual(Float32Array.of(-4, 8, 10, 1));
    expect(source.spec).toMatchObject({ statistics: null });
  });

  test("is standardized by the mean and deviation of the training rows, which its spec then carries", async () => {
    const source = await open(TABLE, numeric({ columns: ["age", "height"] }), { fit: 2 });
    // ages 1 and 3: mean 2, deviation 1; both heights 10: nothing to divide by
    expect(source.spec).toMatchObject({ statistics: { mean: [2, 10], deviation: [1, 1] } });
    expect(source.read(all(3))).toEqual(Float32Array.of(-1, 0, 1, 0, 6, -14));
    const other = await open("age,height\n4,11\n", source.spec);
    expect(other.read([0])).toEqual(Float32Array.of(2, 1));
  });

  test("takes the training mean where a number is missing, if it is told to", async () => {
    const input = numeric({ columns: ["age"] }, { standardize: false, missing: "mean" });
    const source = await open('age\n1\nNaN\n4\n""\n', input, { fit: 3 });
    expect(source.read(all(4))).toEqual(Float32Array.of(1, 2.5, 4, 2.5));
    const standardized = await open('age\n1\n""\n4\n', numeric({ columns: ["age"] }, { missing: "mean" }), { fit: 3 });
    expect(standardized.read(all(3))).toEqual(Float32Array.of(-1, 0, 1));
  });

  test("may be one column of lists, as text or as lists", async () => {
    const input = numeric({ column: "v", length: 3 }, { standardize: false });
    expect((await open('v\n"[1, 2, 3]"\n4 5 6\n"7,8;9"\n', input)).read(all(3))).toEqual(
      Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
    );
    const dir = newFolder();
    await duckdb(`COPY (SELECT [1.5, 2.5, -3.0] AS v) TO '${join(dir, "table.parquet")}' (FORMAT parquet)`);
    expect((await open("", input, { dir, name: "table.parquet" })).read([0])).toEqual(Float32Array.of(1.5, 2.5, -3));
  });

  test("is refused with the row, the column and the way out", async () => {
    const input = numeric({ columns: ["age"] });
    expect(await messageOf(open('age\n1\nold\nInfinity\n""\n', input, { fit: 1 }))).toBe(
      '3 number cells in table.csv cannot be read: row 2 (line 3), column "age", input "x": "old" is not a finite number; write a number (and so in 1 more: row 3 (line 4)); row 4 (line 5), column "age", input "x": null is missing; fill it, or give the input missing: "mean".',
    );
    expect(await messageOf(open("v\n1 2\n", numeric({ column: "v", length: 3 }), { fit: 1 }))).toContain(
      '"1 2" has 2 numbers, but the input\'s length is 3',
    );
    expect(await messageOf(open("v\n1 b\n", numeric({ column: "v", length: 2 }), { fit: 1 }))).toContain(
      "has an item that is not a finite number",
    );
    expect(await messageOf(open('age\n""\n1\n', numeric({ columns: ["age"] }, { missing: "mean" }), { fit: 1 }))).toBe(
      'The input "x" has no number in the train split: the column "age" of table.csv is empty there. Fill it, change the split, or take it out of the input.',
    );
    expect(await messageOf(open("ages\n1\n", input, { fit: 1 }))).toBe(
      'table.csv has no column "age" for the input "x". Did you mean "ages"?',
    );
  });
});

describe("a category", () => {
  test("is one-hot; a missing one is all zeros; a number is the category of its text", async () => {
    const source = await open(
      'c\nb\n""\n a \n',
      categorical({ column: "c", categories: ["a", "b", "c"], missing: "category" }),
    );
    expect(source.read(all(3))).toEqual(Float32Array.of(0, 1, 0, 0, 0, 0, 1, 0, 0));
    const dir = newFolder();
    await duckdb(`COPY (SELECT 7 AS c) TO '${join(dir, "t.parquet")}' (FORMAT parquet)`);
    const typed = await open("", categorical({ column: "c", categories: ["3", "7"] }), { dir, name: "t.parquet" });
    expect(typed.read([0])).toEqual(Float32Array.of(0, 1));
  });

  test("is an index from 1 for an embedding; a missing one is 0", async () => {
    const input = categorical({ column: "c", categories: ["a", "b", "c"], encoding: "index", missing: "category" });
    expect((await open('c\nb\n""\na\n', input)).read([2, 1, 0])).toEqual(Int32Array.of(1, 0, 2));
    expect(idCount(input)).toBe(4);
  });

  test("that is missing is refused, as a missing number is, unless it is said to be a category", async () => {
    const input = categorical({ column: "c", categories: ["a", "b"] });
    expect(await messageOf(open('c\na\n""\n', input))).toBe(
      '1 category cell in table.csv cannot be read: row 2 (line 3), column "c", input "x": null is missing; fill it, or give the input missing: "category".',
    );
  });

  test("that is not listed is refused with the nearest one", async () => {
    const input = categorical({ column: "c", categories: ["kitchen", "bathroom"] });
    expect(await messageOf(open("c\nkitchen\nkitchn\ngarden\n", input))).toBe(
      '2 category cells in table.csv cannot be read: row 2 (line 3), column "c", input "x": "kitchn" is not one of the input\'s categories; did you mean "kitchen"?; row 3 (line 4), column "c", input "x": "garden" is not one of the input\'s categories; known: kitchen, bathroom.',
    );
  });

  test("that is not listed is told of and read as a missing one, where that is asked for", async () => {
    const joined = joinTables([
      {
        ...{ rows: 3, file: "table.csv", baseDir: ".", firstLine: null },
        columns: new Map([["c", ["kitchen", "garden", "bathroom"]]]),
      },
    ]);
    const told: unknown[] = [];
    const spec = { ...categorical({ column: "c", categories: ["kitchen", "bathroom"] }), encoding: "index" } as const;
    const { source } = readCategorical("x", spec, joined, (...cell) => told.push(cell));
    expect(Array.from(source(Int32Array.of(0, 1, 2)).read(Int32Array.of(0, 1, 2)))).toEqual([1, 0, 2]);
    expect(told).toEqual([["x", 1, "garden"]]);
  });
});

describe("a sequence of tokens", () => {
  const vocabulary = ["the", "cat", "sat"];

  test("is padded to the longest one that is read with it, and cut off at its length", async () => {
    const source = await open(
      'text\nthe cat\n""\nsat  the\tcat sat\ncat\n',
      tokens({ column: "text", vocabulary, maxLength: 3 }),
    );
    expect(source.read([0, 1, 2])).toEqual(Int32Array.of(1, 2, 0, 0, 0, 0, 3, 1, 2));
    expect(source.read([3, 0])).toEqual(Int32Array.of(2, 0, 1, 2));
    // a batch of empty sequences still has a place
    expect(source.read([1])).toEqual(Int32Array.of(0));
    expect(isTokenSource(source) && [...source.lengths]).toEqual([2, 0, 3, 1]);
  });

  test("may be a list column", async () => {
    const dir = newFolder();
    await duckdb(`COPY (SELECT ['sat', 'the'] AS text) TO '${join(dir, "t.parquet")}' (FORMAT parquet)`);
    const input = tokens({ column: "text", vocabulary, maxLength: 8 });
    expect((await open("", input, { dir, name: "t.parquet" })).read([0])).toEqual(Int32Array.of(3, 1));
  });

  test("may be characters, also those of two code units", async () => {
    const input = tokens({ column: "text", vocabulary: ["a", "😀", " "], maxLength: 8, split: "characters" });
    expect((await open("text\na 😀a\n", input)).read([0])).toEqual(Int32Array.of(1, 3, 2, 1));
  });

  test("has the same tokens in either Unicode form", async () => {
    const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"];
    for (const known of [composed, decomposed]) {
      const input = tokens({ column: "text", vocabulary: ["the", known], maxLength: 8 });
      expect((await open(`text\nthe ${composed} ${decomposed}\n`, input)).read([0])).toEqual(Int32Array.of(1, 2, 2));
    }
  });

  test("takes its vocabulary from a file, which its spec then carries", async () => {
    const dir = newFolder();
    write(dir, "words.txt", "the\r\ncat\r\nsat\r\n");
    const input = tokens({ column: "text", vocabulary: "words.txt", maxLength: 8 });
    expect(() => idCount(input)).toThrow(ConfigError);
    const source = await open("text\nsat\n", input, { dir });
    expect(source.read([0])).toEqual(Int32Array.of(3));
    expect(source.spec).toMatchObject({ vocabulary });
    const missing = tokens({ column: "text", vocabulary: "word.txt", maxLength: 8 });
    expect(await messageOf(open("text\nsat\n", missing, { dir }))).toContain(
      'The vocabulary word.txt of the input "x" is not there.',
    );
    write(dir, "words.txt", "the\n\ncat\n");
    await expect(open("text\nsat\n", input, { dir })).rejects.toThrow("number 2 of its tokens");
  });

  test("with tokens that the vocabulary lacks is refused by naming them and how many rows have them", async () => {
    const text = "text\nthe cat\nthe dog\ndog dog ran\nsat\n";
    expect(await messageOf(open(text, tokens({ column: "text", vocabulary, maxLength: 8 })))).toBe(
      '2 rows of table.csv have tokens in the column "text" that the vocabulary of the input "x" (3 tokens) lacks: "dog" (2 rows), "ran" (1 row); the first is row 2 (line 3). Add them to the vocabulary, or give the input unknown: "<unk>".',
    );
    const input = tokens({ column: "text", vocabulary, maxLength: 8, unknown: "<unk>" });
    expect(idCount(input)).toBe(5);
    expect((await open(text, input)).read([2])).toEqual(Int32Array.of(4, 4, 4));
    const first = tokens({ column: "text", vocabulary: ["<unk>", ...vocabulary], maxLength: 8, unknown: "<unk>" });
    expect((await open(text, first)).read([1])).toEqual(Int32Array.of(2, 1));
  });
});

test("inputs of every kind stand side by side, in the order in which they are named", async () => {
  const dir = newFolder();
  write(dir, "t.csv", "n,c,text\n1,a,u v\n2,b,v\n");
  const inputs = {
    text: tokens({ column: "text", vocabulary: ["u", "v"], maxLength: 4 }),
    n: numeric({ columns: ["n"] }, { standardize: false }),
    c: categorical({ column: "c", categories: ["a", "b"] }),
  };
  const tables = await readTables([{ table: "t.csv" }], dir);
  const opened = await loadTableInputs(tables, { inputs, projectDir: dir, onBadImage: "error" }, null);
  expect(Object.keys(opened.inputs)).toEqual(["text", "n", "c"]);
  // no image names the rows
  expect(opened.ids).toEqual(["1", "2"]);
});

test("labels in pixels need an image whose size scales them", async () => {
  const dir = newFolder();
  write(dir, "t.csv", "n,x1\n1,5\n");
  const options = {
    graph: graphOf({ x1: boundedRegression({ scale: "image-width" }) }),
    table: "t.csv",
    inputs: { n: numeric({ columns: ["n"] }) },
    split: { train: 1, valid: 0, test: 0, seed: 1 },
    projectDir: dir,
  };
  await expect(loadDataset({ ...options, onBadImage: "error" })).rejects.toThrow(
    'The task "x1" is scaled by the size of the row\'s image, but there is no image input.',
  );
});

test("the digest follows a vocabulary that is a file", async () => {
  const dir = newFolder();
  write(dir, "t.csv", "text\nu\n");
  const inputs = { text: tokens({ column: "text", vocabulary: "words.txt", maxLength: 4 }) };
  const digestWith = async (words: string) => {
    write(dir, "words.txt", words);
    const tables = await readTables([{ table: "t.csv" }], dir);
    return (await loadTableInputs(tables, { inputs, projectDir: dir, onBadImage: "error" }, null)).digest;
  };
  expect(await digestWith("u\nv\n")).toBe(await digestWith("u\nv\n"));
  expect(await digestWith("v\nu\n")).not.toBe(await digestWith("u\nv\n"));
});

test("an input that is declared wrongly says what to write", () => {
  expect(() => image({ column: "img", size: [0, 4] })).toThrow("needs size");
  expect(() => numeric({ columns: [] })).toThrow("needs at least one column");
  expect(() => numeric({ column: "v", length: 0 })).toThrow("needs length");
  expect(() => categorical({ column: "c", categories: [] })).toThrow("needs categories");
  expect(() => categorical({ column: "c", categories: ["a", "a"] })).toThrow('lists "a" twice');
  expect(() => tokens({ column: "t", vocabulary: ["a"], maxLength: 0 })).toThrow("needs maxLength");
  expect(() => tokens({ column: "t", vocabulary: ["a", ""], maxLength: 1 })).toThrow("number 2 of its vocabulary");
});
