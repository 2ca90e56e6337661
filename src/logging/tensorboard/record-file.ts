/** @file Appends checksummed records to one file through a buffer (the TFRecord format). */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { StoreError } from "../../errors.js";
import { ProtoWriter } from "../../protobuf/wire.js";
import { maskedCrc32c } from "./crc32c.js";

/** Bytes gathered before they are written without being asked for. */
const BUFFER_BYTES = 256 * 1024;

/** Length (8 bytes) and its masked checksum (4 bytes), in front of the data. */
export const HEADER_BYTES = 12;
/** Masked checksum of the data, behind it. */
export const FOOTER_BYTES = 4;

/** Owns the file descriptor. Each record is `u64 length | u32 crc(length) | data | u32 crc(data)`, little-endian. */
export class RecordFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #buffer = new ProtoWriter(BUFFER_BYTES + 4096);
  #closed = false;

  /** Creates the file. Throws what `node:fs` throws, `EEXIST` for a file that is there already. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "wx");
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Adds one record whose data `write` appends. If `write` throws, nothing is added. */
  append(write: (data: ProtoWriter) => void): void {
    const buffer = this.#buffer;
    const start = buffer.length;
    const dataStart = start + HEADER_BYTES;
    buffer.reserve(HEADER_BYTES);
    buffer.length = dataStart;
    try {
      write(buffer);
      buffer.reserve(FOOTER_BYTES);
    } catch (error) {
      buffer.length = start;
      throw error;
    }
    const dataEnd = buffer.length;
    buffer.setUint32(start, dataEnd - dataStart);
    buffer.setUint32(start + 4, 0); // a record of 4 GiB would not fit in memory
    buffer.setUint32(start + 8, maskedCrc32c(buffer.bytes, start, start + 8));
    buffer.setUint32(dataEnd, maskedCrc32c(buffer.bytes, dataStart, dataEnd));
    buffer.length = dataEnd + FOOTER_BYTES;
    if (buffer.length >= BUFFER_BYTES) this.flush();
  }

  /**
   * Hands everything gathered to the operating system. If it takes only a part (disk full), the rest stays in the
   * buffer and the next flush goes on at that very byte: a reader never meets a torn record with others behind it.
   */
  flush(): void {
    const buffer = this.#buffer;
    let written = 0;
    try {
      while (written < buffer.length) {
        written += writeSync(this.#descriptor, buffer.bytes, written, buffer.length - written);
      }
    } catch (error) {
      throw this.#failure("write", error);
    } finally {
      buffer.bytes.copyWithin(0, written, buffer.length);
      buffer.length -= written;
    }
  }

  /** Flushes, then waits until the data is on the disk. */
  sync(): void {
    this.flush();
    try {
      fdatasyncSync(this.#descriptor);
    } catch (error) {
      throw this.#failure("sync", error);
    }
  }

  /** Syncs and closes; the file is closed even if the last bytes could not be written. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.sync();
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #failure(action: string, cause: unknown): StoreError {
    const { code, message } = cause as NodeJS.ErrnoException;
    const remedy = code === "ENOSPC" ? " Free some space on that disk: the points so far are kept until then." : "";
    return new StoreError(
      `Could not ${action} the event file ${this.path}: ${message}.${remedy}`,
      { file: this.path, action, code },
      { cause },
    );
  }
}
