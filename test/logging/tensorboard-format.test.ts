/** @file Event files byte by byte: checksums, wire format, torn and damaged files, reading back. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.js";
import { crc32c, maskedCrc32c } from "../../src/logging/tensorboard/crc32c.js";
import { openEventWriter, readEvents } from "../../src/logging/tensorboard/index.js";
import { encodeMessage, readFields } from "../../src/protobuf/wire.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-events-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("CRC-32C", () => {
  it("matches the published check values", () => {
    // the catalogue's check value, and RFC 3720 appendix B.4
    expect(crc32c(bytes("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  it("is the same for a part of a larger array at any offset and length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(7), (part, offset) => {
        const whole = new Uint8Array(offset + part.length + 3);
        whole.set(part, offset);
        expect(crc32c(whole, offset, offset + part.length)).toBe(bitwiseCrc32c(part));
      }),
    );
  });

  it("is rotated by 15 bits and offset when masked", () => {
    // 0xe3069283 rotated right by 15 is 0x2507c60d; plus 0xa282ead8 is 0xc78ab0e5
    expect(maskedCrc32c(bytes("123456789"))).toBe(0xc78ab0e5);
  });
});

/** The definition, bit by bit. */
function bitwiseCrc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

describe("the wire format", () => {
  it("reads back every safe integer", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const [field] = readFields(encodeMessage((out) => out.integer(3, value)));
        expect(field).toEqual({ field: 3, wire: "varint", value });
      }),
    );
  });

  it.each([0, 1, 127, 128, 129, 16383, 16384, 300_000])("frames an embedded message of %i bytes", (size) => {
    const content = new Uint8Array(size).fill(7);
    const message = encodeMessage((out) => {
      const outer = out.begin(1);
      const inner = out.begin(2);
      out.raw(3, content);
      out.end(inner);
      out.end(outer);
      out.integer(4, 42);
    });
    const [outer, after] = [...readFields(message)];
    const [inner] = readFields(outer?.value as Uint8Array);
    const [leaf] = readFields(inner?.value as Uint8Array);
    expect(Buffer.compare(leaf?.value as Uint8Array, content)).toBe(0);
    expect(after).toEqual({ field: 4, wire: "varint", value: 42 });
  });

  it("writes the bytes of the specification's examples", () => {
    // protobuf.dev/programming-guides/encoding: field 1 = 150, field 2 = "testing"
    const message = encodeMessage((out) => {
      out.integer(1, 150);
      out.string(2, "testing");
    });
    expect(Buffer.from(message).toString("hex")).toBe("089601120774657374696e67");
  });
});

/** A file of seven records and the offset at which each of them ends. */
function smallFile(): { path: string; all: Uint8Array; ends: number[] } {
  const writer = openEventWriter(folder, { now: () => 1_700_000_000.25 });
  writer.scalar("door/loss", 0.5, 1, "what the door costs");
  writer.scalar("door/loss", 0.25, 2);
  writer.histogram("weights", [1, 2, 3], 2, 4);
  writer.text("notes", "# Größe", 2);
  writer.graph([{ name: "door", op: "binary", inputs: [] }]);
  writer.close();
  const all = readFileSync(writer.path);
  const ends: number[] = [];
  for (let at = 0; at < all.length; ) {
    at += 12 + Number(all.readBigUInt64LE(at)) + 4;
    ends.push(at);
  }
  return { path: writer.path, all: new Uint8Array(all), ends };
}

describe("readEvents", () => {
  it("reads back what was written", () => {
    const { path, all } = smallFile();
    const events = readEvents(path);
    expect(readEvents(all)).toEqual(events);
    expect(events.map((event) => event.content.kind)).toEqual([
      "fileVersion",
      "sessionLog",
      "summary",
      "summary",
      "summary",
      "summary",
      "graph",
    ]);
    expect(events[0]).toEqual({
      wallTime: 1_700_000_000.25,
      step: 0,
      content: { kind: "fileVersion", version: "brain.Event:2" },
    });
    expect(events[1]?.content).toEqual({ kind: "sessionLog", status: "start" });
    expect(events[2]).toEqual({
      wallTime: 1_700_000_000.25,
      step: 1,
      content: {
        kind: "summary",
        values: [
          {
            tag: "door/loss",
            scalar: 0.5,
            metadata: { plugin: "scalars", content: new Uint8Array(0), description: "what the door costs" },
          },
        ],
      },
    });
    expect(events[3]?.content).toEqual({ kind: "summary", values: [{ tag: "door/loss", scalar: 0.25 }] });
    expect(events[5]?.content).toMatchObject({
      values: [{ tag: "notes", tensor: { shape: [1], values: [new Uint8Array(Buffer.from("# Größe"))] } }],
    });
  });

  it("returns exactly the whole records of a file cut at any byte", () => {
    const { all, ends } = smallFile();
    for (let cut = 0; cut <= all.length; cut++) {
      const whole = ends.filter((end) => end <= cut).length;
      expect(readEvents(all.subarray(0, cut))).toHaveLength(whole);
    }
  });

  it("names the record when a byte of it was changed", () => {
    const { all, ends } = smallFile();
    const third = ends[1] as number;
    for (let at = third; at < (ends[2] as number); at++) {
      const damaged = all.slice();
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(() => readEvents(damaged)).toThrow(DataError);
      expect(() => readEvents(damaged)).toThrow(`The record at byte ${third} of the given bytes does not match`);
    }
  });

  it("reads scalars that other writers store as tensors", () => {
    const tensorScalar = encodeMessage((event) => {
      const summary = event.begin(5);
      const value = event.begin(1);
      event.string(1, "loss");
      const tensor = event.begin(8);
      event.integer(1, 1); // DT_FLOAT, no shape: rank 0
      event.raw(5, new Uint8Array(new Float32Array([1.5]).buffer)); // packed float_val
      event.end(tensor);
      event.end(value);
      event.end(summary);
    });
    const [event] = readEvents(record(tensorScalar));
    expect(event?.content).toMatchObject({ values: [{ tag: "loss", scalar: 1.5 }] });
  });
});

/** One record, framed by hand. */
function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(12 + data.length + 4);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedCrc32c(framed, 0, 8), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return framed;
}
