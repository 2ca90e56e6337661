/** @file A U-Net gives every pixel of a picture its features. */
import "@tensorflow/tfjs-backend-cpu";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { unet } from "../../../src/engine/model/u-net.js";

test("a U-Net puts out a map of the picture's size", () => {
  const input = tfl.input({ shape: [16, 24, 3] });
  const map = unet({ depth: 2, filters: 4 })(input, tfl.layers);
  expect(map.shape).toEqual([null, 16, 24, 4]);
});

test("sides that cannot be halved are refused", () => {
  const input = tfl.input({ shape: [16, 20, 3] });
  expect(() => unet({ depth: 3 })(input, tfl.layers)).toThrow("multiples of 8; it is given [16, 20, 3]");
});
