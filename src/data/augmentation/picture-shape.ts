/** @file The shape of a picture in memory. */

/** A picture in memory, [height, width, channels]. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
