/** @file Label cells from real tables: which column, which value, and what is said of bad ones. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { assertLabelled, readLabels, withImageSizes } from "../../../src/data/labels/labels.js";
import { selectLabels } from "../../../src/data/labels/select-labels.js";
import { type JoinedTables, readTables } from "../../../src/data/tables/tables.js";
import { DataError } from "../../../src/errors.js";
import { binary, boundedRegression, classification, multilabel, point } from "../../../src/tasks/index.js";
import { duckdb, graphOf, newFolder, write } from "../files.js";

const NaN32 = Number.NaN;

function csv(text: string): Promise<JoinedTables> {
  const projectDir = newFolder();
  write(projectDir, "labels.csv", text);
  return readTables([{ table: "labels.csv" }], projectDir);
}

const answersOf = (labels: ReturnType<typeof readLabels>) => labels.map(({ answers }) => [...answers]);

test("CSV, Parquet, JSON lines and SQL give the same labels", async () => {
  const projectDir = newFolder();
  write(
    projectDir,
    "labels.csv",
    'open,shirt,age,cells\n1,red,3.5,"RBC,WBC"\nfalse,1,-1,none\n,,,\ntrue,blue,0,"[""WBC""]"\n',
  );
  const lines = [
    { open: true, shirt: "red", age: 3.5, cells: ["RBC", "WBC"] },
    { open: false, shirt: "blue", age: -1, cells: [] },
    { open: null, shirt: null, age: null, cells: null },
    { open: true, shirt: "blue", age: 0, cells: ["WBC"] },
  ];
  write(projectDir, "labels.jsonl", lines.map((line) => JSON.stringify(line)).join("\n"));
  const parquet = join(projectDir, "labels.parquet");
  await duckdb(`COPY (FROM read_json('${join(projectDir, "labels.jsonl")}')) TO '${parquet}' (FORMAT parquet)`);

  const graph = graphOf({
    open: binary(),
    shirt: classification({ classes: ["red", "blue"] }),
    age: boundedRegression({ min: -1, max: 10 }),
    cells: multilabel({ labels: ["RBC", "WBC"] }),
  });
  const expected = [
    [1, 0, NaN32, 1],
    [0, 1, NaN32, 1],
    [3.5, -1, NaN32, 0],
    [1, 1, 0, 0, NaN32, NaN32, 0, 1],
  ];
  for (const source of ["labels.csv", "labels.jsonl", "labels.parquet", "SELECT * FROM 'labels.parquet'"]) {
    const labels = readLabels(graph, await readTables([{ table: source }], projectDir), null);
    expect(answersOf(labels), source).toEqual(expected);
    expect(labels.map(({ unitScale }) => unitScale)).toEqual([null, null, null, null]);
  }
});

describe("the column of a task", () => {
  test("is its full path, else its leaf name, else its column option", async () => {
    const graph = graphOf({ "face.open": binary({ column: "third" }) });
    expect(answersOf(readLabels(graph, await csv("third,open,face.open\n0,0,1\n"), null))).toEqual([[1]]);
    expect(answersOf(readLabels(graph, await csv("third,open\n0,1\n"), null))).toEqual([[1]]);
    expect(answersOf(readLabels(graph, await csv("third,other\n1,0\n"), null))).toEqual([[1]]);
  });

  test("that is missing is an error with the names tried and the nearest", async () => {
    const graph = graphOf({ "face.door_open": binary({ column: "door" }) });
    const table = await csv("img,door_opn\na,1\n");
    expect(() => readLabels(graph, table, null)).toThrow(
      expect.objectContaining({
        message:
          'labels.csv has no label column for the task "face.door_open": there is no "face.door_open" and no "door_open" and no "door". Did you mean "door_opn"? Rename the column or set the task\'s column option.',
        facts: expect.objectContaining({ tried: ["face.door_open", "door_open", "door"] }),
      }),
    );
  });

  test("may be one per label of a multilabel, each with missing cells of its own", async () => {
    const graph = graphOf({ cells: multilabel({ labels: ["RBC", "WBC"], column: ["has_rbc", "has_wbc"] }) });
    const table = await csv("has_wbc,has_rbc\n1,0\n,1\n");
    expect(answersOf(readLabels(graph, table, null))).toEqual([[0, 1, 1, NaN32]]);
    expect(() => readLabels(graph, table, null)).not.toThrow();
  });
});

describe("a bad cell", () => {
  test("is named with its file, row, line, column, value and reason", async () => {
    const graph = graphOf({ "door.locked": binary() });
    const table = await csv("img,locked\na,1\nb,maybe\n");
    expect(() => readLabels(graph, table, null)).toThrow(
      'row 2 (line 3), column "locked", task "door.locked": "maybe" is not a yes-or-no label; use 0, 1, true, false, or leave it empty',
    );
  });

  test("in one of several columns is named with that column", async () => {
    const graph = graphOf({ cells: multilabel({ labels: ["RBC", "WBC"], column: ["rbc", "wbc"] }) });
    const table = await csv("rbc,wbc\n0,2\n");
    expect(() => readLabels(graph, table, null)).toThrow('column "wbc", task "cells": "2" (label "WBC")');
  });

  test("like an earlier one is counted with it; after the fifth kind cells are only counted", async () => {
    const graph = graphOf({ open: binary(), shut: binary() });
    const rows = Array.from({ length: 4 }, () => "x,y").join("\n");
    const colours = graphOf({ colour: classification({ classes: ["red", "blue"] }) });
    const different = await csv(`colour\n${Array.from({ length: 8 }, (_, i) => `tint${i}`).join("\n")}\n`);
    expect(() => readLabels(colours, different, null)).toThrow(/; and 3 more\.$/);
    const error = await csv(`open,shut\n${rows}\n`)
      .then((table) => readLabels(graph, table, null))
      .catch((reason: unknown) => reason as DataError);
    expect(error).toBeInstanceOf(DataError);
    const { message, facts } = error as DataError;
    expect(message).toMatch(/^8 labels in labels\.csv cannot be read: row 1 /);
    expect(message.match(/\(and so in 3 more: row 2 \(line 3\), row 3 \(line 4\), row 4 \(line 5\)\)/g)).toHaveLength(
      2,
    );
    expect(facts).toMatchObject({ count: 8, file: "labels.csv" });
    expect(facts.cells).toHaveLength(5);
  });

  test("is shortened", async () => {
    const table = await csv(`open\n${"long ".repeat(100)}\n`);
    expect(() => readLabels(graphOf({ open: binary() }), table, null)).toThrow(/"long long[^"]{40,60}… is not/);
  });
});

describe("labels in pixels of the original image", () => {
  const graph = graphOf({
    x1: boundedRegression({ scale: "image-width", measures: "x" }),
    h: boundedRegression({ scale: "image-height", measures: "height" }),
    open: binary(),
  });
  const sizes = { width: Float32Array.of(640, 100), height: Float32Array.of(480, 50), input: null };

  test("keep their value; the row's width or height becomes their unit", async () => {
    const table = await csv("x1,h,open\n320,480,1\n100,,0\n");
    const early = readLabels(graph, table, null);
    const { labels } = withImageSizes(graph, table, early, sizes);
    expect([...(labels[0]?.answers ?? [])]).toEqual([320, 100]);
    expect(labels[0]?.unitScale).toEqual(Float32Array.of(640, 100));
    expect([...(labels[1]?.answers ?? [])]).toEqual([480, NaN32]);
    expect(labels[1]?.unitScale).toEqual(Float32Array.of(480, 50));
    expect(labels[2]).toBe(early[2]);
  });

  test("are checked against the image only when its size is known", async () => {
    const table = await csv("x1,h,open\n320,1,1\n101,1,0\n");
    const early = readLabels(graph, table, null);
    expect(() => withImageSizes(graph, table, early, sizes)).toThrow(
      '1 label in labels.csv cannot be read: row 2 (line 3), column "x1": "101" is outside [0, 100]',
    );
    const text = await csv("x1,h,open\nwide,1,1\n");
    expect(() => readLabels(graph, text, null)).toThrow('column "x1": "wide" is not a number');
  });
});

test("a task without a label in the train split is named", async () => {
  const graph = graphOf({ open: binary(), locked: binary(), cells: multilabel({ labels: ["a", "b"] }) });
  const labels = readLabels(graph, await csv("open,locked,cells\n1,,a\n0,1,b\n"), null);
  const split = (train: number[]) => ({
    train: Int32Array.from(train),
    valid: new Int32Array(0),
    test: new Int32Array(0),
  });
  expect(() => assertLabelled(graph, labels, split([0, 1]))).not.toThrow();
  expect(() => assertLabelled(graph, labels, split([0]))).toThrow(
    'No row of the train split has a label for "locked".',
  );
});

test("selected rows keep their numbers and scales", () => {
  const marks = { answers: Float32Array.of(1, 2, 3, 4, 5, 6), unitScale: null };
  expect(selectLabels({ kind: "multilabel", labels: ["a", "b"] }, marks, [2, 0])).toEqual({
    answers: Float32Array.of(5, 6, 1, 2),
    unitScale: null,
  });
  const x = { answers: Float32Array.of(1, 2, 3), unitScale: Float32Array.of(10, 20, 30) };
  expect(selectLabels(boundedRegression({ scale: "image-width" }), x, [2, 0])).toEqual({
    answers: Float32Array.of(3, 1),
    unitScale: Float32Array.of(30, 10),
  });
  const places = { answers: Float32Array.of(1, 2, 3, 4, 5, 6), unitScale: Float32Array.of(10, 11, 20, 21, 30, 31) };
  expect(selectLabels(point({ columns: ["x", "y"], scale: "image" }), places, [2, 0])).toEqual({
    answers: Float32Array.of(5, 6, 1, 2),
    unitScale: Float32Array.of(30, 31, 10, 11),
  });
});
