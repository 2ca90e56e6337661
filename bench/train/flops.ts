/** @file How many floating point operations a training step of a network is made of. */
import type { Network } from "../../src/engine/model/network.js";
import { LENGTH } from "./networks.js";

type Layer = Network["layers"][number];
type Shape = readonly (number | null)[];

// each product with its sum is two; the gradients by inputs and by weights are as many as the outputs are
const PER_PRODUCT = 2;
const PASSES = 3;

/**
 * Floating point operations of one step: those of convolutions and matrix products, forward and backward. What is done
 * element by element is not counted, nor are the heads; the gradient by the pictures, which nobody computes, is.
 */
export function stepFlops(layers: readonly Layer[], rows: number): number {
  const products = layers.reduce((sum, layer) => sum + productsPerRow(layer), 0);
  return PER_PRODUCT * PASSES * rows * products;
}

function productsPerRow(layer: Layer): number {
  const out = sizeOf(layer.outputShape as Shape);
  const kernel = layer.weights.find(({ shape }) => shape.length > 1)?.shape ?? [];
  switch (layer.getClassName()) {
    case "Conv2D":
    case "Dense":
      return out * sizeOf([null, ...kernel.slice(0, -1)]);
    case "DepthwiseConv2D":
      return out * sizeOf([null, ...kernel.slice(0, 2)]);
    case "Dot": {
      const [left, right] = layer.input as unknown as readonly { readonly shape: Shape }[];
      const summed = (left?.shape ?? []).at((layer as unknown as { axes: readonly number[] }).axes[0] ?? -1);
      return right === undefined ? 0 : out * (summed ?? LENGTH);
    }
    default:
      return 0;
  }
}

/** Numbers of one row. */
function sizeOf([, ...axes]: Shape): number {
  return axes.reduce<number>((product, size) => product * (size ?? LENGTH), 1);
}
