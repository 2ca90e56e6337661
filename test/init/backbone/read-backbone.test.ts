/** @file What a model.json says of itself becomes the trunk of a new project, or an error that says what to do. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBackbone } from "../../../src/init/backbone/read-backbone.js";
import { clearRoles, planProject, writeProject } from "../../../src/init/init-project.js";
import { openSource } from "../../../src/init/source.js";
import { folder } from "../table.js";

const dir = folder();
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Layer {
  readonly class_name: string;
  readonly name?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes?: unknown;
}

/** Layers one after the other, as Keras writes a functional model. */
function chain(...layers: readonly (readonly [kind: string, name: string])[]): Layer[] {
  const input = { class_name: "InputLayer", name: "in", config: { batch_input_shape: [null, 160, 128, 3] } };
  const others = layers.map(([kind, name], i) => ({
    ...{ class_name: kind, name, config: { name } },
    inbound_nodes: [[[i === 0 ? "in" : layers[i - 1]?.[1], 0, 0, {}]]],
  }));
  return [{ ...input, inbound_nodes: [] }, ...others];
}

function write(name: string, layers: readonly Layer[], preprocessor?: string): string {
  const place = join(dir, name);
  mkdirSync(place, { recursive: true });
  const modelTopology = { model_config: { class_name: "Model", config: { layers } } };
  writeFileSync(join(place, "model.json"), JSON.stringify({ format: "layers-model", modelTopology }));
  if (preprocessor !== undefined) writeFileSync(join(place, "preprocessor_config.json"), preprocessor);
  return place;
}

const POOLED = [
  ["GlobalAveragePooling2D", "pool"],
  ["Dense", "classes"],
] as const;

test("a MobileNet is taken up to what its pool reads, at its own size, with the pixels that it was trained to see", async () => {
  const model = write("mobilenet", chain(["Conv2D", "conv1"], ["ReLU", "conv_pw_13_relu"], ...POOLED));
  expect(await readBackbone(model, dir)).toEqual({
    ...{ model: "mobilenet", output: "conv_pw_13_relu", size: [160, 128], channels: 3, input: "{ range: [-1, 1] }" },
  });
});

test("a model that scales its pixels takes them as they are, and a file beside one says it", async () => {
  const scaling = write("scaling", chain(["Rescaling", "scale"], ["Conv2D", "c"], ...POOLED));
  expect((await readBackbone(scaling, dir)).input).toBe("{ range: [0, 255] }");
  const told = write("told", chain(["Conv2D", "c"], ...POOLED), '{"image_mean": 0.5, "image_std": 0.5}');
  expect(await readBackbone(join(told, "model.json"), dir)).toMatchObject({ output: "c", input: null });
});

test("a sequential model has its input's shape in its first layer", async () => {
  const [, ...layers] = chain(["Conv2D", "conv_pw_13_relu"], ["Flatten", "flat"]);
  const bare = layers.map(({ class_name, config }, i) => ({
    ...{ class_name, config: i === 0 ? { ...config, batch_input_shape: [null, null, null, 3] } : config },
  }));
  expect(await readBackbone(write("sequential", bare), dir)).toMatchObject({
    ...{ output: "conv_pw_13_relu", size: [224, 224] },
  });
});

test.each([
  ["unknown", chain(["Conv2D", "c"], ...POOLED), "Put a preprocessor_config.json beside it"],
  ["no-pool", chain(["Conv2D", "c"]), "has no pool behind its last map"],
  ["no-layers", [], "lists no layers"],
])("what cannot be told is an error with a way out: %s", async (name, layers, message) => {
  await expect(readBackbone(write(name, layers), dir)).rejects.toThrow(message);
});

test("a model that is not there, an ONNX model and a pointer of Git LFS are refused", async () => {
  await expect(readBackbone(join(dir, "none"), dir)).rejects.toThrow("is not there");
  await expect(readBackbone("dinov2.onnx", dir)).rejects.toThrow("is an ONNX model");
  const file = join(write("pointer", []), "model.json");
  writeFileSync(file, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n");
  await expect(readBackbone(file, dir)).rejects.toThrow("git lfs pull");
});

test("without pictures there is nothing for it to see", async () => {
  const backbone = await readBackbone(write("mobilenet", chain(["ReLU", "conv_pw_13_relu"], ...POOLED)), dir);
  const source = { ...(await openSource({ template: "table", projectDir: dir })), backbone };
  await expect(planProject(source, clearRoles(source, {}))).rejects.toThrow("has no pictures for the model");
});

let text = "";
beforeAll(async () => {
  const backbone = await readBackbone(write("mobilenet", chain(["ReLU", "conv_pw_13_relu"], ...POOLED)), dir);
  const source = { ...(await openSource({ template: "images", projectDir: dir })), backbone };
  await writeProject(dir, await planProject(source, clearRoles(source, {})), { force: false });
  text = readFileSync(join(dir, "cool.config.ts"), "utf8");
});

test("a project reads the map, pooled for what is there and whole for where it is", () => {
  expect(text).toContain("size: [160, 128]");
  expect(text).toContain('output: "conv_pw_13_relu", // the last layer');
  expect(text).toContain("features: mapFeatures()(map, layers)");
  expect(text).toContain('places: mapFeatures({ pool: "flatten" })(map, layers)');
  expect(text).toMatch(/flow\.\w+\(x\.places\)/);
  expect(text).toMatch(/flow\.\w+\(x\.features\)/);
});
