/**
 * @file What the published declarations need of @tensorflow/tfjs-layers 4.22, whose own declarations do not compile with
 * `skipLibCheck: false`. Options of layers and their comments are taken from there (Apache License 2.0, © Google LLC);
 * test/types/declarations.ts compares them with the real ones.
 */
import type { DataType, Tensor } from "./tfjs-core.js";

type Shape = (number | null)[];

export type ActivationIdentifier =
  | "elu"
  | "hardSigmoid"
  | "linear"
  | "relu"
  | "relu6"
  | "selu"
  | "sigmoid"
  | "softmax"
  | "softplus"
  | "softsign"
  | "tanh"
  | "swish"
  | "mish"
  | "gelu"
  | "gelu_new";

/** How weights begin: the name of an initializer, e.g. `glorotUniform`, or one of tfjs-layers' own. */
export interface Initializer {
  getClassName(): string;
}

/** A penalty on weights: its name, e.g. `l1l2`, or one of tfjs-layers' own. */
export interface Regularizer {
  getClassName(): string;
}

/** A bound on weights: its name, e.g. `unitNorm`, or one of tfjs-layers' own. */
export interface Constraint {
  getClassName(): string;
}

/** The output of a layer that has not been computed: a shape and where it comes from. */
export interface SymbolicTensor {
  readonly dtype: DataType;
  /** null: any length. */
  readonly shape: Shape;
  readonly name: string;
  readonly id: number;
  readonly rank: number;
}

/** A weight of a layer. */
export interface LayerVariable {
  readonly name: string;
  readonly originalName: string;
  readonly shape: Shape;
  readonly dtype: DataType;
  readonly trainable: boolean;
  read(): Tensor;
}

export interface Layer {
  name: string;
  trainable: boolean;
  readonly inputSpec: unknown;
  readonly weights: LayerVariable[];
  readonly trainableWeights: LayerVariable[];
  readonly nonTrainableWeights: LayerVariable[];
  readonly input: SymbolicTensor | SymbolicTensor[];
  readonly output: SymbolicTensor | SymbolicTensor[];
  /** The layer's output where it reads these inputs. */
  apply(
    inputs: Tensor | Tensor[] | SymbolicTensor | SymbolicTensor[],
    kwargs?: { [key: string]: unknown },
  ): Tensor | Tensor[] | SymbolicTensor | SymbolicTensor[];
  countParams(): number;
  getWeights(trainableOnly?: boolean): Tensor[];
  setWeights(weights: Tensor[]): void;
  getClassName(): string;
}

export interface RNN extends Layer {
  readonly returnSequences: boolean;
}

export interface RNNCell extends Layer {
  stateSize: number | number[];
}

/** A network that tfjs-layers loads, runs and saves. */
export interface LayersModel extends Layer {
  readonly layers: Layer[];
  readonly inputs: SymbolicTensor[];
  readonly outputs: SymbolicTensor[];
  readonly inputNames: string[];
  readonly outputNames: string[];
  predict(inputs: Tensor | Tensor[], options?: { batchSize?: number; verbose?: boolean }): Tensor | Tensor[];
  predictOnBatch(inputs: Tensor | Tensor[]): Tensor | Tensor[];
  getLayer(name: string): Layer;
  getLayer(index: number): Layer;
  save(urlOrHandler: string, config?: { includeOptimizer?: boolean; trainableOnly?: boolean }): Promise<unknown>;
  summary(lineLength?: number, positions?: number[], printFn?: (message?: unknown, ...rest: unknown[]) => void): void;
  dispose(): unknown;
}

export interface LayerArgs {
  /** If defined, will be used to create an input layer to insert before this layer. If both `inputShape` and `batchInputShape` are defined, `batchInputShape` will be used. This argument is only applicable to input layers (the first layer of a model). */
  inputShape?: (number | null)[];
  /** If defined, will be used to create an input layer to insert before this layer. If both `inputShape` and `batchInputShape` are defined, `batchInputShape` will be used. This argument is only applicable to input layers (the first layer of a model). */
  batchInputShape?: (number | null)[];
  /** If `inputShape` is specified and `batchInputShape` is *not* specified, `batchSize` is used to construct the `batchInputShape`: `[batchSize, ...inputShape]` */
  batchSize?: number;
  /** The data-type for this layer. Defaults to 'float32'. This argument is only applicable to input layers (the first layer of a model). */
  dtype?: DataType;
  /** Name for this layer. */
  name?: string;
  /** Whether the weights of this layer are updatable by `fit`. Defaults to true. */
  trainable?: boolean;
  /** Initial weight values of the layer. */
  weights?: Tensor[];
  /** Legacy support. Do not use for new code. */
  inputDType?: DataType;
}

export interface InputLayerArgs {
  /** Input shape, not including the batch axis. */
  inputShape?: (number | null)[];
  /** Optional input batch size (integer or null). */
  batchSize?: number;
  /** Batch input shape, including the batch axis. */
  batchInputShape?: (number | null)[];
  /** Datatype of the input. */
  dtype?: DataType;
  /** Whether the placeholder created is meant to be sparse. */
  sparse?: boolean;
  /** Name of the layer. */
  name?: string;
}

export interface ELULayerArgs extends LayerArgs {
  /** Float `>= 0`. Negative slope coefficient. Defaults to `1.0`. */
  alpha?: number;
}

export interface ReLULayerArgs extends LayerArgs {
  /** Float, the maximum output value. */
  maxValue?: number;
}

export interface LeakyReLULayerArgs extends LayerArgs {
  /** Float `>= 0`. Negative slope coefficient. Defaults to `0.3`. */
  alpha?: number;
}

export interface PReLULayerArgs extends LayerArgs {
  /** Initializer for the learnable alpha. */
  alphaInitializer?: string | Initializer;
  /** Regularizer for the learnable alpha. */
  alphaRegularizer?: Regularizer;
  /** Constraint for the learnable alpha. */
  alphaConstraint?: Constraint;
  /** The axes along which to share learnable parameters for the activation function. For example, if the incoming feature maps are from a 2D convolution with output shape `[numExamples, height, width, channels]`, and you wish to share parameters across space (height and width) so that each filter channels has only one set of parameters, set `shared_axes: [1, 2]`. */
  sharedAxes?: number | number[];
}

export interface SoftmaxLayerArgs extends LayerArgs {
  /** Integer, axis along which the softmax normalization is applied. Defaults to `-1` (i.e., the last axis). */
  axis?: number | number[];
}

export interface ThresholdedReLULayerArgs extends LayerArgs {
  /** Float >= 0. Threshold location of activation. */
  theta?: number;
}

export interface ConvLayerArgs extends LayerArgs {
  /** The dimensionality of the output space (i.e. the number of filters in the convolution). */
  filters: number;
  /** The dimensions of the convolution window. If kernelSize is a number, the convolutional window will be square. */
  kernelSize: number | number[];
  /** The strides of the convolution in each dimension. If strides is a number, strides in both dimensions are equal. Specifying any stride value != 1 is incompatible with specifying any `dilationRate` value != 1. */
  strides?: number | number[];
  /** Padding mode. */
  padding?: "valid" | "same" | "causal";
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)`. Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The dilation rate to use for the dilated convolution in each dimension. Should be an integer or array of two or three integers. Currently, specifying any `dilationRate` value != 1 is incompatible with specifying any `strides` value != 1. */
  dilationRate?: number | [number] | [number, number] | [number, number, number];
  /** Activation function of the layer. If you don't specify the activation, none is applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. Defaults to `true`. */
  useBias?: boolean;
  /** Initializer for the convolutional kernel weights matrix. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Constraint for the convolutional kernel weights. */
  kernelConstraint?: string | Constraint;
  /** Constraint for the bias vector. */
  biasConstraint?: string | Constraint;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Regularizer function applied to the activation. */
  activityRegularizer?: string | Regularizer;
}

export interface SeparableConvLayerArgs extends LayerArgs {
  /** The number of depthwise convolution output channels for each input channel. The total number of depthwise convolution output channels will be equal to `filtersIn * depthMultiplier`. Default: 1. */
  depthMultiplier?: number;
  /** Initializer for the depthwise kernel matrix. */
  depthwiseInitializer?: string | Initializer;
  /** Initializer for the pointwise kernel matrix. */
  pointwiseInitializer?: string | Initializer;
  /** Regularizer function applied to the depthwise kernel matrix. */
  depthwiseRegularizer?: string | Regularizer;
  /** Regularizer function applied to the pointwise kernel matrix. */
  pointwiseRegularizer?: string | Regularizer;
  /** Constraint function applied to the depthwise kernel matrix. */
  depthwiseConstraint?: string | Constraint;
  /** Constraint function applied to the pointwise kernel matrix. */
  pointwiseConstraint?: string | Constraint;
  /** The dimensionality of the output space (i.e. the number of filters in the convolution). */
  filters: number;
  /** The dimensions of the convolution window. If kernelSize is a number, the convolutional window will be square. */
  kernelSize: number | number[];
  /** The strides of the convolution in each dimension. If strides is a number, strides in both dimensions are equal. Specifying any stride value != 1 is incompatible with specifying any `dilationRate` value != 1. */
  strides?: number | number[];
  /** Padding mode. */
  padding?: "valid" | "same" | "causal";
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)`. Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The dilation rate to use for the dilated convolution in each dimension. Should be an integer or array of two or three integers. Currently, specifying any `dilationRate` value != 1 is incompatible with specifying any `strides` value != 1. */
  dilationRate?: number | [number] | [number, number] | [number, number, number];
  /** Activation function of the layer. If you don't specify the activation, none is applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. Defaults to `true`. */
  useBias?: boolean;
  /** Initializer for the convolutional kernel weights matrix. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Constraint for the convolutional kernel weights. */
  kernelConstraint?: string | Constraint;
  /** Constraint for the bias vector. */
  biasConstraint?: string | Constraint;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Regularizer function applied to the activation. */
  activityRegularizer?: string | Regularizer;
}

export interface Cropping2DLayerArgs extends LayerArgs {
  /** Dimension of the cropping along the width and the height. - If integer: the same symmetric cropping is applied to width and height. - If list of 2 integers: interpreted as two different symmetric cropping values for height and width: `[symmetric_height_crop, symmetric_width_crop]`. - If a list of 2 lists of 2 integers: interpreted as `[[top_crop, bottom_crop], [left_crop, right_crop]]` */
  cropping: number | [number, number] | [[number, number], [number, number]];
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)` Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface UpSampling2DLayerArgs extends LayerArgs {
  /** The upsampling factors for rows and columns. Defaults to `[2, 2]`. */
  size?: number[];
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `"channelsLast"` corresponds to inputs with shape `[batch, ..., channels]` `"channelsFirst"` corresponds to inputs with shape `[batch, channels, ...]`. Defaults to `"channelsLast"`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The interpolation mechanism, one of `"nearest"` or `"bilinear"`, default to `"nearest"`. */
  interpolation?: "nearest" | "bilinear";
}

export interface DepthwiseConv2DLayerArgs extends LayerArgs {
  /** An integer or Array of 2 integers, specifying the width and height of the 2D convolution window. Can be a single integer to specify the same value for all spatial dimensions. */
  kernelSize: number | [number, number];
  /** The number of depthwise convolution output channels for each input channel. The total number of depthwise convolution output channels will be equal to `filtersIn * depthMultiplier`. Default: 1. */
  depthMultiplier?: number;
  /** Initializer for the depthwise kernel matrix. Default: GlorotNormal. */
  depthwiseInitializer?: string | Initializer;
  /** Constraint for the depthwise kernel matrix. */
  depthwiseConstraint?: string | Constraint;
  /** Regularizer function for the depthwise kernel matrix. */
  depthwiseRegularizer?: string | Regularizer;
  /** The strides of the convolution in each dimension. If strides is a number, strides in both dimensions are equal. Specifying any stride value != 1 is incompatible with specifying any `dilationRate` value != 1. */
  strides?: number | number[];
  /** Padding mode. */
  padding?: "valid" | "same" | "causal";
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)`. Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The dilation rate to use for the dilated convolution in each dimension. Should be an integer or array of two or three integers. Currently, specifying any `dilationRate` value != 1 is incompatible with specifying any `strides` value != 1. */
  dilationRate?: number | [number] | [number, number] | [number, number, number];
  /** Activation function of the layer. If you don't specify the activation, none is applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. Defaults to `true`. */
  useBias?: boolean;
  /** Initializer for the convolutional kernel weights matrix. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Constraint for the convolutional kernel weights. */
  kernelConstraint?: string | Constraint;
  /** Constraint for the bias vector. */
  biasConstraint?: string | Constraint;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Regularizer function applied to the activation. */
  activityRegularizer?: string | Regularizer;
}

export interface ActivationLayerArgs extends LayerArgs {
  /** Name of the activation function to use. */
  activation: ActivationIdentifier;
}

export interface DenseLayerArgs extends LayerArgs {
  /** Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. If unspecified, no activation is applied. */
  activation?: ActivationIdentifier;
  /** Whether to apply a bias. */
  useBias?: boolean;
  /** Initializer for the dense kernel weights matrix. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** If specified, defines inputShape as `[inputDim]`. */
  inputDim?: number;
  /** Constraint for the kernel weights. */
  kernelConstraint?: string | Constraint;
  /** Constraint for the bias vector. */
  biasConstraint?: string | Constraint;
  /** Regularizer function applied to the dense kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Regularizer function applied to the activation. */
  activityRegularizer?: string | Regularizer;
}

export interface DropoutLayerArgs extends LayerArgs {
  /** Float between 0 and 1. Fraction of the input units to drop. */
  rate: number;
  /** Integer array representing the shape of the binary dropout mask that will be multiplied with the input. For instance, if your inputs have shape `(batchSize, timesteps, features)` and you want the dropout mask to be the same for all timesteps, you can use `noise_shape=(batch_size, 1, features)`. */
  noiseShape?: number[];
  /** An integer to use as random seed. */
  seed?: number;
}

export interface SpatialDropout1DLayerConfig {
  /** Float between 0 and 1. Fraction of the input units to drop. */
  rate: number;
  /** An integer to use as random seed. */
  seed?: number;
  input_shape?: (number | null)[];
  batch_input_shape?: (number | null)[];
  batch_size?: number;
  dtype?: DataType;
  name?: string;
  trainable?: boolean;
  input_dtype?: DataType;
}

export interface FlattenLayerArgs extends LayerArgs {
  /** Image data format: channelsLast (default) or channelsFirst. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface RepeatVectorLayerArgs extends LayerArgs {
  /** The integer number of times to repeat the input. */
  n: number;
}

export interface ReshapeLayerArgs extends LayerArgs {
  /** The target shape. Does not include the batch axis. */
  targetShape: (number | null)[];
}

export interface PermuteLayerArgs extends LayerArgs {
  /** Array of integers. Permutation pattern. Does not include the sample (batch) dimension. Index starts at 1. For instance, `[2, 1]` permutes the first and second dimensions of the input. */
  dims: number[];
}

export interface EmbeddingLayerArgs extends LayerArgs {
  /** Integer > 0. Size of the vocabulary, i.e. maximum integer index + 1. */
  inputDim: number;
  /** Integer >= 0. Dimension of the dense embedding. */
  outputDim: number;
  /** Initializer for the `embeddings` matrix. */
  embeddingsInitializer?: string | Initializer;
  /** Regularizer function applied to the `embeddings` matrix. */
  embeddingsRegularizer?: string | Regularizer;
  /** Regularizer function applied to the activation. */
  activityRegularizer?: string | Regularizer;
  /** Constraint function applied to the `embeddings` matrix. */
  embeddingsConstraint?: string | Constraint;
  /** Whether the input value 0 is a special "padding" value that should be masked out. This is useful when using recurrent layers which may take variable length input. If this is `True` then all subsequent layers in the model need to support masking or an exception will be raised. If maskZero is set to `True`, as a consequence, index 0 cannot be used in the vocabulary (inputDim should equal size of vocabulary + 1). */
  maskZero?: boolean;
  /** Length of input sequences, when it is constant. This argument is required if you are going to connect `flatten` then `dense` layers upstream (without it, the shape of the dense outputs cannot be computed). */
  inputLength?: number | number[];
}

export interface ConcatenateLayerArgs extends LayerArgs {
  /** Axis along which to concatenate. */
  axis?: number;
}

export interface DotLayerArgs extends LayerArgs {
  /** Axis or axes along which the dot product will be taken. Integer or an Array of integers. */
  axes: number | [number, number];
  /** Whether to L2-normalize samples along the dot product axis before taking the dot product. If set to `true`, the output of the dot product is the cosine proximity between the two samples. */
  normalize?: boolean;
}

export interface BatchNormalizationLayerArgs extends LayerArgs {
  /** The integer axis that should be normalized (typically the features axis). Defaults to -1. For instance, after a `Conv2D` layer with `data_format="channels_first"`, set `axis=1` in `batchNormalization`. */
  axis?: number;
  /** Momentum of the moving average. Defaults to 0.99. */
  momentum?: number;
  /** Small float added to the variance to avoid dividing by zero. Defaults to 1e-3. */
  epsilon?: number;
  /** If `true`, add offset of `beta` to normalized tensor. If `false`, `beta` is ignored. Defaults to `true`. */
  center?: boolean;
  /** If `true`, multiply by `gamma`. If `false`, `gamma` is not used. When the next layer is linear (also e.g. `nn.relu`), this can be disabled since the scaling will be done by the next layer. Defaults to `true`. */
  scale?: boolean;
  /** Initializer for the beta weight. Defaults to 'zeros'. */
  betaInitializer?: string | Initializer;
  /** Initializer for the gamma weight. Defaults to `ones`. */
  gammaInitializer?: string | Initializer;
  /** Initializer for the moving mean. Defaults to `zeros` */
  movingMeanInitializer?: string | Initializer;
  /** Initializer for the moving variance. Defaults to 'Ones'. */
  movingVarianceInitializer?: string | Initializer;
  /** Constraint for the beta weight. */
  betaConstraint?: string | Constraint;
  /** Constraint for gamma weight. */
  gammaConstraint?: string | Constraint;
  /** Regularizer for the beta weight. */
  betaRegularizer?: string | Regularizer;
  /** Regularizer for the gamma weight. */
  gammaRegularizer?: string | Regularizer;
}

export interface LayerNormalizationLayerArgs extends LayerArgs {
  /** The axis or axes that should be normalized (typically, the feature axis). Defaults to -1 (the last axis). */
  axis?: number | number[];
  /** A small positive float added to variance to avoid division by zero. Defaults to 1e-3. */
  epsilon?: number;
  /** If `true`, add offset of `beta` to normalized tensor. If `false`, `beta` is ignored. Default: `true`. */
  center?: boolean;
  /** If `true`, multiply output by `gamma`. If `false`, `gamma` is not used. When the next layer is linear, this can be disabled since scaling will be done by the next layer. Default: `true`. */
  scale?: boolean;
  /** Initializer for the beta weight. Default: `'zeros'`. */
  betaInitializer?: string | Initializer;
  /** Initializer for the gamma weight. Default: `'ones'`. */
  gammaInitializer?: string | Initializer;
  /** Regularizer for the beta weight. */
  betaRegularizer?: string | Regularizer;
  /** Regularizer for the gamma weight. */
  gammaRegularizer?: string | Regularizer;
}

export interface ZeroPadding2DLayerArgs extends LayerArgs {
  /** Integer, or `Array` of 2 integers, or `Array` of 2 `Array`s, each of which is an `Array` of 2 integers. - If integer, the same symmetric padding is applied to width and height. - If `Array` of 2 integers, interpreted as two different symmetric values for height and width: `[symmetricHeightPad, symmetricWidthPad]`. - If `Array` of 2 `Array`s, interpreted as: `[[topPad, bottomPad], [leftPad, rightPad]]`. */
  padding?: number | [number, number] | [[number, number], [number, number]];
  /** One of `'channelsLast'` (default) and `'channelsFirst'`. The ordering of the dimensions in the inputs. `channelsLast` corresponds to inputs with shape `[batch, height, width, channels]` while `channelsFirst` corresponds to inputs with shape `[batch, channels, height, width]`. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface Pooling1DLayerArgs extends LayerArgs {
  /** Size of the window to pool over, should be an integer. */
  poolSize?: number | [number];
  /** Period at which to sample the pooled values. If `null`, defaults to `poolSize`. */
  strides?: number | [number];
  /** How to fill in data that's not an integer multiple of poolSize. */
  padding?: "valid" | "same" | "causal";
}

export interface Pooling2DLayerArgs extends LayerArgs {
  /** Factors by which to downscale in each dimension [vertical, horizontal]. Expects an integer or an array of 2 integers. For example, `[2, 2]` will halve the input in both spatial dimensions. If only one integer is specified, the same window length will be used for both dimensions. */
  poolSize?: number | [number, number];
  /** The size of the stride in each dimension of the pooling window. Expects an integer or an array of 2 integers. Integer, tuple of 2 integers, or None. If `null`, defaults to `poolSize`. */
  strides?: number | [number, number];
  /** The padding type to use for the pooling layer. */
  padding?: "valid" | "same" | "causal";
  /** The data format to use for the pooling layer. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface Pooling3DLayerArgs extends LayerArgs {
  /** Factors by which to downscale in each dimension [depth, height, width]. Expects an integer or an array of 3 integers. For example, `[2, 2, 2]` will halve the input in three dimensions. If only one integer is specified, the same window length will be used for all dimensions. */
  poolSize?: number | [number, number, number];
  /** The size of the stride in each dimension of the pooling window. Expects an integer or an array of 3 integers. Integer, tuple of 3 integers, or None. If `null`, defaults to `poolSize`. */
  strides?: number | [number, number, number];
  /** The padding type to use for the pooling layer. */
  padding?: "valid" | "same" | "causal";
  /** The data format to use for the pooling layer. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface GlobalPooling2DLayerArgs extends LayerArgs {
  /** One of `CHANNEL_LAST` (default) or `CHANNEL_FIRST`. The ordering of the dimensions in the inputs. `CHANNEL_LAST` corresponds to inputs with shape `[batch, height, width, channels]` while `CHANNEL_FIRST` corresponds to inputs with shape `[batch, channels, height, width]`. */
  dataFormat?: "channelsFirst" | "channelsLast";
}

export interface GRULayerArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions. Mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this configuration field. */
  implementation?: number;
  /** Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Defaults to  hyperbolic tangent (`tanh`) If you pass `null`, no activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the recurrentKernel weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the kernel weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the recurrentKernel weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
  /** A RNN cell instance. A RNN cell is a class that has: - a `call()` method, which takes `[Tensor, Tensor]` as the first input argument. The first item is the input at time t, and second item is the cell state at time t. The `call()` method returns `[outputAtT, statesAtTPlus1]`. The `call()` method of the cell can also take the argument `constants`, see section "Note on passing external constants" below. Porting Node: PyKeras overrides the `call()` signature of RNN cells, which are Layer subtypes, to accept two arguments. tfjs-layers does not do such overriding. Instead we preserve the `call()` signature, which due to its `Tensor|Tensor[]` argument and return value is flexible enough to handle the inputs and states. - a `stateSize` attribute. This can be a single integer (single state) in which case it is the size of the recurrent state (which should be the same as the size of the cell output). This can also be an Array of integers (one size per state). In this case, the first entry (`stateSize[0]`) should be the same as the size of the cell output. It is also possible for `cell` to be a list of RNN cell instances, in which case the cells get stacked on after the other in the RNN, implementing an efficient stacked RNN. */
  cell?: RNNCell | RNNCell[];
  /** Whether to return the last output in the output sequence, or the full sequence. */
  returnSequences?: boolean;
  /** Whether to return the last state in addition to the output. */
  returnState?: boolean;
  /** If `true`, process the input sequence backwards and return the reversed sequence (default: `false`). */
  goBackwards?: boolean;
  /** If `true`, the last state for each sample at index i in a batch will be used as initial state of the sample of index i in the following batch (default: `false`). You can set RNN layers to be "stateful", which means that the states computed for the samples in one batch will be reused as initial states for the samples in the next batch. This assumes a one-to-one mapping between samples in different successive batches. To enable "statefulness": - specify `stateful: true` in the layer constructor. - specify a fixed batch size for your model, by passing - if sequential model: `batchInputShape: [...]` to the first layer in your model. - else for functional model with 1 or more Input layers: `batchShape: [...]` to all the first layers in your model. This is the expected shape of your inputs *including the batch size*. It should be a tuple of integers, e.g., `[32, 10, 100]`. - specify `shuffle: false` when calling `LayersModel.fit()`. To reset the state of your model, call `resetStates()` on either the specific layer or on the entire model. */
  stateful?: boolean;
  /** If `true`, the network will be unrolled, else a symbolic loop will be used. Unrolling can speed up a RNN, although it tends to be more memory-intensive. Unrolling is only suitable for short sequences (default: `false`). Porting Note: tfjs-layers has an imperative backend. RNNs are executed with normal TypeScript control flow. Hence this property is inapplicable and ignored in tfjs-layers. */
  unroll?: boolean;
  /** Dimensionality of the input (integer). This option (or alternatively, the option `inputShape`) is required when this layer is used as the first layer in a model. */
  inputDim?: number;
  /** Length of the input sequences, to be specified when it is constant. This argument is required if you are going to connect `Flatten` then `Dense` layers upstream (without it, the shape of the dense outputs cannot be computed). Note that if the recurrent layer is not the first layer in your model, you would need to specify the input length at the level of the first layer (e.g., via the `inputShape` option). */
  inputLength?: number;
}

export interface GRUCellLayerArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions. Mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this configuration field. */
  implementation?: number;
  /** GRU convention (whether to apply reset gate after or before matrix multiplication). false = "before", true = "after" (only false is supported). */
  resetAfter?: boolean;
  /** units: Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Default: hyperbolic tangent ('tanh'). If you pass `null`,  'linear' activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the `kernel` weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the `recurrent_kernel` weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the `kernel` weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the `recurrentKernel` weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
}

export interface LSTMLayerArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** If `true`, add 1 to the bias of the forget gate at initialization. Setting it to `true` will also force `biasInitializer = 'zeros'`. This is recommended in [Jozefowicz et al.](http://www.jmlr.org/proceedings/papers/v37/jozefowicz15.pdf) */
  unitForgetBias?: boolean;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions, whereas mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this config field. */
  implementation?: number;
  /** Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Defaults to  hyperbolic tangent (`tanh`) If you pass `null`, no activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the recurrentKernel weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the kernel weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the recurrentKernel weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
  /** A RNN cell instance. A RNN cell is a class that has: - a `call()` method, which takes `[Tensor, Tensor]` as the first input argument. The first item is the input at time t, and second item is the cell state at time t. The `call()` method returns `[outputAtT, statesAtTPlus1]`. The `call()` method of the cell can also take the argument `constants`, see section "Note on passing external constants" below. Porting Node: PyKeras overrides the `call()` signature of RNN cells, which are Layer subtypes, to accept two arguments. tfjs-layers does not do such overriding. Instead we preserve the `call()` signature, which due to its `Tensor|Tensor[]` argument and return value is flexible enough to handle the inputs and states. - a `stateSize` attribute. This can be a single integer (single state) in which case it is the size of the recurrent state (which should be the same as the size of the cell output). This can also be an Array of integers (one size per state). In this case, the first entry (`stateSize[0]`) should be the same as the size of the cell output. It is also possible for `cell` to be a list of RNN cell instances, in which case the cells get stacked on after the other in the RNN, implementing an efficient stacked RNN. */
  cell?: RNNCell | RNNCell[];
  /** Whether to return the last output in the output sequence, or the full sequence. */
  returnSequences?: boolean;
  /** Whether to return the last state in addition to the output. */
  returnState?: boolean;
  /** If `true`, process the input sequence backwards and return the reversed sequence (default: `false`). */
  goBackwards?: boolean;
  /** If `true`, the last state for each sample at index i in a batch will be used as initial state of the sample of index i in the following batch (default: `false`). You can set RNN layers to be "stateful", which means that the states computed for the samples in one batch will be reused as initial states for the samples in the next batch. This assumes a one-to-one mapping between samples in different successive batches. To enable "statefulness": - specify `stateful: true` in the layer constructor. - specify a fixed batch size for your model, by passing - if sequential model: `batchInputShape: [...]` to the first layer in your model. - else for functional model with 1 or more Input layers: `batchShape: [...]` to all the first layers in your model. This is the expected shape of your inputs *including the batch size*. It should be a tuple of integers, e.g., `[32, 10, 100]`. - specify `shuffle: false` when calling `LayersModel.fit()`. To reset the state of your model, call `resetStates()` on either the specific layer or on the entire model. */
  stateful?: boolean;
  /** If `true`, the network will be unrolled, else a symbolic loop will be used. Unrolling can speed up a RNN, although it tends to be more memory-intensive. Unrolling is only suitable for short sequences (default: `false`). Porting Note: tfjs-layers has an imperative backend. RNNs are executed with normal TypeScript control flow. Hence this property is inapplicable and ignored in tfjs-layers. */
  unroll?: boolean;
  /** Dimensionality of the input (integer). This option (or alternatively, the option `inputShape`) is required when this layer is used as the first layer in a model. */
  inputDim?: number;
  /** Length of the input sequences, to be specified when it is constant. This argument is required if you are going to connect `Flatten` then `Dense` layers upstream (without it, the shape of the dense outputs cannot be computed). Note that if the recurrent layer is not the first layer in your model, you would need to specify the input length at the level of the first layer (e.g., via the `inputShape` option). */
  inputLength?: number;
}

export interface LSTMCellLayerArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** If `true`, add 1 to the bias of the forget gate at initialization. Setting it to `true` will also force `biasInitializer = 'zeros'`. This is recommended in [Jozefowicz et al.](http://www.jmlr.org/proceedings/papers/v37/jozefowicz15.pdf) */
  unitForgetBias?: boolean;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions. Mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this configuration field. */
  implementation?: number;
  /** units: Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Default: hyperbolic tangent ('tanh'). If you pass `null`,  'linear' activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the `kernel` weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the `recurrent_kernel` weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the `kernel` weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the `recurrentKernel` weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
}

export interface SimpleRNNLayerArgs extends LayerArgs {
  /** Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Defaults to  hyperbolic tangent (`tanh`) If you pass `null`, no activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the recurrentKernel weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the kernel weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the recurrentKernel weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
  /** A RNN cell instance. A RNN cell is a class that has: - a `call()` method, which takes `[Tensor, Tensor]` as the first input argument. The first item is the input at time t, and second item is the cell state at time t. The `call()` method returns `[outputAtT, statesAtTPlus1]`. The `call()` method of the cell can also take the argument `constants`, see section "Note on passing external constants" below. Porting Node: PyKeras overrides the `call()` signature of RNN cells, which are Layer subtypes, to accept two arguments. tfjs-layers does not do such overriding. Instead we preserve the `call()` signature, which due to its `Tensor|Tensor[]` argument and return value is flexible enough to handle the inputs and states. - a `stateSize` attribute. This can be a single integer (single state) in which case it is the size of the recurrent state (which should be the same as the size of the cell output). This can also be an Array of integers (one size per state). In this case, the first entry (`stateSize[0]`) should be the same as the size of the cell output. It is also possible for `cell` to be a list of RNN cell instances, in which case the cells get stacked on after the other in the RNN, implementing an efficient stacked RNN. */
  cell?: RNNCell | RNNCell[];
  /** Whether to return the last output in the output sequence, or the full sequence. */
  returnSequences?: boolean;
  /** Whether to return the last state in addition to the output. */
  returnState?: boolean;
  /** If `true`, process the input sequence backwards and return the reversed sequence (default: `false`). */
  goBackwards?: boolean;
  /** If `true`, the last state for each sample at index i in a batch will be used as initial state of the sample of index i in the following batch (default: `false`). You can set RNN layers to be "stateful", which means that the states computed for the samples in one batch will be reused as initial states for the samples in the next batch. This assumes a one-to-one mapping between samples in different successive batches. To enable "statefulness": - specify `stateful: true` in the layer constructor. - specify a fixed batch size for your model, by passing - if sequential model: `batchInputShape: [...]` to the first layer in your model. - else for functional model with 1 or more Input layers: `batchShape: [...]` to all the first layers in your model. This is the expected shape of your inputs *including the batch size*. It should be a tuple of integers, e.g., `[32, 10, 100]`. - specify `shuffle: false` when calling `LayersModel.fit()`. To reset the state of your model, call `resetStates()` on either the specific layer or on the entire model. */
  stateful?: boolean;
  /** If `true`, the network will be unrolled, else a symbolic loop will be used. Unrolling can speed up a RNN, although it tends to be more memory-intensive. Unrolling is only suitable for short sequences (default: `false`). Porting Note: tfjs-layers has an imperative backend. RNNs are executed with normal TypeScript control flow. Hence this property is inapplicable and ignored in tfjs-layers. */
  unroll?: boolean;
  /** Dimensionality of the input (integer). This option (or alternatively, the option `inputShape`) is required when this layer is used as the first layer in a model. */
  inputDim?: number;
  /** Length of the input sequences, to be specified when it is constant. This argument is required if you are going to connect `Flatten` then `Dense` layers upstream (without it, the shape of the dense outputs cannot be computed). Note that if the recurrent layer is not the first layer in your model, you would need to specify the input length at the level of the first layer (e.g., via the `inputShape` option). */
  inputLength?: number;
}

export interface SimpleRNNCellLayerArgs extends LayerArgs {
  /** units: Positive integer, dimensionality of the output space. */
  units: number;
  /** Activation function to use. Default: hyperbolic tangent ('tanh'). If you pass `null`,  'linear' activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the `kernel` weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the `recurrent_kernel` weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the `kernel` weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the `recurrentKernel` weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
}

export interface ConvLSTM2DArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** If `true`, add 1 to the bias of the forget gate at initialization. Setting it to `true` will also force `biasInitializer = 'zeros'`. This is recommended in [Jozefowicz et al.](http://www.jmlr.org/proceedings/papers/v37/jozefowicz15.pdf) */
  unitForgetBias?: boolean;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions, whereas mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this config field. */
  implementation?: number;
  /** Activation function to use. Defaults to  hyperbolic tangent (`tanh`) If you pass `null`, no activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the kernel weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the recurrentKernel weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the kernel weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the recurrentKernel weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
  /** Whether to return the last output in the output sequence, or the full sequence. */
  returnSequences?: boolean;
  /** Whether to return the last state in addition to the output. */
  returnState?: boolean;
  /** If `true`, process the input sequence backwards and return the reversed sequence (default: `false`). */
  goBackwards?: boolean;
  /** If `true`, the last state for each sample at index i in a batch will be used as initial state of the sample of index i in the following batch (default: `false`). You can set RNN layers to be "stateful", which means that the states computed for the samples in one batch will be reused as initial states for the samples in the next batch. This assumes a one-to-one mapping between samples in different successive batches. To enable "statefulness": - specify `stateful: true` in the layer constructor. - specify a fixed batch size for your model, by passing - if sequential model: `batchInputShape: [...]` to the first layer in your model. - else for functional model with 1 or more Input layers: `batchShape: [...]` to all the first layers in your model. This is the expected shape of your inputs *including the batch size*. It should be a tuple of integers, e.g., `[32, 10, 100]`. - specify `shuffle: false` when calling `LayersModel.fit()`. To reset the state of your model, call `resetStates()` on either the specific layer or on the entire model. */
  stateful?: boolean;
  /** If `true`, the network will be unrolled, else a symbolic loop will be used. Unrolling can speed up a RNN, although it tends to be more memory-intensive. Unrolling is only suitable for short sequences (default: `false`). Porting Note: tfjs-layers has an imperative backend. RNNs are executed with normal TypeScript control flow. Hence this property is inapplicable and ignored in tfjs-layers. */
  unroll?: boolean;
  /** Dimensionality of the input (integer). This option (or alternatively, the option `inputShape`) is required when this layer is used as the first layer in a model. */
  inputDim?: number;
  /** Length of the input sequences, to be specified when it is constant. This argument is required if you are going to connect `Flatten` then `Dense` layers upstream (without it, the shape of the dense outputs cannot be computed). Note that if the recurrent layer is not the first layer in your model, you would need to specify the input length at the level of the first layer (e.g., via the `inputShape` option). */
  inputLength?: number;
  /** A RNN cell instance. A RNN cell is a class that has: - a `call()` method, which takes `[Tensor, Tensor]` as the first input argument. The first item is the input at time t, and second item is the cell state at time t. The `call()` method returns `[outputAtT, statesAtTPlus1]`. The `call()` method of the cell can also take the argument `constants`, see section "Note on passing external constants" below. Porting Node: PyKeras overrides the `call()` signature of RNN cells, which are Layer subtypes, to accept two arguments. tfjs-layers does not do such overriding. Instead we preserve the `call()` signature, which due to its `Tensor|Tensor[]` argument and return value is flexible enough to handle the inputs and states. - a `stateSize` attribute. This can be a single integer (single state) in which case it is the size of the recurrent state (which should be the same as the size of the cell output). This can also be an Array of integers (one size per state). In this case, the first entry (`stateSize[0]`) should be the same as the size of the cell output. It is also possible for `cell` to be a list of RNN cell instances, in which case the cells get stacked on after the other in the RNN, implementing an efficient stacked RNN. */
  cell?: RNNCell | RNNCell[];
  /** The dimensionality of the output space (i.e. the number of filters in the convolution). */
  filters: number;
  /** The dimensions of the convolution window. If kernelSize is a number, the convolutional window will be square. */
  kernelSize: number | number[];
  /** The strides of the convolution in each dimension. If strides is a number, strides in both dimensions are equal. Specifying any stride value != 1 is incompatible with specifying any `dilationRate` value != 1. */
  strides?: number | number[];
  /** Padding mode. */
  padding?: "valid" | "same" | "causal";
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)`. Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The dilation rate to use for the dilated convolution in each dimension. Should be an integer or array of two or three integers. Currently, specifying any `dilationRate` value != 1 is incompatible with specifying any `strides` value != 1. */
  dilationRate?: number | [number] | [number, number];
}

export interface ConvLSTM2DCellArgs extends LayerArgs {
  /** Activation function to use for the recurrent step. Defaults to hard sigmoid (`hardSigmoid`). If `null`, no activation is applied. */
  recurrentActivation?: ActivationIdentifier;
  /** If `true`, add 1 to the bias of the forget gate at initialization. Setting it to `true` will also force `biasInitializer = 'zeros'`. This is recommended in [Jozefowicz et al.](http://www.jmlr.org/proceedings/papers/v37/jozefowicz15.pdf) */
  unitForgetBias?: boolean;
  /** Implementation mode, either 1 or 2. Mode 1 will structure its operations as a larger number of smaller dot products and additions. Mode 2 will batch them into fewer, larger operations. These modes will have different performance profiles on different hardware and for different applications. Note: For superior performance, TensorFlow.js always uses implementation 2, regardless of the actual value of this configuration field. */
  implementation?: number;
  /** Activation function to use. Default: hyperbolic tangent ('tanh'). If you pass `null`,  'linear' activation will be applied. */
  activation?: ActivationIdentifier;
  /** Whether the layer uses a bias vector. */
  useBias?: boolean;
  /** Initializer for the `kernel` weights matrix, used for the linear transformation of the inputs. */
  kernelInitializer?: string | Initializer;
  /** Initializer for the `recurrentKernel` weights matrix, used for linear transformation of the recurrent state. */
  recurrentInitializer?: string | Initializer;
  /** Initializer for the bias vector. */
  biasInitializer?: string | Initializer;
  /** Regularizer function applied to the `kernel` weights matrix. */
  kernelRegularizer?: string | Regularizer;
  /** Regularizer function applied to the `recurrent_kernel` weights matrix. */
  recurrentRegularizer?: string | Regularizer;
  /** Regularizer function applied to the bias vector. */
  biasRegularizer?: string | Regularizer;
  /** Constraint function applied to the `kernel` weights matrix. */
  kernelConstraint?: string | Constraint;
  /** Constraint function applied to the `recurrentKernel` weights matrix. */
  recurrentConstraint?: string | Constraint;
  /** Constraint function applied to the bias vector. */
  biasConstraint?: string | Constraint;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the inputs. */
  dropout?: number;
  /** Float number between 0 and 1. Fraction of the units to drop for the linear transformation of the recurrent state. */
  recurrentDropout?: number;
  /** The dimensionality of the output space (i.e. the number of filters in the convolution). */
  filters: number;
  /** The dimensions of the convolution window. If kernelSize is a number, the convolutional window will be square. */
  kernelSize: number | number[];
  /** The strides of the convolution in each dimension. If strides is a number, strides in both dimensions are equal. Specifying any stride value != 1 is incompatible with specifying any `dilationRate` value != 1. */
  strides?: number | number[];
  /** Padding mode. */
  padding?: "valid" | "same" | "causal";
  /** Format of the data, which determines the ordering of the dimensions in the inputs. `channels_last` corresponds to inputs with shape `(batch, ..., channels)` `channels_first` corresponds to inputs with shape `(batch, channels, ...)`. Defaults to `channels_last`. */
  dataFormat?: "channelsFirst" | "channelsLast";
  /** The dilation rate to use for the dilated convolution in each dimension. Should be an integer or array of two or three integers. Currently, specifying any `dilationRate` value != 1 is incompatible with specifying any `strides` value != 1. */
  dilationRate?: number | [number] | [number, number];
}

export interface RNNLayerArgs extends LayerArgs {
  /** A RNN cell instance. A RNN cell is a class that has: - a `call()` method, which takes `[Tensor, Tensor]` as the first input argument. The first item is the input at time t, and second item is the cell state at time t. The `call()` method returns `[outputAtT, statesAtTPlus1]`. The `call()` method of the cell can also take the argument `constants`, see section "Note on passing external constants" below. Porting Node: PyKeras overrides the `call()` signature of RNN cells, which are Layer subtypes, to accept two arguments. tfjs-layers does not do such overriding. Instead we preserve the `call()` signature, which due to its `Tensor|Tensor[]` argument and return value is flexible enough to handle the inputs and states. - a `stateSize` attribute. This can be a single integer (single state) in which case it is the size of the recurrent state (which should be the same as the size of the cell output). This can also be an Array of integers (one size per state). In this case, the first entry (`stateSize[0]`) should be the same as the size of the cell output. It is also possible for `cell` to be a list of RNN cell instances, in which case the cells get stacked on after the other in the RNN, implementing an efficient stacked RNN. */
  cell: RNNCell | RNNCell[];
  /** Whether to return the last output in the output sequence, or the full sequence. */
  returnSequences?: boolean;
  /** Whether to return the last state in addition to the output. */
  returnState?: boolean;
  /** If `true`, process the input sequence backwards and return the reversed sequence (default: `false`). */
  goBackwards?: boolean;
  /** If `true`, the last state for each sample at index i in a batch will be used as initial state of the sample of index i in the following batch (default: `false`). You can set RNN layers to be "stateful", which means that the states computed for the samples in one batch will be reused as initial states for the samples in the next batch. This assumes a one-to-one mapping between samples in different successive batches. To enable "statefulness": - specify `stateful: true` in the layer constructor. - specify a fixed batch size for your model, by passing - if sequential model: `batchInputShape: [...]` to the first layer in your model. - else for functional model with 1 or more Input layers: `batchShape: [...]` to all the first layers in your model. This is the expected shape of your inputs *including the batch size*. It should be a tuple of integers, e.g., `[32, 10, 100]`. - specify `shuffle: false` when calling `LayersModel.fit()`. To reset the state of your model, call `resetStates()` on either the specific layer or on the entire model. */
  stateful?: boolean;
  /** If `true`, the network will be unrolled, else a symbolic loop will be used. Unrolling can speed up a RNN, although it tends to be more memory-intensive. Unrolling is only suitable for short sequences (default: `false`). Porting Note: tfjs-layers has an imperative backend. RNNs are executed with normal TypeScript control flow. Hence this property is inapplicable and ignored in tfjs-layers. */
  unroll?: boolean;
  /** Dimensionality of the input (integer). This option (or alternatively, the option `inputShape`) is required when this layer is used as the first layer in a model. */
  inputDim?: number;
  /** Length of the input sequences, to be specified when it is constant. This argument is required if you are going to connect `Flatten` then `Dense` layers upstream (without it, the shape of the dense outputs cannot be computed). Note that if the recurrent layer is not the first layer in your model, you would need to specify the input length at the level of the first layer (e.g., via the `inputShape` option). */
  inputLength?: number;
}

export interface StackedRNNCellsArgs extends LayerArgs {
  /** An `Array` of `RNNCell` instances. */
  cells: RNNCell[];
}

export interface BidirectionalLayerArgs extends LayerArgs {
  /** The instance of an `RNN` layer to be wrapped. */
  layer: RNN;
  /** Mode by which outputs of the forward and backward RNNs are combined. If `null` or `undefined`, the output will not be combined, they will be returned as an `Array`. If `undefined` (i.e., not provided), defaults to `'concat'`. */
  mergeMode?: "sum" | "mul" | "concat" | "ave";
}

export interface WrapperLayerArgs extends LayerArgs {
  /** The layer to be wrapped. */
  layer: Layer;
}

export interface GaussianNoiseArgs extends LayerArgs {
  /** Standard Deviation. */
  stddev: number;
}

export interface GaussianDropoutArgs extends LayerArgs {
  /** drop probability. */
  rate: number;
}

export interface AlphaDropoutArgs extends LayerArgs {
  /** drop probability. */
  rate: number;
  /** A 1-D `Tensor` of type `int32`, representing the shape for randomly generated keep/drop flags. */
  noiseShape?: (number | null)[];
}

export interface MaskingArgs extends LayerArgs {
  /** Masking Value. Defaults to `0.0`. */
  maskValue?: number;
}

export interface RescalingArgs extends LayerArgs {
  scale: number;
  offset?: number;
}

export interface CenterCropArgs extends LayerArgs {
  height: number;
  width: number;
}

export interface ResizingArgs extends LayerArgs {
  height: number;
  width: number;
  interpolation?: "nearest" | "bilinear";
  cropToAspectRatio?: boolean;
}

export interface CategoryEncodingArgs extends LayerArgs {
  numTokens: number;
  outputMode?: "int" | "oneHot" | "multiHot" | "count" | "tfIdf";
}

export interface RandomWidthArgs extends LayerArgs {
  factor: number | [number, number];
  interpolation?: "nearest" | "bilinear";
  seed?: number;
  autoVectorize?: boolean;
}

export declare namespace layers {
  type Layer = import("./tfjs-layers.js").Layer;
  function inputLayer(args: InputLayerArgs): Layer;
  function elu(args?: ELULayerArgs): Layer;
  function reLU(args?: ReLULayerArgs): Layer;
  function leakyReLU(args?: LeakyReLULayerArgs): Layer;
  function prelu(args?: PReLULayerArgs): Layer;
  function softmax(args?: SoftmaxLayerArgs): Layer;
  function thresholdedReLU(args?: ThresholdedReLULayerArgs): Layer;
  function conv1d(args: ConvLayerArgs): Layer;
  function conv2d(args: ConvLayerArgs): Layer;
  function conv2dTranspose(args: ConvLayerArgs): Layer;
  function conv3d(args: ConvLayerArgs): Layer;
  function conv3dTranspose(args: ConvLayerArgs): Layer;
  function separableConv2d(args: SeparableConvLayerArgs): Layer;
  function cropping2D(args: Cropping2DLayerArgs): Layer;
  function upSampling2d(args: UpSampling2DLayerArgs): Layer;
  function depthwiseConv2d(args: DepthwiseConv2DLayerArgs): Layer;
  function activation(args: ActivationLayerArgs): Layer;
  function dense(args: DenseLayerArgs): Layer;
  function dropout(args: DropoutLayerArgs): Layer;
  function spatialDropout1d(args: SpatialDropout1DLayerConfig): Layer;
  function flatten(args?: FlattenLayerArgs): Layer;
  function repeatVector(args: RepeatVectorLayerArgs): Layer;
  function reshape(args: ReshapeLayerArgs): Layer;
  function permute(args: PermuteLayerArgs): Layer;
  function embedding(args: EmbeddingLayerArgs): Layer;
  function add(args?: LayerArgs): Layer;
  function average(args?: LayerArgs): Layer;
  function concatenate(args?: ConcatenateLayerArgs): Layer;
  function maximum(args?: LayerArgs): Layer;
  function minimum(args?: LayerArgs): Layer;
  function multiply(args?: LayerArgs): Layer;
  function dot(args: DotLayerArgs): Layer;
  function batchNormalization(args?: BatchNormalizationLayerArgs): Layer;
  function layerNormalization(args?: LayerNormalizationLayerArgs): Layer;
  function zeroPadding2d(args?: ZeroPadding2DLayerArgs): Layer;
  function averagePooling1d(args: Pooling1DLayerArgs): Layer;
  function avgPool1d(args: Pooling1DLayerArgs): Layer;
  function avgPooling1d(args: Pooling1DLayerArgs): Layer;
  function averagePooling2d(args: Pooling2DLayerArgs): Layer;
  function avgPool2d(args: Pooling2DLayerArgs): Layer;
  function avgPooling2d(args: Pooling2DLayerArgs): Layer;
  function averagePooling3d(args: Pooling3DLayerArgs): Layer;
  function avgPool3d(args: Pooling3DLayerArgs): Layer;
  function avgPooling3d(args: Pooling3DLayerArgs): Layer;
  function globalAveragePooling1d(args?: LayerArgs): Layer;
  function globalAveragePooling2d(args: GlobalPooling2DLayerArgs): Layer;
  function globalMaxPooling1d(args?: LayerArgs): Layer;
  function globalMaxPooling2d(args: GlobalPooling2DLayerArgs): Layer;
  function maxPooling1d(args: Pooling1DLayerArgs): Layer;
  function maxPooling2d(args: Pooling2DLayerArgs): Layer;
  function maxPooling3d(args: Pooling3DLayerArgs): Layer;
  function gru(args: GRULayerArgs): Layer;
  function gruCell(args: GRUCellLayerArgs): Layer;
  function lstm(args: LSTMLayerArgs): Layer;
  function lstmCell(args: LSTMCellLayerArgs): Layer;
  function simpleRNN(args: SimpleRNNLayerArgs): Layer;
  function simpleRNNCell(args: SimpleRNNCellLayerArgs): Layer;
  function convLstm2d(args: ConvLSTM2DArgs): Layer;
  function convLstm2dCell(args: ConvLSTM2DCellArgs): Layer;
  function rnn(args: RNNLayerArgs): Layer;
  function stackedRNNCells(args: StackedRNNCellsArgs): Layer;
  function bidirectional(args: BidirectionalLayerArgs): Layer;
  function timeDistributed(args: WrapperLayerArgs): Layer;
  function gaussianNoise(args: GaussianNoiseArgs): Layer;
  function gaussianDropout(args: GaussianDropoutArgs): Layer;
  function alphaDropout(args: AlphaDropoutArgs): Layer;
  function masking(args?: MaskingArgs): Layer;
  function rescaling(args?: RescalingArgs): Layer;
  function centerCrop(args?: CenterCropArgs): Layer;
  function resizing(args?: ResizingArgs): Layer;
  function categoryEncoding(args: CategoryEncodingArgs): Layer;
  function randomWidth(args: RandomWidthArgs): Layer;
  const globalMaxPool1d: typeof globalMaxPooling1d;
  const globalMaxPool2d: typeof globalMaxPooling2d;
  const maxPool1d: typeof maxPooling1d;
  const maxPool2d: typeof maxPooling2d;
}
