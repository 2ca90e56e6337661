/** @file Pictures changed in a thread are those changed here, batch by batch. */
import { afterAll, describe, expect, test } from "vitest";
import type { AugmentSettings } from "../../../src/data/augment.js";
import { type PictureChanges, pictureAugmenter } from "../../../src/engine/batches/augment.js";
import { PictureThread } from "../../../src/engine/batches/picture-thread.js";
import { DataError } from "../../../src/errors.js";

const settings: AugmentSettings = {
  flipHorizontal: 0.5,
  flipVertical: 0.5,
  shift: 0.2,
  scale: [0.8, 1.2],
  brightness: 0.3,
  contrast: 0.3,
  saturation: 0.3,
  rotate: 20,
  crop: [0.7, 1],
  perspective: 0.2,
  blur: 1,
  noise: 0.1,
  erase: 0.5,
};
const changes: PictureChanges = {
  settings,
  seed: 4,
  shapes: { left: { height: 6, width: 5, channels: 3 }, right: { height: 4, width: 4, channels: 1 } },
};

function pictures(rows: number, seed: number): Record<string, Uint8Array> {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 11) % 256);
  return { left: bytes(rows * 6 * 5 * 3), right: bytes(rows * 4 * 4) };
}

const thread = new PictureThread(changes);
afterAll(() => thread.close());

describe("a thread of pictures", () => {
  test("gives each batch back as it becomes here, in the order of the requests", async () => {
    const here = pictureAugmenter(changes);
    const batches = [Int32Array.of(3, 1, 4), Int32Array.of(1, 5), Int32Array.of(9)];
    const answers = await Promise.all(batches.map((rows, i) => thread.augment(2, rows, pictures(rows.length, i))));
    for (const [i, rows] of batches.entries()) {
      expect(answers[i]).toEqual(here(2, rows, pictures(rows.length, i)));
      expect(answers[i]).not.toEqual(pictures(rows.length, i));
    }
  });

  test("takes pictures that are a part of a larger array, and leaves the rest of it alone", async () => {
    const whole = new Uint8Array(200).fill(7);
    const { right } = pictures(1, 3);
    whole.set(right as Uint8Array, 50);
    const rows = Int32Array.of(2);
    const views = { left: pictures(1, 3).left as Uint8Array, right: whole.subarray(50, 66) };
    const changed = await thread.augment(1, rows, views);
    expect(changed).toEqual(pictureAugmenter(changes)(1, rows, pictures(1, 3)));
    expect(whole.length).toBe(200);
  });

  test("that ends leaves no batch waiting", async () => {
    const ending = new PictureThread(changes);
    const waiting = ending.augment(1, Int32Array.of(1), pictures(1, 1));
    await Promise.all([expect(waiting).rejects.toThrow(DataError), ending.close()]);
    await expect(ending.augment(1, Int32Array.of(1), pictures(1, 1))).rejects.toThrow(/does not go on/);
  });
});
