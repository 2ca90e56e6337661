/** @file Integers and truth values as floats: numbers of their own, where tfjs only changes the name of their type. */
import {
  type CastAttrs,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  type NamedTensorInfoMap,
  RealDiv,
  type TensorInfo,
} from "@tensorflow/tfjs-core";

/**
 * The stock kernel casts int32 and bool to float32 by handing on the same integers as "float32". Kernels that compute
 * with them convert them; those that only move them (transpose, slice, split, gather) copy their bits.
 */
export function convertingCast(stock: KernelConfig): KernelConfig {
  return {
    ...stock,
    kernelFunc(call) {
      const { x } = call.inputs as { readonly x: TensorInfo };
      const { dtype } = call.attrs as unknown as CastAttrs;
      const isInteger = x.dtype === "int32" || x.dtype === "bool";
      if (!isInteger || dtype !== "float32") return stock.kernelFunc(call);
      const backend = call.backend as KernelBackend;
      const renamed = stock.kernelFunc(call) as TensorInfo;
      const one: TensorInfo = { dataId: backend.write(Float32Array.of(1), [], "float32"), shape: [], dtype: "float32" };
      const inputs: NamedTensorInfoMap = { a: renamed, b: one };
      const converted = getKernel(RealDiv, "webgpu").kernelFunc({ inputs, attrs: {}, backend });
      for (const { dataId } of [renamed, one]) backend.disposeData(dataId);
      return converted;
    },
  };
}
