/** @file ONNX models: PyTorch's numbers for an architecture of torchvision, and what cannot be run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelNeeds } from "../../../../../src/engine/model/pretrained/external-model.js";
import { openOnnx } from "../../../../../src/engine/model/pretrained/onnx/onnx-model.js";
import { BackendError, ConfigError } from "../../../../../src/errors.js";
import { needs } from "../../../../support/needs.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../../../support/onnx-runtime.js";

interface TorchBackbone {
  readonly mean: number[];
  readonly std: number[];
  /** [2, 32, 32, 3] */
  readonly pixels: number[];
  /** Channels before places. */
  readonly map: { readonly shape: readonly [number, number, number, number]; readonly values: number[] };
  readonly pooled: { readonly shape: readonly [number, number]; readonly values: number[] };
}

const file = fileURLToPath(new URL("../../../../../fixtures/torch/backbone.onnx", import.meta.url));
const torch = JSON.parse(readFileSync(file.replace(".onnx", ".json"), "utf8")) as TorchBackbone;
const pixels = Uint8Array.from(torch.pixels);

const missing = await ensureOnnxRuntime();
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-onnx-"));
  if (missing === null) linkOnnxRuntime(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = (change: Partial<ModelNeeds> = {}) =>
  openOnnx({
    ...{ model: "backbone.onnx", file, size: [32, 32], channels: 3, projectDir: dir },
    preprocessing: { mean: torch.mean, std: torch.std },
    ...change,
  });

describe("an ONNX export of torchvision's MobileNetV2", () => {
  needs(missing);

  test("puts out what PyTorch puts out, its map with channels last", async () => {
    const model = await open({ output: "map" });
    const [rows, channels, height, width] = torch.map.shape;
    expect([model.output, model.shape]).toEqual(["map", [height, width, channels]]);
    const values = await model.run(pixels, rows);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let place = 0; place < height * width; place++) {
          const expected = torch.map.values[(row * channels + channel) * height * width + place] ?? Number.NaN;
          const found = values[(row * height * width + place) * channels + channel] ?? Number.NaN;
          expect(Math.abs(found - expected)).toBeLessThan(1e-4);
        }
      }
    }
    await model.close();
  });

  test("by its first output where none is named, and picture by picture as together", async () => {
    const [pooled, first] = [await open({ output: "pooled" }), await open()];
    expect([first.output, pooled.shape]).toEqual(["map", [8]]);
    const together = await pooled.run(pixels, 2);
    together.forEach((value, i) => {
      expect(Math.abs(value - (torch.pooled.values[i] ?? Number.NaN))).toBeLessThan(1e-4);
    });
    const alone = [await pooled.run(pixels.slice(0, 3072), 1), await pooled.run(pixels.slice(3072), 1)];
    expect(alone.flatMap((values) => [...values])).toEqual([...together]);
    await pooled.close();
    await first.close();
  });

  test("of grey pictures, whose one channel serves as all", async () => {
    const model = await open({ output: "pooled", channels: 1 });
    const grey = Uint8Array.from({ length: 1024 }, (_, i) => i % 256);
    const colour = Uint8Array.from({ length: 3072 }, (_, i) => Math.floor(i / 3) % 256);
    const coloured = await open({ output: "pooled" });
    expect([...(await model.run(grey, 1))]).toEqual([...(await coloured.run(colour, 1))]);
    await model.close();
    await coloured.close();
  });
});

describe("what cannot be run", () => {
  needs(missing);

  test("an output that is not there: the nearest", async () => {
    await expect(open({ output: "poled" })).rejects.toThrow(/No output named "poled" .* Did you mean "pooled"/);
  });
  test("pictures of another size", async () => {
    await expect(open({ size: [64, 48] })).rejects.toThrow(
      "reads pictures of 32 × 32, but is applied to 64 × 48. Declare image({ size: [32, 32] })",
    );
  });
  test("a file that is no model, and one that is not there", async () => {
    const text = join(dir, "text.onnx");
    writeFileSync(text, "It is a text.");
    await expect(open({ file: text })).rejects.toThrow(
      "The ONNX model backbone.onnx cannot be opened: it is no ONNX model, or not all of one. Give an .onnx file",
    );
    writeFileSync(text, "");
    await expect(open({ file: text })).rejects.toThrow("cannot be opened: the file is empty.");
    await expect(open({ file: text })).rejects.toThrow(ConfigError);
    await expect(open({ file: join(dir, "none.onnx") })).rejects.toThrow("is not there. Correct its path");
  });
  test("an operator that the runtime does not have, by its name", async () => {
    // field 4 of a node, a text of 4 letters
    const bytes = readFileSync(file);
    const at = bytes.indexOf("\x22\x04Clip", 0, "latin1");
    expect(at).toBeGreaterThan(0);
    bytes.write("\x22\x04Clop", at, "latin1");
    const changed = join(dir, "operator.onnx");
    writeFileSync(changed, bytes);
    await expect(open({ file: changed })).rejects.toThrow(/cannot be opened: .*Clop.* Export it with operators/);
  });
  test("an operator of a domain that the runtime does not know, by its name", async () => {
    // one node of onnx.helper: Strange, of the domain "mine", from x to y [n, 3, 48, 48]
    const node =
      "CAg6VgoVCgF4EgF5IgdTdHJhbmdlOgRtaW5lEgFnWhwKAXgSFwoVCAESEQoDEgFuCgIIAwoCCDAKAggwYhwKAXkSFwoVCAESEQoDEgFuCgIIAwoCCDAKAggwQgQKABARQggKBG1pbmUQAQ==";
    const strange = join(dir, "domain.onnx");
    writeFileSync(strange, Buffer.from(node, "base64"));
    await expect(open({ file: strange })).rejects.toThrow(
      /cannot be opened: .*mine:Strange.* Export it with operators/,
    );
  });
});

test("without ONNX Runtime it is said how to get it", async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "cool-no-onnx-"));
  try {
    await expect(open({ projectDir: elsewhere })).rejects.toThrow(
      /needs the package onnxruntime-node, which is not installed for .*ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node/,
    );
    await expect(open({ projectDir: elsewhere })).rejects.toThrow(BackendError);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});
