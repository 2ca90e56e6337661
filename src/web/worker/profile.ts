/** @file Whether a picture brings a colour profile along. */

/**
 * Browsers also follow PNG's hints of gamma and chromaticity, which sharp, and so training, does not: colours are changed
 * only where there is an ICC profile.
 * @param bytes of a PNG, JPEG or WebP file
 */
export function hasColourProfile(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (startsWith(bytes, 0, [0x89, 0x50, 0x4e, 0x47])) return pngHas(bytes, view);
  if (startsWith(bytes, 0, [0xff, 0xd8])) return jpegHas(bytes, view);
  const isWebp = startsWith(bytes, 0, letters("RIFF")) && startsWith(bytes, 8, letters("WEBPVP8X"));
  // of the extended format's flags, that of a profile
  return isWebp && bytes.length > 20 && (view.getUint8(20) & 0x20) !== 0;
}

/** Chunks before the pixels: length, name, data, checksum. */
function pngHas(bytes: Uint8Array, view: DataView): boolean {
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (startsWith(bytes, at + 4, letters("iCCP"))) return true;
    if (startsWith(bytes, at + 4, letters("IDAT"))) return false;
  }
  return false;
}

const APP2 = 0xffe2;
const START_OF_SCAN = 0xffda;

/** Segments before the pixels: marker, length, data. */
function jpegHas(bytes: Uint8Array, view: DataView): boolean {
  for (let at = 2; at + 4 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === START_OF_SCAN || marker >> 8 !== 0xff) return false;
    if (marker === APP2 && startsWith(bytes, at + 4, letters("ICC_PROFILE"))) return true;
  }
  return false;
}

function letters(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}

function startsWith(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  return expected.every((byte, i) => bytes[at + i] === byte);
}
