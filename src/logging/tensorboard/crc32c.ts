/** @file CRC-32C (Castagnoli) and the masked form that guards each record of an event file. */

/** 0x1edc6f41 with its bits reversed: the checksum is defined on bits in reflected order (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/**
 * Four tables of 256 entries, one after the other ("slicing by 4"): `TABLES[256 * k + b]` is the checksum of byte `b`
 * followed by `k` zero bytes, so that four bytes cost four look-ups that do not wait for each other.
 */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = entry(tables, i - 256);
    tables[i] = (shorter >>> 8) ^ entry(tables, shorter & 0xff);
  }
  return tables;
}

/** CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    crc ^= entry(bytes, i) | (entry(bytes, i + 1) << 8) | (entry(bytes, i + 2) << 16) | (entry(bytes, i + 3) << 24);
    crc =
      entry(TABLES, 768 + (crc & 0xff)) ^
      entry(TABLES, 512 + ((crc >>> 8) & 0xff)) ^
      entry(TABLES, 256 + ((crc >>> 16) & 0xff)) ^
      entry(TABLES, crc >>> 24);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ entry(TABLES, (crc ^ entry(bytes, i)) & 0xff);
  return ~crc >>> 0;
}

/**
 * The form stored in records: rotated and offset, because the checksum of data that contains its own checksum is weak
 * (TensorFlow, `core/lib/hash/crc32c.h`).
 */
export function maskedCrc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** An element whose index is known to be in range. */
function entry(array: Int32Array | Uint8Array, index: number): number {
  return array[index] as number;
}
