/** @file The protocol buffer wire format: a writer into one growing buffer, and a reader of fields. */

/** Wire types of https://protobuf.dev/programming-guides/encoding. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * Appends fields to a buffer that grows as needed. Fields with the default value are written all the same: inside a
 * `oneof`, such as a scalar of 0, absence would mean "no value".
 */
export class ProtoWriter {
  bytes: Uint8Array;
  /** Bytes in use. Setting it back drops what was written since. */
  length = 0;
  #view: DataView;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** A copy of what has been written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** int32, int64, uint32, enum: a safe integer; negative ones take ten bytes. */
  integer(field: number, value: number): void {
    this.reserve(20);
    this.#key(field, VARINT);
    this.#varint(value);
  }

  boolean(field: number, value: boolean): void {
    this.integer(field, value ? 1 : 0);
  }

  double(field: number, value: number): void {
    this.reserve(18);
    this.#key(field, FIXED64);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  float(field: number, value: number): void {
    this.reserve(14);
    this.#key(field, FIXED32);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  /** bytes, or a string already encoded as UTF-8. */
  raw(field: number, value: Uint8Array): void {
    this.reserve(20 + value.length);
    this.#key(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  string(field: number, value: string): void {
    this.raw(field, Buffer.from(value, "utf8"));
  }

  /** Opens an embedded message: write its fields, then hand the result to `end`. */
  begin(field: number): number {
    this.reserve(11);
    this.#key(field, LENGTH_DELIMITED);
    this.length += 1; // room for a length below 128, which most messages have
    return this.length;
  }

  /** Closes the embedded message that `begin` opened; inner ones first. */
  end(start: number): void {
    const size = this.length - start;
    if (size >= 128) {
      const extra = varintSize(size) - 1;
      this.reserve(extra);
      this.bytes.copyWithin(start + extra, start, this.length);
      this.length = start - 1;
      this.#varint(size);
      this.length += size;
    } else {
      this.bytes[start - 1] = size;
    }
  }

  /** Overwrites 4 bytes at `offset`, little-endian: headers outside any field, in room reserved before. */
  setUint32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Makes sure that `count` more bytes fit. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #key(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType);
  }

  #varint(value: number): void {
    if (value < 0) {
      this.#negativeVarint(value);
      return;
    }
    let rest = value;
    // above 31 bits the shift operators would cut the number off
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.length++] = (rest & 0x7f) | 0x80;
    this.bytes[this.length++] = rest;
  }

  #negativeVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.length++] = Number(rest);
  }
}

/** The bytes of one message, for a field of type bytes that holds it. */
export function encodeMessage(write: (message: ProtoWriter) => void): Uint8Array {
  const message = new ProtoWriter();
  write(message);
  return message.finish();
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** One field as it stands on the wire; its type is known to the schema alone. */
export type WireField =
  | { readonly field: number; readonly wire: "varint"; readonly value: number }
  /** fixed32, fixed64 and length-delimited fields: their bytes, not copied. */
  | { readonly field: number; readonly wire: "bytes"; readonly value: Uint8Array };

/** The fields of one message in wire order. Throws a RangeError where the message is cut off or is no message. */
export function* readFields(message: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): number => {
    // most numbers are small, and big ones take ten times as long
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = message[at + shift / 7];
      if (byte === undefined) throw new RangeError("message ends inside a number");
      small |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        at += shift / 7 + 1;
        return small;
      }
    }
    return longVarint();
  };
  const longVarint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError("message ends inside a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new RangeError("a number longer than ten bytes");
  };
  const take = (count: number): Uint8Array => {
    if (count < 0 || at + count > message.length) throw new RangeError("message ends inside a field");
    at += count;
    return message.subarray(at - count, at);
  };
  while (at < message.length) {
    const key = varint();
    const field = key >>> 3;
    switch (key & 7) {
      case VARINT:
        yield { field, wire: "varint", value: varint() };
        break;
      case FIXED64:
        yield { field, wire: "bytes", value: take(8) };
        break;
      case LENGTH_DELIMITED:
        yield { field, wire: "bytes", value: take(varint()) };
        break;
      case FIXED32:
        yield { field, wire: "bytes", value: take(4) };
        break;
      default:
        throw new RangeError(`unknown wire type ${key & 7}`);
    }
  }
}
