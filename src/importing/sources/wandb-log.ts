/** @file The file that W&B writes a run to: records in LevelDB's log format, in blocks of 32 KiB behind a header. */
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "../crc32.js";
import { DataError } from "../../errors.js";

const HEADER = Buffer.from(":W&B");
const MAGIC = 0xbee1;
const FILE_HEADER_BYTES = 7;
const BLOCK_BYTES = 32 * 1024;
/** Checksum, length, kind. */
const RECORD_HEADER_BYTES = 7;
/** A record that fits, or the parts of one that does not. */
const KIND = { full: 1, first: 2, middle: 3, last: 4 } as const;
const LARGEST_RECORD_BYTES = 256 << 20;

function isHeader(head: Buffer): boolean {
  return head.subarray(0, HEADER.length).equals(HEADER) && head.readUInt16LE(HEADER.length) === MAGIC;
}

/**
 * The records of a file, one by one. What a process that was killed left half written at the end is left out.
 * @throws DataError for a file that is none, and for a record that contradicts its checksum: what follows is not read
 */
export function* wandbRecords(file: string): Generator<Buffer> {
  const opened = openSync(file, "r");
  let parts: Buffer[] = [];
  let gathered = 0;
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let at = 0; ; at += BLOCK_BYTES) {
      const length = readWhole(opened, block, at);
      if (length === 0) return;
      if (at === 0 && !isHeader(block.subarray(0, length))) {
        throw new DataError(`${file} is no file of a W&B run (its first bytes are others).`, { file });
      }
      for (const { kind, data } of recordsIn(block.subarray(0, length), at, file)) {
        if (kind === KIND.full || kind === KIND.first) [parts, gathered] = [[], 0];
        gathered += data.length;
        if (gathered > LARGEST_RECORD_BYTES) throw damaged(file, at, "is larger than any that W&B writes");
        // a copy: the block is used again
        if (kind === KIND.full) yield Buffer.from(data);
        else parts.push(Buffer.from(data));
        if (kind === KIND.last) yield Buffer.concat(parts);
      }
    }
  } finally {
    closeSync(opened);
  }
}

function readWhole(opened: number, block: Buffer, at: number): number {
  let length = 0;
  while (length < block.length) {
    const read = readSync(opened, block, length, block.length - length, at + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

function* recordsIn(block: Buffer, at: number, file: string) {
  let offset = at === 0 ? FILE_HEADER_BYTES : 0;
  while (offset + RECORD_HEADER_BYTES <= block.length) {
    const length = block.readUInt16LE(offset + 4);
    const kind = block[offset + 6] ?? 0;
    // the rest of a block that is too short for a record is filled with zeros
    if (kind === 0 && length === 0) return;
    const start = offset + RECORD_HEADER_BYTES;
    if (start + length > block.length) {
      if (block.length === BLOCK_BYTES) throw damaged(file, at + offset, "is longer than its block");
      return;
    }
    if (kind > KIND.last) throw damaged(file, at + offset, "is of no known kind");
    // the checksum is of the kind and the data
    if (crc32(block.subarray(offset + 6, start + length)) !== block.readUInt32LE(offset)) {
      throw damaged(file, at + offset, "does not match its checksum");
    }
    yield { kind, data: block.subarray(start, start + length) };
    offset = start + length;
  }
}

function damaged(file: string, offset: number, problem: string): DataError {
  return new DataError(`The record at byte ${offset} of ${file} ${problem}: the file is damaged.`, { file, offset });
}
