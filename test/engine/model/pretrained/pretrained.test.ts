/** @file Saved models in a trunk: what they put out, what of them is frozen, and what cannot be built in. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { image } from "../../../../src/data/inputs/inputs.js";
import { openBackend } from "../../../../src/engine/backends/choose.js";
import { buildWithModels } from "../../../../src/engine/model/pretrained/build-network.js";
import { readLayersModel } from "../../../../src/engine/model/transfer.js";
import { fetchModel } from "../../../../src/engine/model/pretrained/fetch-model.js";
import { pretrained, type PretrainedOptions } from "../../../../src/engine/model/pretrained/pretrained.js";
import { Network } from "../../../../src/engine/model/network.js";
import type { TrunkFunction } from "../../../../src/engine/model/trunk.js";
import { sequential } from "../../../../src/engine/model/ready-trunks.js";
import { ConfigError, UnknownNameError } from "../../../../src/errors.js";
import { defineTasks } from "../../../../src/flow/define.js";
import { traceFlow } from "../../../../src/flow/trace.js";
import { binary } from "../../../../src/tasks/index.js";
import { drawWeights, smallBackbone, writeModel } from "../../../support/saved-model.js";

const graph = traceFlow(
  defineTasks({ features: ["f"], tasks: { yes: binary() } }).flow("all", (flow, x, out) => {
    out.add(flow.yes(x.f));
  }),
  "all",
);
const IMAGE = image({ column: "img", size: [16, 16] });
const RANGE = { range: [-1, 1] } as const;

let dir: string;
let backbone: tfl.LayersModel;
beforeAll(async () => {
  await openBackend("wasm");
  dir = mkdtempSync(join(tmpdir(), "cool-pretrained-"));
  backbone = smallBackbone();
  await writeModel(join(dir, "backbone"), backbone);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  tf.disposeVariables();
});

/** Of options that are undefined the default is meant. */
type Given = { readonly [Key in keyof PretrainedOptions]?: PretrainedOptions[Key] | undefined };

async function build(given: Given, spec = IMAGE) {
  const entries = Object.entries({ input: RANGE, ...given }).filter(([, value]) => value !== undefined);
  const options: PretrainedOptions = { model: "backbone", ...Object.fromEntries(entries) };
  const { built, parts } = await buildWithModels(dir, () =>
    Network.build(
      graph,
      { image: spec },
      ({ image: pixels }, layers) => {
        const map = pretrained(options)(pixels as tfl.SymbolicTensor, layers);
        return { f: map.shape.length > 2 ? sequential([layers.flatten()])(map, layers) : map };
      },
      7,
    ),
  );
  return { network: built, model: built.model, parts };
}

/** A few pictures in [0, 1]. */
const pictures = (channels = 3): tf.Tensor4D => tf.randomUniform([3, 16, 16, channels], 0, 1, "float32", 5);

/** What the trunk puts out for pictures. */
function featureOf(model: tfl.LayersModel, x: tf.Tensor, training = false): tf.Tensor {
  const feature = [model.getLayer("yes").input].flat()[0] as tfl.SymbolicTensor;
  return tfl.model({ inputs: model.inputs, outputs: feature }).apply(x, { training }) as tf.Tensor;
}

function expectClose(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-5);
}

describe("a saved model in a trunk", () => {
  test("puts out what it puts out by itself, for pixels as it was trained to see them", async () => {
    const { model, parts } = await build({});
    const x = pictures();
    expectClose(featureOf(model, x), backbone.predict(tf.sub(tf.mul(x, 2), 1)) as tf.Tensor);
    expect(parts).toMatchObject([{ model: "backbone", output: "classes", preprocessing: RANGE, trained: [] }]);
    expect(parts[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("up to the output of a layer, under its own names, without preprocessing where nothing changes", async () => {
    const { model } = await build({ output: "block_1_relu", input: { range: [0, 1] } });
    const upTo = tfl.model({
      inputs: backbone.inputs,
      outputs: backbone.getLayer("block_1_relu").output as tfl.SymbolicTensor,
    });
    const x = pictures();
    expectClose(featureOf(model, x), tf.reshape(upTo.predict(x) as tf.Tensor, [3, -1]));
    expect(model.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["block_0_conv", "block_0_bn", "block_1_relu"]),
    );
    expect(model.layers.some(({ name }) => name === "preprocessing" || name === "pool")).toBe(false);
  });

  test("of layers within models within it, whose layers stand beside each other then", async () => {
    const nested = tfl.sequential({
      layers: [backbone, tfl.layers.dense({ name: "top", units: 2, activation: "relu" })],
    });
    await writeModel(join(dir, "nested"), nested);
    const { model } = await build({ model: "nested", input: { range: [0, 1] } });
    const x = pictures();
    expectClose(featureOf(model, x), nested.predict(x) as tf.Tensor);
    expect(model.layers.map(({ name }) => name)).toEqual(expect.arrayContaining(["block_1_conv", "classes", "top"]));
  });

  test("of a layer that is called twice, which stays one layer", async () => {
    const input = tfl.input({ name: "pixels", shape: [16, 16, 3] });
    const shared = tfl.layers.conv2d({ name: "shared", filters: 3, kernelSize: 3, padding: "same" });
    const twice = shared.apply(shared.apply(input)) as tfl.SymbolicTensor;
    const sum = tfl.layers.add({ name: "sum" }).apply([twice, input]) as tfl.SymbolicTensor;
    const looped = tfl.model({ inputs: input, outputs: sum });
    drawWeights(looped, 3);
    await writeModel(join(dir, "twice"), looped);
    const { model } = await build({ model: "twice", input: { range: [0, 1] } });
    const x = pictures();
    expectClose(featureOf(model, x), tf.reshape(looped.predict(x) as tf.Tensor, [3, -1]));
    expect(model.layers.filter(({ name }) => name.startsWith("shared"))).toHaveLength(1);
  });

  test("for pictures of another size, where its layers take them", async () => {
    const large = image({ column: "img", size: [24, 20] });
    const { model } = await build({ output: "pool" }, large);
    expect(featureOf(model, tf.zeros([2, 24, 20, 3])).shape).toEqual([2, 6]);
  });

  test("twice in one trunk, with names of its own for the second", async () => {
    const { built } = await buildWithModels(dir, () =>
      Network.build(
        graph,
        { image: IMAGE },
        ({ image: pixels }, layers) => {
          const part = pretrained({ model: "backbone", input: RANGE, output: "pool" });
          const both = [part, part].map((each) => each(pixels as tfl.SymbolicTensor, layers));
          return { f: layers.concatenate().apply(both) as tfl.SymbolicTensor };
        },
        7,
      ),
    );
    expect(built.model.layers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["block_0_conv", "block_0_conv_2"]),
    );
  });

  test("reads its preprocessor_config.json, beside it or named", async () => {
    const copy = join(dir, "with-config");
    cpSync(join(dir, "backbone"), copy, { recursive: true });
    writeFileSync(join(copy, "preprocessor_config.json"), JSON.stringify({ image_mean: [0.5], image_std: [0.25] }));
    const x = pictures();
    const expected = backbone.predict(tf.div(tf.sub(x, 0.5), 0.25)) as tf.Tensor;
    const beside = await buildWithModels(dir, () =>
      Network.build(
        graph,
        { image: IMAGE },
        ({ image: pixels }, layers) => ({
          f: pretrained({ model: "with-config/model.json" })(pixels as tfl.SymbolicTensor, layers),
        }),
        7,
      ),
    );
    expectClose(featureOf(beside.built.model, x), expected);
    const { model } = await build({ input: "with-config/preprocessor_config.json" });
    expectClose(featureOf(model, x), expected);
  });

  test("a preprocessor_config.json of another size than the input's is a doubt, of the same size none", async () => {
    const copy = join(dir, "with-size");
    cpSync(join(dir, "backbone"), copy, { recursive: true });
    const doubts = async (config: Readonly<Record<string, unknown>>) => {
      const values = { image_mean: [0.5], image_std: [0.25], ...config };
      writeFileSync(join(copy, "preprocessor_config.json"), JSON.stringify(values));
      const trunk: TrunkFunction = ({ image: pixels }, layers) => ({
        f: pretrained({ model: "with-size/model.json" })(pixels as tfl.SymbolicTensor, layers),
      });
      return (await buildWithModels(dir, () => Network.build(graph, { image: IMAGE }, trunk, 7))).doubts;
    };
    const [height, width] = IMAGE.size;
    expect(await doubts({})).toEqual([]);
    expect(await doubts({ size: { height, width } })).toEqual([]);
    // it fixes no more than the shortest edge
    expect(await doubts({ size: { shortest_edge: 224 } })).toEqual([]);
    const cut = { size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } };
    expect(await doubts(cut)).toEqual([
      `The model with-size/model.json was trained on pictures of 224 × 224, as the preprocessor_config.json beside it says, but its input is ${height} × ${width}: what it knows of sizes may not hold there. Declare image({ preprocessor: "with-size/model.json" }), or size: [224, 224].`,
    ]);
  });
});

describe("what is frozen", () => {
  const trained = ({ model }: { readonly model: tfl.LayersModel }): string[] =>
    model.layers.filter((layer) => layer.trainableWeights.length > 0).map(({ name }) => name);

  test.each<[PretrainedOptions["freeze"], PretrainedOptions["batchNormalization"], string[]]>([
    [true, undefined, ["yes"]],
    [undefined, undefined, ["yes"]],
    [false, undefined, ["block_0_conv", "block_1_conv", "classes", "yes"]],
    [false, "train", ["block_0_conv", "block_0_bn", "block_1_conv", "block_1_bn", "classes", "yes"]],
    [["block_0_*"], "train", ["block_1_conv", "block_1_bn", "classes", "yes"]],
    [["block_1_conv", "classes"], "train", ["block_0_conv", "block_0_bn", "block_1_bn", "yes"]],
    [{ upTo: "block_0_relu" }, "train", ["block_1_conv", "block_1_bn", "classes", "yes"]],
    [{ depth: 3 }, "train", ["block_1_bn", "classes", "yes"]],
  ])("by %j, with batch normalization %s: these train: %j", async (freeze, batchNormalization, expected) => {
    const built = await build({ freeze, batchNormalization });
    expect(trained(built)).toEqual(expected);
    expect(built.parts[0]?.trained).toEqual(expected.slice(0, -1));
    const frozen = ["preprocessing", ...["block_0_conv", "block_0_bn", "block_1_conv", "block_1_bn", "classes"]];
    expect(built.network.frozen.layers).toEqual(frozen.filter((name) => !expected.includes(name)));
  });

  test("answers in training as in inference, and its averages stay, also once it has been saved", async () => {
    const { model, network } = await build({});
    const saved = await writeModel(join(dir, "saved"), model);
    const again = await tfl.loadLayersModel(
      tf.io.fromMemory({
        ...JSON.parse(readFileSync(join(saved, "model.json"), "utf8")),
        weightSpecs: JSON.parse(readFileSync(join(saved, "model.json"), "utf8")).weightsManifest[0].weights,
        weightData: new Uint8Array(readFileSync(join(saved, "weights.bin"))).buffer,
      }),
    );
    const loaded = Network.fromModel(graph, { image: IMAGE }, again);
    for (const each of [network, loaded]) {
      const before = each.statistics.map((variable) => variable.dataSync().slice());
      const x = pictures();
      expectClose(featureOf(each.model, x, true), featureOf(each.model, x));
      expect(each.statistics.map((variable) => variable.dataSync().slice())).toEqual(before);
    }
  });

  test("layers that train follow the batch where they are told to", async () => {
    const { model } = await build({ freeze: false, batchNormalization: "train", output: "block_0_bn" });
    const x = pictures();
    const moved = tf.max(tf.abs(tf.sub(featureOf(model, x, true), featureOf(model, x))));
    expect(moved.dataSync()[0]).toBeGreaterThan(0.01);
  });
});

describe("what cannot be built in", () => {
  const failing = (options: Given, spec = IMAGE): Promise<string> =>
    build(options, spec).then(
      () => "nothing",
      (error: unknown) =>
        error instanceof ConfigError || error instanceof UnknownNameError ? error.message : "a fault",
    );

  test("an output that is not there: the nearest", async () => {
    expect(await failing({ output: "block_1_rleu" })).toMatch(
      /^No layer named "block_1_rleu" in backbone, which pretrained\(\{ output \}\) names\. Did you mean "block_1_relu"/,
    );
  });
  test.each<[PretrainedOptions["freeze"], string]>([
    [["block_0_con"], 'Did you mean "block_0_conv"'],
    [["stage_*"], "no layer of backbone begins so"],
    [{ upTo: "block_2_relu" }, "Did you mean"],
    [{ depth: 9 }, "5 layers with weights"],
  ])("freeze: %j", async (freeze, message) => {
    expect(await failing({ freeze })).toContain(message);
  });
  test("an input of the wrong size: what it takes, and the layer that does not", async () => {
    const input = tfl.input({ shape: [16, 16, 3] });
    const flat = tfl.layers.flatten({ name: "flat" }).apply(input);
    const dense = tfl.layers.dense({ name: "fc", units: 2 }).apply(flat) as tfl.SymbolicTensor;
    await writeModel(join(dir, "dense"), tfl.model({ inputs: input, outputs: dense }));
    expect(await failing({ model: "dense" }, image({ column: "img", size: [8, 8] }))).toMatch(
      /reads \[batch, 16, 16, 3\], but is applied to \[batch, 8, 8, 3\], and its layer "fc" does not fit that\. Declare image\(\{ size: \[16, 16\] \}\)/,
    );
  });
  test("nothing that says what it was trained to see", async () => {
    expect(await failing({ input: undefined })).toContain("Nothing says what the model backbone was trained to see");
  });
  test.each([
    ["no file", "nothing-here", undefined, "it is not there"],
    ["no model", "text.json", "It is a text.", "is not valid JSON"],
    ["another document", "other.json", '{"a": 1}', '"modelTopology" in other.json is wrong'],
  ])("%s", async (_what, model, content, message) => {
    if (content !== undefined) writeFileSync(join(dir, model), content);
    expect(await failing({ model })).toContain(message);
  });
  test("a layer of a class that is not there", async () => {
    const copy = join(dir, "unknown-class");
    cpSync(join(dir, "backbone"), copy, { recursive: true });
    const text = readFileSync(join(copy, "model.json"), "utf8");
    writeFileSync(join(copy, "model.json"), text.replace('"class_name":"ReLU"', '"class_name":"HardSwish"'));
    expect(await failing({ model: "unknown-class" })).toMatch(
      /The layer "block_0_relu" of \S+ is of the class HardSwish, which tfjs does not have/,
    );
  });
  test("weights that are no numbers", async () => {
    const copy = join(dir, "not-finite");
    cpSync(join(dir, "backbone"), copy, { recursive: true });
    const weights = readFileSync(join(copy, "weights.bin"));
    weights.writeFloatLE(Number.NaN, 8);
    writeFileSync(join(copy, "weights.bin"), weights);
    expect(await failing({ model: "not-finite" })).toContain('its layer "block_0_conv" has a weight that is NaN');
  });
  test.each([
    [{ model: 3 }, '"model" is 3; expected a text'],
    [{}, "names no model"],
    [{ model: "a", freez: true }, 'Did you mean "freeze"?'],
    [{ model: "a", freeze: { upto: "x" } }, "expected true, false, names of layers"],
    [{ model: "a", batchNormalization: "off" }, '"frozen" or "train"'],
  ])("pretrained(%j)", (options, message) => {
    expect(() => pretrained(options as PretrainedOptions)).toThrow(message);
  });
  test("outside of a trunk", () => {
    const x = tfl.input({ shape: [16, 16, 3] });
    expect(() => pretrained({ model: "backbone" })(x, tfl.layers)).toThrow("outside of a trunk");
  });
});

describe("what stands in a model's place", () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90387606\n";
  test.each([
    ["nothing", "", "the file is empty"],
    ["a pointer of Git LFS", pointer, "which git lfs pull fetches"],
    ["a web page", "\n<!DOCTYPE html><html></html>", "it is a web page"],
    ["a graph of another format", '{"format":"saved","modelTopology":{"node":[]},"weightsManifest":[]}', '"saved"'],
  ])("is told by its name: %s", async (_, text, message) => {
    const file = join(dir, "replaced.json");
    writeFileSync(file, text);
    await expect(readLayersModel(file)).rejects.toThrow(message);
  });
  test("is not kept where an address answers with it, so that the next try asks again", async () => {
    const answers = ["<html>Sign in</html>", '{"modelTopology": {', "{}"];
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(answers[0]);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.json`;
    const env = { DNN_COOL_CACHE: join(dir, "cache-of-pages") };
    try {
      await expect(fetchModel(address, env)).rejects.toThrow(/cannot be fetched: .*it is a web page.*fetch it by hand/);
      answers.shift();
      await expect(fetchModel(address, env)).rejects.toThrow("is no JSON, or not all of it");
      answers.shift();
      expect(readFileSync(await fetchModel(address, env), "utf8")).toBe("{}");
    } finally {
      server.close();
    }
  });
});

describe("a model behind an address", () => {
  test("is fetched once, with its weights and its preprocessing, and a wrong address is said to be", async () => {
    let asked: string[] = [];
    const files = new Map([
      ["/m/model.json", readFileSync(join(dir, "backbone", "model.json"))],
      ["/m/weights.bin", readFileSync(join(dir, "backbone", "weights.bin"))],
      ["/m/preprocessor_config.json", Buffer.from('{"image_mean": 0.5, "image_std": 0.5}')],
    ]);
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "", "http://localhost").pathname;
      asked.push(request.url ?? "");
      const body = files.get(path);
      response.writeHead(body === undefined ? 404 : 200).end(body ?? "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { DNN_COOL_CACHE: join(dir, "cache") };
    try {
      const file = await fetchModel(`${address}/m/model.json?token=1`, env);
      expect(readFileSync(file)).toEqual(files.get("/m/model.json"));
      expect(asked.sort()).toEqual([
        "/m/model.json?token=1",
        "/m/preprocessor_config.json?token=1",
        "/m/weights.bin?token=1",
      ]);
      asked = [];
      expect(await fetchModel(`${address}/m/model.json?token=1`, env)).toBe(file);
      expect(asked).toEqual([]);
      const { model } = await build({ model: file, input: undefined });
      const x = pictures();
      expectClose(featureOf(model, x), backbone.predict(tf.sub(tf.mul(x, 2), 1)) as tf.Tensor);
      await expect(fetchModel(`${address}/n/model.json`, env)).rejects.toThrow("the server answers 404");
    } finally {
      server.close();
    }
    await expect(fetchModel(`${address}/o/model.json`, env)).rejects.toThrow(
      /cannot be fetched: .* or fetch it by hand/,
    );
  });
});
