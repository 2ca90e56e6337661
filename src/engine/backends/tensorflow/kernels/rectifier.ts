/** @file The gradients of ReLU and ReLU6 by TensorFlow's own op: tfjs makes them of eight others. */
import {
  engine,
  getBackend,
  type GradConfig,
  type KernelConfig,
  type NamedTensorMap,
  Relu,
  Relu6,
  type Tensor,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Binding, OpAttribute } from "../binding.js";

interface NodeBackend {
  readonly binding: Binding;
  executeSingleOutput(name: string, attributes: readonly OpAttribute[], inputs: readonly unknown[]): Tensor;
  typeAttributeFromTensor(tensor: unknown): number;
}

/** TensorFlow's gradient ops, by kernel. ReLU6's is 0 at exactly 6, where that of tfjs is 1. */
const NATIVE = [
  [Relu, "ReluGrad"],
  [Relu6, "Relu6Grad"],
] as const;

export const RECTIFIERS = NATIVE.map(([kernelName]) => kernelName);

/** Kernels of these gradients: dy where y lies within the slope, else 0. */
export const rectifierGradients: readonly KernelConfig[] = NATIVE.map(([, op]) => ({
  kernelName: op,
  backendName: "tensorflow",
  kernelFunc({ inputs, backend }) {
    const { dy, y } = inputs;
    const native = backend as unknown as NodeBackend;
    const type = { name: "T", type: native.binding.TF_ATTR_TYPE, value: native.typeAttributeFromTensor(y) };
    return native.executeSingleOutput(op, [type], [dy, y]);
  },
}));

/**
 * A rectifier's gradient that asks TensorFlow where it is the active backend; other backends of the process keep theirs.
 * It reads the output, so that nothing but it needs the sum before it: TensorFlow then computes that together with the
 * convolution and the bias.
 */
export function withNativeGradient(stock: GradConfig): GradConfig {
  const op = NATIVE.find(([kernelName]) => kernelName === stock.kernelName)?.[1];
  if (op === undefined) return stock;
  return {
    ...stock,
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc(dy, [x, y], attrs) {
      if (x === undefined || y === undefined || y.dtype !== "float32" || getBackend() !== "tensorflow") {
        return stock.gradFunc(dy, x === undefined ? [] : [x], attrs);
      }
      return { x: () => gradientOf(op, dy as Tensor, y) };
    },
  };
}

function gradientOf(op: string, dy: Tensor, y: Tensor): Tensor {
  return engine().runKernel(op, { dy, y } as unknown as NamedTensorMap) as Tensor;
}

/** The gradients of these gradients, which are linear in dy. */
export const secondGradients: readonly GradConfig[] = NATIVE.map(([, op]) => ({
  kernelName: op,
  inputsToSave: ["y"],
  gradFunc: (ddy, [y]) => ({
    dy: () => gradientOf(op, ddy as Tensor, y as Tensor),
    y: () => zerosLike(y as Tensor),
  }),
}));
