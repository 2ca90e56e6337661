/** @file The trunks of the benchmark networks; torch_train.py is their twin. */
import type { Layers, SymbolicTensor, TrunkFunction } from "../../src/engine/model/network.js";

type Apply = (x: SymbolicTensor) => SymbolicTensor;

export const multitaskTrunk: TrunkFunction = ({ image }, layers) => {
  const convolved = [16, 32, 64].reduce((x, filters) => conv(layers, x, filters, 2), image as SymbolicTensor);
  return { features: average(layers, convolved) };
};

export const convnetTrunk: TrunkFunction = ({ image }, layers) => {
  const convolved = [32, 64, 64].reduce(
    (x, filters) => halve(layers, conv(layers, x, filters, 1)),
    image as SymbolicTensor,
  );
  return { features: average(layers, convolved) };
};

/** Output channels and stride of each depthwise separable block: MobileNet v1 of width 0.5 (Howard et al., 2017). */
const SEPARABLE_BLOCKS: readonly (readonly [filters: number, strides: number])[] = [
  ...([
    [32, 1],
    [64, 2],
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
  ] as const),
  ...Array.from({ length: 5 }, () => [256, 1] as const),
  ...([
    [512, 2],
    [512, 1],
  ] as const),
];

export const mobilenetTrunk: TrunkFunction = ({ image }, layers) => {
  const common = { padding: "same", useBias: false } as const;
  const normalized = (x: SymbolicTensor): SymbolicTensor =>
    layers.reLU({ maxValue: 6 }).apply(layers.batchNormalization().apply(x)) as SymbolicTensor;
  const first = layers.conv2d({ filters: 16, kernelSize: 3, strides: 2, ...common }).apply(image as SymbolicTensor);
  const map = SEPARABLE_BLOCKS.reduce(
    (x, [filters, strides]) => {
      const filtered = layers.depthwiseConv2d({ kernelSize: 3, strides, ...common }).apply(x) as SymbolicTensor;
      const mixed = layers.conv2d({ filters, kernelSize: 1, ...common }).apply(normalized(filtered));
      return normalized(mixed as SymbolicTensor);
    },
    normalized(first as SymbolicTensor),
  );
  return { features: average(layers, map) };
};

/** Two levels down and up again (Ronneberger et al., 2015), then a map of 16 channels and its average. */
export const unetTrunk: TrunkFunction = ({ image }, layers) => {
  const twice = (x: SymbolicTensor, filters: number) => conv(layers, conv(layers, x, filters, 1), filters, 1);
  const up = (x: SymbolicTensor, skipped: SymbolicTensor, filters: number): SymbolicTensor => {
    const larger = layers.upSampling2d({ size: [2, 2] }).apply(x) as SymbolicTensor;
    return twice(layers.concatenate().apply([larger, skipped]) as SymbolicTensor, filters);
  };
  const top = twice(image as SymbolicTensor, 16);
  const inner = twice(halve(layers, top), 32);
  const bottom = twice(halve(layers, inner), 64);
  const map = up(up(bottom, inner, 32), top, 16);
  const logits = layers.conv2d({ filters: 16, kernelSize: 1 }).apply(map) as SymbolicTensor;
  return { features: average(layers, logits) };
};

const WIDTH = 64;
const [BLOCKS, ATTENTION_HEADS] = [2, 4];

/** Embedding and encoder blocks with normalization after the sums (Vaswani et al., 2017), then the mean over the tokens. */
export const tokensTrunk: TrunkFunction = ({ words }, layers, specs) => {
  const spec = specs.words;
  const ids = spec?.kind === "tokens" ? spec.vocabulary.length + 1 : 0;
  let x = layers.embedding({ inputDim: ids, outputDim: WIDTH }).apply(words as SymbolicTensor) as SymbolicTensor;
  for (let block = 0; block < BLOCKS; block++) {
    x = addAndNormalize(layers, x, (input) => attend(layers, input));
    x = addAndNormalize(layers, x, (input) => {
      const wide = layers.dense({ units: 2 * WIDTH, activation: "relu" }).apply(input) as SymbolicTensor;
      return layers.dense({ units: WIDTH }).apply(wide) as SymbolicTensor;
    });
  }
  return { features: layers.globalAveragePooling1d({}).apply(x) as SymbolicTensor };
};

function addAndNormalize(layers: Layers, x: SymbolicTensor, part: Apply): SymbolicTensor {
  const sum = layers.add().apply([x, part(x)]) as SymbolicTensor;
  return layers.layerNormalization({ epsilon: 1e-5 }).apply(sum) as SymbolicTensor;
}

/** Scaled dot-product attention of several heads, of stock layers: each head has dense layers of its own. */
function attend(layers: Layers, x: SymbolicTensor): SymbolicTensor {
  const units = WIDTH / ATTENTION_HEADS;
  const project = (): SymbolicTensor => layers.dense({ units }).apply(x) as SymbolicTensor;
  const heads = Array.from({ length: ATTENTION_HEADS }, () => {
    const [query, key, value] = [project(), project(), project()];
    const products = layers.dot({ axes: [2, 2] }).apply([query, key]) as SymbolicTensor;
    const scaled = layers.rescaling({ scale: 1 / Math.sqrt(units) }).apply(products) as SymbolicTensor;
    const weights = layers.softmax({ axis: -1 }).apply(scaled) as SymbolicTensor;
    return layers.dot({ axes: [2, 1] }).apply([weights, value]) as SymbolicTensor;
  });
  const together = layers.concatenate().apply(heads) as SymbolicTensor;
  return layers.dense({ units: WIDTH }).apply(together) as SymbolicTensor;
}

function conv(layers: Layers, x: SymbolicTensor, filters: number, strides: number): SymbolicTensor {
  const layer = layers.conv2d({ filters, kernelSize: 3, strides, padding: "same", activation: "relu" });
  return layer.apply(x) as SymbolicTensor;
}

function halve(layers: Layers, x: SymbolicTensor): SymbolicTensor {
  return layers.maxPooling2d({ poolSize: 2 }).apply(x) as SymbolicTensor;
}

function average(layers: Layers, x: SymbolicTensor): SymbolicTensor {
  return layers.globalAveragePooling2d({}).apply(x) as SymbolicTensor;
}
