/** @file Colour profiles of picture files. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { hasColourProfile } from "../../../src/web/worker/profile.js";

const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });

describe.each(["png", "jpeg", "webp"] as const)("a file of the format %s", (format) => {
  it("has a colour profile where it was given one", async () => {
    const plain = await picture.clone().toFormat(format).toBuffer();
    const wide = await picture.clone().withIccProfile("p3").toFormat(format).toBuffer();
    expect([plain, wide].map((bytes) => hasColourProfile(bytes))).toEqual([false, true]);
  });

  it("has none where it is cut off", async () => {
    const wide = await picture.clone().withIccProfile("p3").toFormat(format).toBuffer();
    for (let length = 0; length < 16; length++) expect(hasColourProfile(wide.subarray(0, length))).toBe(false);
  });
});

describe("a file that is no picture", () => {
  it("has no colour profile", () => {
    expect(hasColourProfile(new TextEncoder().encode("ICC_PROFILE iCCP"))).toBe(false);
  });
});
