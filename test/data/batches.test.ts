/** @file The order of an epoch: complete, reproducible, and with little padding where rows are sequences. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchesOf, bucketedOrder, epochOrder } from "../../src/data/batches.js";
import { createRandom } from "../../src/data/rng.js";

const range = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, row) => row);

/** Places of padding in batches that are padded to their longest row. */
function padding(order: Int32Array, lengths: Int32Array, batchSize: number): number {
  return batchesOf(order, batchSize).reduce((sum, batch) => {
    const own = Array.from(batch, (row) => lengths[row] as number);
    return sum + Math.max(...own) * own.length - own.reduce((a, b) => a + b, 0);
  }, 0);
}

describe("rows of like length", () => {
  const random = createRandom("lengths");
  const lengths = range(10_000).map(() => 1 + random.int(200));

  test("lie in the same batch: less than a twentieth of the padding of a shuffled epoch is left", () => {
    const shuffled = padding(epochOrder(range(10_000), 7, 1), lengths, 32);
    expect(padding(bucketedOrder(range(10_000), lengths, 32, 7, 1), lengths, 32)).toBeLessThan(shuffled / 20);
  });

  test("are mixed anew in every epoch, and lie in no order of length", () => {
    const [first, second] = [1, 2].map((epoch) => bucketedOrder(range(10_000), lengths, 32, 7, epoch));
    expect(first).not.toEqual(second);
    expect(bucketedOrder(range(10_000), lengths, 32, 7, 1)).toEqual(first);
    const longest = batchesOf(first as Int32Array, 32).map((batch) => lengths[batch[0] as number] as number);
    const rising = longest.filter((length, i) => i > 0 && length >= (longest[i - 1] as number)).length;
    expect(rising / longest.length).toBeGreaterThan(0.4);
    expect(rising / longest.length).toBeLessThan(0.6);
  });
});

test("every row comes once, and only the last batch is short", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(30), { maxLength: 300 }),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      (own, batchSize, seed) => {
        const order = bucketedOrder(range(own.length), Int32Array.from(own), batchSize, seed, 1);
        expect(order.toSorted()).toEqual(range(own.length));
      },
    ),
  );
});
