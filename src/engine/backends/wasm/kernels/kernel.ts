/** @file What every wasm kernel here is written with: a typed kernel definition, calls of existing kernels, heap views. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  type DataType,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";

export type Shape4D = [number, number, number, number];

/** tfjs types every input of a kernel as possibly absent; the ones used here always come. */
export type Present<Inputs> = { readonly [Name in keyof Inputs]-?: Exclude<Inputs[Name], undefined> };

/** The arguments of one kernel call. */
export interface KernelCall<Inputs, Attrs> {
  readonly inputs: Present<Inputs>;
  readonly attrs: Attrs;
  readonly backend: BackendWasm;
}

/** A kernel of the wasm backend, with the types of its inputs and attributes. */
export function wasmKernel<Inputs, Attrs>(
  kernelName: string,
  run: (call: KernelCall<Inputs, Attrs>) => TensorInfo,
): KernelConfig {
  return { kernelName, backendName: "wasm", kernelFunc: run as unknown as KernelFunc };
}

/** Runs an existing wasm kernel. The result belongs to the caller, who disposes it or returns it. */
export function runKernel(
  backend: BackendWasm,
  kernelName: string,
  inputs: Readonly<Record<string, TensorInfo>> | readonly TensorInfo[],
  attrs: Readonly<Record<string, unknown>> = {},
): TensorInfo {
  const config = getKernel(kernelName, "wasm");
  return config.kernelFunc({
    // Concat takes its inputs as a list; tfjs types every kernel's inputs as a map
    inputs: inputs as unknown as NamedTensorInfoMap,
    attrs: attrs as NamedAttrMap,
    backend,
  }) as TensorInfo;
}

/** The same data under another shape. Not a tensor of its own: it is never disposed. */
export function viewAs(tensor: TensorInfo, shape: readonly number[]): TensorInfo {
  return { dataId: tensor.dataId, dtype: tensor.dtype, shape: [...shape] };
}

/** Disposes intermediate results; a tensor that a kernel passed through unchanged only loses one reference. */
export function dispose(backend: BackendWasm, ...tensors: readonly TensorInfo[]): void {
  for (const tensor of tensors) backend.disposeData(tensor.dataId);
}

/** A tensor of zeros. */
export function zeros(backend: BackendWasm, shape: readonly number[], dtype: DataType = "float32"): TensorInfo {
  const out = backend.makeOutput([...shape], dtype);
  backend.typedArrayFromHeap(out).fill(0);
  return out;
}

/**
 * The values of a float32 tensor, as a view of the wasm heap. Making any tensor may grow the heap, which detaches
 * earlier views: take views after the last allocation.
 */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** Transposes a matrix; existing kernels only multiply matrices fast that are not transposed. */
export function transposeMatrix(backend: BackendWasm, matrix: TensorInfo): TensorInfo {
  return runKernel(backend, "Transpose", { x: matrix }, { perm: [1, 0] });
}

/** Rows and columns from `start`, `size` of them: [batch, …size, channels], owned by the caller. */
export function cropped(
  backend: BackendWasm,
  x: TensorInfo,
  start: readonly [row: number, column: number],
  size: readonly [height: number, width: number],
): TensorInfo {
  const [batch, height, width, channels] = x.shape as Shape4D;
  if (size[0] === height && size[1] === width) return runKernel(backend, "Identity", { x });
  const attrs = { begin: [0, ...start, 0], size: [batch, ...size, channels] };
  return runKernel(backend, "Slice", { x }, attrs);
}
