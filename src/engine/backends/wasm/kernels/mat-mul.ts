/** @file Matrix products on XNNPACK also for transposed operands, which every dense gradient has. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { BatchMatMulAttrs, BatchMatMulInputs, KernelConfig, KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { dispose, type KernelCall, transposeMatrix, viewAs } from "./kernel.js";

/**
 * `BatchMatMul` or `_FusedMatMul` around whose stock kernel the operands are put right: the stock one uses XNNPACK for
 * a single plain product only, a several times slower loop for transposed operands, and a wrong matrix where the right
 * operand was multiplied before under another shape.
 */
export function steadyMatMul(stock: KernelConfig): KernelConfig {
  const kernelFunc = (call: KernelCall<BatchMatMulInputs, BatchMatMulAttrs>): TensorInfo => {
    const { inputs, attrs, backend } = call;
    const a = asMatrix(inputs.a);
    const b = asMatrix(inputs.b);
    if (a === undefined || b === undefined) return runStock(stock, call);

    const left = attrs.transposeA ? transposeMatrix(backend, a) : a;
    const right = attrs.transposeB ? transposeMatrix(backend, b) : withOwnPacking(backend, b);
    const plain = { ...attrs, transposeA: false, transposeB: false };
    const product = runStock(stock, {
      inputs: { ...inputs, a: withBatch(left), b: withBatch(right) },
      attrs: plain,
      backend,
    });
    if (left !== a) dispose(backend, left);
    if (right !== b) dispose(backend, right);
    const batch = inputs.a.shape.length >= inputs.b.shape.length ? inputs.a.shape : inputs.b.shape;
    return { ...product, shape: [...batch.slice(0, -2), ...product.shape.slice(-2)] };
  };
  return { ...stock, kernelFunc: kernelFunc as unknown as KernelFunc };
}

/** The shape in which XNNPACK packed a right operand; it keeps the packed copy by tensor, whatever its shape. */
const packedShapes = new WeakMap<object, string>();

/** The matrix itself, or a copy of it where its data was packed under another shape. */
function withOwnPacking(backend: BackendWasm, matrix: TensorInfo): TensorInfo {
  const shape = matrix.shape.join();
  const packed = packedShapes.get(matrix.dataId);
  if (packed === undefined) packedShapes.set(matrix.dataId, shape);
  if (packed === undefined || packed === shape) return matrix;
  const copy = backend.makeOutput(matrix.shape, matrix.dtype);
  backend.typedArrayFromHeap(copy).set(backend.typedArrayFromHeap(matrix));
  return copy;
}

function runStock(stock: KernelConfig, call: KernelCall<BatchMatMulInputs, BatchMatMulAttrs>): TensorInfo {
  return stock.kernelFunc(call as unknown as Parameters<KernelFunc>[0]) as TensorInfo;
}

/** A tensor whose leading axes have size 1, as a matrix; nothing for a stack of matrices. */
function asMatrix(tensor: TensorInfo): TensorInfo | undefined {
  const isSingle = tensor.shape.slice(0, -2).every((size) => size === 1);
  return isSingle && tensor.shape.length >= 2 ? viewAs(tensor, tensor.shape.slice(-2)) : undefined;
}

function withBatch(matrix: TensorInfo): TensorInfo {
  return viewAs(matrix, [1, ...matrix.shape]);
}
