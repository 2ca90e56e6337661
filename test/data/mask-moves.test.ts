/** @file Masks move as their pictures do. */
import { expect, test } from "vitest";
import { type AugmentSettings, drawAugmentation } from "../../src/data/augment.js";
import { moveMask } from "../../src/data/augmentation/masks.js";
import { type Mixture, mixPictures, pasteMask } from "../../src/data/augmentation/mixing.js";
import { createPictureAugmenter } from "../../src/data/augmentation/pictures.js";

const STILL: AugmentSettings = {
  ...{ flipHorizontal: 0, flipVertical: 0, shift: 0, scale: [1, 1], brightness: 0, contrast: 0, saturation: 0 },
  ...{ rotate: 0, crop: [1, 1], perspective: 0, blur: 0, noise: 0, erase: 0 },
};
const [HEIGHT, WIDTH] = [48, 64];

/** A class per block of 16 pixels; greys far apart. */
function blocks(): Uint8Array {
  return Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => ((i % WIDTH) >> 4) + 4 * (Math.floor(i / WIDTH) >> 4));
}

const cases: [string, Partial<AugmentSettings>][] = [
  ["mirrored", { flipHorizontal: 1, flipVertical: 1 }],
  ["shifted and scaled", { shift: 0.2, scale: [0.7, 1.4] }],
  ["turned", { rotate: 90 }],
  ["cut out", { crop: [0.2, 0.8] }],
  ["bent", { perspective: 0.6 }],
  ["all at once", { flipHorizontal: 0.5, flipVertical: 0.5, shift: 0.1, rotate: 40, crop: [0.4, 1], perspective: 0.4 }],
];

test.each(cases)("a mask stays on its picture that is %s", (_name, some) => {
  const augment = createPictureAugmenter({ height: HEIGHT, width: WIDTH, channels: 1 });
  let [seen, known] = [0, 0];
  for (let row = 0; row < 20; row++) {
    const drawn = drawAugmentation({ ...STILL, ...some }, { seed: 7, epoch: 1, row }, WIDTH / HEIGHT);
    const mask = Float32Array.from(blocks());
    const picture = blocks().map((label) => label * 20);
    augment(picture, drawn);
    moveMask(mask, [HEIGHT, WIDTH], drawn, Number.NaN);
    mask.forEach((label, i) => {
      if (Number.isNaN(label)) return;
      known += 1;
      seen += Number(Math.abs((picture[i] ?? 0) - label * 20) <= 10);
    });
  }
  expect(known).toBeGreaterThan(20 * 0.3 * HEIGHT * WIDTH);
  // along an edge of two classes a picture has greys between them
  expect(seen / known).toBeGreaterThan(0.93);
});

test("what comes into view from outside has no label", () => {
  const mask = Float32Array.of(1, 2, 3, 4);
  const still = { flip: false, scale: 1, shift: 0 };
  moveMask(mask, [2, 2], { warp: null, horizontal: { ...still, shift: 0.5 }, vertical: still }, Number.NaN);
  expect([...mask]).toEqual([Number.NaN, 1, Number.NaN, 3]);
});

test("masks are pasted where pictures are", () => {
  const mixture: Mixture = {
    ...{ mixing: "cutmix", partners: Int32Array.of(1, 0), share: 0.5 },
    pasted: { left: 1, right: 3, top: 0, bottom: 1 },
  };
  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const masks = Float32Array.from(pixels);
  mixPictures(pixels, { height: 2, width: 3, channels: 1 }, mixture, { height: 2, width: 3, channels: 1 });
  pasteMask(masks, { height: 2, width: 3 }, mixture);
  expect([...masks]).toEqual([1, 8, 9, 4, 5, 6, 7, 2, 3, 10, 11, 12]);
  expect([...pixels]).toEqual([...masks]);
});
