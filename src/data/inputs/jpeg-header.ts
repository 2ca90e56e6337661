/** @file What the head of a JPEG says, where that is all there is to know before it is decoded. */

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
}

const START = 0xff_d8;
const SCAN = 0xda;
const APP1 = 0xe1;
const EXIF = "Exif";
/** Frames of 8 bits that are decoded: baseline, extended, progressive (ITU-T T.81, table B.1). */
const FRAMES = new Set([0xc0, 0xc1, 0xc2]);

/**
 * The size of a JPEG with 8-bit samples that is shown as it is stored; null of any other file, and of one with EXIF data,
 * which may say that it is turned (ITU-T T.81, B.1 and B.2).
 */
export function plainJpegHeader(file: Buffer): JpegHeader | null {
  if (file.length < 4 || file.readUInt16BE(0) !== START) return null;
  let size: JpegHeader | null = null;
  for (let at = 2; at + 4 <= file.length; ) {
    if (file[at] !== 0xff) return null;
    const kind = file[at + 1] ?? 0;
    if (kind === SCAN) return size;
    const end = at + 2 + file.readUInt16BE(at + 2);
    // a segment has a length from 0xc0 on; the fill bytes before one are rare enough to be left to the decoder
    if (kind < 0xc0 || (kind >= 0xd0 && kind <= 0xd9) || end < at + 4 || end > file.length) return null;
    if (kind === APP1 && file.toString("latin1", at + 4, at + 8) === EXIF) return null;
    if (isFrame(kind)) {
      size = end >= at + 10 ? frameSize(file, kind, at + 4) : null;
      if (size === null) return null;
    }
    at = end;
  }
  return null;
}

/** All frame headers, those that are not decoded among them; tables (C4, C8, CC) are none. */
function isFrame(kind: number): boolean {
  return kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc;
}

function frameSize(file: Buffer, kind: number, at: number): JpegHeader | null {
  const [height, width] = [file.readUInt16BE(at + 1), file.readUInt16BE(at + 3)];
  return FRAMES.has(kind) && file[at] === 8 && width > 0 && height > 0 ? { width, height } : null;
}
