/** @file What pixels become before a saved model sees them: by hand, and as image processors say. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../../../src/errors.js";
import {
  checkPreprocessing,
  pixelChange,
  type PreprocessingInput,
  readPreprocessorConfig,
} from "../../../../src/engine/model/pretrained/preprocessing.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-preprocessing-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A pixel of bytes as the model sees it. */
function seen(input: PreprocessingInput, bytes: readonly number[], channels = 3): number[] {
  const { kernel, bias } = pixelChange(input, bytes.length, channels);
  return Array.from(bias, (add, to) =>
    bytes.reduce((sum, byte, from) => sum + (byte / 255) * (kernel[from * channels + to] ?? 0), add),
  );
}

function configOf(value: object): PreprocessingInput {
  const file = join(dir, "preprocessor_config.json");
  writeFileSync(file, JSON.stringify(value));
  return readPreprocessorConfig(file);
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

describe("declared preprocessing", () => {
  test("range alone: black and white become its ends", () => {
    expect(seen({ range: [-1, 1] }, [0, 127.5, 255])).toEqual(close([-1, 0, 1]));
  });
  test("mean and deviation of each channel, as torchvision's", () => {
    const input = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    expect(seen(input, [255, 0, 51])).toEqual(close([(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225]));
  });
  test("blue first, and means in that order, as Caffe's models have it", () => {
    const input = { range: [0, 255], mean: [103.939, 116.779, 123.68], channels: "bgr" } as const;
    expect(seen(input, [10, 20, 30])).toEqual(close([30 - 103.939, 20 - 116.779, 10 - 123.68]));
  });
  test("a grey picture serves as all channels", () => {
    expect(seen({ range: [-1, 1] }, [255])).toEqual(close([1, 1, 1]));
  });
  test.each([
    [{ mean: [1, 2] }, 3, 3, "2 numbers as mean, but the model reads 3 channels"],
    [{}, 3, 1, "Declare image({ channels: 1 })"],
  ])("%j over %i channels for a model of %i is refused", (input, from, to, message) => {
    expect(() => pixelChange(input, from, to)).toThrow(message);
  });
  test.each([
    [{ std: 0 }, '"std" is 0'],
    [{ range: [1, 1] }, '"range" is [1,1]'],
    [{ means: 1 }, 'Did you mean "mean"?'],
    [{ channels: "grb" }, 'expected "rgb" or "bgr"'],
  ])("%j is refused", (input, message) => {
    expect(() => checkPreprocessing(input as PreprocessingInput)).toThrow(message);
  });
});

describe("a preprocessor_config.json", () => {
  // as the models of these names have it on the hub
  test.each([
    [
      "DINOv2",
      {
        do_rescale: true,
        rescale_factor: 0.00392156862745098,
        do_normalize: true,
        image_mean: [0.485, 0.456, 0.406],
        image_std: [0.229, 0.224, 0.225],
        do_center_crop: true,
        crop_size: { height: 224, width: 224 },
      },
      [(0.2 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    ],
    ["ViT", { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }, [-0.6, -0.2, 1]],
    [
      "ViViT, with an offset",
      { rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false },
      [-0.6, -0.2, 1],
    ],
    ["MobileViT, blue first", { do_flip_channel_order: true, do_rescale: true }, [1, 0.4, 0.2]],
    ["no scale at all", { do_rescale: false, do_normalize: false, image_mean: [9, 9, 9] }, [51, 102, 255]],
  ])("of %s", (_name, config, expected) => {
    expect(seen(configOf(config), [51, 102, 255])).toEqual(close(expected));
  });
  test("that is none says what is wrong with it", () => {
    expect(() => configOf({ image_mean: "0.5" })).toThrow(/"image_mean" is wrong.*declare pretrained\(\{ input/s);
    writeFileSync(join(dir, "broken.json"), "{");
    expect(() => readPreprocessorConfig(join(dir, "broken.json"))).toThrow(ConfigError);
    expect(() => readPreprocessorConfig(join(dir, "none.json"))).toThrow("it is not there");
  });
});
