/** @file The gradient of average pooling at padded edges, which tfjs computes as if padding were pixels. */
import {
  AvgPool3DGrad,
  type AvgPoolAttrs,
  AvgPoolGrad,
  backend_util,
  getKernel,
  type KernelBackend,
  type KernelConfig,
  Multiply,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

/** Replaces gradients of a backend whose forward kernels divide by the pixels that a window holds. */
export function mendAveragePooling(
  backendName: string,
  kernelNames: readonly string[] = [AvgPoolGrad, AvgPool3DGrad],
): void {
  for (const kernelName of kernelNames) {
    const mended = withPaddedShare(getKernel(kernelName, backendName));
    unregisterKernel(kernelName, backendName);
    registerKernel(mended);
  }
}

/** tfjs shares each number of dy among all places of its window, padding too: the real ones get as much more. */
function withPaddedShare(stock: KernelConfig): KernelConfig {
  const multiply = getKernel(Multiply, stock.backendName);
  return {
    ...stock,
    kernelFunc(call) {
      const { dy, input } = call.inputs as { readonly dy: TensorInfo; readonly input: TensorInfo };
      const backend = call.backend as KernelBackend;
      const { values, shape } = missingShares(input.shape, call.attrs as unknown as AvgPoolAttrs);
      if (values.every((value) => value === 1)) return stock.kernelFunc(call);
      const factors = { dataId: backend.write(values, shape, "float32"), shape, dtype: "float32" } as const;
      const scaled = multiply.kernelFunc({ inputs: { a: dy, b: factors }, attrs: {}, backend }) as TensorInfo;
      const gradient = stock.kernelFunc({ ...call, inputs: { dy: scaled, input } });
      for (const { dataId } of [factors, scaled]) backend.disposeData(dataId);
      return gradient;
    },
  };
}

/** Places of the whole window / places within the picture, [1, …places of the output, 1]. */
function missingShares(
  shape: readonly number[],
  attrs: AvgPoolAttrs,
): { readonly values: Float32Array; readonly shape: number[] } {
  const axes = shape.length === 4 ? axesOf2D(shape, attrs) : axesOf3D(shape, attrs);
  let values: number[] = [1];
  for (const axis of axes) {
    const shares = sharesAlong(axis);
    values = values.flatMap((value) => shares.map((share) => value * share));
  }
  return { values: Float32Array.from(values), shape: [1, ...axes.map(({ outputs }) => outputs), 1] };
}

/** One axis of a pooling. */
interface PoolAxis {
  readonly inputs: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  /** Places of padding before the first input. */
  readonly padding: number;
}

function sharesAlong({ inputs, outputs, window, stride, padding }: PoolAxis): number[] {
  return Array.from({ length: outputs }, (_, output) => {
    const first = output * stride - padding;
    return window / (Math.min(inputs, first + window) - Math.max(0, first));
  });
}

function axesOf2D(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: AvgPoolAttrs): PoolAxis[] {
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return rowsAndColumns(info);
}

function axesOf3D(shape: readonly number[], attrs: AvgPoolAttrs): PoolAxis[] {
  const { pad, dimRoundingMode } = attrs;
  type Three = number | [number, number, number];
  const [size, strides] = [attrs.filterSize as Three, attrs.strides as Three];
  const info = backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    size,
    strides,
    1,
    pad as "same" | "valid" | number,
    dimRoundingMode,
  );
  return [
    {
      inputs: info.inDepth,
      outputs: info.outDepth,
      window: info.filterDepth,
      stride: info.strideDepth,
      padding: info.padInfo.front,
    },
    ...rowsAndColumns(info),
  ];
}

type PlaneInfo = Pick<
  backend_util.Conv2DInfo,
  "inHeight" | "outHeight" | "filterHeight" | "strideHeight" | "inWidth" | "outWidth" | "filterWidth" | "strideWidth"
> & { readonly padInfo: { readonly top: number; readonly left: number } };

function rowsAndColumns(info: PlaneInfo): [PoolAxis, PoolAxis] {
  return [
    {
      inputs: info.inHeight,
      outputs: info.outHeight,
      window: info.filterHeight,
      stride: info.strideHeight,
      padding: info.padInfo.top,
    },
    {
      inputs: info.inWidth,
      outputs: info.outWidth,
      window: info.filterWidth,
      stride: info.strideWidth,
      padding: info.padInfo.left,
    },
  ];
}
