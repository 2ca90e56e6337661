/** @file Every kind of layer that a trunk may have. */
import * as tfl from "@tensorflow/tfjs-layers";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import type { ParityCase } from "./compare.js";
import { type LayerCase, networkCase } from "./layer-network.js";

const image = [3, 7, 6, 4];
const rows = [5, 6];
const sequence = [3, 5, 4];
const volume = [2, 5, 4, 5, 3];
const film = [2, 3, 5, 5, 2];

type Layer = tfl.layers.Layer;

function one(name: string, shape: readonly number[], layer: () => Layer): LayerCase {
  return { name, inputs: [shape], build: (x) => layer().apply(x) as SymbolicTensor };
}

function two(name: string, shape: readonly number[], layer: () => Layer): LayerCase {
  return { name, inputs: [shape, shape], build: (...both) => layer().apply(both) as SymbolicTensor };
}

const random = (layerCase: LayerCase): LayerCase => ({ ...layerCase, random: true });
const cpuIsWrong = (why: string, layerCase: LayerCase): LayerCase => ({ ...layerCase, cpuIsWrong: why });
const masked = (layerCase: LayerCase): LayerCase => ({ ...layerCase, masked: true });
const integers = (vocabulary: number, layerCase: LayerCase): LayerCase => ({ ...layerCase, vocabulary });

const strided: LayerCase[] = [1, 2].flatMap((strides) =>
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
      one(`averagePooling2d ${kernelSize}, stride ${strides}, ${padding}`, image, () =>
        tfl.layers.averagePooling2d({ poolSize: kernelSize, strides, padding }),
      ),
    ]),
  ),
);

const convolutions: LayerCase[] = [
  ...strided,
  one("conv2d, linear", image, () => tfl.layers.conv2d({ filters: 5, kernelSize: 3 })),
  one("conv2d, no bias", image, () => tfl.layers.conv2d({ filters: 5, kernelSize: [3, 2], useBias: false })),
  ...(["same", "valid"] as const).flatMap((padding) =>
    (["linear", "elu", "tanh"] as const).map((activation) =>
      one(`conv2d, dilated, ${padding}, ${activation}`, image, () =>
        tfl.layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: 2, padding, activation }),
      ),
    ),
  ),
  one("conv2d, dilated by width alone", image, () =>
    tfl.layers.conv2d({ filters: 5, kernelSize: [2, 3], dilationRate: [1, 2], useBias: false }),
  ),
  one("conv1d, dilated", sequence, () =>
    tfl.layers.conv1d({ filters: 5, kernelSize: 2, dilationRate: 2, padding: "same" }),
  ),
  one("depthwiseConv2d, dilated", image, () =>
    tfl.layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, padding: "same" }),
  ),
  one("separableConv2d", image, () => tfl.layers.separableConv2d({ filters: 5, kernelSize: 3, padding: "same" })),
  one("separableConv2d, stride 2, multiplier 2", image, () =>
    tfl.layers.separableConv2d({ filters: 5, kernelSize: 3, strides: 2, depthMultiplier: 2 }),
  ),
  one("convLstm2d", film, () =>
    tfl.layers.convLstm2d({ filters: 2, kernelSize: 2, padding: "same", returnSequences: true }),
  ),
];

/** Of volumes, which no input of dnn-cool has, but which layers may make. */
const volumes: LayerCase[] = [
  one("conv3d", volume, () => tfl.layers.conv3d({ filters: 2, kernelSize: 2 })),
  one("conv3d, stride 2, same", volume, () =>
    tfl.layers.conv3d({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
  ),
  one("maxPooling3d", volume, () => tfl.layers.maxPooling3d({ poolSize: 2, strides: 2 })),
  one("maxPooling3d, overlapping, same", volume, () =>
    tfl.layers.maxPooling3d({ poolSize: 3, strides: 2, padding: "same" }),
  ),
];

const pooling: LayerCase[] = [
  one("averagePooling3d", volume, () => tfl.layers.averagePooling3d({ poolSize: 2, strides: 2 })),
  one("averagePooling3d, same", volume, () =>
    tfl.layers.averagePooling3d({ poolSize: 3, strides: 2, padding: "same" }),
  ),
  one("globalAveragePooling2d", image, () => tfl.layers.globalAveragePooling2d({})),
  one("globalMaxPooling2d", image, () => tfl.layers.globalMaxPooling2d({})),
  one("globalAveragePooling1d", sequence, () => tfl.layers.globalAveragePooling1d({})),
  one("globalMaxPooling1d", sequence, () => tfl.layers.globalMaxPooling1d()),
  one("maxPooling1d", sequence, () => tfl.layers.maxPooling1d({ poolSize: 2 })),
  one("maxPooling1d, overlapping, same", sequence, () =>
    tfl.layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }),
  ),
  one("averagePooling1d", sequence, () => tfl.layers.averagePooling1d({ poolSize: 2 })),
  one("averagePooling1d, overlapping", sequence, () => tfl.layers.averagePooling1d({ poolSize: 3, strides: 1 })),
];

const names = [
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

const activations: LayerCase[] = [
  ...names.map((activation) => one(`activation ${activation}`, rows, () => tfl.layers.activation({ activation }))),
  ...names.map((activation) => one(`dense, ${activation}`, rows, () => tfl.layers.dense({ units: 4, activation }))),
  one("dense of sequences", sequence, () => tfl.layers.dense({ units: 3, activation: "relu" })),
  one("prelu", rows, () => tfl.layers.prelu({})),
  one("prelu, shared", image, () => tfl.layers.prelu({ sharedAxes: [1, 2] })),
  one("leakyReLU", rows, () => tfl.layers.leakyReLU({ alpha: 0.2 })),
  one("elu", rows, () => tfl.layers.elu()),
  one("reLU with a ceiling", rows, () => tfl.layers.reLU({ maxValue: 0.5 })),
  one("softmax", rows, () => tfl.layers.softmax()),
];

const normalization: LayerCase[] = [
  one("batchNormalization of images", image, () => tfl.layers.batchNormalization()),
  one("batchNormalization of sequences", sequence, () => tfl.layers.batchNormalization()),
  one("batchNormalization of rows", rows, () => tfl.layers.batchNormalization()),
  one("layerNormalization of images", image, () => tfl.layers.layerNormalization()),
  one("layerNormalization of sequences", sequence, () => tfl.layers.layerNormalization()),
  one("layerNormalization of rows", rows, () => tfl.layers.layerNormalization()),
  random(one("dropout", rows, () => tfl.layers.dropout({ rate: 0.5 }))),
  random(one("dropout with a seed", rows, () => tfl.layers.dropout({ rate: 0.5, seed: 3 }))),
  random(one("dropout with a noise shape", sequence, () => tfl.layers.dropout({ rate: 0.4, noiseShape: [3, 1, 4] }))),
  random(one("spatialDropout1d", sequence, () => tfl.layers.spatialDropout1d({ rate: 0.4 }))),
  random(one("alphaDropout", rows, () => tfl.layers.alphaDropout({ rate: 0.4 }))),
  random(one("gaussianDropout", rows, () => tfl.layers.gaussianDropout({ rate: 0.4 }))),
  random(one("gaussianNoise", rows, () => tfl.layers.gaussianNoise({ stddev: 0.3 }))),
  one("rescaling", image, () => tfl.layers.rescaling({ scale: 2, offset: 0.5 })),
];

const recurrent: LayerCase[] = [
  integers(
    7,
    one("embedding", [3, 5], () => tfl.layers.embedding({ inputDim: 7, outputDim: 4 })),
  ),
  integers(7, {
    name: "embedding with masked zeros, then lstm",
    inputs: [[3, 5]],
    build: (ids) => {
      const words = tfl.layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true }).apply(ids);
      return tfl.layers.lstm({ units: 3 }).apply(words) as SymbolicTensor;
    },
  }),
  one("simpleRNN", sequence, () => tfl.layers.simpleRNN({ units: 3, returnSequences: true })),
  one("lstm", sequence, () => tfl.layers.lstm({ units: 3 })),
  one("lstm, every step, backwards", sequence, () =>
    tfl.layers.lstm({ units: 3, returnSequences: true, goBackwards: true }),
  ),
  random(one("lstm with dropout", sequence, () => tfl.layers.lstm({ units: 3, dropout: 0.3, recurrentDropout: 0.3 }))),
  one("gru", sequence, () => tfl.layers.gru({ units: 3 })),
  one("gru, every step", sequence, () => tfl.layers.gru({ units: 3, returnSequences: true })),
  one("stacked cells", sequence, () =>
    tfl.layers.rnn({ cell: [tfl.layers.gruCell({ units: 3 }), tfl.layers.lstmCell({ units: 2 })] }),
  ),
  ...(["concat", "sum", "mul", "ave"] as const).map((mergeMode) =>
    one(`bidirectional, ${mergeMode}`, sequence, () =>
      tfl.layers.bidirectional({ layer: tfl.layers.lstm({ units: 3 }) as tfl.RNN, mergeMode }),
    ),
  ),
  one("timeDistributed", sequence, () => tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: 2 }) })),
  masked({
    name: "masking, then gru",
    inputs: [sequence],
    build: (x) => {
      const known = tfl.layers.masking({ maskValue: 0 }).apply(x);
      return tfl.layers.gru({ units: 3 }).apply(known) as SymbolicTensor;
    },
  }),
];

const shapes: LayerCase[] = [
  one("flatten", image, () => tfl.layers.flatten()),
  one("reshape", image, () => tfl.layers.reshape({ targetShape: [12, 14] })),
  one("permute", image, () => tfl.layers.permute({ dims: [3, 1, 2] })),
  one("permute of sequences", sequence, () => tfl.layers.permute({ dims: [2, 1] })),
  one("repeatVector", rows, () => tfl.layers.repeatVector({ n: 3 })),
  one("upSampling2d, nearest, one square image", [1, 5, 5, 4], () => tfl.layers.upSampling2d({ size: [2, 2] })),
  cpuIsWrong(
    "its gradient mixes up the images of a batch",
    one("upSampling2d, nearest", image, () => tfl.layers.upSampling2d({ size: [2, 2] })),
  ),
  one("upSampling2d, bilinear, square", [3, 5, 5, 4], () =>
    tfl.layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
  ),
  cpuIsWrong(
    "its gradient takes height for width",
    one("upSampling2d, bilinear", image, () => tfl.layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" })),
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
];

const merging: LayerCase[] = [
  ...[1, 2, 3, -1].map((axis) => two(`concatenate, axis ${axis}`, image, () => tfl.layers.concatenate({ axis }))),
  two("add", image, () => tfl.layers.add()),
  two("multiply", image, () => tfl.layers.multiply()),
  two("average", image, () => tfl.layers.average()),
  two("maximum", image, () => tfl.layers.maximum()),
  two("minimum", image, () => tfl.layers.minimum()),
  two("dot", rows, () => tfl.layers.dot({ axes: -1 })),
  two("dot, normalized", rows, () => tfl.layers.dot({ axes: -1, normalize: true })),
  two("dot of sequences", sequence, () => tfl.layers.dot({ axes: 2 })),
];

const regularized: LayerCase[] = [
  one("regularizers", rows, () =>
    tfl.layers.dense({ units: 4, kernelRegularizer: "l1l2", biasRegularizer: tfl.regularizers.l2({ l2: 0.1 }) }),
  ),
];

/** The layers by themselves. */
export const layers: readonly LayerCase[] = [
  ...convolutions,
  ...volumes,
  ...pooling,
  ...activations,
  ...normalization,
  ...recurrent,
  ...shapes,
  ...merging,
  ...regularized,
];

export const layerCases: readonly ParityCase[] = layers.map(networkCase);
