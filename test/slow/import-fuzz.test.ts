/** @file Thousands of changed exports, imported soundly or refused: nothing of them is executed or written elsewhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openFuzzPlace, parcel } from "../support/import-fuzz.js";

test("two thousand changed exports are imported soundly or refused, and none does harm", {
  timeout: 3_600_000,
}, async () => {
  const place = await openFuzzPlace();
  const outcomes = { imported: 0, refused: 0 };
  try {
    await fc.assert(
      fc.asyncProperty(parcel, async (sent) => {
        outcomes[await place.tryParcel(sent)] += 1;
      }),
      { numRuns: 2000, endOnFailure: true },
    );
  } finally {
    place.remove();
  }
  expect(outcomes.imported).toBeGreaterThan(100);
  expect(outcomes.refused).toBeGreaterThan(500);
});
