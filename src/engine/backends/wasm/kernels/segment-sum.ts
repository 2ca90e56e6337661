/** @file UnsortedSegmentSum: the gradient of gather, hence of embeddings. */
import {
  type TensorInfo,
  UnsortedSegmentSum,
  type UnsortedSegmentSumAttrs,
  type UnsortedSegmentSumInputs,
} from "@tensorflow/tfjs-core";
import { type KernelCall, wasmKernel, zeros } from "./kernel.js";

/** Sums of rows by segment: the gradient of a gather. */
export const unsortedSegmentSumKernel = wasmKernel<UnsortedSegmentSumInputs, UnsortedSegmentSumAttrs>(
  UnsortedSegmentSum,
  unsortedSegmentSum,
);

/** x [...ids, ...inner], segmentIds [...ids] → [numSegments, ...inner]; rows of an id outside the range are left out. */
function unsortedSegmentSum(call: KernelCall<UnsortedSegmentSumInputs, UnsortedSegmentSumAttrs>): TensorInfo {
  const { backend } = call;
  const { x, segmentIds } = call.inputs;
  const { numSegments } = call.attrs;
  const innerShape = x.shape.slice(segmentIds.shape.length);
  const out = zeros(backend, [numSegments, ...innerShape], x.dtype);
  const width = innerShape.reduce((product, size) => product * size, 1);
  const ids = backend.typedArrayFromHeap(segmentIds);
  const values = backend.typedArrayFromHeap(x);
  const sums = backend.typedArrayFromHeap(out);
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row] as number;
    if (segment < 0 || segment >= numSegments) continue;
    const from = row * width;
    const to = segment * width;
    for (let c = 0; c < width; c++) sums[to + c] = (sums[to + c] as number) + (values[from + c] as number);
  }
  return out;
}
