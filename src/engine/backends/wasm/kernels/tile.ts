/** @file Copies of a tensor along leading axes of size 1 (gradients of batch normalization) as copies of memory. */
import type { KernelConfig, KernelFunc, TensorInfo, TileAttrs, TileInputs } from "@tensorflow/tfjs-core";
import { at } from "../../../../arrays.js";
import type { KernelCall } from "./kernel.js";

/** The stock kernel finds the place of each number by itself; where all of x is repeated, its memory is copied whole. */
export function fastLeadingTile(stock: KernelConfig): KernelConfig {
  const kernelFunc = (call: KernelCall<TileInputs, TileAttrs>): TensorInfo => {
    const { x } = call.inputs;
    const { reps } = call.attrs;
    const shape = x.shape.map((size, axis) => size * at(reps, axis));
    const firstLong = x.shape.findIndex((size) => size !== 1);
    const isLeading = reps.every((times, axis) => times === 1 || firstLong < 0 || axis < firstLong);
    if (!isLeading || x.dtype === "string" || shape.includes(0)) {
      return stock.kernelFunc(call as unknown as Parameters<KernelFunc>[0]) as TensorInfo;
    }
    const out = call.backend.makeOutput(shape, x.dtype);
    // views are taken after the last allocation, which may move the heap
    const [from, to] = [call.backend.typedArrayFromHeap(x), call.backend.typedArrayFromHeap(out)];
    to.set(from);
    // twice as many with every copy
    for (let filled = from.length; filled < to.length; filled *= 2) to.copyWithin(filled, 0, filled);
    return out;
  };
  return { ...stock, kernelFunc: kernelFunc as unknown as KernelFunc };
}
