/** @file Scalars from printed lines. */
import { describe, expect, test } from "vitest";
import { ScalarPatterns } from "../../../src/tracking/command/scalar-patterns.js";

const LOSS = String.raw`loss: (?<loss>\S+)`;
const read = (line: string, ...patterns: string[]) => new ScalarPatterns(patterns).read(line);

describe("a line", () => {
  test("has the values of all patterns that match", () => {
    const line = "epoch 3/10 step 120: loss: 0.25, acc=91.5%";
    const found = read(
      line,
      LOSS,
      String.raw`epoch (?<epoch>\d+)`,
      String.raw`step (?<step>\d+).*acc=(?<val__accuracy>\S+)`,
    );
    expect(found).toMatchObject({
      values: { loss: 0.25, "val/accuracy": 91.5 },
      options: { epoch: 3, step: 120 },
      rest: {},
    });
  });

  test.each([
    ["loss: nan", Number.NaN],
    ["loss: -inf", Number.NEGATIVE_INFINITY],
    ["loss: 1e-3)", 0.001],
    ["\u001b[32mloss: 0.5\u001b[0m", 0.5],
    ["loss: .5;", 0.5],
  ])("%j", (line, expected) => {
    expect(read(line, LOSS)?.values).toEqual({ loss: expected });
  });

  test("whose text is no number says so", () => {
    expect(read("loss: n/a", LOSS)).toMatchObject({ values: {}, rest: { loss: "n/a" } });
    expect(read("nothing", LOSS)).toBeNull();
  });
});

describe("a pattern is refused", () => {
  test("that is no regular expression", () => {
    expect(() => new ScalarPatterns(["loss: (?<loss>"])).toThrow(
      'The pattern --scalar "loss: (?<loss>" is no regular expression',
    );
  });

  test.each(["loss: (\\S+)", "loss", "(?<step>\\d+)"])("that names no value: %s", (pattern) => {
    expect(() => new ScalarPatterns([pattern])).toThrow("has no named group for a value");
  });
});
