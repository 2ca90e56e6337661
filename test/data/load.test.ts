/** @file Whole data sets from real folders: rows, splits, labels, skipped images, digests. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Dataset, firstPixels } from "../../src/data/dataset.js";
import { type LoadOptions, loadDataset, loadRows } from "../../src/data/load.js";
import { loadTableInputs } from "../../src/data/inputs/table-inputs.js";
import { readTables } from "../../src/data/tables/tables.js";
import { DataError, InterruptedError } from "../../src/errors.js";
import { binary, boundedRegression, multilabel } from "../../src/tasks/index.js";
import { graphOf, imageSpec, newFolder, plain, write } from "./files.js";

const graph = graphOf({ open: binary(), x1: boundedRegression({ scale: "image-width" }) });

/** A project of three pictures, 10, 20 and 30 pixels wide. */
async function project(table: string): Promise<LoadOptions> {
  const projectDir = newFolder();
  for (const i of [1, 2, 3]) {
    write(
      projectDir,
      `images/${i}.png`,
      await plain(10 * i, 8, [i, i, i])
        .png()
        .toBuffer(),
    );
  }
  write(projectDir, "labels.csv", table);
  return {
    graph,
    table: "labels.csv",
    inputs: { image: imageSpec(4, 4) },
    split: { column: "split" },
    projectDir,
    cacheDir: join(projectDir, "cache"),
    onBadImage: "error",
  };
}

const GOOD = "img,split,open,x1\nimages/1.png,train,1,5\nimages/2.png,val,0,20\nimages/3.png,test,,\n";

/** First byte of each row's pixels. */
function firstBytes(dataset: Dataset, input = "image"): number[] {
  const out = dataset.inputs[input]?.read(Array.from({ length: dataset.rows }, (_, i) => i)) ?? [];
  return Array.from({ length: dataset.rows }, (_, i) => out[i * 48] as number);
}

async function messageOf(options: LoadOptions): Promise<string> {
  const error = await loadDataset(options).then(
    () => expect.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe("loadDataset", () => {
  test("joins rows, splits, labels and pixels", async () => {
    const progress: number[] = [];
    const dataset = await loadDataset({ ...(await project(GOOD)), onProgress: (done) => progress.push(done) });
    expect(dataset.ids).toEqual(["images/1.png", "images/2.png", "images/3.png"]);
    expect(dataset.splits).toEqual({ train: Int32Array.of(0), valid: Int32Array.of(1), test: Int32Array.of(2) });
    expect(dataset.labels).toEqual([
      { answers: Float32Array.of(1, 0, Number.NaN), unitScale: null },
      { answers: Float32Array.of(5, 20, Number.NaN), unitScale: Float32Array.of(10, 20, 30) },
    ]);
    expect(firstBytes(dataset)).toEqual([1, 2, 3]);
    expect(dataset.skipped).toEqual([]);
    expect(progress).toEqual([1, 2, 3]);
    dataset.close();
  });

  test("a bad row is left out of every part, and the rest keeps its split", async () => {
    const table = GOOD.replace("images/2.png", "images/nix.png").replace("test,,", "train,0,30");
    const options = await project(table);
    const dataset = await loadDataset({ ...options, onBadImage: "skip" });
    expect(dataset.rows).toBe(2);
    expect(dataset.ids).toEqual(["images/1.png", "images/3.png"]);
    expect(dataset.splits).toEqual({ train: Int32Array.of(0, 1), valid: Int32Array.of(), test: Int32Array.of() });
    expect(dataset.labels[1]).toEqual({ answers: Float32Array.of(5, 30), unitScale: Float32Array.of(10, 30) });
    expect(firstBytes(dataset)).toEqual([1, 3]);
    expect(firstPixels(dataset.inputs)?.paths).toEqual(["images/1.png", "images/3.png"]);
    expect(dataset.skipped).toEqual([{ row: 2, sample: "images/nix.png", reason: "is not found" }]);
    dataset.close();
  });

  test("a path that comes twice is told apart by its row and stays in one split", async () => {
    const rows = Array.from({ length: 10 }, (_, i) => `images/${(i % 3) + 1}.png,1,1`).join("\n");
    const options = await project(`img,open,x1\n${rows}\n`);
    const dataset = await loadDataset({ ...options, split: { train: 0.5, valid: 0.5, test: 0, seed: 1 } });
    expect(dataset.ids.slice(0, 4)).toEqual(["images/1.png#1", "images/2.png#2", "images/3.png#3", "images/1.png#4"]);
    const imagesOf = (rows: Int32Array) => new Set([...rows].map((row) => row % 3));
    const [train, valid] = [imagesOf(dataset.splits.train), imagesOf(dataset.splits.valid)];
    expect([...train, ...valid].sort()).toEqual([0, 1, 2]);
    dataset.close();
  });

  test("two inputs each have their own pixels; one bad image leaves the row out", async () => {
    const options = await project(
      "img,side,split,open,x1\nimages/1.png,images/3.png,train,1,1\nimages/2.png,,train,1,1\nimages/3.png,images/1.png,train,1,1\n",
    );
    const inputs = { image: imageSpec(4, 4), side: { ...imageSpec(4, 4), column: "side" } };
    const dataset = await loadDataset({ ...options, inputs, onBadImage: "skip" });
    expect(firstBytes(dataset, "image")).toEqual([1, 3]);
    expect(firstBytes(dataset, "side")).toEqual([3, 1]);
    expect(dataset.skipped).toEqual([
      { row: 2, sample: "images/2.png", reason: '(input "side") is missing: the cell is empty' },
    ]);
    dataset.close();
  });

  test("labels are checked before an image is decoded", async () => {
    const options = await project(GOOD.replace("val,0", "val,perhaps"));
    expect(await messageOf(options)).toContain('row 2 (line 3), column "open": "perhaps"');
    expect(existsSync(join(options.projectDir, "cache"))).toBe(false);
  });

  test("a missing file is found out before another is decoded", async () => {
    const options = await project(GOOD.replace("images/2.png", "images/nix.png"));
    expect(await messageOf(options)).toBe(
      '1 of 3 images of labels.csv cannot be used: row 2: "images/nix.png" is not found. Correct them, or set onBadImage to "skip" to leave such rows out.',
    );
    expect(existsSync(join(options.projectDir, "cache"))).toBe(false);
  });

  test("a damaged image, one outside the folder and an empty cell are named with their rows", async () => {
    const options = await project(GOOD.replace("images/3.png", ""));
    write(options.projectDir, "images/2.png", readFileSync(join(options.projectDir, "images/2.png")).subarray(0, 60));
    expect(await messageOf({ ...options, onBadImage: "error" })).toContain('row 3: "" is missing');
    const skipping = await loadDataset({ ...options, onBadImage: "skip" });
    expect(skipping.skipped[0]?.reason).toMatch(/^is damaged or truncated: /);
    expect(skipping.skipped.map(({ row }) => row)).toEqual([2, 3]);
    skipping.close();
    write(options.projectDir, "labels.csv", GOOD);
    expect(await messageOf(options)).toMatch(/^1 of 3 images .* row 2: "images\/2.png" is damaged or truncated: /);
    const outside = await project(GOOD.replace("images/2.png", "../images/2.png"));
    expect(await messageOf(outside)).toContain('row 2: "../images/2.png" lies outside the data folder');
  });

  test("labels in pixels are checked against the original image", async () => {
    const options = await project(GOOD.replace("0,20", "0,21"));
    expect(await messageOf(options)).toContain('row 2 (line 3), column "x1": "21" is outside [0, 20]');
  });

  test("a column that is not there is named for what asks for it", async () => {
    const options = await project(GOOD);
    const inputs = { image: { ...imageSpec(4, 4), column: "image" } };
    expect(await messageOf({ ...options, inputs })).toContain(
      'labels.csv has no column "image" for the input "image".',
    );
    const split = { column: "fold" };
    expect(await messageOf({ ...options, split })).toContain('labels.csv has no column "fold" for the split.');
  });

  test("a train split without rows, or without labels for a task, is an error", async () => {
    const options = await project(GOOD);
    const split = { train: 0, valid: 1, test: 0, seed: 0 };
    expect(await messageOf({ ...options, split })).toContain("The train split has no rows.");
    const unlabelled = await project(GOOD.replace("train,1,5", "train,,5"));
    expect(await messageOf(unlabelled)).toContain('No row of the train split has a label for "open".');
    // the only row of the train split has a bad image
    const bad = await project(GOOD.replace("images/1.png", "images/0.png"));
    expect(await messageOf({ ...bad, onBadImage: "skip" })).toContain("The train split has no rows.");
  });

  test("the digest follows the table and the images' contents", async () => {
    const options = await project(GOOD);
    const digest = async () => {
      const dataset = await loadDataset(options);
      dataset.close();
      return dataset.digest;
    };
    const before = await digest();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest()).toBe(before);
    write(options.projectDir, "images/2.png", await plain(20, 8, [9, 9, 9]).png().toBuffer());
    const after = await digest();
    expect(after).not.toBe(before);
    write(options.projectDir, "labels.csv", GOOD.replace("train,1,5", "train,0,5"));
    expect(await digest()).not.toBe(after);
  });

  test("an aborted signal stops it", async () => {
    const options = { ...(await project(GOOD)), signal: AbortSignal.abort() };
    await expect(loadDataset(options)).rejects.toBeInstanceOf(InterruptedError);
  });
});

test("a table to evaluate on needs no split; all its rows are in the test split", async () => {
  const dataset = await loadRows(await project(GOOD.replaceAll("split", "other")));
  expect(dataset.splits).toEqual({ train: Int32Array.of(), valid: Int32Array.of(), test: Int32Array.of(0, 1, 2) });
  expect(dataset.labels[0]?.answers).toEqual(Float32Array.of(1, 0, Number.NaN));
  dataset.close();
});

test("a table without labels gives its images, held in memory without a cache", async () => {
  const { projectDir, inputs } = await project("img\nimages/2.png\nnix.png\nimages/1.png\n");
  const tables = await readTables([{ table: "labels.csv" }], projectDir);
  const images = await loadTableInputs(tables, { inputs, projectDir, onBadImage: "skip" }, null);
  expect([...images.kept]).toEqual([0, 2]);
  expect(images.ids).toEqual(["images/2.png", "images/1.png"]);
  expect([...images.sizes.width]).toEqual([20, Number.NaN, 10]);
  expect(images.skipped).toEqual([{ row: 2, sample: "nix.png", reason: "is not found" }]);
  const out = images.inputs.image?.read([1, 0]);
  expect([out?.[0], out?.[48]]).toEqual([1, 2]);
  expect(existsSync(join(projectDir, "cache"))).toBe(false);
  images.close();
});

const bccd = resolve("../shared/data/bccd");
const why = existsSync(bccd) ? "" : ` (skipped: there is no folder ${bccd})`;

test.skipIf(why !== "")(`the BCCD blood cell images load as their table says${why}`, async () => {
  const cacheDir = newFolder();
  const dataset = await loadDataset({
    graph: graphOf({
      wbc_present: binary(),
      wbc_x1: boundedRegression({ scale: "image-width" }),
      wbc_h: boundedRegression({ scale: "image-height" }),
      cell_types: multilabel({ labels: ["RBC", "WBC", "Platelets"] }),
    }),
    table: "labels.csv",
    inputs: { image: imageSpec(32, 32) },
    split: { column: "split" },
    projectDir: bccd,
    cacheDir,
    onBadImage: "error",
  });
  expect(dataset.rows).toBe(364);
  const { train, valid, test: held } = dataset.splits;
  expect([train.length, valid.length, held.length]).toEqual([205, 87, 72]);
  const [present, x1] = dataset.labels;
  // the table's first row: wbc_present 1, wbc_x1 65.0, an image of 160 × 120
  expect([present?.answers[0], x1?.answers[0], x1?.unitScale?.[0]]).toEqual([1, 65, 160]);
  expect([...(dataset.labels[3]?.answers.subarray(0, 3) ?? [])]).toEqual([1, 1, 0]);
  expect(firstPixels(dataset.inputs)?.originalHeight.every((height) => height === 120)).toBe(true);
  expect(readdirSync(join(cacheDir, "32x32x3"))).toHaveLength(2);
  dataset.close();
});
