/** @file Real pictures of every supported kind, decoded; and files that are none. */
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import {
  checkImageFile,
  type DecodedImage,
  decodeImage,
  locateImage,
  readImageFile,
} from "../../../src/data/inputs/images.js";
import { imageSpec, newFolder, plain, write } from "../files.js";

async function decode(bytes: Buffer, spec = imageSpec(2, 2)): Promise<DecodedImage> {
  const outcome = await decodeImage(bytes, spec);
  if (!outcome.ok) expect.fail(outcome.reason);
  return outcome.value;
}

async function reasonOf(bytes: Buffer): Promise<string> {
  const outcome = await decodeImage(bytes, imageSpec(2, 2));
  return outcome.ok ? "it was decoded" : outcome.reason;
}

const BROWN = [128, 64, 32] as const;

/** Largest difference of any pixel from a colour. */
function distance({ pixels }: DecodedImage, colour: readonly number[]): number {
  return Math.max(...pixels.map((value, i) => Math.abs(value - (colour[i % colour.length] as number))));
}

describe("decodeImage", () => {
  test.each(["jpeg", "png", "webp", "tiff"] as const)("%s gives its colour and original size", async (format) => {
    const bytes = await plain(20, 10, BROWN).toFormat(format).toBuffer();
    const decoded = await decode(bytes, imageSpec(3, 4));
    expect(decoded.pixels).toHaveLength(3 * 4 * 3);
    expect(distance(decoded, BROWN)).toBeLessThanOrEqual(format === "png" ? 0 : 4);
    expect([decoded.originalWidth, decoded.originalHeight]).toEqual([20, 10]);
  });

  test("a JPEG turned by EXIF is upright: orientation 6 puts its left side on top", async () => {
    const left = await plain(16, 16, [255, 0, 0]).png().toBuffer();
    const bytes = await plain(32, 16, [0, 0, 255])
      .composite([{ input: left, left: 0, top: 0 }])
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const decoded = await decode(bytes, imageSpec(2, 1));
    expect([decoded.originalWidth, decoded.originalHeight]).toEqual([16, 32]);
    const [r0 = 0, , b0 = 0, r1 = 0, , b1 = 0] = decoded.pixels;
    expect(r0 - b0).toBeGreaterThan(150);
    expect(b1 - r1).toBeGreaterThan(150);
  });

  test("both axes are stretched: four quadrants become four pixels' colours", async () => {
    const quadrant = (value: number) => plain(50, 10, [value, value, value]).png().toBuffer();
    const bytes = await plain(100, 20, [0, 0, 0])
      .composite([
        { input: await quadrant(80), left: 50, top: 0 },
        { input: await quadrant(160), left: 0, top: 10 },
        { input: await quadrant(240), left: 50, top: 10 },
      ])
      .png()
      .toBuffer();
    const { pixels } = await decode(bytes, imageSpec(2, 2, 1));
    [0, 80, 160, 240].forEach((value, i) => {
      // the Lanczos kernel reaches over the edge
      expect(Math.abs((pixels[i] as number) - value)).toBeLessThan(16);
    });
  });

  test("a grey picture has three equal channels, or one if asked for", async () => {
    const grey = await plain(4, 4, [77, 77, 77]).toColourspace("b-w").png().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    expect(distance(await decode(grey), [77, 77, 77])).toBe(0);
    expect(distance(await decode(grey, imageSpec(2, 2, 1)), [77])).toBe(0);
  });

  test.each([
    [1, "grey16"],
    [3, "rgb16"],
  ] as const)("16 bits become 8 (%i channels)", async (channels, space) => {
    const values = new Uint16Array(4 * 4 * channels).fill(0x8080);
    const bytes = await sharp(values, { raw: { width: 4, height: 4, channels } })
      .toColourspace(space)
      .png()
      .toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe("ushort");
    expect(distance(await decode(bytes), [128, 128, 128])).toBeLessThanOrEqual(1);
  });

  test("transparency becomes white", async () => {
    const half = await sharp({
      create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.2 } },
    })
      .png()
      .toBuffer();
    // alpha 51 of 255 over white: 255 × 0.8
    expect(distance(await decode(half), [204, 204, 204])).toBeLessThanOrEqual(1);
  });

  test("CMYK becomes RGB", async () => {
    const bytes = await plain(8, 8, [255, 255, 255]).toColourspace("cmyk").jpeg().toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    expect(distance(await decode(bytes), [255, 255, 255])).toBeLessThanOrEqual(2);
  });

  test.each(["jpeg", "png", "webp", "tiff"] as const)("half a %s is refused", async (format) => {
    const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
    const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: "black", noise } })
      .toFormat(format)
      .toBuffer();
    expect(await reasonOf(whole)).toBe("it was decoded");
    expect(await reasonOf(whole.subarray(0, whole.length / 2))).toMatch(/damaged or truncated|is not an image/);
  });

  test("what is no picture, or of another format, is refused", async () => {
    expect(await reasonOf(Buffer.from("hello"))).toBe("is not an image (JPEG, PNG, WebP or TIFF)");
    expect(await reasonOf(await plain(4, 4, BROWN).gif().toBuffer())).toContain("is of the format gif; convert it");
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    expect(await reasonOf(Buffer.from(svg))).toContain("is of the format svg");
  });

  test("a picture of more than 268 million pixels is refused by its header", async () => {
    const bytes = await plain(1, 1, BROWN).png().toBuffer();
    // width and height stand at bytes 16 and 20 of a PNG, their checksum at 29
    bytes.writeUInt32BE(30_000, 16);
    bytes.writeUInt32BE(30_000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    expect(await reasonOf(bytes)).toMatch(/has more than 268 million pixels/);
  });
});

/** The checksum of PNG chunks (ISO 3309). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe("an image cell", () => {
  const folders = ["/data/tables", "/data"] as const;

  test("may stay in the table's folder or the project's", () => {
    expect(locateImage("images/a.jpg", folders)).toEqual({ ok: true, value: "/data/tables/images/a.jpg" });
    expect(locateImage("../images/a.jpg", folders)).toEqual({ ok: true, value: "/data/images/a.jpg" });
    expect(locateImage("/data/images/a.jpg", folders)).toEqual({ ok: true, value: "/data/images/a.jpg" });
    expect(locateImage("..a/b.jpg", ["/data"])).toEqual({ ok: true, value: "/data/..a/b.jpg" });
  });

  test.each(["../../etc/passwd", "/etc/passwd", "x/../../../other.jpg", "/data2/a.jpg"])("may not be %s", (cell) => {
    expect(locateImage(cell, folders)).toEqual({ ok: false, reason: "lies outside the data folder" });
  });

  test.each([null, undefined, "", 7])("may not be %s", (cell) => {
    expect(locateImage(cell, folders).ok).toBe(false);
  });
});

test("files that cannot be images are found out without reading them", async () => {
  const folder = newFolder();
  const check = (name: string) => checkImageFile(join(folder, name));
  write(folder, "empty.jpg", "");
  expect(await check("empty.jpg")).toEqual({ ok: false, reason: "is an empty file" });
  expect(await check("missing.jpg")).toEqual({ ok: false, reason: "is not found" });
  expect(await check("empty.jpg/below.jpg")).toEqual({ ok: false, reason: "is not found" });
  expect(await check(".")).toEqual({ ok: false, reason: "is not a file" });
});

test("a link to a picture elsewhere is followed", async () => {
  const [folder, elsewhere] = [newFolder(), newFolder()];
  write(elsewhere, "a.jpg", await plain(2, 2, BROWN).jpeg().toBuffer());
  symlinkSync(elsewhere, join(folder, "images"));
  const located = locateImage("images/a.jpg", [folder]);
  expect(located.ok && (await readImageFile(located.value)).ok).toBe(true);
});

describe("a TIFF whose samples are not 8 or 16 bits unsigned", () => {
  // written by tifffile, one value all over
  const sample = (name: string): Buffer => readFileSync(join(import.meta.dirname, "samples", name));
  const grey = { ...imageSpec(2, 2), channels: 1 } as const;

  test.each([
    ["f32_1.tif", "has samples in floating point, which do not say what is black and what is white; give the image"],
    ["f32rgb.tif", "has samples in floating point"],
    ["u32.tif", "has samples of 32 bits"],
    ["i16.tif", "has signed samples of 16 bits"],
    ["i16neg.tif", "has signed samples of 16 bits"],
    ["f64.tif", "has samples of a format that cannot be decoded (64-bit floats, say); convert it"],
    ["lab.tif", "has CIELAB colours, which cannot be decoded; convert it to RGB"],
  ])("%s is refused by name of its samples", async (name, reason) => {
    expect(await reasonOf(sample(name))).toContain(reason);
  });

  test.each<[name: string, range: readonly [number, number], byte: number]>([
    ["f32_1.tif", [0, 1], 128],
    ["f32rgb.tif", [0, 1], 128],
    ["u32.tif", [0, 2 ** 32 - 1], 128],
    ["u16_12bit.tif", [0, 4095], 128],
    // (1200 + 1000) / 4000 and (−100 + 1000) / 4000 of 255
    ["i16.tif", [-1000, 3000], 140],
    ["i16neg.tif", [-1000, 3000], 57],
    ["f32_1.tif", [0.6, 1], 0],
    ["f32_1.tif", [0, 0.4], 255],
  ])("%s within %j has the byte of its value", async (name, range, byte) => {
    expect([...(await decode(sample(name), { ...grey, range })).pixels]).toEqual(Array(4).fill(byte));
    expect([...(await decode(sample(name), { ...imageSpec(1, 1), range })).pixels]).toEqual(Array(3).fill(byte));
  });

  test("a fourth channel that is said to be no transparency leaves the colours alone", async () => {
    expect([...(await decode(sample("four_unassoc.tif"), imageSpec(1, 1))).pixels]).toEqual([200, 100, 50]);
  });
});
