/** @file Batch normalization in training, and its gradient, by TensorFlow's own ops: tfjs makes them of some forty others. */
import {
  engine,
  type GradConfig,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  tensor1d,
} from "@tensorflow/tfjs-core";
import { NORMALIZATION } from "../../normalization.js";
import type { Binding, OpAttribute } from "../binding.js";

interface NodeBackend {
  readonly binding: Binding;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly unknown[],
    outputs: number,
  ): Tensor[];
  typeAttributeFromTensor(tensor: unknown): number;
}

const GRADIENT = "FusedBatchNormGradV3";

// y, mean, variance, and three that only the gradient's op understands
const OUTPUTS = 6;
// of x, scale and offset, and two that are empty
const GRADIENT_OUTPUTS = 5;

function attributesOf(native: NodeBackend, x: unknown, attrs: NamedAttrMap | undefined): OpAttribute[] {
  const { binding } = native;
  const type = native.typeAttributeFromTensor(x);
  return [
    { name: "T", type: binding.TF_ATTR_TYPE, value: type },
    { name: "U", type: binding.TF_ATTR_TYPE, value: type },
    { name: "epsilon", type: binding.TF_ATTR_FLOAT, value: attrs?.epsilon },
    { name: "data_format", type: binding.TF_ATTR_STRING, value: "NHWC" },
    { name: "is_training", type: binding.TF_ATTR_BOOL, value: true },
  ];
}

export const normalizationKernels: readonly KernelConfig[] = [
  {
    kernelName: NORMALIZATION,
    backendName: "tensorflow",
    kernelFunc({ inputs, backend, attrs }) {
      const { x, scale, offset } = inputs;
      const native = backend as unknown as NodeBackend;
      // in training there are no statistics to go on from
      const none = tensor1d([], "float32");
      const every = [x, scale, offset, none, none];
      const results = native.executeMultipleOutputs(NORMALIZATION, attributesOf(native, x, attrs), every, OUTPUTS);
      none.dispose();
      return results;
    },
  },
  {
    kernelName: GRADIENT,
    backendName: "tensorflow",
    kernelFunc({ inputs, backend, attrs }) {
      const { dy, x, scale, first, second, third } = inputs;
      const native = backend as unknown as NodeBackend;
      const every = [dy, x, scale, first, second, third];
      return native.executeMultipleOutputs(GRADIENT, attributesOf(native, x, attrs), every, GRADIENT_OUTPUTS);
    },
  },
];

/** The gradient by x, scale and offset; the statistics are taken as constants. */
export const normalizationGradient: GradConfig = {
  kernelName: NORMALIZATION,
  inputsToSave: ["x", "scale"],
  outputsToSave: [false, false, false, true, true, true],
  gradFunc(dys, [x, scale, first, second, third], attrs) {
    const [dy] = dys as Tensor[];
    const inputs = { dy, x, scale, first, second, third } as unknown as NamedTensorMap;
    const [byInput, byScale, byOffset] = engine().runKernel<Tensor[]>(GRADIENT, inputs, attrs) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    return { x: () => byInput, scale: () => byScale, offset: () => byOffset };
  },
};
