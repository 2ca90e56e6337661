/** @file What torch_finetune.py exports: a backbone as a saved tfjs model, heads, pictures and labels. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import type { ProjectDefinition } from "../../src/project/define-project.js";
import { saveModel } from "../save-model.js";

type OptimizerSettings = NonNullable<NonNullable<ProjectDefinition["train"]>["optimizer"]>;

export type CaseName = "frozen" | "finetuned";

/** A layer, as it is applied after the one before; its weights are the next ones of the file. */
interface ExportedLayer {
  readonly kind: "conv" | "depthwise" | "norm" | "relu6" | "fork" | "join" | "head";
  readonly shapes: readonly (readonly number[])[];
  readonly name?: string;
  readonly filters?: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly epsilon?: number;
}

export interface Exported {
  readonly size: number;
  readonly pictures: number;
  readonly batch: number;
  readonly classes: number;
  readonly weights: Readonly<Record<"present" | "kind" | "place", number>>;
  readonly optimizers: Readonly<Record<CaseName, OptimizerSettings>>;
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Of the schedule. */
  readonly steps: number;
  readonly warm_steps: number;
  readonly layers: readonly ExportedLayer[];
  /** -1 where a label is missing. */
  readonly labels: {
    readonly present: readonly number[];
    readonly kind: readonly number[];
    readonly place: readonly (readonly number[])[];
  };
}

/** Kernel and bias of a head. */
export type HeadWeights = ReadonlyMap<string, readonly tf.Tensor[]>;

export function readExported(dir: string): Exported {
  return JSON.parse(readFileSync(join(dir, "export.json"), "utf8")) as Exported;
}

/** [pictures, size, size, 3] */
export function readPictures(dir: string): Uint8Array {
  return new Uint8Array(readFileSync(join(dir, "pictures.bin")));
}

/** Saves the backbone as `dir`/backbone, to be brought in by `pretrained`, and hands out the weights of the heads. */
export async function saveBackbone(dir: string, { size, layers }: Exported): Promise<HeadWeights> {
  const values = new Float32Array(new Uint8Array(readFileSync(join(dir, "weights.bin"))).buffer);
  let at = 0;
  const heads = new Map<string, readonly tf.Tensor[]>();
  const input = tfl.input({ name: "pixels", shape: [size, size, 3] });
  let x: tfl.SymbolicTensor = input;
  let kept = x;
  for (const [i, layer] of layers.entries()) {
    const weights = layer.shapes.map((shape) => {
      const count = shape.reduce((product, axis) => product * axis, 1);
      at += count;
      return tf.tensor(values.slice(at - count, at), [...shape]);
    });
    if (layer.kind === "head") heads.set(layer.name ?? "", weights);
    else if (layer.kind === "fork") kept = x;
    else if (layer.kind === "join") x = tfl.layers.add({ name: `add_${i}` }).apply([kept, x]) as tfl.SymbolicTensor;
    else {
      for (const own of layersOf(layer, i)) {
        x = own.apply(x) as tfl.SymbolicTensor;
        if (own.weights.length > 0) own.setWeights(weights);
      }
    }
  }
  await saveModel(tfl.model({ inputs: input, outputs: x }), join(dir, "backbone"));
  return heads;
}

/** PyTorch pads both sides, "same" of TensorFlow may pad one alone. */
function layersOf({ kind, filters = 0, kernel = 1, stride = 1, padding = 0, epsilon }: ExportedLayer, i: number) {
  const shared = { kernelSize: kernel, strides: stride, padding: "valid", useBias: false } as const;
  const pads = padding === 0 ? [] : [tfl.layers.zeroPadding2d({ name: `pad_${i}`, padding })];
  switch (kind) {
    case "conv":
      return [...pads, tfl.layers.conv2d({ name: `conv_${i}`, filters, ...shared })];
    case "depthwise":
      return [...pads, tfl.layers.depthwiseConv2d({ name: `depthwise_${i}`, ...shared })];
    case "norm":
      return [tfl.layers.batchNormalization({ name: `norm_${i}`, ...(epsilon === undefined ? {} : { epsilon }) })];
    default:
      return [tfl.layers.reLU({ name: `relu_${i}`, maxValue: 6 })];
  }
}
