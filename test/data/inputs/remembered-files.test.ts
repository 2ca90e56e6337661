/** @file Files that nobody has touched are not read again; what was touched, or is damaged, is. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RememberedFiles } from "../../../src/data/inputs/cache/remembered-files.js";
import { decodeImages } from "../../../src/data/inputs/image-source.js";
import { PixelCache, type StoredImage } from "../../../src/data/inputs/pixel-cache.js";
import { imageSpec, newFolder, plain, write } from "../files.js";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const OLD = { size: 3, mtimeMs: 1_700_000_000_123.456 };

describe("remembered files", () => {
  test("are known by path, size and time of change, also by a process that comes later", () => {
    const folder = newFolder();
    const first = new RememberedFiles(folder);
    first.add("/a/1.png", OLD, hashOf("one"));
    first.add("/a/größe.png", { size: 4, mtimeMs: 5 }, hashOf("two"));
    first.publish();
    const second = new RememberedFiles(folder);
    expect(second.find("/a/1.png", OLD)).toBe(hashOf("one"));
    expect(second.find("/a/größe.png", { size: 4, mtimeMs: 5 })).toBe(hashOf("two"));
    expect(second.find("/a/1.png", { ...OLD, size: 4 })).toBeNull();
    expect(second.find("/a/1.png", { ...OLD, mtimeMs: OLD.mtimeMs + 1 })).toBeNull();
    expect(second.find("/a/2.png", OLD)).toBeNull();
  });

  test("that have changed this moment are not remembered: they may change again within the same time", () => {
    const folder = newFolder();
    const files = new RememberedFiles(folder);
    files.add("/a/1.png", { size: 3, mtimeMs: Date.now() }, hashOf("one"));
    files.publish();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("of many processes are gathered, the newest of each path counts", () => {
    const folder = newFolder();
    for (let i = 0; i < 12; i++) {
      const files = new RememberedFiles(folder);
      files.add("/a/same.png", { size: i, mtimeMs: 5 }, hashOf(`same ${i}`));
      for (let k = 0; k < 300; k++) files.add(`/a/${i}-${k}.png`, OLD, hashOf(`${i} ${k}`));
      files.publish();
      // segments of one moment have no order
      for (const [at, name] of readdirSync(folder).entries()) {
        if (statSync(join(folder, name)).mtimeMs > Date.now() - 60_000)
          utimesSync(join(folder, name), 1000 + i, 1000 + i + at / 100);
      }
    }
    expect(readdirSync(folder).length).toBeLessThan(9);
    const files = new RememberedFiles(folder);
    expect(files.find("/a/same.png", { size: 11, mtimeMs: 5 })).toBe(hashOf("same 11"));
    for (let i = 0; i < 12; i++) expect(files.find(`/a/${i}-299.png`, OLD)).toBe(hashOf(`${i} 299`));
  });

  test("of a segment that is damaged are none", () => {
    const folder = newFolder();
    const files = new RememberedFiles(folder);
    files.add("/a/1.png", OLD, hashOf("one"));
    files.publish();
    const [name = ""] = readdirSync(folder);
    const bytes = readFileSync(join(folder, name));
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    expect(new RememberedFiles(folder).find("/a/1.png", OLD)).toBeNull();
    truncateSync(join(folder, name), 20);
    expect(new RememberedFiles(folder).find("/a/1.png", OLD)).toBeNull();
  });

  test("in a folder that cannot be made are read each time", () => {
    const file = write(newFolder(), "file", "");
    const files = new RememberedFiles(join(file, "files"));
    files.add("/a/1.png", OLD, hashOf("one"));
    files.publish();
    expect(files.find("/a/1.png", OLD)).toBeNull();
  });
});

test("a second start does not open pictures that are as they were", async () => {
  const cacheDir = newFolder();
  const spec = imageSpec(8, 8);
  const content = [1, 2, 3].map((i) =>
    plain(10, 20, [i, 2 * i, 3 * i])
      .png()
      .toBuffer(),
  );
  const paths = (await Promise.all(content)).map((bytes, i) => write(cacheDir, `images/${i}.png`, bytes));
  for (const path of paths) utimesSync(path, 1_700_000_000, 1_700_000_000);
  const start = async () => {
    const cache = new PixelCache(cacheDir, spec);
    const remembered = new RememberedFiles(join(cacheDir, "files"));
    const outcomes = await decodeImages(paths, spec, cache, { remembered });
    const pixels = outcomes.map((outcome) => {
      const out = new Uint8Array(192);
      const { shard, index } = (outcome.ok ? outcome.value : expect.fail(outcome.reason)) satisfies StoredImage;
      cache.read(shard, index, 1, out, 0);
      return out[0];
    });
    cache.close();
    return pixels;
  };
  expect(await start()).toEqual([1, 2, 3]);
  // as large and as old as before: whoever opened it would find no picture
  const [first = "", second = ""] = paths;
  writeFileSync(first, Buffer.alloc(statSync(first).size));
  utimesSync(first, 1_700_000_000, 1_700_000_000);
  expect(await start()).toEqual([1, 2, 3]);
  write(cacheDir, "images/1.png", await plain(10, 20, [9, 9, 9]).png().toBuffer());
  utimesSync(second, 1_700_000_001, 1_700_000_001);
  expect(await start()).toEqual([1, 9, 3]);
});
