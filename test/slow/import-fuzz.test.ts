/** @file Thousands of changed exports, imported soundly or refused: nothing of them is executed or written elsewhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openFuzzPlace, parcel } from "../support/import-fuzz.js";

// as many of two thousand as three minutes allow; from the same seed, so that a failure is found again
test("changed exports are imported soundly or refused, and none does harm", { timeout: 600_000 }, async () => {
  const place = await openFuzzPlace();
  const outcomes = { imported: 0, refused: 0 };
  try {
    await fc.assert(
      fc.asyncProperty(parcel, async (sent) => {
        outcomes[await place.tryParcel(sent)] += 1;
      }),
      { numRuns: 2000, seed: 20_261_127, endOnFailure: true, interruptAfterTimeLimit: 180_000 },
    );
  } finally {
    place.remove();
  }
  expect(outcomes.imported).toBeGreaterThan(10);
  expect(outcomes.refused).toBeGreaterThan(50);
});
