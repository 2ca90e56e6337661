/** @file What `cool drift` ends with. */
import { describe, expect, it } from "vitest";
import { driftVerdict } from "../../../src/cli/tables/drift-tables.js";

const test = (name: string, drift: boolean, kind: "answer" | "asked" = "answer") => ({ name, drift, kind });

describe("driftVerdict", () => {
  it("names what has drifted, in lines of at most 80 columns", () => {
    const names = Array.from({ length: 12 }, (_, i) => `person.face.characteristic_${i}`);
    const tests = [...names.map((name) => test(name, true)), test("same", false), test("door", true, "asked")];
    const text = driftVerdict(tests, { rows: 44, enough: true });
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text.replaceAll(/\s+/g, " ")).toBe(`drift in 44 rows: ${names.join(", ")}, how often door is asked`);
  });

  it("tells no drift from too few rows", () => {
    expect(driftVerdict([test("a", false)], { rows: 60, enough: true })).toBe("no drift is seen in 60 rows");
    expect(driftVerdict([test("a", false)], { rows: 1, enough: false })).toMatch(/^nothing can be said of 1 row:/);
  });
});
