/** @file Keys are hashed as the library hashes them. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { KeyHash } from "../../src/data/key-hash.js";

test.each([
  ["", ""],
  ["7\0", ""],
  ["7\0", "pictures/1.jpg"],
  ["7\0", "a".repeat(53)],
  ["7\0", "a".repeat(54)],
  ["7\0", "a".repeat(500)],
  ["7\0", "Größe"],
  ["a".repeat(60), "1"],
])("the first eight bytes of sha256 of %j and %j are those of node:crypto", (prefix, key) => {
  const own = new KeyHash(prefix);
  own.hash("another key before it");
  own.hash(key);
  const digest = createHash("sha256")
    .update(prefix + key)
    .digest();
  expect([own.high, own.low]).toEqual([digest.readUInt32BE(0), digest.readUInt32BE(4)]);
});

test("the digest of abc is that of FIPS 180-4", () => {
  const own = new KeyHash("");
  own.hash("abc");
  expect([own.high, own.low]).toEqual([0xba7816bf, 0x8f01cfea]);
});
