/** @file Resampling is that of sharp, by which training brings pictures to their size. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/inputs/images.js";
import { createRandom } from "../../src/data/rng.js";
import { networkPixels } from "../../src/predictor/pictures.js";
import { resample } from "../../src/predictor/resample.js";

const random = createRandom("resample");
const noise = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.int(256));

const SIZES: readonly (readonly [width: number, height: number, toWidth: number, toHeight: number])[] = [
  [50, 40, 20, 30],
  [50, 40, 100, 80],
  [50, 40, 100, 20],
  [50, 40, 20, 80],
  [5, 5, 10, 5],
  [160, 120, 56, 56],
  [33, 77, 10, 10],
  [7, 9, 100, 3],
  [60, 40, 59, 39],
  [1, 1, 8, 8],
  [8, 8, 1, 1],
  [2, 200, 64, 64],
  [100, 100, 100, 37],
  [100, 100, 100, 150],
  [400, 320, 33, 17],
  [64, 64, 64, 64],
  [129, 131, 64, 64],
  [127, 65, 64, 64],
];

async function bySharp(pixels: Uint8Array, [width, height, toWidth, toHeight]: (typeof SIZES)[number]) {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(toWidth, toHeight, { fit: "fill", kernel: "lanczos3" })
    .raw()
    .toBuffer();
}

const largestDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] ?? Number.NaN))), 0);

describe("resample", () => {
  it.each(SIZES)("%i × %i → %i × %i is sharp's within one grey level, of noise", async (...size) => {
    const [width, height, toWidth, toHeight] = size;
    const pixels = noise(width * height * 3);
    const own = resample(pixels, { width, height, channels: 3 }, { width: toWidth, height: toHeight });
    const expected = await bySharp(pixels, size);
    expect(own.length).toBe(expected.length);
    expect(largestDifference(own, expected)).toBeLessThanOrEqual(1);
  });

  it.each([
    ["bilinear", "linear"],
    ["bicubic", "cubic"],
  ] as const)("is sharp's with the filter %s", async (filter, kernel) => {
    for (const [width, height, toWidth, toHeight] of SIZES) {
      const pixels = noise(width * height * 3);
      const own = resample(pixels, { width, height, channels: 3 }, { width: toWidth, height: toHeight }, filter);
      const raw = sharp(pixels, { raw: { width, height, channels: 3 } });
      const expected = await raw.resize(toWidth, toHeight, { fit: "fill", kernel }).raw().toBuffer();
      const difference = largestDifference(own, expected);
      expect([width, height, toWidth, toHeight, difference > 1 ? difference : "same"]).toEqual([
        width,
        height,
        toWidth,
        toHeight,
        "same",
      ]);
    }
  });

  describe("by nearest pixels", () => {
    // every pixel says where it lies
    const places = (width: number, height: number): Uint8Array =>
      Uint8Array.from({ length: width * height * 3 }, (_, i) => {
        const pixel = Math.floor(i / 3);
        return [pixel % width, Math.floor(pixel / width), 255 - (pixel % width)][i % 3] ?? 0;
      });
    const nearestBySharp = ([width, height, toWidth, toHeight]: (typeof SIZES)[number]) =>
      sharp(places(width, height), { raw: { width, height, channels: 3 } })
        .resize(toWidth, toHeight, { fit: "fill", kernel: "nearest" })
        .raw()
        .toBuffer();
    const own = ([width, height, toWidth, toHeight]: (typeof SIZES)[number]) =>
      resample(places(width, height), { width, height, channels: 3 }, { width: toWidth, height: toHeight }, "nearest");

    it.each([
      [50, 40, 20, 30],
      [50, 40, 100, 80],
      [50, 40, 20, 80],
      [37, 53, 8, 9],
      [53, 37, 9, 8],
      [160, 120, 56, 56],
      [33, 77, 10, 10],
      [60, 40, 59, 39],
      [1, 1, 8, 8],
      [8, 8, 1, 1],
      [255, 200, 64, 64],
      [64, 64, 64, 64],
      [129, 131, 64, 64],
      [30, 48, 64, 64],
    ] as const)("%i × %i → %i × %i has the very pixels of sharp", async (...size) => {
      expect(Buffer.from(own(size)).equals(await nearestBySharp(size))).toBe(true);
    });

    it("has the very pixels of sharp wherever both axes shrink", async () => {
      for (let i = 0; i < 60; i++) {
        const [width, height] = [2 + random.int(250), 2 + random.int(250)];
        const size = [width, height, 1 + random.int(width - 1), 1 + random.int(height - 1)] as const;
        const isSame = Buffer.from(own(size)).equals(await nearestBySharp(size));
        expect([size, isSame]).toEqual([size, true]);
      }
    });

    it("takes the line beside sharp's at most where an axis grows", async () => {
      const axes = (pixels: Uint8Array, [, , width, height]: (typeof SIZES)[number]) => [
        ...Array.from({ length: width }, (_, x) => pixels[x * 3] ?? Number.NaN),
        ...Array.from({ length: height }, (_, y) => pixels[y * width * 3 + 1] ?? Number.NaN),
      ];
      const distances: number[] = [];
      for (let i = 0; i < 30; i++) {
        const [width, height] = [1 + random.int(200), 1 + random.int(200)];
        const size = [width, height, width + random.int(200), height + random.int(200)] as const;
        const theirs = axes(await nearestBySharp(size), size);
        distances.push(...axes(own(size), size).map((place, at) => Math.abs(place - (theirs[at] ?? Number.NaN))));
      }
      expect(distances.every((distance) => distance <= 1)).toBe(true);
      expect(distances.filter((distance) => distance > 0).length / distances.length).toBeLessThan(0.01);
    });
  });

  it("is sharp's for sixty random sizes", async () => {
    for (let i = 0; i < 60; i++) {
      const side = () => 1 + random.int(90);
      const size = [side(), side(), side(), side()] as const;
      const pixels = noise(size[0] * size[1] * 3);
      const own = resample(
        pixels,
        { width: size[0], height: size[1], channels: 3 },
        { width: size[2], height: size[3] },
      );
      expect([size, largestDifference(own, await bySharp(pixels, size)) <= 1]).toEqual([size, true]);
    }
  });
});

describe("the pixels of a picture", () => {
  const picture = (width: number, height: number, channels: number) => ({
    data: noise(width * height * channels),
    width,
    height,
  });

  it("are grey as sharp makes colours grey", async () => {
    const { data, width, height } = picture(40, 30, 3);
    const expected = await sharp(data, { raw: { width, height, channels: 3 } })
      .resize(20, 10, { fit: "fill", kernel: "lanczos3" })
      .toColourspace("b-w")
      .raw({ depth: "uchar" })
      .toBuffer();
    const own = networkPixels("image", { data, width, height }, { kind: "image", size: [10, 20], channels: 1 });
    expect(own.length).toBe(expected.length);
    expect(largestDifference(own, expected)).toBeLessThanOrEqual(1);
  });

  it("show white where the picture is transparent, as sharp flattens it", async () => {
    const { data, width, height } = picture(24, 18, 4);
    const expected = await sharp(data, { raw: { width, height, channels: 4 } })
      .flatten({ background: "white" })
      .resize(12, 12, { fit: "fill", kernel: "lanczos3" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    const own = networkPixels("image", { data, width, height }, { kind: "image", size: [12, 12], channels: 3 });
    expect(largestDifference(own, expected)).toBeLessThanOrEqual(1);
  });

  it.each([
    ["crop", { fit: "crop" }],
    ["crop of a resized one", { fit: "crop", resizeTo: 40 }],
    ["letterbox", { fit: "letterbox", background: 114 }],
  ] as const)("are those of training: %s", async (_name, framing) => {
    const { data, width, height } = picture(63, 45, 3);
    const spec = { kind: "image", column: "img", size: [32, 32], channels: 3, framing } as const;
    const file = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const decoded = await decodeImage(file, spec);
    if (!decoded.ok) throw new Error(decoded.reason);
    const own = networkPixels("image", { data, width, height }, spec);
    expect(own.length).toBe(decoded.value.pixels.length);
    expect(largestDifference(own, decoded.value.pixels)).toBeLessThanOrEqual(1);
  });

  it("repeat grey in all channels", () => {
    const own = networkPixels(
      "image",
      { data: Uint8Array.of(7, 9), width: 2, height: 1 },
      { kind: "image", size: [1, 2], channels: 3 },
    );
    expect([...own]).toEqual([7, 7, 7, 9, 9, 9]);
  });

  it("are refused where numbers and size do not agree", () => {
    const spec = { kind: "image", size: [4, 4], channels: 3 } as const;
    expect(() => networkPixels("photo", { data: noise(20), width: 3, height: 3 }, spec)).toThrow(
      /^The picture for the input "photo" has 20 numbers, which is not 3 × 3 pixels of 1 \(grey\), 3 \(RGB\) or 4 \(RGBA\)/,
    );
    expect(() => networkPixels("photo", { data: noise(20), width: 0, height: 3 }, spec)).toThrow(/is 0 × 3\. Give/);
  });
});
