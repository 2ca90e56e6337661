/** @file Masks laid over pictures. */
import { expect, test } from "vitest";
import type { PixelSpec } from "../../../src/flow/graph.js";
import { maskKeys, overlaid, rangeOf, seenPixels } from "../../../src/logging/panels/mask-overlay.js";
import { binary, classification, regression } from "../../../src/tasks/index.js";

const size = [1, 3] as const;
const classes = { ...classification({ per: "pixel", classes: ["ground", "disk", "bar"] }), size } as PixelSpec;
const missing = Number.NaN;
const seen = Uint8Array.of(100, 100, 100, 100, 100, 100, 200, 100, 0);

test("the first class leaves a picture as it is, others tint it, and what is not asked is dark", () => {
  const over = overlaid(classes, seen, Float32Array.of(0, 1, missing), rangeOf([]));
  // 0.45 of the pixel and 0.55 of Okabe and Ito's orange, 230 159 0; 0.3 of the last pixel
  expect(over).toMatchObject({ kind: "pixels", height: 1, width: 3, channels: 3 });
  expect(over.kind === "pixels" && [...over.pixels]).toEqual([100, 100, 100, 171, 132, 45, 60, 30, 0]);
});

test("colours are named by class, by yes, and by the ends of the range of numbers", () => {
  expect(maskKeys(classes, rangeOf([])).map(({ text }) => text)).toEqual(["disk", "bar"]);
  expect(maskKeys({ ...binary({ per: "pixel" }), size } as PixelSpec, rangeOf([])).map(({ text }) => text)).toEqual([
    "yes",
  ]);
  const range = rangeOf([Float32Array.of(missing, 2, 0.5), Float32Array.of(3.25)]);
  expect(range).toEqual({ low: 0.5, high: 3.25 });
  const numbers = { ...regression({ per: "pixel" }), size } as PixelSpec;
  expect(maskKeys(numbers, range).map(({ text }) => text)).toEqual(["0.5", "3.25"]);
});

test("a grey picture is seen in three channels, and one that has gone is not seen", async () => {
  const grey = { kind: "pixels", pixels: Uint8Array.of(1, 2, 3), height: 1, width: 3, channels: 1 } as const;
  expect([...((await seenPixels(grey, size)) ?? [])]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  expect(await seenPixels({ kind: "file", path: "/nowhere.png" }, size)).toBeNull();
});
