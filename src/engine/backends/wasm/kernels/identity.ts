/** @file Clones that share their data, as on the other backends: every step clones what its gradients will read. */
import type { IdentityInputs, KernelConfig, KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import type { KernelCall } from "./kernel.js";

/** The stock kernel copies the numbers; only strings, which lie outside of the heap, are left to it. */
export function sharingIdentity(stock: KernelConfig): KernelConfig {
  const kernelFunc = (call: KernelCall<IdentityInputs, object>): TensorInfo => {
    const { x } = call.inputs;
    if (x.dtype === "string") return stock.kernelFunc(call as unknown as Parameters<KernelFunc>[0]) as TensorInfo;
    call.backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  };
  return { ...stock, kernelFunc: kernelFunc as unknown as KernelFunc };
}
