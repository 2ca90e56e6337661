/** @file Changed exports are imported soundly or refused; a short run of test/slow/import-fuzz.test.ts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openFuzzPlace, parcel } from "../support/import-fuzz.js";

test("thirty changed exports are imported soundly or refused, and none does harm", { timeout: 240_000 }, async () => {
  const place = await openFuzzPlace();
  const outcomes = { imported: 0, refused: 0 };
  try {
    await fc.assert(
      fc.asyncProperty(parcel, async (sent) => {
        outcomes[await place.tryParcel(sent)] += 1;
      }),
      { seed: 12, numRuns: 30, endOnFailure: true },
    );
  } finally {
    place.remove();
  }
  // neither is what happens to all of them
  expect(outcomes.imported).toBeGreaterThan(1);
  expect(outcomes.refused).toBeGreaterThan(8);
});
