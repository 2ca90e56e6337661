/** @file The pixel cache on disk: hits, several processes, interruption, damage; and pixel sources over it. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createPixelSource, decodeImages, loadImages } from "../../../src/data/inputs/image-source.js";
import { imageBytesOf, type MemoryPixels, PixelCache, type StoredImage } from "../../../src/data/inputs/pixel-cache.js";
import { DataError, InterruptedError, StoreError } from "../../../src/errors.js";
import { imageSpec, newFolder, plain, write } from "../files.js";

const spec = imageSpec(8, 8);

/** Writes `count` pictures, image i of the colour (i, 2i, 3i), as PNG, which keeps it exactly. */
async function pictures(folder: string, count: number): Promise<string[]> {
  const bytes = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      plain(10 + i, 20, [i, 2 * i, 3 * i])
        .png()
        .toBuffer(),
    ),
  );
  return bytes.map((content, i) => write(folder, `images/${i}.png`, content));
}

async function ready(paths: readonly string[], store: PixelCache | MemoryPixels, signal?: AbortSignal) {
  const outcomes = await decodeImages(paths, spec, store, { signal });
  return outcomes.map((outcome) => (outcome.ok ? outcome.value : expect.fail(outcome.reason)));
}

function pixelsOf(store: PixelCache | MemoryPixels, { shard, index }: StoredImage): Uint8Array {
  const out = new Uint8Array(imageBytesOf(spec));
  store.read(shard, index, 1, out, 0);
  return out;
}

const colour = (i: number) => Uint8Array.from({ length: 192 }, (_, k) => i * ((k % 3) + 1));
const shardsOf = (cacheDir: string) => readdirSync(join(cacheDir, "8x8x3")).sort();

/** A cache that counts how many images are added, i.e. were decoded. */
class CountingCache extends PixelCache {
  added = 0;
  override add(...image: Parameters<PixelCache["add"]>): StoredImage {
    this.added++;
    return super.add(...image);
  }
}

describe("PixelCache", () => {
  test("gives back pixels and original sizes, at once and after it is opened again", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 5);
    const first = new CountingCache(cacheDir, spec);
    const images = await ready(paths, first);
    expect(first.added).toBe(5);
    images.forEach((image, i) => {
      expect(pixelsOf(first, image)).toEqual(colour(i));
      expect([image.originalWidth, image.originalHeight]).toEqual([10 + i, 20]);
    });
    first.close();

    const second = new CountingCache(cacheDir, spec);
    const again = await ready(paths, second);
    expect(second.added).toBe(0);
    again.forEach((image, i) => {
      expect(pixelsOf(second, image)).toEqual(colour(i));
      expect([image.originalWidth, image.originalHeight]).toEqual([10 + i, 20]);
    });
    second.close();
  });

  test("is keyed by content: a copy is not decoded again, a changed file is, another size is", async () => {
    const cacheDir = newFolder();
    const [a = "", b = ""] = await pictures(cacheDir, 2);
    const copy = write(cacheDir, "copy.png", readFileSync(a));
    const cache = new CountingCache(cacheDir, spec);
    const [first, second] = await ready([a, copy, a], cache);
    expect(cache.added).toBe(1);
    expect(first?.hash).toBe(createHash("sha256").update(readFileSync(a)).digest("hex"));
    expect(second).toEqual(first);
    write(cacheDir, "copy.png", readFileSync(b));
    const [changed] = await ready([copy], cache);
    expect(pixelsOf(cache, changed as StoredImage)).toEqual(colour(1));
    cache.close();

    const larger = new CountingCache(cacheDir, imageSpec(8, 9));
    await decodeImages([a], imageSpec(8, 9), larger, {});
    expect(larger.added).toBe(1);
    larger.close();
  });

  test("two processes and an open instance fill it at once", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 12);
    const run = promisify(execFile);
    const script = resolve(import.meta.dirname, "decode-process.ts");
    const jiti = resolve("node_modules/jiti/lib/jiti-cli.mjs");
    const here = new PixelCache(cacheDir, spec);
    await Promise.all([
      run(process.execPath, [jiti, script, cacheDir, ...paths]),
      run(process.execPath, [jiti, script, cacheDir, ...paths.slice(6)]),
      ready(paths.slice(0, 8), here),
    ]);
    here.close();
    expect(shardsOf(cacheDir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    const after = new CountingCache(cacheDir, spec);
    const images = await ready(paths, after);
    expect(after.added).toBe(0);
    images.forEach((image, i) => {
      expect(pixelsOf(after, image)).toEqual(colour(i));
    });
    after.close();
  });

  test("shows nothing of a shard before it is published", async () => {
    const cacheDir = newFolder();
    const writer = new PixelCache(cacheDir, spec);
    const hash = "0a".repeat(32);
    writer.add(hash, { pixels: colour(1), originalWidth: 1, originalHeight: 1 });
    expect(new PixelCache(cacheDir, spec).find(hash)).toBeUndefined();
    writer.publish();
    expect(new PixelCache(cacheDir, spec).find(hash)).toMatchObject({ index: 0 });
    writer.close();
  });

  test("removes what a killed process left, after a day", async () => {
    const cacheDir = newFolder();
    const old = write(cacheDir, "8x8x3/shard-old.u8.tmp", "x");
    write(cacheDir, "8x8x3/shard-young.u8.tmp", "x");
    const yesterday = Date.now() / 1000 - 25 * 3600;
    utimesSync(old, yesterday, yesterday);
    new PixelCache(cacheDir, spec).close();
    expect(shardsOf(cacheDir)).toEqual(["shard-young.u8.tmp"]);
  });

  test("passes over a damaged shard and decodes its images again", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 3);
    const first = new PixelCache(cacheDir, spec);
    await ready(paths, first);
    first.close();
    const shard = shardsOf(cacheDir).find((name) => name.endsWith(".u8")) ?? "";
    truncateSync(join(cacheDir, "8x8x3", shard), 100);
    write(cacheDir, "8x8x3/shard-broken.json", "{");
    const second = new CountingCache(cacheDir, spec);
    const images = await ready(paths, second);
    expect(second.added).toBe(3);
    expect(pixelsOf(second, images[2] as StoredImage)).toEqual(colour(2));
    second.close();
  });

  test("passes over a shard whose index was changed", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 3);
    const first = new PixelCache(cacheDir, spec);
    await ready(paths, first);
    first.close();
    const index = join(cacheDir, "8x8x3", shardsOf(cacheDir).find((name) => name.endsWith(".idx")) ?? "");
    const bytes = readFileSync(index);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    write(cacheDir, join("8x8x3", basename(index)), bytes);
    const second = new CountingCache(cacheDir, spec);
    await ready(paths, second);
    expect(second.added).toBe(3);
    second.close();
  });

  test("reads the shards of earlier versions, whose index is JSON", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 2);
    const hashes = paths.map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"));
    const images = hashes.map((hash, i) => [hash, 10 + i, 20]);
    write(cacheDir, "8x8x3/shard-old.u8", Buffer.concat([colour(0), colour(1)]));
    write(cacheDir, "8x8x3/shard-old.json", JSON.stringify({ version: 2, imageBytes: 192, images }));
    const cache = new CountingCache(cacheDir, spec);
    const found = await ready(paths, cache);
    expect(cache.added).toBe(0);
    expect(found.map(({ originalWidth }) => originalWidth)).toEqual([10, 11]);
    expect(pixelsOf(cache, found[1] as StoredImage)).toEqual(colour(1));
    cache.close();
  });

  test("whose folder is removed while it is used says so", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 2);
    const first = new PixelCache(cacheDir, spec);
    await ready(paths, first);
    first.close();
    const second = new PixelCache(cacheDir, spec);
    const [image] = await ready(paths, second);
    rmSync(join(cacheDir, "8x8x3"), { recursive: true });
    expect(() => pixelsOf(second, image as StoredImage)).toThrow(/has gone since this program began/);
  });

  test("keeps what was decoded when it is interrupted", async () => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 40);
    const controller = new AbortController();
    const first = new CountingCache(cacheDir, spec);
    const stopped = decodeImages(paths, spec, first, {
      signal: controller.signal,
      onProgress: (done) => done === 3 && controller.abort(),
    });
    await expect(stopped).rejects.toBeInstanceOf(InterruptedError);
    first.close();
    expect(first.added).toBeGreaterThanOrEqual(3);
    expect(first.added).toBeLessThan(40);
    const second = new CountingCache(cacheDir, spec);
    await ready(paths, second);
    expect(second.added).toBe(40 - first.added);
    second.close();
  });

  test("in a folder that cannot be made is a StoreError", () => {
    const file = write(newFolder(), "file", "");
    expect(() => new PixelCache(join(file, "cache"), spec)).toThrow(StoreError);
  });
});

describe("a pixel source", () => {
  test.each([
    ["held in memory", Number.POSITIVE_INFINITY],
    ["left on disk", 0],
  ])("%s gives any rows in any order", async (_, memoryBytes) => {
    const cacheDir = newFolder();
    const paths = await pictures(cacheDir, 6);
    const store = new PixelCache(cacheDir, spec);
    const images = await ready(paths, store);
    const source = createPixelSource(spec, store, images, paths, memoryBytes);
    expect([...source.originalWidth]).toEqual([10, 11, 12, 13, 14, 15]);
    for (const rows of [[4], [0, 1, 2, 3, 4, 5], [5, 3, 3, 0], [1, 2, 5, 4]]) {
      const out = new Uint8Array(rows.length * 192);
      source.read(rows, out);
      rows.forEach((row, i) => {
        expect(out.subarray(i * 192, (i + 1) * 192)).toEqual(colour(row));
      });
    }
    source.close();
  });
});

describe("loadImages", () => {
  test("reads paths relative to a folder, or absolute, without a cache", async () => {
    const [folder, elsewhere] = [newFolder(), newFolder()];
    await pictures(folder, 2);
    const [, , far = ""] = await pictures(elsewhere, 3);
    const progress: string[] = [];
    const { images, skipped } = await loadImages(["images/1.png", far, "images/1.png"], spec, {
      onBadImage: "error",
      baseDir: folder,
      onProgress: (done, total) => progress.push(`${done}/${total}`),
    });
    const out = new Uint8Array(3 * 192);
    images.read([0, 1, 2], out);
    expect(out).toEqual(Uint8Array.of(...colour(1), ...colour(2), ...colour(1)));
    expect(images.paths).toEqual(["images/1.png", far, "images/1.png"]);
    expect([...images.originalWidth]).toEqual([11, 12, 11]);
    expect(skipped).toEqual([]);
    expect(progress).toEqual(["1/2", "2/2"]);
  });

  test("names bad images, or leaves them out", async () => {
    const folder = newFolder();
    await pictures(folder, 1);
    const paths = ["nix.png", "images/0.png"];
    await expect(loadImages(paths, spec, { onBadImage: "error", baseDir: folder })).rejects.toThrow(
      '1 of 2 images of the list cannot be used: row 1: "nix.png" is not found.',
    );
    const { images, skipped } = await loadImages(paths, spec, { onBadImage: "skip", baseDir: folder });
    expect(images.paths).toEqual(["images/0.png"]);
    expect(skipped).toEqual([{ row: 1, sample: "nix.png", reason: "is not found" }]);
    await expect(loadImages(["nix.png"], spec, { onBadImage: "skip", baseDir: folder })).rejects.toThrow(DataError);
  });
});
