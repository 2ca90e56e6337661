/** @file Memory that is used again. */
import { expect, test } from "vitest";
import { bytes, doubles, floats, inScratch, integers } from "../../src/analysis/scratch.js";

test("arrays are zeros, although those before them were written over", () => {
  inScratch(() => {
    inScratch(() => doubles(1000).fill(7));
    inScratch(() => integers(3).fill(-1));
    inScratch(() => bytes(5).fill(255));
    const again = doubles(1000);
    expect(again.every((value) => value === 0)).toBe(true);
    expect(again.buffer).toBe(inScratch(() => floats(2)).buffer);
  });
});

test("arrays of the work around are left alone", () => {
  inScratch(() => {
    const kept = integers(3).fill(5);
    // more than a block holds, then less than one holds
    inScratch(() => [doubles(100_000).fill(1), bytes(7).fill(1), floats(3).fill(1)]);
    const next = bytes(9).fill(2);
    expect([...kept, ...next.subarray(0, 1)]).toEqual([5, 5, 5, 2]);
  });
});

test("memory is free again after an error, and without any work around arrays are their own", () => {
  expect(() =>
    inScratch(() => {
      doubles(3).fill(1);
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(doubles(3).buffer).not.toBe(doubles(3).buffer);
});
