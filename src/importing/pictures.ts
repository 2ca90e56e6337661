/** @file Encoded pictures as TensorBoard takes them: which format their bytes have, and their size. */
import type { EncodedImage } from "../logging/tensorboard/index.js";

/** The picture with its size; null for what is neither PNG nor JPEG, or is cut off. */
export function pictureOf(bytes: Uint8Array): EncodedImage | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length > 24 && view.getUint32(0) === 0x89504e47) {
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    return width > 0 && height > 0 ? { png: bytes, width, height } : null;
  }
  const size = bytes.length > 4 && view.getUint16(0) === 0xffd8 ? jpegSize(view) : null;
  return size === null ? null : { jpeg: bytes, ...size };
}

/** Frame headers are SOF0 to SOF15, but for the markers of tables among them. */
function jpegSize(view: DataView): { readonly width: number; readonly height: number } | null {
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return width > 0 && height > 0 ? { width, height } : null;
    }
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
