/** @file Encoded pictures → the tensor that TensorBoard's image plugin shows. */
import { CoolError } from "../../errors.js";
import { stringTensor, type Tensor } from "./tensor.js";

interface ImageSize {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** An encoded picture. TensorBoard serves other formats as files to download. */
export type EncodedImage = ImageSize & ({ readonly png: Uint8Array } | { readonly jpeg: Uint8Array });

const SIGNATURES = {
  png: [0x89, 0x50, 0x4e, 0x47],
  jpeg: [0xff, 0xd8, 0xff],
} as const;

/**
 * @returns [2 + k] strings: width, height, then the k pictures
 * @throws CoolError without a picture, for an empty or mislabelled one, or for sizes that differ
 */
export function imageTensor(tag: string, images: readonly EncodedImage[]): Tensor {
  const [first] = images;
  if (first === undefined) throw new CoolError(`No image was given for the tag "${tag}".`, { tag });
  const { width, height } = first;
  for (const image of images) {
    if (image.width !== width || image.height !== height) {
      throw new CoolError(
        `The images of one step under "${tag}" share one size, but ${size(first)} and ${size(image)} were given.`,
        { tag, sizes: images.map(size) },
      );
    }
  }
  const encoded = images.map((image) => checkedBytes(tag, image));
  return stringTensor([2 + encoded.length], [String(width), String(height), ...encoded]);
}

function checkedBytes(tag: string, image: EncodedImage): Uint8Array {
  const [format, bytes] = "png" in image ? (["png", image.png] as const) : (["jpeg", image.jpeg] as const);
  if (!isPositiveInteger(image.width) || !isPositiveInteger(image.height) || bytes.length === 0) {
    throw new CoolError(
      `The image for "${tag}" is empty: ${size(image)} pixels in ${bytes.length} bytes. Log it once it has content.`,
      { tag, width: image.width, height: image.height, bytes: bytes.length },
    );
  }
  if (!SIGNATURES[format].every((byte, i) => bytes[i] === byte)) {
    throw new CoolError(
      `The image for "${tag}" was given as ${format} but its bytes are not. Encode it as PNG or JPEG.`,
      {
        tag,
        format,
      },
    );
  }
  return bytes;
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function size({ width, height }: ImageSize): string {
  return `${width}×${height}`;
}
