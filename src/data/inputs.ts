/** @file Declares the named inputs of a project. */
import { ConfigError } from "../errors.js";
import type { ImageInputSpec } from "./dataset.js";

/**
 * An image column: paths relative to the table. Images are stretched to `size`, so a coordinate measured along the
 * width or height of the original stays the same fraction of it.
 * @param options.size [height, width] in pixels
 * @param options.channels 3 for colour (default), 1 for grey
 */
export function image(options: {
  readonly column: string;
  readonly size: readonly [height: number, width: number];
  readonly channels?: 1 | 3;
}): ImageInputSpec {
  const { column, size, channels = 3 } = options;
  if (size.length !== 2 || !size.every((pixels) => Number.isInteger(pixels) && pixels > 0)) {
    throw new ConfigError(
      `image({ column: "${column}" }) needs size: [height, width] in whole pixels, e.g. [64, 64].`,
      {
        column,
        size,
      },
    );
  }
  return { kind: "image", column, size: [size[0], size[1]], channels };
}
