/** @file A small tfjs graph model, written as the converter writes one: a convolution, ReLU, and the mean over places. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../../src/data/rng.js";

export const CHANNELS = 4;

const text = (value: string) => ({ s: Buffer.from(value).toString("base64") });
const float = { type: "DT_FLOAT" };
const shape = (sides: readonly number[]) => ({ shape: { dim: sides.map((size) => ({ size: String(size) })) } });

/** [3, 3, 3, CHANNELS] */
export const KERNEL = Float32Array.from({ length: 27 * CHANNELS }, weights());

function weights(): () => number {
  const random = createRandom("kernel of the graph model");
  return () => random.next() - 0.5;
}

export interface GraphChange {
  readonly size?: readonly [height: number, width: number] | undefined;
  /** Operator in the place of ReLU. */
  readonly activation?: string;
  readonly kernel?: Float32Array;
  readonly batch?: number;
}

/** Writes model.json and its weights. @returns the folder */
export function writeGraphModel(
  folder: string,
  { size, activation = "Relu", kernel = KERNEL, batch = -1 }: GraphChange = {},
): string {
  const sides = [batch, size?.[0] ?? -1, size?.[1] ?? -1, 3];
  const node = [
    { name: "x", op: "Placeholder", attr: { dtype: float, shape: shape(sides) } },
    { name: "kernel", op: "Const", attr: { dtype: float, value: { tensor: { dtype: "DT_FLOAT", tensorShape: {} } } } },
    {
      name: "axes",
      op: "Const",
      attr: { dtype: { type: "DT_INT32" }, value: { tensor: { dtype: "DT_INT32", tensorShape: {} } } },
    },
    {
      name: "conv",
      op: "Conv2D",
      input: ["x", "kernel"],
      attr: {
        ...{ T: float, padding: text("VALID"), data_format: text("NHWC"), explicit_paddings: { list: {} } },
        ...{ strides: { list: { i: ["1", "2", "2", "1"] } }, dilations: { list: { i: ["1", "1", "1", "1"] } } },
      },
    },
    { name: "map", op: activation, input: ["conv"], attr: { T: float } },
    {
      name: "pooled",
      op: "Mean",
      input: ["map", "axes"],
      attr: { T: float, keep_dims: { b: false }, Tidx: { type: "DT_INT32" } },
    },
  ];
  const model = {
    ...{ format: "graph-model", generatedBy: "test", convertedBy: null },
    modelTopology: { node, versions: { producer: 1 } },
    weightsManifest: [
      {
        paths: ["group1-shard1of1.bin"],
        weights: [
          { name: "kernel", shape: [3, 3, 3, CHANNELS], dtype: "float32" },
          { name: "axes", shape: [2], dtype: "int32" },
        ],
      },
    ],
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.json"), JSON.stringify(model));
  const axes = Int32Array.of(1, 2);
  writeFileSync(
    join(folder, "group1-shard1of1.bin"),
    Buffer.concat([Buffer.from(kernel.buffer), Buffer.from(axes.buffer)]),
  );
  return folder;
}

/**
 * What the model puts out as "map", written out place by place.
 * @param seen [height, width, 3], as the model sees it
 * @returns [places down, places across, CHANNELS]
 */
export function expectedMap(seen: Float32Array, height: number, width: number): number[] {
  const [down, across] = [Math.floor((height - 3) / 2) + 1, Math.floor((width - 3) / 2) + 1];
  const map: number[] = [];
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      for (let out = 0; out < CHANNELS; out++) {
        let sum = 0;
        for (let i = 0; i < 27; i++) {
          const [dy, dx, channel] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
          sum += (seen[((2 * y + dy) * width + 2 * x + dx) * 3 + channel] ?? 0) * (KERNEL[i * CHANNELS + out] ?? 0);
        }
        map.push(Math.max(0, sum));
      }
    }
  }
  return map;
}
