/** @file The ops of a large batch follow from those of two small ones, or are computed. */
import { describe, expect, it } from "vitest";
import type { Binding, TensorMetadata } from "../../../src/engine/backends/tensorflow/binding.js";
import { type MakeCompute, predictSize, recordByFew } from "../../../src/engine/step-graph/op-trail.js";
import { UntraceableError } from "../../../src/engine/step-graph/untraceable.js";

describe("a size at 32 rows", () => {
  it.each([
    ["is the same where it is the same at 2 and 3", 7, 7, 7],
    ["is the rows themselves", 2, 3, 32],
    ["is so many for each row", 128, 192, 2048],
    ["may be 0", 0, 0, 0],
  ])("%s", (_, two, three, expected) => {
    expect(predictSize([two, 2], [three, 3], 32)).toBe(expected);
  });

  it.each([
    ["the square of the rows", 4, 9],
    ["pairs of rows", 1, 3],
    ["one more than the rows", 3, 4],
    ["halves of rows, rounded up", 1, 2],
  ])("does not follow from %s", (_, two, three) => {
    expect(() => predictSize([two, 2], [three, 3], 32)).toThrow();
  });
});

/** A library whose ops put out tensors of these shapes. */
function library(shape: () => readonly number[]) {
  const done: string[] = [];
  const executeOp = (name: string): TensorMetadata[] => {
    done.push(name);
    return [{ id: done.length, dtype: 1, shape: shape() }];
  };
  return { done, binding: { executeOp } as unknown as Binding };
}

describe("a batch of 32 rows", () => {
  const record = (shapeOf: (rows: number) => readonly number[], namesOf: (rows: number) => readonly string[]) => {
    let now = 0;
    const { done, binding } = library(() => shapeOf(now));
    const run = (rows: number, compute: MakeCompute): TensorMetadata[] => {
      now = rows;
      const execute = compute(binding);
      return namesOf(rows).flatMap((name) => execute(name, [], [], 1));
    };
    const results = recordByFew(32, run, (compute) => run(32, compute));
    return { done, results };
  };

  it("is computed at 2 and 3 rows alone, and its tensors are none of the library's", () => {
    const { done, results } = record(
      (rows) => [rows, 4],
      () => ["Mul"],
    );
    expect(done).toEqual(["Mul", "Mul"]);
    expect(results.map(({ shape }) => shape)).toEqual([[32, 4]]);
    expect(results.every(({ id }) => id < -1)).toBe(true);
  });

  it.each([
    ["shapes that do not follow", (rows: number) => [rows * rows], () => ["Mul"]],
    ["ops that are others at 3 rows", (rows: number) => [rows], (rows: number) => (rows === 3 ? ["Add"] : ["Mul"])],
    ["more ops than at 3 rows", (rows: number) => [rows], (rows: number) => (rows === 32 ? ["Mul", "Mul"] : ["Mul"])],
  ])("is computed where it has %s", (_, shapeOf, namesOf) => {
    const { results } = record(shapeOf, namesOf);
    expect(results.map(({ shape }) => shape)).toEqual(namesOf(32).map(() => shapeOf(32)));
    expect(results.every(({ id }) => id > 0)).toBe(true);
  });

  it("is computed where a layer refuses fewer rows", () => {
    const refuse = (): void => {
      throw new Error("Expected 32 rows");
    };
    expect(recordByFew(32, refuse, (_, isPredicted) => isPredicted)).toBe(false);
  });

  it("is not computed once more where no graph can be made of a few rows", () => {
    const refuse = (): void => {
      throw new UntraceableError("a layer reads values");
    };
    expect(() => recordByFew(32, refuse, () => 0)).toThrow(UntraceableError);
  });
});

it("records batches of at most 5 rows as they are", () => {
  const few: number[] = [];
  expect(
    recordByFew(
      5,
      (rows) => few.push(rows),
      (_, isPredicted) => isPredicted,
    ),
  ).toBe(false);
  expect(few).toEqual([]);
});
