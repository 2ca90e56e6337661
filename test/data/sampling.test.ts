/** @file Rows drawn by what tasks learn from them, and the weights that make up for it. */
import { describe, expect, test } from "vitest";
import { activeSampling } from "../../src/data/sampling.js";

const ROWS = 200;
// every tenth row is not in train
const train = Int32Array.from({ length: ROWS }, (_, row) => row).filter((row) => row % 10 !== 3);
const often = new Uint8Array(ROWS).fill(1);
const rare = Uint8Array.from({ length: ROWS }, (_, row) => (row === 3 || row === 17 || row === 142 ? 1 : 0));
const sampling = activeSampling([often, rare], train, ROWS, 7);

function countsOf(rows: Int32Array): Int32Array {
  const counts = new Int32Array(ROWS);
  for (const row of rows) counts[row] = (counts[row] ?? 0) + 1;
  return counts;
}

describe("rows of an epoch", () => {
  test("are as many as train has, of train alone, and the same each time", () => {
    for (let epoch = 1; epoch <= 50; epoch++) {
      const rows = sampling.rowsOf(epoch);
      expect(rows.length).toBe(train.length);
      expect([...rows].every((row) => row % 10 !== 3)).toBe(true);
    }
    expect(sampling.rowsOf(4)).toEqual(activeSampling([often, rare], train, ROWS, 7).rowsOf(4));
    expect(sampling.rowsOf(4)).not.toEqual(sampling.rowsOf(5));
  });

  test("hold each row as often as is expected of it, rounded down or up", () => {
    // half of all draws by all rows, a quarter by each task: of 180 draws 90 + 45 over 180 rows, and 45 over two of them
    const expected = (row: number) => (row % 10 === 3 ? 0 : 135 / 180 + (rare[row] === 1 ? 45 / 2 : 0));
    for (let epoch = 1; epoch <= 20; epoch++) {
      countsOf(sampling.rowsOf(epoch)).forEach((count, row) => {
        expect(Math.abs(count - expected(row))).toBeLessThan(1);
      });
    }
    for (const row of train) expect(sampling.weights[row]).toBeCloseTo(1 / expected(row), 5);
  });

  test("weighted, count on average over epochs as every row once", () => {
    const epochs = 3000;
    const sums = new Float64Array(ROWS);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      countsOf(sampling.rowsOf(epoch)).forEach((count, row) => {
        sums[row] = (sums[row] ?? 0) + count * (sampling.weights[row] ?? 0);
      });
    }
    // four standard deviations of a row that is drawn with a probability of 3/4
    for (const row of train)
      expect(Math.abs((sums[row] ?? 0) / epochs - 1)).toBeLessThan(4 * Math.sqrt(1 / 3 / epochs));
  });

  test("of tasks that learn from nothing are every row once", () => {
    const none = activeSampling([new Uint8Array(ROWS)], train, ROWS, 1);
    expect([...none.rowsOf(1)]).toEqual([...train]);
    expect(new Set(Array.from(train, (row) => none.weights[row]))).toEqual(new Set([1]));
  });
});
