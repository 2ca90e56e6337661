/** @file Crop and letterbox: pixels as torchvision makes them, and what of the picture they show. */
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { frameOf, framingKey, planFraming } from "../../src/decoding/framing.js";
import { decodeImage } from "../../src/data/inputs/images.js";
import { type ImageOptions, image } from "../../src/data/inputs/inputs.js";

interface Case extends Omit<ImageOptions, "column" | "size"> {
  readonly picture: readonly [width: number, height: number];
  readonly size: readonly [height: number, width: number];
  readonly pixels: readonly number[];
}

const CASES = JSON.parse(
  readFileSync(new URL("../../fixtures/torch/framing.json", import.meta.url), "utf8"),
) as readonly Case[];

/** As fixtures/torch/framing.py draws it. */
function picture(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      pixels[at] = Math.floor(127.5 + 127.5 * Math.sin(x / 3));
      pixels[at + 1] = Math.floor((255 * y) / (height - 1));
      pixels[at + 2] = Math.floor(127.5 + 127.5 * Math.cos((x + 2 * y) / 5));
    }
  }
  return pixels;
}

async function decoded([width, height]: Case["picture"], options: Omit<ImageOptions, "column">): Promise<Uint8Array> {
  const png = await sharp(picture(width, height), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const outcome = await decodeImage(png, image({ column: "img", ...options }));
  if (!outcome.ok) expect.fail(outcome.reason);
  return outcome.value.pixels;
}

describe("pixels", () => {
  test.each(CASES)("of $fit to $size by $filter are torchvision's", async ({ picture: size, pixels, ...options }) => {
    const own = await decoded(size, options);
    expect(own).toHaveLength(pixels.length);
    const errors = Array.from(own, (value, i) => Math.abs(value - (pixels[i] ?? Number.NaN)));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(1);
    expect(Math.max(...errors)).toBeLessThanOrEqual(6);
  });

  test("of two framings lie in two caches, and those of earlier versions where they lay", () => {
    const specs: Partial<ImageOptions>[] = [
      {},
      { filter: "bicubic" },
      { fit: "crop" },
      { fit: "crop", resizeTo: 40 },
      { fit: "crop", resizeTo: [40, 40] },
      { fit: "crop", resizeTo: 40, filter: "bicubic" },
      { fit: "letterbox" },
      { fit: "letterbox", background: 114 },
    ];
    const keys = specs.map((options) => framingKey(image({ column: "img", size: [32, 32], ...options })));
    expect(keys[0]).toBe("");
    expect(new Set(keys).size).toBe(specs.length);
  });
});

describe("what of a picture is seen", () => {
  const wide = { width: 200, height: 100 };
  test.each([
    [{ fit: "stretch" }, { left: 0, top: 0, width: 1, height: 1 }],
    [{ fit: "crop" }, { left: 0.25, top: 0, width: 0.5, height: 1 }],
    [{ fit: "letterbox" }, { left: 0, top: -0.5, width: 1, height: 2 }],
  ] as const)("by %o", (options, expected) => {
    expect(frameOf(image({ column: "img", size: [80, 80], ...options }), wide)).toEqual(expected);
  });

  test("is cut out of a picture whose shorter edge has been resized", () => {
    const spec = image({ column: "img", size: [50, 50], fit: "crop", resizeTo: 80 });
    expect(planFraming(spec, wide)).toEqual({ resized: { width: 160, height: 80 }, left: 55, top: 15 });
    expect(frameOf(spec, wide)).toEqual({ left: 55 / 160, top: 15 / 80, width: 50 / 160, height: 50 / 80 });
  });
});

describe("options that do not go together", () => {
  test.each([
    [{ size: [32, 32], resizeTo: 40 }, 'resizeTo, which goes with fit: "crop"'],
    [{ size: [32, 32], fit: "letterbox", resizeTo: 40 }, 'resizeTo, which goes with fit: "crop"'],
    [{ size: [32, 32], background: 114 }, 'background, which goes with fit: "letterbox" or "crop"'],
    [{ size: [32, 32], preprocessor: "vit" }, "has both size and preprocessor"],
    [{ size: [32, 32], fit: "crpo" }, 'expected "stretch" or "crop" or "letterbox"'],
    [{ size: [32, 32], fit: "crop", resizeTo: 0 }, "expected length of the shorter edge"],
    [{}, "needs size: [height, width]"],
  ])("%j", (options, message) => {
    expect(() => image({ column: "img", ...options } as ImageOptions)).toThrow(message);
  });
});
