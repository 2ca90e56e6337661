/** @file Weights taken from another model, and weights that training leaves alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { saveCheckpoint } from "../../../src/engine/model/checkpoint.js";
import type { Layer } from "../../../src/engine/model/layer-graph.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { readLayersModel, type Transfer, transferWeights } from "../../../src/engine/model/transfer.js";
import type { FlowGraph } from "../../../src/flow/graph.js";
import {
  batchOf,
  counts,
  graph,
  INPUTS,
  makeData,
  plainTrunk,
  richTrunk,
  trainerOf,
  valuesOf,
} from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("cpu");
});
afterAll(() => tf.disposeVariables());

/** Weights of each layer that has some, by name. */
function weightsByLayer(model: tfl.LayersModel): Map<string, Float32Array[]> {
  const weighted = model.layers.filter(({ weights }) => weights.length > 0);
  return new Map(weighted.map((layer) => [layer.name, layer.getWeights().map(valuesOf)]));
}

function take(into: Network, source: Network): Transfer {
  return into.change((model) => transferWeights(model, into.graph, { model: source.model, graph: source.graph }));
}

/** Every taken layer has the weights of the one it is from. */
function expectTaken({ taken }: Transfer, into: tfl.LayersModel, source: tfl.LayersModel): void {
  const [mine, theirs] = [weightsByLayer(into), weightsByLayer(source)];
  for (const { layer, from } of taken) expect(mine.get(layer)).toEqual(theirs.get(from));
}

const apply = (layer: Layer, x: SymbolicTensor): SymbolicTensor => layer.apply(x) as SymbolicTensor;

/** A convolution and a dense layer per feature, of one shape, in either order of creation. */
function twins(first: "common" | "place"): TrunkFunction {
  return ({ image }, layers) => {
    const flat = apply(layers.flatten(), image as SymbolicTensor);
    const second = first === "common" ? "place" : "common";
    const made = {
      [first]: apply(layers.dense({ units: 4 }), flat),
      [second]: apply(layers.dense({ units: 4 }), flat),
    };
    return made as { common: SymbolicTensor; place: SymbolicTensor };
  };
}

describe("starting from a run", () => {
  test("takes every layer of an equal network, whatever tfjs calls it", () => {
    const source = Network.build(graph, INPUTS, richTrunk, 1);
    const network = Network.build(graph, INPUTS, richTrunk, 2);
    const transfer = take(network, source);
    expect(transfer.fresh).toEqual([]);
    expect(transfer.taken.map(({ layer }) => layer).slice(-5)).toEqual(graph.tasks.map(({ path }) => path));
    expect(transfer.taken.some(({ layer, from }) => layer !== from)).toBe(true);
    expect([...weightsByLayer(network.model).values()]).toEqual([...weightsByLayer(source.model).values()]);
    source.dispose();
    network.dispose();
  });

  test("trains on from the weights it has taken", async () => {
    const source = Network.build(graph, INPUTS, plainTrunk, 1);
    const network = Network.build(graph, INPUTS, plainTrunk, 2);
    take(network, source);
    for (const each of [source, network]) {
      const { inputs, targets } = batchOf(each, data);
      await trainerOf(each).step(inputs, targets, 1e-2);
    }
    expect([...weightsByLayer(network.model).values()]).toEqual([...weightsByLayer(source.model).values()]);
    source.dispose();
    network.dispose();
  });

  test("leaves a layer of other shapes fresh, and takes those around it", () => {
    const wider: TrunkFunction = ({ image }, layers) => {
      const conv = (filters: number) =>
        layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" });
      const added = layers.conv2d({ name: "added", filters: 4, kernelSize: 1 });
      const stack = [conv(4), added, conv(6), layers.flatten()];
      const shared = stack.reduce((x, layer) => apply(layer, x), image as SymbolicTensor);
      return { common: apply(layers.dense({ units: 9 }), shared), place: apply(layers.dense({ units: 5 }), shared) };
    };
    const source = Network.build(graph, INPUTS, plainTrunk, 1);
    const network = Network.build(graph, INPUTS, wider, 2);
    const transfer = take(network, source);
    // the heads that read the wider feature do not fit either
    const wide = graph.tasks.filter(({ feature }) => feature === "common").map(({ path }) => path);
    expect(transfer.fresh.filter((name) => !name.startsWith("dense_"))).toEqual(["added", ...wide]);
    expect(transfer.fresh).toHaveLength(2 + wide.length);
    expect(transfer.taken).toHaveLength(3 + 2);
    expectTaken(transfer, network.model, source.model);
    source.dispose();
    network.dispose();
  });

  test("tells branches of one shape apart by the features that they end in", () => {
    const reversed: FlowGraph = { ...graph, tasks: [...graph.tasks].reverse().map((t, index) => ({ ...t, index })) };
    const source = Network.build(reversed, INPUTS, twins("place"), 1);
    const network = Network.build(graph, INPUTS, twins("common"), 2);
    take(network, source);
    for (const task of graph.tasks) {
      const [mine, theirs] = [network.model, source.model].map((model) => {
        const before = (model.getLayer(task.path).input as SymbolicTensor).sourceLayer;
        return before.getWeights().map(valuesOf);
      });
      expect(mine).toEqual(theirs);
    }
    source.dispose();
    network.dispose();
  });

  test("takes layers that were named by hand by their names alone", () => {
    const named =
      (first: string, second: string, units: number): TrunkFunction =>
      ({ image }, layers) => {
        const flat = apply(layers.flatten(), image as SymbolicTensor);
        return {
          common: apply(layers.dense({ name: first, units: 4 }), flat),
          place: apply(layers.dense({ name: second, units }), flat),
        };
      };
    const source = Network.build(graph, INPUTS, named("left", "right", 4), 1);
    const network = Network.build(graph, INPUTS, named("right", "left", 5), 2);
    const transfer = take(network, source);
    expect(transfer.taken).toContainEqual({ layer: "right", from: "right" });
    expect(transfer.fresh).toContain("left");
    expectTaken(transfer, network.model, source.model);
    source.dispose();
    network.dispose();
  });
});

describe("starting from a saved model", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "cool-model-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("takes the trunk of a classifier that plain tfjs has saved", async () => {
    const image = tfl.input({ shape: [8, 8, 3] });
    const conv = (filters: number) =>
      tfl.layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" });
    const features = [conv(4), conv(6), tfl.layers.flatten()].reduce((x, layer) => apply(layer, x), image);
    const model = tfl.model({ inputs: image, outputs: apply(tfl.layers.dense({ units: 1000 }), features) });
    await model.save(
      tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
        const manifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
        writeFileSync(join(dir, "weights.bin"), Buffer.from(weightData as ArrayBuffer));
        writeFileSync(join(dir, "model.json"), JSON.stringify({ modelTopology, weightsManifest: manifest }));
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      }),
    );
    const source = await readLayersModel(join(dir, "model.json"));
    const network = Network.build(graph, INPUTS, plainTrunk, 2);
    const transfer = network.change((own) => transferWeights(own, graph, { model: source, graph: null }));
    expect(transfer.taken.map(({ from }) => from)).toEqual(model.layers.slice(1, 3).map(({ name }) => name));
    expectTaken(transfer, network.model, model);
    expect(transfer.fresh).toHaveLength(2 + graph.tasks.length);
    for (const each of [source, model, network]) each.dispose();
  });

  test("a checkpoint is one too: its heads are known by the paths of their tasks", async () => {
    const source = Network.build(graph, INPUTS, plainTrunk, 1);
    await saveCheckpoint(join(dir, "best"), source);
    const model = await readLayersModel(join(dir, "best"));
    const network = Network.build(graph, INPUTS, plainTrunk, 2);
    const transfer = network.change((own) => transferWeights(own, graph, { model, graph: null }));
    expect(transfer.fresh).toEqual([]);
    expectTaken(transfer, network.model, source.model);
    model.dispose();
    source.dispose();
    network.dispose();
  });

  test("that is not there, or is a graph model, is named with the way out", async () => {
    await expect(readLayersModel(join(dir, "none.json"))).rejects.toThrow(
      /^The model .*none\.json cannot be read: it is not there\. Give the model\.json of a LayersModel/,
    );
    writeFileSync(join(dir, "graph.json"), JSON.stringify({ format: "graph-model", modelTopology: {} }));
    await expect(readLayersModel(join(dir, "graph.json"))).rejects.toThrow(
      "it is a graph model, whose layers are gone",
    );
  });
});

describe("freezing", () => {
  /** Weights of the layers whose values differ after three steps of AdamW with weight decay. */
  async function changedBySteps(network: Network): Promise<string[]> {
    const before = weightsByLayer(network.model);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    for (let step = 0; step < 3; step++) await trainer.step(inputs, targets, 1e-2);
    const after = weightsByLayer(network.model);
    return [...after]
      .filter(([name, values]) => values.some((v, i) => !same(v, before.get(name)?.[i])))
      .map(([name]) => name);
  }
  const same = (a: Float32Array, b: Float32Array | undefined): boolean =>
    Buffer.from(a.buffer).equals(Buffer.from(b?.buffer ?? new ArrayBuffer(0)));

  test("of all features leaves every bit of the trunk, averages of batch normalization too", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 1, { freeze: ["common", "place"] });
    expect(network.frozen.layers).toHaveLength(6);
    expect(await changedBySteps(network)).toEqual(graph.tasks.map(({ path }) => path));
    network.dispose();
  });

  test("without freezing every layer moves", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    const all = [...weightsByLayer(network.model).keys()];
    expect(await changedBySteps(network)).toEqual(all);
    network.dispose();
  });

  test("of one feature leaves the layers that lead to it alone, not the shared ones", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1, { freeze: ["place"] });
    const place = network.model.getLayer(graph.tasks.find(({ feature }) => feature === "place")?.path ?? "").input;
    const leading = (place as SymbolicTensor).sourceLayer.name;
    expect(network.frozen.layers).toEqual([leading]);
    const all = [...weightsByLayer(network.model).keys()];
    expect(network.frozen.shared).toEqual(all.slice(0, 2));
    expect(await changedBySteps(network)).toEqual(all.filter((name) => name !== leading));
    network.dispose();
  });

  test("of a flow leaves the heads of its tasks, wherever they lie between others", async () => {
    for (const freeze of [["person"], ["person.colors"], ["present", "person.y"]]) {
      const network = Network.build(graph, INPUTS, plainTrunk, 1, { freeze });
      const frozen = graph.tasks.map(({ path }) => path).filter((path) => freeze.some((name) => path.startsWith(name)));
      expect(network.frozen.tasks).toEqual(frozen);
      const all = [...weightsByLayer(network.model).keys()];
      expect(await changedBySteps(network)).toEqual(all.filter((name) => !frozen.includes(name)));
      network.dispose();
    }
  });

  test("changes nothing of what the network says", () => {
    const say = (freeze: string[]): Float32Array => {
      const network = Network.build(graph, INPUTS, plainTrunk, 1, { freeze });
      const { inputs } = batchOf(network, data);
      const logits = tf.tidy(() => valuesOf(network.logits(inputs, 24, false)));
      network.dispose();
      return logits;
    };
    expect(say(["person.colors", "place"])).toEqual(say([]));
  });

  test("spares the gradients of what is frozen", async () => {
    const kernelsOf = async (freeze: string[]): Promise<string[]> => {
      const network = Network.build(graph, INPUTS, plainTrunk, 1, { freeze });
      const trainer = trainerOf(network);
      const { inputs, targets } = batchOf(network, data);
      const { kernels } = await tf.profile(async () => {
        await trainer.step(inputs, targets, 1e-2);
        return tf.scalar(0);
      });
      network.dispose();
      return kernels.map(({ name }) => name).filter((name) => name.includes("Backprop"));
    };
    expect(await kernelsOf(["common", "place"])).toEqual([]);
    expect(new Set(await kernelsOf([]))).toEqual(new Set(["Conv2DBackpropFilter", "Conv2DBackpropInput"]));
  });

  test("keeps no tensors", () => {
    const before = counts();
    Network.build(graph, INPUTS, richTrunk, 1, { freeze: ["common", "person.colors", "place"] }).dispose();
    expect(counts()).toEqual(before);
  });

  test("names the nearest feature, task or flow", () => {
    expect(() => Network.build(graph, INPUTS, plainTrunk, 1, { freeze: ["plaice"] })).toThrow(
      'No feature, task or flow named "plaice" in train.freeze. Did you mean "place"?',
    );
  });

  test("says why a feature freezes nothing", () => {
    const one: TrunkFunction = ({ image }, layers) => {
      const shared = apply(
        layers.dense({ name: "shared", units: 4 }),
        apply(layers.flatten(), image as SymbolicTensor),
      );
      return { common: shared, place: shared };
    };
    expect(() => Network.build(graph, INPUTS, one, 1, { freeze: ["place"] })).toThrow(
      'train.freeze names "place", but that freezes nothing: its layers (shared) lead to other features too. Name these features too, or remove it.',
    );
  });

  test("of everything is refused", () => {
    expect(() =>
      Network.build(graph, INPUTS, plainTrunk, 1, { freeze: ["common", "place", "present", "person"] }),
    ).toThrow("train.freeze leaves nothing to train.");
  });
});
