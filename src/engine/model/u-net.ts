/** @file A U-Net: what is where, at the size of the picture, for tasks per pixel. */
import { ConfigError } from "../../errors.js";
import { checkOptions, COUNT } from "../../options.js";
import { type Block, concatenate, normalizedConvolution, sequential } from "./ready-trunks.js";
import type { SymbolicTensor } from "./trunk.js";

export interface UNetOptions {
  /** How often height and width are halved on the way down; each must be divisible by 2^depth. Default 3. */
  readonly depth?: number;
  /** Filters at the picture's size; each next level has twice as many. Default 16. */
  readonly filters?: number;
}

/**
 * A U-Net (Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015): down by maxima of
 * 2 × 2, up by repeating pixels, at every level beside what was seen there on the way down. Convolutions are padded and
 * batch normalized, where the paper's cut the edge off: [batch, height, width, channels] → [batch, height, width,
 * filters].
 * @throws ConfigError where a side of the map cannot be halved `depth` times
 */
export function unet(options: UNetOptions = {}): Block {
  checkOptions<UNetOptions>("unet", options, { depth: COUNT, filters: COUNT });
  const { depth = 3, filters = 16 } = options;
  return (input, layers) => {
    assertHalves(input, depth);
    const level = (map: SymbolicTensor, below: number): SymbolicTensor => {
      const width = filters * 2 ** (depth - below);
      const seen = twice(width)(map, layers);
      if (below === 0) return seen;
      const half = sequential([layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] })])(seen, layers);
      const raised = sequential([layers.upSampling2d({ size: [2, 2] }), normalizedConvolution(width, 2, 1, true)])(
        level(half, below - 1),
        layers,
      );
      return twice(width)(concatenate([seen, raised], layers), layers);
    };
    return level(input, depth);
  };
}

function twice(filters: number): Block {
  return sequential([normalizedConvolution(filters, 3, 1, true), normalizedConvolution(filters, 3, 1, true)]);
}

function assertHalves({ shape }: SymbolicTensor, depth: number): void {
  const [, height, width] = shape;
  const step = 2 ** depth;
  if (shape.length === 4 && Number(height) % step === 0 && Number(width) % step === 0) return;
  throw new ConfigError(
    `unet({ depth: ${depth} }) needs a map [height, width, channels] whose sides are multiples of ${step}; it is given [${shape.slice(1).join(", ")}]. Change the size of the image input, or depth.`,
    { depth, shape },
  );
}
