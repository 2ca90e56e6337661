/** @file The cache of bytes by content: what is found again, and what makes room. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreError } from "../../src/errors.js";
import { ContentCache } from "../../src/platform/content-cache.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-content-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);
const open = (maxBytes: number): ContentCache => new ContentCache(folder, { maxBytes });

/** As if it had been used last so many seconds ago. */
function age(key: string, seconds: number): void {
  const then = new Date(Date.now() - 1000 * seconds);
  utimesSync(join(folder, key.slice(0, 2), key), then, then);
}

test("what one process wrote another reads", () => {
  expect(open(100).write("aa11", bytes(10, 7))).toBe(true);
  expect(open(100).read("aa11", 10)).toEqual(Buffer.from(bytes(10, 7)));
  expect(open(100).read("aa12", 10)).toBeNull();
});

test("an entry that was cut short is none", () => {
  open(100).write("aa11", bytes(9));
  expect(open(100).read("aa11", 10)).toBeNull();
});

test("the entry that was not used for longest makes room", () => {
  const first = open(100);
  for (const key of ["aa01", "bb02", "cc03"]) first.write(key, bytes(30));
  age("aa01", 300);
  age("bb02", 200);
  age("cc03", 100);
  // a read counts as use
  expect(open(100).read("aa01", 30)).not.toBeNull();
  expect(open(100).write("dd04", bytes(30))).toBe(true);
  expect(["aa01", "bb02", "cc03", "dd04"].map((key) => open(100).read(key, 30) !== null)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test("what a process has used itself it does not remove: a cycle through more than fits keeps what is there", () => {
  const cache = open(100);
  const written = ["aa01", "bb02", "cc03", "dd04"].map((key) => cache.write(key, bytes(30)));
  expect(written).toEqual([true, true, true, false]);
  expect(cache.read("aa01", 30)).not.toBeNull();
  expect(cache.read("dd04", 30)).toBeNull();
});

test("what a killed process left is removed after a day, and never read", () => {
  mkdirSync(join(folder, "aa"));
  for (const [name, seconds] of [["aa01.x.tmp", 90_000] as const, ["aa02.x.tmp", 10] as const]) {
    writeFileSync(join(folder, "aa", name), bytes(30));
    age(name, seconds);
  }
  open(100).write("bb02", bytes(30));
  expect(readdirSync(join(folder, "aa"))).toEqual(["aa02.x.tmp"]);
});

test("a folder that cannot be written is said to be", () => {
  writeFileSync(join(folder, "aa"), "a file where a folder must be");
  expect(() => open(100).write("aa11", bytes(10))).toThrow(StoreError);
  expect(existsSync(join(folder, "aa"))).toBe(true);
});
