/** @file The header of a PNG is trusted where it says all, and left to the decoder where it does not. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/data/inputs/images.js";
import { plainPngHeader } from "../../../src/data/inputs/png-header.js";
import { imageSpec, plain } from "../files.js";

describe("plainPngHeader", () => {
  it.each([
    ["colours", plain(20, 10, [1, 2, 3])],
    ["a palette", plain(20, 10, [1, 2, 3]).png({ palette: true })],
    ["16 bits", plain(20, 10, [1, 2, 3]).toColourspace("rgb16")],
    ["a colour profile", plain(20, 10, [1, 2, 3]).withIccProfile("p3")],
    ["transparency", plain(20, 10, [1, 2, 3]).ensureAlpha(0.5)],
  ] as const)("reads the size of one with %s", async (_kind, picture) => {
    expect(plainPngHeader(await picture.png().toBuffer())).toEqual({ width: 20, height: 10 });
  });

  it("leaves a turned picture, another format and what is cut short to the decoder", async () => {
    const turned = await plain(20, 10, [1, 2, 3]).withMetadata({ orientation: 6 }).png().toBuffer();
    expect(plainPngHeader(turned)).toBeNull();
    const decoded = await decodeImage(turned, imageSpec(2, 2));
    expect(decoded).toMatchObject({ ok: true, value: { originalWidth: 10, originalHeight: 20 } });
    expect(plainPngHeader(await plain(20, 10, [1, 2, 3]).jpeg().toBuffer())).toBeNull();
    const whole = await plain(20, 10, [1, 2, 3]).png().toBuffer();
    for (const length of [0, 8, 20, 33, 40]) expect(plainPngHeader(whole.subarray(0, length))).toBeNull();
  });

  it("refuses as many pixels as before, before they are decoded", async () => {
    const bytes = await sharp({ create: { width: 300, height: 200, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    expect(plainPngHeader(bytes)).not.toBeNull();
    const outcome = await decodeImage(bytes, imageSpec(2, 2), 59_999);
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/^has more than 0 million pixels/) });
  });
});
