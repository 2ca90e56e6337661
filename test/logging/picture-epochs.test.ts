/** @file After which epochs pictures are drawn. */
import { describe, expect, test } from "vitest";
import { pictureEpochs } from "../../src/logging/picture-epochs.js";

const epochs = (...args: Parameters<typeof pictureEpochs>) => [...pictureEpochs(...args)];

describe("epochs with pictures", () => {
  test("there is one every so often, and the last epoch is left to the end", () => {
    expect(epochs(30, { imagesEvery: 10, maxImages: null })).toEqual([10, 20]);
    expect(epochs(35, { imagesEvery: 10, maxImages: 20 })).toEqual([10, 20, 30]);
    expect(epochs(3, { imagesEvery: 1, maxImages: 3 })).toEqual([1, 2]);
  });

  test("there is none but the end where none is asked for, or one alone is wanted", () => {
    expect(epochs(30, { imagesEvery: null, maxImages: 20 })).toEqual([]);
    expect(epochs(30, { imagesEvery: 1, maxImages: 1 })).toEqual([]);
    expect(epochs(5, { imagesEvery: 10, maxImages: 20 })).toEqual([]);
  });

  // by hand: 98 places for five: 1, then 98^(1/4) = 3.1 → 3, 3 (98/3)^(1/3) = 9.6 → 10, 10 (9.8)^(1/2) = 31.3 → 31, 98
  test("of more than the most, the first and the last are kept and the ratio between the others is one", () => {
    expect(epochs(990, { imagesEvery: 10, maxImages: 6 })).toEqual([10, 30, 100, 310, 980]);
  });

  test("there are never more than the most, each later than the one before, of the rhythm and before the end", () => {
    for (const planned of [1, 2, 7, 50, 990, 12_345]) {
      for (const imagesEvery of [1, 3, 10]) {
        for (const maxImages of [1, 2, 5, 20]) {
          const chosen = epochs(planned, { imagesEvery, maxImages });
          const candidates = Array.from({ length: planned }, (_, i) => i + 1).filter(
            (epoch) => epoch % imagesEvery === 0 && epoch < planned,
          );
          expect(chosen).toHaveLength(Math.min(candidates.length, maxImages - 1));
          expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
          for (const epoch of chosen) expect(candidates).toContain(epoch);
        }
      }
    }
  });
});
