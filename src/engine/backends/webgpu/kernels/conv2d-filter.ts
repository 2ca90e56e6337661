/** @file The gradient of a convolution by its filter, with several threads per filter weight. */
import {
  backend_util,
  type Conv2DBackpropFilterAttrs,
  getKernel,
  type KernelConfig,
  Sum,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { WebgpuBackend, WebgpuProgram } from "../packages.js";

/** As many keep the largest GPUs busy. */
const ENOUGH_THREADS = 2 ** 18;

/**
 * The stock kernel gives each weight of the filter one thread, which goes through all pictures: a first layer of 3 × 3
 * on colours keeps a few hundred threads of a GPU busy for as long as all the rest takes, and adds up in one number what
 * hundreds of thousands of places contribute. Here groups of pictures are summed apart, and then together.
 */
export function groupedFilterGradient(stock: KernelConfig): KernelConfig {
  return {
    ...stock,
    kernelFunc(call) {
      const { x, dy } = call.inputs as { readonly x: TensorInfo; readonly dy: TensorInfo };
      const attrs = call.attrs as unknown as Conv2DBackpropFilterAttrs;
      const [pictures = 1] = x.shape;
      const weights = attrs.filterShape.reduce((product, size) => product * size, 1);
      const groups = Math.min(pictures, Math.ceil(ENOUGH_THREADS / weights));
      if (attrs.dataFormat !== "NHWC" || groups < 2) return stock.kernelFunc(call);
      const backend = call.backend as WebgpuBackend;
      const each = gradientsOf(groups, backend, x, dy, attrs);
      const apart: TensorInfo = { ...each, shape: [groups, ...attrs.filterShape] };
      const attributes = { axis: 0, keepDims: false };
      const sum = getKernel(Sum, "webgpu").kernelFunc({ inputs: { x: apart }, attrs: attributes, backend });
      backend.disposeData(each.dataId);
      return sum;
    },
  };
}

/** [groups × filter height, filter width, channels in, channels out] */
function gradientsOf(
  groups: number,
  backend: WebgpuBackend,
  x: TensorInfo,
  dy: TensorInfo,
  { strides, pad, dimRoundingMode, filterShape }: Conv2DBackpropFilterAttrs,
): TensorInfo {
  const shape = x.shape as [number, number, number, number];
  const info = backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
  const [filterHeight, ...rest] = filterShape;
  return backend.runWebGPUProgram(program([groups * filterHeight, ...rest]), [x, dy], "float32", [
    { type: "int32", data: [info.padInfo.top, info.padInfo.left] },
    { type: "int32", data: [info.strideHeight, info.strideWidth] },
    { type: "int32", data: [info.outHeight, info.outWidth] },
    { type: "int32", data: [info.inHeight, info.inWidth] },
    { type: "int32", data: [filterHeight] },
    { type: "int32", data: [groups] },
    { type: "int32", data: [info.batchSize] },
  ]);
}

const WORKGROUP = 64;

function program(outputShape: readonly number[]): WebgpuProgram {
  const size = outputShape.reduce((product, axis) => product * axis, 1);
  return {
    variableNames: ["x", "dy"],
    uniforms:
      "pads : vec2<i32>, strides : vec2<i32>, outSize : vec2<i32>, inSize : vec2<i32>, filterHeight : i32, groups : i32, pictures : i32,",
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    outputShape: [...outputShape],
    dispatchLayout: { x: outputShape.map((_, axis) => axis) },
    dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
    shaderKey: "groupedFilterGradient",
    getUserCode: () => SHADER,
  };
}

/** Each thread: Σ over the places of the pictures of a group of x · dy, for one weight. */
const SHADER = `
  fn main(index : i32) {
    if (index >= uniforms.size) {
      return;
    }
    let coords = getCoordsFromIndex(index);
    let row = coords[0] % uniforms.filterHeight;
    var sum = 0.0;
    for (var picture = coords[0] / uniforms.filterHeight; picture < uniforms.pictures; picture += uniforms.groups) {
      for (var outRow = 0; outRow < uniforms.outSize[0]; outRow++) {
        let inRow = row + outRow * uniforms.strides[0] - uniforms.pads[0];
        if (inRow < 0 || inRow >= uniforms.inSize[0]) {
          continue;
        }
        for (var outColumn = 0; outColumn < uniforms.outSize[1]; outColumn++) {
          let inColumn = coords[1] + outColumn * uniforms.strides[1] - uniforms.pads[1];
          if (inColumn < 0 || inColumn >= uniforms.inSize[1]) {
            continue;
          }
          sum += getX(picture, inRow, inColumn, coords[2]) * getDy(picture, outRow, outColumn, coords[3]);
        }
      }
    }
    setOutputAtIndex(index, sum);
  }
`;
