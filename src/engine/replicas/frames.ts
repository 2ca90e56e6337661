/** @file Messages between processes: their length, then what V8 makes of them. */
import { at } from "../../arrays.js";
import { deserialize, serialize } from "node:v8";

const LENGTH_BYTES = 4;

/** A message with its length before it, as it travels between processes. */
export function toFrame(message: unknown): Buffer {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** @param read exactly so many bytes; null at the end of the stream */
export function readFrame(read: (bytes: number) => Buffer | null): unknown {
  const head = read(LENGTH_BYTES);
  const body = head === null ? null : read(head.readUInt32LE());
  return body === null ? null : deserialize(body);
}

/** Puts frames together from the pieces that a stream hands out. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @returns the messages that are complete with this piece */
  add(piece: Buffer): unknown[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const messages: unknown[] = [];
    for (let size = this.#nextSize(); size !== null && this.#bytes >= LENGTH_BYTES + size; size = this.#nextSize()) {
      const all = this.#together();
      messages.push(deserialize(all.subarray(LENGTH_BYTES, LENGTH_BYTES + size)));
      this.#pieces = [all.subarray(LENGTH_BYTES + size)];
      this.#bytes -= LENGTH_BYTES + size;
    }
    return messages;
  }

  #nextSize(): number | null {
    if (this.#bytes < LENGTH_BYTES) return null;
    if ((this.#pieces[0]?.length ?? 0) < LENGTH_BYTES) this.#together();
    return at(this.#pieces, 0).readUInt32LE();
  }

  #together(): Buffer {
    const all = this.#pieces.length === 1 ? at(this.#pieces, 0) : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}
