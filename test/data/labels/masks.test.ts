/** @file Masks in files and cells → labels of pixels. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import sharp from "sharp";
import { frameMask } from "../../../src/data/labels/masks/frame-mask.js";
import { type MaskPlace, readMask } from "../../../src/data/labels/masks/read-masks.js";
import { writeMask } from "../../../src/data/labels/masks/write-mask.js";
import { binary, classification, regression } from "../../../src/tasks/index.js";

const folder = mkdtempSync(join(tmpdir(), "masks-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Written by Pillow 12.3 from [[0, 1, 2], [2, 1, 0]], and so on. */
const FILES = {
  // the palette has red twice
  palette:
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAgMAAADgGo6JAAAACVBMVEX/AAD/AAAAAP8D6qHKAAAADElEQVR4nGOQYJgAAADcAKls58AjAAAAAElFTkSuQmCC",
  grey: "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAEElEQVR4nGNkYGRkYGL8DwABIgEGKNlSIwAAAABJRU5ErkJggg==",
  wide: "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNgYGB+8f8/AyMDA/P//wAdOgTss+9r1wAAAABJRU5ErkJggg==",
  rgb: "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAGElEQVR4nGP4z8DAwPD/////DAwM/yEcAFLBB/k4J59sAAAAAElFTkSuQmCC",
  bits: "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAQAAAAC1D1u3AAAADElEQVR4nGNIYFIAAAFIAIMySF1YAAAAAElFTkSuQmCC",
};
for (const [name, base64] of Object.entries(FILES)) {
  writeFileSync(join(folder, `${name}.png`), Buffer.from(base64, "base64"));
}
const place: MaskPlace = { baseDir: folder, size: [2, 3], picture: null };
const kinds = classification({ per: "pixel", classes: ["a", "b", "c"] });
const missing = Number.NaN;

async function labelsOf(
  ...[spec, cell, where = place]: [...Parameters<typeof readMask>] | [Parameters<typeof readMask>[0], unknown]
): Promise<number[] | string> {
  const read = await readMask(spec, cell, where);
  return typeof read === "string" ? read : [...read];
}

test("a palette's indices are the classes, whatever its colours", async () => {
  expect(await labelsOf(kinds, "palette.png")).toEqual([0, 1, 2, 2, 1, 0]);
});

test("255 has no label in a grey mask of classes", async () => {
  expect(await labelsOf(kinds, "grey.png")).toEqual([0, 1, 2, 2, 1, missing]);
});

test("16 bits are read whole, and multiplied by pixelUnit", async () => {
  const depth = regression({ per: "pixel", pixelUnit: 2, ignore: 65_535 });
  expect(await labelsOf(depth, "wide.png")).toEqual([0, 2000, missing, 512, 6, missing]);
});

test("colours stand for the classes, and white for no label", async () => {
  const coloured = classification({ per: "pixel", classes: ["a", "b"], colours: ["#ff0000", "#0000FF"] });
  expect(await labelsOf(coloured, "rgb.png")).toEqual([0, 1, missing, 1, 0, 1]);
  const other = classification({ per: "pixel", classes: ["a", "b"], colours: ["#ff0000", "#00ff00"] });
  expect(await labelsOf(other, "rgb.png")).toContain("has the colour #0000ff at column 2, row 1");
  expect(await labelsOf(kinds, "rgb.png")).toContain("give the task colours");
});

test("one bit per pixel is no and yes", async () => {
  expect(await labelsOf(binary({ per: "pixel" }), "bits.png")).toEqual([0, 1, 1, 1, 0, 0]);
});

test("a value beyond the classes is told with its place", async () => {
  const two = classification({ per: "pixel", classes: ["a", "b"] });
  expect(await labelsOf(two, "palette.png")).toBe(
    "has the value 2 at column 3, row 1; the classes are 0 to 1. Correct the mask, or set ignore: 2 if such pixels have no label",
  );
});

test("pairs of start and length run down the columns, from 1", async () => {
  await sharp({ create: { width: 3, height: 2, channels: 3, background: "black" } })
    .png()
    .toFile(join(folder, "picture.png"));
  const shown = { ...place, picture: join(folder, "picture.png") };
  // pixels 1, 2 and 5: the first column, and the top of the third
  expect(await labelsOf(binary({ per: "pixel" }), "1 2 5 1", shown)).toEqual([1, 0, 1, 1, 0, 0]);
  expect(await labelsOf(binary({ per: "pixel" }), -1, shown)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(await labelsOf(kinds, '{"b": "1 2", "c": "6 1"}', shown)).toEqual([1, 0, 0, 1, 0, 2]);
  expect(await labelsOf(binary({ per: "pixel" }), "6 2", shown)).toContain("a run up to pixel 7");
  expect(await labelsOf(binary({ per: "pixel" }), "1 2 5", shown)).toContain("no pairs");
});

test("COCO's counts run down the columns, zeros first", async () => {
  // pycocotools' own example of counts, [0 0 1 1 1 0], as a mask of 2 rows and 3 columns
  const counts = { size: [2, 3], counts: [2, 3, 1] };
  expect(await labelsOf(binary({ per: "pixel" }), JSON.stringify(counts))).toEqual([0, 1, 1, 0, 1, 0]);
  expect(await labelsOf(binary({ per: "pixel" }), { size: [2, 3], counts: [2, 3] })).toContain("counts of 5 pixels");
});

test("a mask of another size than its picture, a JPEG, a broken and a missing file are told", async () => {
  const picture = join(folder, "large.png");
  await sharp({ create: { width: 2, height: 3, channels: 3, background: "black" } })
    .png()
    .toFile(picture);
  expect(await labelsOf(kinds, "palette.png", { ...place, picture })).toContain(
    "is 3 × 2 pixels, but its picture is 2 × 3. Turn the mask",
  );
  writeFileSync(join(folder, "mask.jpg"), await sharp(picture).jpeg().toBuffer());
  expect(await labelsOf(kinds, "mask.jpg")).toContain("is not a PNG");
  writeFileSync(join(folder, "cut.png"), Buffer.from(FILES.grey, "base64").subarray(0, 45));
  expect(await labelsOf(kinds, "cut.png")).toContain("damaged or truncated");
  expect(await labelsOf(kinds, "none.png")).toBe("is not found");
  expect(await labelsOf(kinds, "../x.png")).toBe("lies outside the data folder");
  expect(await labelsOf(kinds, "")).toEqual(Array(6).fill(missing));
});

test("bars of a letterbox have no label, and a crop cuts the edges off", () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const mask = { width: 4, height: 2 };
  expect([...frameMask(values, mask, { size: [4, 4], framing: { fit: "letterbox" } })]).toEqual([
    ...Array<number>(4).fill(missing),
    ...values,
    ...Array<number>(4).fill(missing),
  ]);
  expect([...frameMask(values, mask, { size: [2, 2], framing: { fit: "crop" } })]).toEqual([2, 3, 6, 7]);
  expect([...frameMask(values, mask, { size: [1, 2] })]).toEqual([6, 8]);
});

test("a mask may lie in the project's folder, by a path that is absolute or leaves the table's", async () => {
  const tables = join(folder, "tables");
  mkdirSync(tables, { recursive: true });
  const shown = { ...place, baseDir: tables, folders: [folder] };
  expect(await labelsOf(kinds, "../palette.png", shown)).toEqual([0, 1, 2, 2, 1, 0]);
  expect(await labelsOf(kinds, join(folder, "palette.png"), shown)).toEqual([0, 1, 2, 2, 1, 0]);
  expect(await labelsOf(kinds, "../../palette.png", shown)).toBe("lies outside the data folder");
});

test("masks of 300 classes take 16 bits, and are read as they were written", async () => {
  const many = classification({ per: "pixel", classes: Array.from({ length: 300 }, (_, i) => `c${i}`) });
  const answers = Float32Array.of(0, 255, 256, 299, missing, 1);
  await writeMask(join(folder, "many.png"), many, answers, [2, 3]);
  expect((await sharp(join(folder, "many.png")).metadata()).depth).toBe("ushort");
  expect(await labelsOf(many, "many.png")).toEqual([...answers]);
  await writeMask(join(folder, "few.png"), kinds, Float32Array.of(0, 1, 2, missing, 2, 1), [2, 3]);
  expect(await labelsOf(kinds, "few.png")).toEqual([0, 1, 2, missing, 2, 1]);
});

test("the size of a picture is known from its first bytes", async () => {
  // 4 kB of a large JPEG and PNG: what follows is not read
  const noise = {
    create: {
      width: 300,
      height: 200,
      channels: 3,
      background: "red",
      noise: { type: "gaussian", mean: 128, sigma: 60 },
    },
  } as const;
  for (const format of ["jpeg", "png"] as const) {
    const bytes = await sharp(noise).toFormat(format).toBuffer();
    const picture = join(folder, `head.${format}`);
    writeFileSync(picture, bytes.subarray(0, 4096));
    expect(await labelsOf(kinds, "palette.png", { ...place, picture })).toContain("its picture is 300 × 200");
  }
});
