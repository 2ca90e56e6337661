/** @file Ready trunks: the shapes they put out, and how many parameters they have. */
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import {
  mapFeatures,
  mlp,
  residualNet,
  sequential,
  smallConvNet,
  tokenEncoder,
} from "../../../src/engine/model/ready-trunks.js";
import type { SymbolicTensor } from "../../../src/engine/model/trunk.js";

const input = (shape: (number | null)[]): SymbolicTensor => tfl.input({ shape });
const parameters = (inputs: SymbolicTensor, outputs: SymbolicTensor): number =>
  tfl.model({ inputs, outputs }).countParams();

describe("a small convolutional network", () => {
  test("halves a picture with every convolution and keeps where things are", () => {
    const picture = input([32, 48, 3]);
    const features = smallConvNet({ filters: [4, 8], units: 10 })(picture, tfl.layers);
    expect(features.shape).toEqual([null, 10]);
    // 3·3·3·4 + 4, 3·3·4·8 + 8, (8·12·8)·10 + 10
    expect(parameters(picture, features)).toBe(112 + 296 + 7690);
  });

  test("may put out its map, or the average over it", () => {
    const picture = input([32, 48, 3]);
    expect(smallConvNet({ filters: [4, 8], pool: "none" })(picture, tfl.layers).shape).toEqual([null, 8, 12, 8]);
    expect(smallConvNet({ filters: [4, 8], pool: "average", units: 0 })(picture, tfl.layers).shape).toEqual([null, 8]);
  });
});

describe("a residual network", () => {
  test("doubles its filters and halves the picture from stage to stage", () => {
    const picture = input([16, 16, 3]);
    const map = residualNet({ depth: [1, 1], width: 4, pool: "none" })(picture, tfl.layers);
    expect(map.shape).toEqual([null, 8, 8, 8]);
    const norm = (filters: number) => 4 * filters;
    const stem = 3 * 3 * 3 * 4 + norm(4);
    const first = 2 * (3 * 3 * 4 * 4 + norm(4));
    const second = 3 * 3 * 4 * 8 + norm(8) + (3 * 3 * 8 * 8 + norm(8)) + (4 * 8 + norm(8));
    expect(parameters(picture, map)).toBe(stem + first + second);
  });
});

describe("features of a map", () => {
  test("say what is there, or also where, behind a convolution and before a dense layer", () => {
    const map = input([4, 5, 6]);
    expect(mapFeatures()(map, tfl.layers).shape).toEqual([null, 6]);
    const where = mapFeatures({ pool: "flatten", channels: 2, units: 7, dropout: 0.5 })(map, tfl.layers);
    expect(where.shape).toEqual([null, 7]);
    // 6·2 + 2, (4·5·2)·7 + 7
    expect(parameters(map, where)).toBe(14 + 287);
  });

  test("are the largest or the mean numbers over the places", () => {
    const values = tf.tensor4d([1, 2, 5, 0], [1, 2, 1, 2]);
    const outputs = (["max", "average"] as const).map((pool) => {
      const map = input([2, 1, 2]);
      const model = tfl.model({ inputs: map, outputs: mapFeatures({ pool })(map, tfl.layers) });
      return Array.from((model.predict(values) as tf.Tensor).dataSync());
    });
    expect(outputs).toEqual([
      [5, 2],
      [3, 1],
    ]);
  });
});

describe("a map that heads read place by place", () => {
  test("is divided by the root of how many numbers it has, so that a step moves no logit to its end", () => {
    const map = input([2, 1, 2]);
    const outputs = [
      mapFeatures({ pool: "flatten" })(map, tfl.layers),
      mapFeatures({ pool: "flatten", units: 3 })(map, tfl.layers),
    ];
    const [read] = tfl.model({ inputs: map, outputs }).predict(tf.tensor4d([1, 2, 5, 0], [1, 2, 1, 2])) as tf.Tensor[];
    // √4
    expect(Array.from(read?.dataSync() ?? [])).toEqual([0.5, 1, 2.5, 0]);
    const names = tfl.model({ inputs: map, outputs }).layers.map((layer) => layer.getClassName());
    expect(names.filter((name) => name === "Rescaling")).toHaveLength(1);
  });
});

describe("dense layers", () => {
  test("take vectors, and flatten what has more axes", () => {
    expect(mlp({ units: [5, 3], dropout: 0.1 })(input([7]), tfl.layers).shape).toEqual([null, 3]);
    expect(mlp({ units: [3] })(input([2, 2, 2]), tfl.layers).shape).toEqual([null, 3]);
  });
});

test("parts one after the other may be layers and blocks", () => {
  const parts = sequential([tfl.layers.dense({ units: 6 }), mlp({ units: [4] })]);
  expect(parts(input([3]), tfl.layers).shape).toEqual([null, 4]);
});

test("a token encoder puts out its tokens and their maximum", () => {
  const { tokens, pooled } = tokenEncoder({ ids: 12, width: 6, depth: 2, window: 3 })(input([null]), tfl.layers);
  expect(tokens.shape).toEqual([null, null, 6]);
  expect(pooled.shape).toEqual([null, 6]);
});
