/** @file The example's pictures and its table agree with each other and with what its README says. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { printCondition } from "dnn-cool";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  COLORS,
  type ColorName,
  drawSample,
  ensureDataset,
  generateDataset,
  KINDS,
  LABEL_COLUMNS,
  type Sample,
  SIZE,
  seededIntegers,
} from "../../examples/home-security/generate.js";
import { loadProject } from "../../src/project/load-project.js";

const PROJECT = fileURLToPath(new URL("../../examples/home-security", import.meta.url));
const COUNT = 3000;
const FACE = ["face_x1", "face_y1", "face_w", "face_h", "facial_characteristics"] as const;
const BODY = ["body_x1", "body_y1", "body_w", "body_h", "shirt_type"] as const;
const BROWN = [139, 69, 19];

let samples: readonly Sample[];
beforeAll(() => {
  const random = seededIntegers(7);
  samples = Array.from({ length: COUNT }, () => drawSample(random));
});

const pixelAt = (sample: Sample, x: number, y: number) => [
  ...sample.pixels.subarray((y * SIZE + x) * 3, (y * SIZE + x) * 3 + 3),
];
const isColor = (sample: Sample, x: number, y: number, color: readonly number[]) =>
  pixelAt(sample, x, y).every((byte, channel) => byte === color[channel]);
const ofKind = (...kinds: readonly string[]) => samples.filter(({ kind }) => kinds.includes(kind));
const people = () => samples.filter(({ labels }) => labels.person_present === 1);

/** Number of pixels of a colour in x1 ≤ x < x2, y1 ≤ y < y2. */
function countColor(sample: Sample, color: readonly number[], x1: number, y1: number, x2: number, y2: number): number {
  let count = 0;
  for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) if (isColor(sample, x, y, color)) count++;
  return count;
}

describe("scenes", () => {
  it("are eleven kinds, equally likely", () => {
    const counts = KINDS.map((kind) => ofKind(kind).length);
    expect(counts).toHaveLength(11);
    // 1% point of the chi-squared distribution with 10 degrees of freedom
    const chiSquared = counts.reduce((sum, n) => sum + (n - COUNT / 11) ** 2 / (COUNT / 11), 0);
    expect(chiSquared).toBeLessThan(23.2);
  });

  it("have at most 40 noisy bytes, under the drawing", () => {
    const noisy = ofKind("camera_blocked").map(({ pixels }) => pixels.filter((byte) => byte !== 0).length);
    expect(Math.max(...noisy)).toBeLessThanOrEqual(40);
    expect(Math.min(...noisy)).toBeGreaterThan(30);
  });
});

describe("labels", () => {
  const asked = (sample: Sample) => LABEL_COLUMNS.filter((column) => column in sample.labels);
  const withoutFirst = (sample: Sample) => asked(sample).filter((column) => column !== "camera_blocked");

  it("of a blocked camera are that alone", () => {
    for (const sample of ofKind("camera_blocked")) expect(withoutFirst(sample)).toEqual([]);
  });

  it("of a closed door say whether it is locked, and nothing of persons", () => {
    for (const sample of ofKind("door_locked", "door_unlocked")) {
      expect(withoutFirst(sample)).toEqual(["door_open", "door_locked"]);
      expect(sample.labels.door_open).toBe(0);
      expect(sample.labels.door_locked).toBe(sample.kind === "door_locked" ? 1 : 0);
    }
  });

  it("of an open door with nobody describe no person", () => {
    for (const sample of ofKind("nobody")) {
      expect(withoutFirst(sample)).toEqual(["door_open", "person_present"]);
      expect(sample.labels).toMatchObject({ door_open: 1, person_present: 0 });
    }
  });

  it("of a person are all but the lock's", () => {
    for (const sample of people()) {
      expect(withoutFirst(sample)).toEqual(["door_open", "person_present", ...FACE, ...BODY]);
      expect(sample.labels.door_open).toBe(1);
    }
  });

  it("lack about one camera_blocked in a hundred", () => {
    const missing = samples.filter(({ labels }) => labels.camera_blocked === undefined).length;
    expect(missing).toBeGreaterThan(15);
    expect(missing).toBeLessThan(50);
  });
});

describe("pictures", () => {
  it("have the shirt's colour in exactly the body's box", () => {
    for (const sample of people()) {
      const [x1, y1, w, h] = BODY.slice(0, 4).map((column) => Number(sample.labels[column])) as [
        number,
        number,
        number,
        number,
      ];
      const color = COLORS[sample.labels.shirt_type as ColorName];
      expect(countColor(sample, color, x1, y1, x1 + w, y1 + h)).toBe(w * h);
      // below the head nothing but noise touches the body
      const below = y1 + 4;
      expect(countColor(sample, color, x1 - 1, below, x1, y1 + h)).toBeLessThanOrEqual(1);
      expect(countColor(sample, color, x1 + w, below, x1 + w + 1, y1 + h)).toBeLessThanOrEqual(1);
      expect(countColor(sample, color, x1, y1 + h, x1 + w, y1 + h + 1)).toBeLessThanOrEqual(1);
    }
  });

  it("have the head touching all four sides of the face's box, in the labelled colour", () => {
    const primaries = ["red", "green", "blue"];
    for (const sample of people()) {
      const [x1, y1, w, h] = FACE.slice(0, 4).map((column) => Number(sample.labels[column])) as [
        number,
        number,
        number,
        number,
      ];
      const names = String(sample.labels.facial_characteristics).split(",");
      const color = primaries.map((name) => (names.includes(name) ? 255 : 0));
      const [middleX, middleY] = [x1 + w / 2, y1 + h / 2];
      expect(countColor(sample, color, x1, middleY, x1 + w, middleY + 1)).toBe(w);
      // two rows of the head may lie under the body
      expect(countColor(sample, color, middleX, y1, middleX + 1, y1 + h - 2)).toBe(h - 2);
      expect(countColor(sample, color, x1 - 1, y1, x1, y1 + h - 2)).toBeLessThanOrEqual(1);
      expect(countColor(sample, color, x1 + w, y1, x1 + w + 1, y1 + h - 2)).toBeLessThanOrEqual(1);
      if (y1 > 0) expect(countColor(sample, color, x1, y1 - 1, x1 + w, y1)).toBeLessThanOrEqual(1);
    }
  });

  it("show a lock of 10 × 10 pixels on locked doors and on no other", () => {
    for (const sample of ofKind("door_locked", "door_unlocked")) {
      expect(countColor(sample, BROWN, 0, 0, SIZE, SIZE)).toBeGreaterThan(300);
      const blue = countColor(sample, COLORS.blue, 0, 0, SIZE, SIZE);
      expect(blue).toBe(sample.kind === "door_locked" ? 100 : 0);
    }
  });
});

describe("generateDataset", () => {
  const folders: string[] = [];
  const folder = async () => {
    folders.push(await mkdtemp(path.join(tmpdir(), "home-security-")));
    return folders.at(-1) as string;
  };
  afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true }))));
  const digestOf = async (dir: string) => {
    const hash = createHash("sha256").update(await readFile(path.join(dir, "labels.csv")));
    for (const file of (await readdir(path.join(dir, "images"))).sort()) {
      hash.update(
        await sharp(path.join(dir, "images", file))
          .raw()
          .toBuffer(),
      );
    }
    return hash.digest("hex");
  };

  it("draws the same pictures and labels from one seed, others from another", async () => {
    const [a, b, c] = [await folder(), await folder(), await folder()];
    await generateDataset(a, { count: 70, seed: 3 });
    await generateDataset(b, { count: 70, seed: 3 });
    await generateDataset(c, { count: 70, seed: 4 });
    expect(await digestOf(b)).toBe(await digestOf(a));
    expect(await digestOf(c)).not.toBe(await digestOf(a));
  });

  it("writes one table line per picture, with the pixels that were drawn", async () => {
    const dir = await folder();
    const progress: number[] = [];
    await generateDataset(dir, { count: 70, seed: 7, onProgress: (done) => progress.push(done) });
    expect(progress).toEqual([64, 70]);
    expect(await readdir(dir)).toEqual(["images", "labels.csv"]);

    const lines = (await readFile(path.join(dir, "labels.csv"), "utf8")).trimEnd().split("\n");
    expect(lines[0]).toBe(`img,${LABEL_COLUMNS.join(",")}`);
    expect(lines).toHaveLength(71);
    expect(lines[70]?.split(",")[0]).toBe("images/00069.png");

    const { data, info } = await sharp(path.join(dir, "images/00069.png")).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: SIZE, height: SIZE, channels: 3 });
    expect(new Uint8Array(data)).toEqual(samples[69]?.pixels);
  });

  it("quotes a list of colours and writes none for a black head", async () => {
    const dir = await folder();
    await generateDataset(dir, { count: 200 });
    const table = await readFile(path.join(dir, "labels.csv"), "utf8");
    expect(table).toMatch(/,12,12,"green,blue",/);
    expect(table).toMatch(/,12,12,none,/);
  });

  it("runs again where a generation was killed, and not where the table is there", async () => {
    const dir = await folder();
    const killed = generateDataset(dir, {
      count: 128,
      onProgress: () => {
        throw new Error("killed");
      },
    });
    await expect(killed).rejects.toThrow("killed");
    expect(await readdir(dir)).toEqual(["images"]);

    const logged: string[] = [];
    const log = (line: string) => logged.push(line);
    await ensureDataset(dir, log, { count: 10 });
    const table = await readFile(path.join(dir, "labels.csv"), "utf8");
    expect(table.trimEnd().split("\n")).toHaveLength(11);
    await ensureDataset(dir, log, { count: 20 });
    expect(await readFile(path.join(dir, "labels.csv"), "utf8")).toBe(table);
    expect(logged).toHaveLength(1);
  });
});

describe("cool.config.ts", () => {
  it("asks fourteen questions, each under its precondition", async () => {
    const { graph } = await loadProject(PROJECT);
    const asked = Object.fromEntries(
      graph.tasks.map(({ path, precondition }) => [path, precondition && printCondition(graph, precondition)]),
    );
    const ofPerson = [
      ...FACE.map((name) => `person_regression.face_regression.${name}`),
      ...BODY.map((name) => `person_regression.body_regression.${name}`),
    ];
    expect(asked).toEqual({
      camera_blocked: null,
      door_open: "not camera_blocked",
      door_locked: "not door_open",
      person_present: "door_open",
      ...Object.fromEntries(ofPerson.map((path) => [path, "person_present"])),
    });
  });

  it("names a label column for every task", async () => {
    const { graph } = await loadProject(PROJECT);
    expect(graph.tasks.map(({ name }) => name).sort()).toEqual([...LABEL_COLUMNS].sort());
  });
});
