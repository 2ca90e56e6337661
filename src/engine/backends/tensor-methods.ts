/** @file The tensor methods that tfjs-layers and tfjs-core call themselves but that tfjs-core's Node bundle leaves out. */
import {
  add,
  cast,
  mean,
  mul,
  reshape,
  sign,
  slice,
  split,
  square,
  stridedSlice,
  sub,
  sum,
  Tensor,
  transpose,
} from "@tensorflow/tfjs-core";

/**
 * Who calls them: the orthogonal initializer (every recurrent layer), the R² metric, the gradient of batched gather,
 * and kernels of tfjs-node (PReLU, the exponential of integers, the largest of truth values).
 */
const methods = {
  add,
  flatten: (x: Tensor) => reshape(x, [-1]),
  mean,
  mul,
  reshape,
  sign,
  slice,
  split,
  square,
  stridedSlice,
  sub,
  sum,
  toFloat: (x: Tensor) => cast(x, "float32"),
  toInt: (x: Tensor) => cast(x, "int32"),
  transpose,
};

/** Adds the methods that are missing; without them recurrent layers fail with "flatten is not a function". */
export function addTensorMethods(): void {
  const prototype = Tensor.prototype as unknown as Record<string, unknown>;
  for (const [name, op] of Object.entries(methods)) {
    const onTensor = op as (x: Tensor, ...rest: readonly unknown[]) => unknown;
    prototype[name] ??= function method(this: Tensor, ...rest: readonly unknown[]) {
      return onTensor(this, ...rest);
    };
  }
}
