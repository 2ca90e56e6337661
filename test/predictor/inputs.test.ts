/** @file What stands in the place of a number is read as a table's cell is, and never taken for a number that it is not. */
import { describe, expect, it } from "vitest";
import type { NumericInput } from "../../src/predictor/document.js";
import { type InputValue, readerOf } from "../../src/predictor/inputs.js";

const input = (missing: NumericInput["missing"]): NumericInput => ({
  kind: "numeric",
  columns: ["age", "height"],
  listLength: null,
  standardize: false,
  missing,
  statistics: null,
});
const read = (missing: NumericInput["missing"], value: InputValue) => {
  const spec = input(missing);
  return [...readerOf(spec).read("body", spec, value)];
};
const from = (...cells: readonly unknown[]): InputValue => cells as InputValue;

describe("numbers", () => {
  it.each(["error", "mean"] as const)("are refused where a text stands, with missing %s", (missing) => {
    expect(() => read(missing, from(31, "soon"))).toThrow(
      /^The input "body" takes 2 numbers.*, and number 2 is none, and was given "soon"\. Correct it\.$/,
    );
    expect(() => read(missing, from(31, {}))).toThrow(/and number 2 is none/);
    expect(() => read(missing, from(31, Number.POSITIVE_INFINITY))).toThrow(/each finite \(number 2 is not\)/);
  });

  it("are missing where nothing stands, and not 0", () => {
    for (const nothing of [null, undefined, "", " ", Number.NaN]) {
      expect(read("mean", from(31, nothing))).toEqual([31, Number.NaN]);
      expect(() => read("error", from(31, nothing))).toThrow(/each finite \(number 2 is not\)/);
    }
  });

  it("may be written as texts", () => {
    expect(read("error", from("31", " 1.8 "))).toEqual([31, 1.8]);
  });
});
