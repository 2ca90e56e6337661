/** @file A backbone of the size of MobileNet v1 (width 0.25), with random weights, saved as tfjs saves it. */
import * as tfl from "@tensorflow/tfjs-layers";
import { saveModel } from "../save-model.js";

/** Filters and strides of the depthwise separable blocks: Howard et al. (2017), table 1. */
const BLOCKS = [
  [16, 1],
  [32, 2],
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  ...Array.from({ length: 5 }, () => [128, 1] as const),
  [256, 2],
  [256, 1],
] as const;

/** Pictures of 224 × 224 × 3 → a map of 7 × 7 × 256. Writes model.json and weights.bin. */
export async function writeBackbone(dir: string): Promise<void> {
  const input = tfl.input({ name: "pixels", shape: [224, 224, 3] });
  let x: tfl.SymbolicTensor = input;
  const add = (...layers: tfl.layers.Layer[]): void => {
    for (const layer of layers) x = layer.apply(x) as tfl.SymbolicTensor;
  };
  const normalized = (name: string): tfl.layers.Layer[] => [
    tfl.layers.batchNormalization({ name: `${name}_bn` }),
    tfl.layers.reLU({ name: `${name}_relu`, maxValue: 6 }),
  ];
  const shared = { padding: "same", useBias: false } as const;
  add(tfl.layers.conv2d({ name: "conv1", filters: 8, kernelSize: 3, strides: 2, ...shared }), ...normalized("conv1"));
  BLOCKS.forEach(([filters, strides], i) => {
    const [depthwise, pointwise] = [`conv_dw_${i + 1}`, `conv_pw_${i + 1}`];
    add(
      tfl.layers.depthwiseConv2d({ name: depthwise, kernelSize: 3, strides, ...shared }),
      ...normalized(depthwise),
      tfl.layers.conv2d({ name: pointwise, filters, kernelSize: 1, ...shared }),
      ...normalized(pointwise),
    );
  });
  const model = tfl.model({ inputs: input, outputs: x });
  await saveModel(model, dir);
}
