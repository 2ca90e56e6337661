/** @file Every common layer: loss and all gradients on wasm equal those of the cpu backend. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../src/engine/backend.js";

type Symbolic = tfl.SymbolicTensor;

interface LayerCase {
  readonly name: string;
  /** Shapes of the inputs, batch first. */
  readonly inputs: readonly (readonly number[])[];
  /** Inputs are integers below this. */
  readonly vocabulary?: number;
  readonly build: (...inputs: Symbolic[]) => Symbolic;
}

const image = [3, 7, 6, 4];
const rows = [5, 6];
const sequence = [3, 5, 4];

function one(name: string, shape: readonly number[], layer: () => tfl.layers.Layer): LayerCase {
  return { name, inputs: [shape], build: (x) => layer().apply(x) as Symbolic };
}

function two(name: string, shape: readonly number[], layer: () => tfl.layers.Layer): LayerCase {
  return { name, inputs: [shape, shape], build: (a, b) => layer().apply([a as Symbolic, b as Symbolic]) as Symbolic };
}

const convolutions: LayerCase[] = [1, 2].flatMap((strides) =>
  (["same", "valid"] as const).flatMap((padding) =>
    [1, 2, 3].flatMap((kernelSize) => [
      one(`conv2d ${kernelSize}, stride ${strides}, ${padding}`, image, () =>
        tfl.layers.conv2d({ filters: 5, kernelSize, strides, padding, activation: "relu" }),
      ),
      one(`depthwiseConv2d ${kernelSize}, stride ${strides}, ${padding}`, image, () =>
        tfl.layers.depthwiseConv2d({ kernelSize, strides, padding, depthMultiplier: kernelSize === 2 ? 2 : 1 }),
      ),
      one(`conv2dTranspose ${kernelSize}, stride ${strides}, ${padding}`, image, () =>
        tfl.layers.conv2dTranspose({ filters: 3, kernelSize, strides, padding }),
      ),
      one(`conv1d ${kernelSize}, stride ${strides}, ${padding}`, sequence, () =>
        tfl.layers.conv1d({ filters: 5, kernelSize, strides, padding }),
      ),
      one(`maxPooling2d ${kernelSize}, stride ${strides}, ${padding}`, image, () =>
        tfl.layers.maxPooling2d({ poolSize: kernelSize, strides, padding }),
      ),
    ]),
  ),
);

const activations = [
  "elu",
  "hardSigmoid",
  "linear",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "tanh",
  "swish",
  "mish",
] as const;

const cases: LayerCase[] = [
  ...convolutions,
  ...activations.map((activation) =>
    one(`activation ${activation}`, rows, () => tfl.layers.activation({ activation })),
  ),
  ...activations.map((activation) =>
    one(`dense, ${activation}`, rows, () => tfl.layers.dense({ units: 4, activation })),
  ),
  one("conv2d, linear", image, () => tfl.layers.conv2d({ filters: 5, kernelSize: 3 })),
  one("separableConv2d", image, () => tfl.layers.separableConv2d({ filters: 5, kernelSize: 3, padding: "same" })),
  one("averagePooling2d, valid", image, () => tfl.layers.averagePooling2d({ poolSize: 2, strides: 2 })),
  one("averagePooling2d, overlapping", image, () => tfl.layers.averagePooling2d({ poolSize: 3, strides: 1 })),
  one("globalAveragePooling2d", image, () => tfl.layers.globalAveragePooling2d({})),
  one("globalMaxPooling2d", image, () => tfl.layers.globalMaxPooling2d({})),
  one("globalAveragePooling1d", sequence, () => tfl.layers.globalAveragePooling1d({})),
  one("globalMaxPooling1d", sequence, () => tfl.layers.globalMaxPooling1d()),
  one("maxPooling1d", sequence, () => tfl.layers.maxPooling1d({ poolSize: 2 })),
  one("averagePooling1d", sequence, () => tfl.layers.averagePooling1d({ poolSize: 2 })),
  one("batchNormalization of images", image, () => tfl.layers.batchNormalization()),
  one("batchNormalization of rows", rows, () => tfl.layers.batchNormalization()),
  one("layerNormalization of images", image, () => tfl.layers.layerNormalization()),
  one("layerNormalization of rows", rows, () => tfl.layers.layerNormalization()),
  {
    name: "embedding",
    inputs: [[3, 5]],
    vocabulary: 7,
    build: (x) => tfl.layers.embedding({ inputDim: 7, outputDim: 4 }).apply(x) as Symbolic,
  },
  one("simpleRNN", sequence, () => tfl.layers.simpleRNN({ units: 3, returnSequences: true })),
  one("lstm", sequence, () => tfl.layers.lstm({ units: 3, returnSequences: true })),
  one("gru", sequence, () => tfl.layers.gru({ units: 3 })),
  one("bidirectional", sequence, () =>
    tfl.layers.bidirectional({ layer: tfl.layers.lstm({ units: 3 }) as tfl.RNN, mergeMode: "concat" }),
  ),
  one("timeDistributed", sequence, () => tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: 2 }) })),
  one("dropout", rows, () => tfl.layers.dropout({ rate: 0.5, seed: 3 })),
  one("flatten", image, () => tfl.layers.flatten()),
  one("reshape", image, () => tfl.layers.reshape({ targetShape: [12, 14] })),
  one("permute", image, () => tfl.layers.permute({ dims: [3, 1, 2] })),
  one("repeatVector", rows, () => tfl.layers.repeatVector({ n: 3 })),
  // one square image: tfjs's cpu gradients mix up images of a batch (nearest) and height with width (bilinear)
  one("upSampling2d, nearest", [1, 5, 5, 4], () => tfl.layers.upSampling2d({ size: [2, 2] })),
  one("upSampling2d, bilinear", [3, 5, 5, 4], () =>
    tfl.layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
  ),
  one("zeroPadding2d", image, () => tfl.layers.zeroPadding2d({ padding: [1, 2] })),
  one("cropping2D", image, () =>
    tfl.layers.cropping2D({
      cropping: [
        [1, 1],
        [0, 2],
      ],
    }),
  ),
  one("prelu", rows, () => tfl.layers.prelu({})),
  one("leakyReLU", rows, () => tfl.layers.leakyReLU({ alpha: 0.2 })),
  one("elu", rows, () => tfl.layers.elu()),
  one("reLU with a ceiling", rows, () => tfl.layers.reLU({ maxValue: 0.5 })),
  one("softmax", rows, () => tfl.layers.softmax()),
  two("concatenate", image, () => tfl.layers.concatenate({ axis: -1 })),
  two("add", image, () => tfl.layers.add()),
  two("multiply", image, () => tfl.layers.multiply()),
  two("average", image, () => tfl.layers.average()),
  two("maximum", image, () => tfl.layers.maximum()),
  two("minimum", image, () => tfl.layers.minimum()),
  two("dot", rows, () => tfl.layers.dot({ axes: -1 })),
  two("dot of sequences", sequence, () => tfl.layers.dot({ axes: 2 })),
];

/** Numbers in (-1, 1) that look random and are the same everywhere. */
function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) % 1);
}

interface Result {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
}

async function gradientsOn(backend: string, layerCase: LayerCase): Promise<Result> {
  await tf.setBackend(backend);
  const symbolic = layerCase.inputs.map((shape) => tfl.input({ shape: shape.slice(1) }));
  const model = tfl.model({ inputs: symbolic, outputs: layerCase.build(...symbolic) });
  model.setWeights(model.getWeights().map((w, i) => tf.tensor(numbers(w.size, i + 1), w.shape)));
  const inputs = layerCase.inputs.map((shape, i) => {
    const values = numbers(tf.util.sizeFromShape([...shape]), 100 + i);
    const vocabulary = layerCase.vocabulary;
    const isIndex = vocabulary !== undefined;
    const ready = isIndex ? values.map((v) => Math.floor(Math.abs(v) * vocabulary)) : values;
    return tf.variable(tf.tensor(ready, [...shape]), !isIndex);
  });
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const wanted = [...weights, ...inputs.filter((input) => input.trainable)];
  const { value, grads } = tf.variableGrads(() => {
    const output = model.apply(inputs.length === 1 ? (inputs[0] as tf.Tensor) : inputs, {
      training: true,
    }) as tf.Tensor;
    const target = tf.tensor(numbers(output.size, 500), output.shape);
    return tf.mean(tf.squaredDifference(output, target)) as tf.Scalar;
  }, wanted);
  return {
    loss: value.dataSync()[0] as number,
    gradients: wanted.map((variable) => (grads[variable.name] as tf.Tensor).dataSync() as Float32Array),
  };
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-12);
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number)))) / scale;
}

beforeAll(async () => {
  await openBackend("cpu");
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

describe("wasm and cpu agree on the loss and every gradient of", () => {
  test.each(cases.map((layerCase) => [layerCase.name, layerCase] as const))("%s", async (_, layerCase) => {
    const expected = await gradientsOn("cpu", layerCase);
    const actual = await gradientsOn("wasm", layerCase);
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThanOrEqual(1e-4 * Math.abs(expected.loss));
    expect(actual.gradients.length).toBe(expected.gradients.length);
    expected.gradients.forEach((gradient, i) => {
      expect(relativeError(actual.gradients[i] as Float32Array, gradient)).toBeLessThan(1e-4);
    });
  });
});
