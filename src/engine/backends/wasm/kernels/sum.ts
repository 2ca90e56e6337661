/** @file Sums over leading axes (bias and normalization gradients) by average pooling, which XNNPACK vectorizes. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  type KernelConfig,
  type KernelFunc,
  type SumAttrs,
  type SumInputs,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";
import { f32At, f64At } from "../../../../arrays.js";
import { dispose, floats, type KernelCall, runKernel, viewAs } from "./kernel.js";

/** Rows that one pooling window adds up: a power of two, so that taking its mean back to its sum is exact. */
const WINDOW_ROWS = 32;
/** Below this many values the stock kernel is as fast. */
const MIN_VALUES = 4096;
/** XNNPACK pools four channels at once. */
const MIN_COLUMNS = 4;

/** The stock kernel (transpose, then sum the rows), except for large sums over leading axes. */
export function fastLeadingSum(stock: KernelConfig): KernelConfig {
  const kernelFunc = (call: KernelCall<SumInputs, SumAttrs>): TensorInfo => {
    const { x } = call.inputs;
    const axes = util.parseAxisParam(call.attrs.axis, x.shape).sort((a, b) => a - b);
    const rows = util.sizeFromShape(x.shape.slice(0, axes.length));
    const columns = util.sizeFromShape(x.shape.slice(axes.length));
    const isLeading = axes.every((axis, i) => axis === i);
    const isLarge = columns >= MIN_COLUMNS && rows * columns >= MIN_VALUES;
    if (x.dtype !== "float32" || !isLeading || !isLarge) {
      return stock.kernelFunc(call as unknown as Parameters<KernelFunc>[0]) as TensorInfo;
    }
    const sums = sumRows(call.backend, x, rows, columns);
    const kept = call.attrs.keepDims ? axes.map(() => 1) : [];
    return { ...sums, shape: [...kept, ...x.shape.slice(axes.length)] };
  };
  return { ...stock, kernelFunc: kernelFunc as unknown as KernelFunc };
}

/** [rows, columns] → [columns]. */
function sumRows(backend: BackendWasm, x: TensorInfo, rows: number, columns: number): TensorInfo {
  const windows = Math.floor(rows / WINDOW_ROWS);
  const total = new Float64Array(columns);
  if (windows > 0) {
    // a view of the whole windows at the front of x
    const attrs = { filterSize: [1, WINDOW_ROWS], strides: [1, WINDOW_ROWS], pad: "valid" };
    const means = runKernel(backend, "AvgPool", { x: viewAs(x, [1, windows, WINDOW_ROWS, columns]) }, attrs);
    addRows(total, floats(backend, means));
    for (let c = 0; c < columns; c++) total[c] = f64At(total, c) * WINDOW_ROWS;
    dispose(backend, means);
  }
  const out = backend.makeOutput([columns], "float32");
  addRows(total, floats(backend, x).subarray(windows * WINDOW_ROWS * columns));
  floats(backend, out).set(total);
  return out;
}

function addRows(total: Float64Array, rows: Float32Array): void {
  const columns = total.length;
  for (let start = 0; start < rows.length; start += columns) {
    for (let c = 0; c < columns; c++) total[c] = f64At(total, c) + f32At(rows, start + c);
  }
}
