/** @file A file that other programs append lines to, read as it grows. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A line with its number in the file, from 1. */
export interface NumberedLine {
  readonly number: number;
  /** null: longer than is taken. */
  readonly text: string | null;
}

const BLOCK_BYTES = 1 << 20;
const LONGEST_LINE_BYTES = 64 << 20;
const NEWLINE = 0x0a;

/** Keeps what is behind the last line break until the rest comes. */
export class LineTail {
  readonly #file: string;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #number = 0;
  #tooLong = false;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * The whole lines that were added since the last call.
   * @param end also the last one without a line break: nobody will add to it
   */
  *read(end = false): Generator<NumberedLine> {
    for (const block of blocksOf(this.#file, this.#offset)) {
      this.#offset += block.length;
      yield* this.#linesOf(block);
    }
    if (end && (this.#rest.length > 0 || this.#tooLong)) yield* this.#linesOf(Buffer.from("\n"));
  }

  *#linesOf(block: Buffer): Generator<NumberedLine> {
    const bytes = this.#rest.length === 0 ? block : Buffer.concat([this.#rest, block]);
    let start = 0;
    for (let next = bytes.indexOf(NEWLINE); next !== -1; next = bytes.indexOf(NEWLINE, start)) {
      this.#number += 1;
      yield { number: this.#number, text: this.#tooLong ? null : bytes.toString("utf8", start, next) };
      this.#tooLong = false;
      start = next + 1;
    }
    const rest = bytes.subarray(start);
    this.#tooLong ||= rest.length > LONGEST_LINE_BYTES;
    // a copy: the block is used again
    this.#rest = this.#tooLong ? Buffer.alloc(0) : Buffer.from(rest);
  }
}

/** What a file holds from an offset on; nothing where it is not there. */
export function* blocksOf(file: string, offset: number): Generator<Buffer> {
  const opened = openOrNull(file);
  if (opened === null) return;
  try {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, Math.max(1, fstatSync(opened).size - offset)));
    for (let at = offset; ; ) {
      const read = readSync(opened, block, 0, block.length, at);
      if (read === 0) return;
      at += read;
      yield block.subarray(0, read);
    }
  } finally {
    closeSync(opened);
  }
}

function openOrNull(file: string): number | null {
  try {
    return openSync(file, "r");
  } catch {
    return null;
  }
}
