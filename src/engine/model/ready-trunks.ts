/** @file Ready parts of trunks, of stock layers alone: a saved model opens without us. */
import { ConfigError } from "../../errors.js";
import { checkOptions, COUNT, COUNTS, oneOf, RATE, WHOLE } from "../../options.js";
import { maskPadding, poolTokens } from "./token-layers.js";
import type { Layers, SymbolicTensor } from "./trunk.js";

const POOL = oneOf("average", "flatten", "none");

/** A part of a trunk: from one tensor to the next. */
export type Block = (input: SymbolicTensor, layers: Layers) => SymbolicTensor;

/** Whatever can be applied to one tensor: a layer of `layers`, or a block. */
export type TrunkPart = Block | { apply(input: SymbolicTensor): unknown };

/**
 * Parts one after the other: `sequential([layers.dense({ units: 64 }), layers.dropout({ rate: 0.5 })])(x, layers)`.
 */
export function sequential(parts: readonly TrunkPart[]): Block {
  return (input, layers) => parts.reduce((x, part) => applied(part, x, layers), input);
}

function applied(part: TrunkPart, input: SymbolicTensor, layers: Layers): SymbolicTensor {
  return typeof part === "function" ? part(input, layers) : (part.apply(input) as SymbolicTensor);
}

/** What several parts put out, side by side: [batch, n] and [batch, m] → [batch, n + m]. */
export function concatenate(parts: readonly SymbolicTensor[], layers: Layers): SymbolicTensor {
  const [first] = parts;
  // the layer takes two or more
  return first !== undefined && parts.length === 1 ? first : (layers.concatenate().apply([...parts]) as SymbolicTensor);
}

export interface MlpOptions {
  /** Units of each dense layer; default [64, 64]. */
  readonly units?: readonly number[];
  /** Share of units that a training step drops after each layer; default 0. */
  readonly dropout?: number;
}

/** Dense layers with ReLU: [batch, n] → [batch, last units]; an input of more axes is flattened first. */
export function mlp(options: MlpOptions = {}): Block {
  checkOptions<MlpOptions>("mlp", options, { units: COUNTS, dropout: RATE });
  const { units = [64, 64], dropout = 0 } = options;
  return (input, layers) => {
    const flat = input.shape.length > 2 ? [layers.flatten()] : [];
    const dense = units.flatMap((each) => [
      layers.dense({ units: each, activation: "relu" }),
      ...(dropout > 0 ? [layers.dropout({ rate: dropout })] : []),
    ]);
    return sequential([...flat, ...dense])(input, layers);
  };
}

export interface SmallConvNetOptions {
  /** Filters of each 3 × 3 convolution, every one of which halves height and width; default [16, 32, 64]. */
  readonly filters?: readonly number[];
  /**
   * `average`: what is on the picture, wherever it is; `flatten`: also where it is, for boxes and points; `none`: the
   * map itself, [batch, height, width, filters]. Default `flatten`.
   */
  readonly pool?: "average" | "flatten" | "none";
  /** Units of a dense layer behind the pool; default 64, 0: none. Not with `pool: "none"`. */
  readonly units?: number;
}

/** A few convolutions of stride 2 with ReLU, for small pictures: [batch, height, width, channels] → [batch, units]. */
export function smallConvNet(options: SmallConvNetOptions = {}): Block {
  checkOptions<SmallConvNetOptions>("smallConvNet", options, { filters: COUNTS, pool: POOL, units: WHOLE });
  const { filters = [16, 32, 64], pool = "flatten", units = 64 } = options;
  return (input, layers) => {
    const convolutions = filters.map((each) =>
      layers.conv2d({ filters: each, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
    );
    return sequential([...convolutions, pooled(pool, units)])(input, layers);
  };
}

function pooled(pool: "average" | "flatten" | "none", units: number): Block {
  return (map, layers) => {
    if (pool === "none") return map;
    const flat = units > 0 ? layers.flatten() : places;
    const vector = pool === "average" ? layers.globalAveragePooling2d({}) : flat;
    return sequential([vector, ...(units > 0 ? [layers.dense({ units, activation: "relu" })] : [])])(map, layers);
  };
}

export interface MapFeaturesOptions {
  /**
   * `average`, `max`: what is on the picture, wherever it is; `flatten`: also where it is, for boxes and points. Default
   * `average`.
   */
  readonly pool?: "average" | "max" | "flatten";
  /** Channels that a 1 × 1 convolution makes of the map's first; default 0: as many as there are. */
  readonly channels?: number;
  /** Units of a dense layer behind the pool; default 0: none. */
  readonly units?: number;
  /** Share of numbers that a training step drops behind the pool; default 0. */
  readonly dropout?: number;
}

/**
 * All numbers of a map, for heads to read, divided by the root of how many there are. A step of Adam moves a logit by the
 * learning rate times the sum of what the head reads: of thousands of numbers that is so much that the sigmoids of a box
 * are at their ends after the first step, where they learn nothing any more.
 */
const places: Block = (map, layers) => {
  const size = map.shape.slice(1).reduce<number>((product, side) => product * (side ?? 1), 1);
  return sequential([layers.flatten(), layers.rescaling({ scale: 1 / Math.sqrt(size) })])(map, layers);
};

/**
 * The map of a backbone as a vector that tasks read: [batch, height, width, channels] → [batch, n]. Flattened without
 * `units`, its numbers are divided by √n.
 */
export function mapFeatures(options: MapFeaturesOptions = {}): Block {
  checkOptions<MapFeaturesOptions>("mapFeatures", options, {
    ...{ pool: oneOf("average", "max", "flatten"), channels: WHOLE, units: WHOLE, dropout: RATE },
  });
  const { pool = "average", channels = 0, units = 0, dropout = 0 } = options;
  return (map, layers) => {
    const pools: { readonly [Pool in typeof pool]: () => TrunkPart } = {
      average: () => layers.globalAveragePooling2d({}),
      max: () => layers.globalMaxPooling2d({}),
      flatten: () => (units > 0 ? layers.flatten() : places),
    };
    return sequential([
      ...(channels > 0 ? [layers.conv2d({ filters: channels, kernelSize: 1, activation: "relu" })] : []),
      pools[pool](),
      ...(dropout > 0 ? [layers.dropout({ rate: dropout })] : []),
      ...(units > 0 ? [layers.dense({ units, activation: "relu" })] : []),
    ])(map, layers);
  };
}

export interface ResidualNetOptions {
  /** Residual blocks of each stage; every stage but the first halves height and width. Default [2, 2, 2]. */
  readonly depth?: readonly number[];
  /** Filters of the first stage; each next one has twice as many. Default 16. */
  readonly width?: number;
  /** As in `smallConvNet`; default `average`. */
  readonly pool?: "average" | "flatten" | "none";
  /** Units of a dense layer behind the pool; default 0: none. */
  readonly units?: number;
}

/**
 * A residual network of basic blocks with batch normalization (He et al., Deep Residual Learning for Image
 * Recognition, CVPR 2016): [batch, height, width, channels] → [batch, filters of the last stage].
 */
export function residualNet(options: ResidualNetOptions = {}): Block {
  checkOptions<ResidualNetOptions>("residualNet", options, { depth: COUNTS, width: COUNT, pool: POOL, units: WHOLE });
  const { depth = [2, 2, 2], width = 16, pool = "average", units = 0 } = options;
  const stages = depth.flatMap((blocks, stage) =>
    Array.from({ length: blocks }, (_, i) => residualBlock(width * 2 ** stage, stage > 0 && i === 0 ? 2 : 1)),
  );
  return sequential([normalizedConvolution(width, 3, 1, true), ...stages, pooled(pool, units)]);
}

export function normalizedConvolution(filters: number, kernelSize: number, strides: number, activate: boolean): Block {
  return (input, layers) =>
    sequential([
      layers.conv2d({ filters, kernelSize, strides, padding: "same", useBias: false, kernelInitializer: "heNormal" }),
      layers.batchNormalization(),
      ...(activate ? [layers.reLU()] : []),
    ])(input, layers);
}

function residualBlock(filters: number, strides: number): Block {
  return (input, layers) => {
    const inner = sequential([
      normalizedConvolution(filters, 3, strides, true),
      normalizedConvolution(filters, 3, 1, false),
    ])(input, layers);
    const isSame = strides === 1 && input.shape.at(-1) === filters;
    const shortcut = isSame ? input : normalizedConvolution(filters, 1, strides, false)(input, layers);
    const sum = layers.add().apply([inner, shortcut]) as SymbolicTensor;
    return sequential([layers.reLU()])(sum, layers);
  };
}

export interface TokenEncoderOptions {
  /** Number of ids that the token input has: `idCount(input)`. */
  readonly ids: number;
  /** Numbers per token; default 32. */
  readonly width?: number;
  /** Convolutions over neighbouring tokens, one after the other; default 2. */
  readonly depth?: number;
  /** Tokens that one convolution sees at a time; default 5. */
  readonly window?: number;
}

/** What a token encoder puts out. */
export interface EncodedTokens {
  /** [batch, length, width]: for tasks per token. */
  readonly tokens: SymbolicTensor;
  /** [batch, width]: the largest over the tokens of a row, for tasks per row. */
  readonly pooled: SymbolicTensor;
}

/**
 * Embedding and residual convolutions over neighbouring tokens, with the padding masked, so that no row's answers
 * depend on how long the other rows of its batch are: ids [batch, length] → tokens and their maximum.
 */
export function tokenEncoder(options: TokenEncoderOptions) {
  checkOptions<TokenEncoderOptions>("tokenEncoder", options, {
    ids: COUNT,
    width: COUNT,
    depth: WHOLE,
    window: COUNT,
  });
  const { ids, width = 32, depth = 2, window = 5 } = options;
  if (ids === undefined) {
    throw new ConfigError("tokenEncoder({ … }) needs ids: the number of ids of its input, idCount(specs.words).", {});
  }
  return (input: SymbolicTensor, layers: Layers): EncodedTokens => {
    let tokens = sequential([layers.embedding({ inputDim: ids, outputDim: width })])(input, layers);
    for (let i = 0; i < depth; i++) {
      const convolution = layers.conv1d({
        filters: width,
        kernelSize: window,
        padding: "same",
        activation: "relu",
      });
      const seen = sequential([convolution])(maskPadding(layers, tokens, input), layers);
      tokens = layers.add().apply([tokens, seen]) as SymbolicTensor;
    }
    return { tokens, pooled: poolTokens(layers, tokens, input, "max") };
  };
}
