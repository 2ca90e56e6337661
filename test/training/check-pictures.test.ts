/** @file `cool check --images`: pictures that two splits show, by what they show. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { image } from "../../src/data/inputs/inputs.js";
import { alikePictures, indexPictures, NEAR_BITS } from "../../src/data/inputs/picture-index.js";
import { createRandom } from "../../src/data/rng.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { binary } from "../../src/tasks/index.js";
import { checkPictures } from "../../src/training/check-pictures.js";

const folder = mkdtempSync(join(tmpdir(), "cool-pictures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = createRandom("pictures");
const COUNT = 60;

/** Soft blots, as photographs have them: a coarse field of colours, enlarged. */
const blots = () =>
  sharp(Buffer.from(Array.from({ length: 6 * 6 * 3 }, () => Math.floor(random.next() * 256))), {
    raw: { width: 6, height: 6, channels: 3 },
  }).resize(120, 90, { fit: "fill", kernel: "cubic" });

beforeAll(async () => {
  for (let i = 0; i < COUNT; i++)
    await blots()
      .png()
      .toFile(join(folder, `${i}.png`));
  // the same bytes under another name, and pictures that were saved anew, enlarged or brightened
  copyFileSync(join(folder, "0.png"), join(folder, "copy.png"));
  await sharp(join(folder, "1.png")).jpeg({ quality: 60 }).toFile(join(folder, "compressed.jpg"));
  await sharp(join(folder, "2.png")).resize(240, 180).webp({ quality: 80 }).toFile(join(folder, "large.webp"));
  await sharp(join(folder, "3.png")).linear(1, 12).png().toFile(join(folder, "brighter.png"));
  // within one split it is no leak
  copyFileSync(join(folder, "4.png"), join(folder, "twin.png"));
});

function project(rows: readonly string[]) {
  writeFileSync(join(folder, "labels.csv"), `split,open,img\n${rows.join("\n")}\n`);
  const definition = defineProject({
    name: "p",
    tasks: defineTasks({ features: ["f"], tasks: { open: binary() } }).flow("all", (flow, x, out) => {
      out.add(flow.open(x.f));
    }),
    flow: "all",
    data: {
      table: "labels.csv",
      inputs: { img: image({ column: "img", size: [48, 64] }) },
      split: { column: "split" },
    },
    trunk: () => {
      throw new Error("no network is built");
    },
  });
  return resolveProject(definition, { projectDir: folder });
}

test("copies, and pictures that were compressed, resized or brightened, are found in other splits; no other pair is", async () => {
  const rows = [
    ...Array.from({ length: COUNT }, (_, i) => `${i < 40 ? "train" : i < 50 ? "valid" : "test"},${i % 2},${i}.png`),
    "test,0,copy.png",
    "valid,1,compressed.jpg",
    "test,0,large.webp",
    "test,1,brighter.png",
    "train,0,twin.png",
  ];
  const { duplicates, rows: decoded } = await checkPictures(
    project(rows),
    join(folder, ".cool"),
    new AbortController().signal,
  );
  expect(decoded).toBe(rows.length);
  const common = { input: "img", other_split: "train" };
  expect(duplicates).toEqual([
    { ...common, picture: "compressed.jpg", split: "valid", other: "1.png", kind: "near" },
    { ...common, picture: "copy.png", split: "test", other: "0.png", kind: "same" },
    { ...common, picture: "large.webp", split: "test", other: "2.png", kind: "near" },
    { ...common, picture: "brighter.png", split: "test", other: "3.png", kind: "near" },
  ]);
});

test("no pair within the distance is missed, and none beyond it is found (by comparing all pairs)", async () => {
  const pictures = 150;
  const size = 24 * 24;
  const pixels = new Uint8Array(pictures * size);
  for (let i = 0; i < pictures; i++) {
    const base = await sharp(Buffer.from(Array.from({ length: 16 }, () => Math.floor(random.next() * 200))), {
      raw: { width: 4, height: 4, channels: 1 },
    })
      .resize(24, 24, { fit: "fill" })
      .greyscale()
      .raw()
      .toBuffer();
    const isCopy = i % 3 === 2;
    const from = isCopy ? pixels.subarray((i - 1) * size, i * size) : base;
    const noise = [0, 2, 5, 9][i % 4] ?? 0;
    for (let p = 0; p < size; p++) {
      pixels[i * size + p] = Math.min(255, Math.max(0, (from[p] ?? 0) + Math.round((random.next() - 0.5) * 2 * noise)));
    }
  }
  const source = {
    spec: image({ column: "img", size: [24, 24], channels: 1 }),
    paths: Array.from({ length: pictures }, (_, i) => `${i}.png`),
    originalWidth: new Float32Array(pictures),
    originalHeight: new Float32Array(pictures),
    read: (rows: ArrayLike<number>) =>
      Uint8Array.from(Array.from(rows).flatMap((row) => [...pixels.subarray(row * size, (row + 1) * size)])),
    close: () => {},
  };
  const index = await indexPictures(
    source,
    Int32Array.from({ length: pictures }, (_, i) => i),
  );
  const partOf = Array.from({ length: pictures }, (_, i) => i % 2);
  const bitsBetween = (a: number, b: number): number =>
    Array.from({ length: 9 }, (_, w) =>
      [...((index.hashes[a * 9 + w] ?? 0) ^ (index.hashes[b * 9 + w] ?? 0)).toString(2)].filter((bit) => bit === "1"),
    ).flat().length;
  const levelsBetween = (a: number, b: number): number => {
    const differences = Array.from(
      { length: 324 },
      (_, i) => (index.thumbnails[a * 324 + i] ?? 0) - (index.thumbnails[b * 324 + i] ?? 0),
    );
    const mean = differences.reduce((sum, one) => sum + one, 0) / 324;
    return Math.sqrt(differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 324);
  };
  const expected = Array.from({ length: pictures }, (_, b) => b).flatMap((b) => {
    const near = Array.from({ length: b }, (_, a) => a).filter(
      (a) => partOf[a] !== partOf[b] && bitsBetween(a, b) <= NEAR_BITS && levelsBetween(a, b) <= 6,
    );
    if (near.length === 0) return [];
    const same = near.find((a) => index.digests[a] === index.digests[b]);
    const nearest = near.toSorted((p, q) => levelsBetween(p, b) - levelsBetween(q, b))[0] ?? -1;
    return [{ a: same ?? nearest, b, kind: same === undefined ? "near" : "same" }];
  });
  expect(expected.length).toBeGreaterThan(20);
  expect(alikePictures(index, partOf)).toEqual(expected);
});
