/** @file The head of a JPEG is trusted where it says all, and left to the decoder where it does not. */
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/data/inputs/images.js";
import { plainJpegHeader } from "../../../src/data/inputs/jpeg-header.js";
import { imageSpec, plain } from "../files.js";

const picture = () => plain(20, 10, [1, 2, 3]);

describe("plainJpegHeader", () => {
  it.each([
    ["baseline", picture().jpeg()],
    ["progressive", picture().jpeg({ progressive: true })],
    ["grey", picture().toColourspace("b-w").jpeg()],
    ["CMYK", picture().toColourspace("cmyk").jpeg()],
    ["with a colour profile", picture().withIccProfile("p3").jpeg()],
  ] as const)("reads the size of one that is %s", async (_kind, file) => {
    expect(plainJpegHeader(await file.toBuffer())).toEqual({ width: 20, height: 10 });
  });

  it("leaves what may be turned, other formats and what is cut short to the decoder", async () => {
    const turned = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(plainJpegHeader(turned)).toBeNull();
    const decoded = await decodeImage(turned, imageSpec(2, 2));
    expect(decoded).toMatchObject({ ok: true, value: { originalWidth: 10, originalHeight: 20 } });
    expect(plainJpegHeader(await picture().png().toBuffer())).toBeNull();
    const whole = await picture().jpeg().toBuffer();
    for (let length = 0; length < 150; length++) expect(plainJpegHeader(whole.subarray(0, length))).toBeNull();
  });

  it("is told of a damaged file by the decoder", async () => {
    const whole = await picture().jpeg().toBuffer();
    const outcome = await decodeImage(whole.subarray(0, whole.length - 40), imageSpec(2, 2));
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/^is damaged or truncated/) });
  });
});
