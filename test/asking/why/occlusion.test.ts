/** @file Which parts of a picture an answer hangs on, by covering them: against sums that are known. */
import { describe, expect, it } from "vitest";
import { occluded, occlusionMap, patchesOf } from "../../../src/asking/why/occlusion.js";

describe("patches", () => {
  it.each([
    [64, 64],
    [17, 40],
    [3, 5],
    [1, 2],
  ])("of %i × %i pixels cover each of them, and none beyond", (height, width) => {
    const covered = new Uint8Array(height * width);
    for (const { top, left, height: down, width: across } of patchesOf([height, width])) {
      expect(down * across).toBeGreaterThan(0);
      expect(top + down).toBeLessThanOrEqual(height);
      expect(left + across).toBeLessThanOrEqual(width);
      for (let y = top; y < top + down; y++) covered.fill(1, y * width + left, y * width + left + across);
    }
    expect(covered.every((one) => one === 1)).toBe(true);
    expect(patchesOf([height, width])).toHaveLength(Math.min(11, height) * Math.min(11, width));
  });
});

describe("a covered picture", () => {
  it("has its mean colour in the patch, and else what it had", () => {
    // 2 × 2 pixels of three channels
    const pixels = Uint8Array.from([0, 10, 20, 100, 10, 20, 100, 10, 60, 200, 10, 20]);
    const covered = occluded(pixels, 2, 3, { top: 0, left: 1, height: 2, width: 1 });
    expect([...covered]).toEqual([0, 10, 20, 100, 10, 30, 100, 10, 60, 100, 10, 30]);
    expect(pixels[3]).toBe(100);
    expect([...occluded(Uint8Array.of(0, 100), 2, 1, { top: 0, left: 0, height: 1, width: 2 })]).toEqual([50, 50]);
  });
});

describe("the map", () => {
  it("is the mean of the losses of the patches over a pixel, without those that help, up to 1", () => {
    const patches = [
      { top: 0, left: 0, height: 1, width: 2 },
      { top: 0, left: 1, height: 1, width: 2 },
      { top: 0, left: 3, height: 1, width: 1 },
    ];
    // pixels: 4, (4 + 1) / 2, 1, and one that speaks against the answer
    expect([...occlusionMap([4, 1, -3], patches, [1, 4])]).toEqual([1, 0.625, 0.25, 0]);
    expect([...occlusionMap([-1, 0, -2], patches, [1, 4])]).toEqual([0, 0, 0, 0]);
  });

  it("is hottest where the only pixels that count are", () => {
    const [height, width] = [32, 48];
    const weight = (y: number, x: number): number => Number(y >= 20 && y < 26 && x >= 8 && x < 14);
    const answer = (pixels: Uint8Array): number =>
      pixels.reduce((sum, value, i) => sum + value * weight(Math.floor(i / width), i % width), 0);
    const pixels = Uint8Array.from(
      { length: height * width },
      (_, i) => 40 + 200 * weight(Math.floor(i / width), i % width),
    );
    const patches = patchesOf([height, width]);
    const losses = patches.map((patch) => answer(pixels) - answer(occluded(pixels, width, 1, patch)));
    const map = occlusionMap(losses, patches, [height, width]);
    const hottest = map.indexOf(1);
    expect(weight(Math.floor(hottest / width), hottest % width)).toBe(1);
    expect(map[0]).toBe(0);
  });
});
