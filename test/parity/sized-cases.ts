/** @file Layers in the sizes of real networks, where backends take other kernels than for a handful of numbers. */
import * as tfl from "@tensorflow/tfjs-layers";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import type { ParityCase } from "./compare.js";
import { type LayerCase, networkCase } from "./layer-network.js";

type Layer = tfl.layers.Layer;

function stack(name: string, shape: readonly number[], layers: () => readonly Layer[]): LayerCase {
  const build = (x: SymbolicTensor) => layers().reduce((input, layer) => layer.apply(input) as SymbolicTensor, x);
  return { name, inputs: [shape], build };
}

/** Many inputs at once. */
function many(name: string, count: number, shape: readonly number[], layer: () => Layer): LayerCase {
  return {
    name,
    inputs: Array.from({ length: count }, () => shape),
    build: (...all) => layer().apply(all) as SymbolicTensor,
  };
}

const dense: LayerCase[] = [
  [4, 600, 8],
  [16, 2100, 24],
  [40, 300, 257],
  [128, 64, 192],
  [130, 70, 201],
].map(([rows = 0, from = 0, units = 0]) =>
  stack(`dense ${from} → ${units} of ${rows} rows`, [rows, from], () => [
    tfl.layers.dense({ units, activation: "tanh" }),
  ]),
);

const pooled = () => tfl.layers.globalAveragePooling2d({});

const convolutions: LayerCase[] = [
  stack("conv2d 3 of 4 channels", [4, 24, 24, 4], () => [
    tfl.layers.conv2d({ filters: 32, kernelSize: 3, padding: "same", activation: "tanh" }),
    pooled(),
  ]),
  stack("conv2d 3 of colours, stride 2", [6, 33, 31, 3], () => [
    tfl.layers.conv2d({ filters: 20, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
    pooled(),
  ]),
  stack("conv2d 5 of 12 channels, valid", [6, 16, 16, 12], () => [
    tfl.layers.conv2d({ filters: 36, kernelSize: 5, activation: "tanh" }),
    pooled(),
  ]),
  stack("conv2d 1 of 24 channels", [8, 16, 16, 24], () => [
    tfl.layers.conv2d({ filters: 48, kernelSize: 1, activation: "tanh" }),
    pooled(),
  ]),
  stack("conv2d as large as its picture", [8, 7, 7, 16], () => [
    tfl.layers.conv2d({ filters: 40, kernelSize: 7, activation: "tanh" }),
  ]),
  ...[3, 5].map((kernelSize) =>
    stack(`depthwiseConv2d ${kernelSize} of 32 channels`, [4, 24, 24, 32], () => [
      tfl.layers.depthwiseConv2d({ kernelSize, padding: "same", activation: "tanh" }),
      pooled(),
    ]),
  ),
  stack("separableConv2d, stride 2, of 16 channels", [4, 24, 24, 16], () => [
    tfl.layers.separableConv2d({ filters: 32, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
    pooled(),
  ]),
  stack("conv2dTranspose, stride 2", [4, 12, 12, 16], () => [
    tfl.layers.conv2dTranspose({ filters: 12, kernelSize: 4, strides: 2, padding: "same", activation: "tanh" }),
    pooled(),
  ]),
  stack("conv1d of 40 steps", [8, 40, 24], () => [
    tfl.layers.conv1d({ filters: 48, kernelSize: 5, padding: "same", activation: "tanh" }),
    tfl.layers.globalAveragePooling1d({}),
  ]),
];

const others: LayerCase[] = [
  stack("a small network of convolutions", [4, 32, 32, 3], () => [
    tfl.layers.conv2d({ filters: 16, kernelSize: 3, padding: "same", activation: "elu" }),
    tfl.layers.batchNormalization(),
    tfl.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
    tfl.layers.conv2d({ filters: 32, kernelSize: 3, strides: 2, padding: "same", activation: "elu" }),
    tfl.layers.averagePooling2d({ poolSize: 2 }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 64, activation: "elu" }),
  ]),
  stack("batchNormalization of 32 channels", [8, 16, 16, 32], () => [tfl.layers.batchNormalization(), pooled()]),
  stack("layerNormalization of 300 numbers", [64, 300], () => [tfl.layers.layerNormalization()]),
  stack("softmax of 1000", [32, 1000], () => [tfl.layers.softmax()]),
  stack("globalMaxPooling2d", [8, 24, 24, 16], () => [tfl.layers.globalMaxPooling2d({})]),
  {
    name: "embedding of 500 words, then a bidirectional lstm",
    inputs: [[8, 10]],
    vocabulary: 500,
    build: (ids) => {
      const words = tfl.layers.embedding({ inputDim: 500, outputDim: 32 }).apply(ids);
      const layer = tfl.layers.lstm({ units: 24 }) as tfl.RNN;
      return tfl.layers.bidirectional({ layer, mergeMode: "concat" }).apply(words) as SymbolicTensor;
    },
  },
  stack("gru of 12 steps", [8, 12, 16], () => [tfl.layers.gru({ units: 40 })]),
  many("add of 12", 12, [5, 40], () => tfl.layers.add()),
  many("concatenate of 12", 12, [5, 40], () => tfl.layers.concatenate({ axis: -1 })),
  many("dot of sequences", 2, [4, 40, 32], () => tfl.layers.dot({ axes: 2 })),
];

export const sizedCases: readonly ParityCase[] = [...dense, ...convolutions, ...others].map(networkCase);
