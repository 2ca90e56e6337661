/** @file A project that asks of pixels: trained, resumed, tuned, and its answers read in every form. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRun, type LoadedRun } from "../../src/asking/load-run.js";
import { predictRun } from "../../src/asking/predict-run.js";
import { interpretRun } from "../../src/asking/interpret-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { type MaskedPicture, writeDrawnMasks } from "../../src/asking/pixels/drawn-masks.js";
import { image } from "../../src/data/inputs/inputs.js";
import { unet } from "../../src/engine/model/u-net.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, classification } from "../../src/tasks/index.js";
import { trainRun } from "../../src/training/train-run.js";

const SIDE = 16;
let dir = "";

/** A bright square; its upper half is of the class "top", the pixels beside it are asked of no class. */
async function writePicture(i: number): Promise<void> {
  const [x0, y0, size] = [1 + (i % 6), 1 + ((i * 5) % 7), 4 + (i % 4)];
  const grey = new Uint8Array(SIDE * SIDE).fill(20 + i);
  const [inside, half] = [new Uint8Array(SIDE * SIDE), new Uint8Array(SIDE * SIDE).fill(255)];
  for (let y = y0; y < y0 + size; y++) {
    for (let x = x0; x < x0 + size; x++) {
      const pixel = y * SIDE + x;
      const lower = y - y0 >= size / 2;
      grey[pixel] = lower ? 140 : 240;
      inside[pixel] = 255;
      half[pixel] = lower ? 1 : 0;
    }
  }
  const raw = { width: SIDE, height: SIDE, channels: 1 } as const;
  const write = (bytes: Uint8Array, name: string) =>
    sharp(bytes, { raw })
      .toColourspace("b-w")
      .png()
      .toFile(join(dir, `${name}-${i}.png`));
  await Promise.all([write(grey, "picture"), write(inside, "inside"), write(half, "half")]);
}

const project = defineProject({
  name: "squares",
  tasks: defineTasks({
    features: ["map"],
    tasks: { inside: binary({ per: "pixel" }), half: classification({ per: "pixel", classes: ["top", "bottom"] }) },
  }).flow("main", (flow, x, out) => {
    out.add(flow.inside(x.map));
    out.add(flow.half(x.map).given(out.inside));
  }),
  flow: "main",
  data: {
    table: "squares.csv",
    inputs: { picture: image({ column: "picture", size: [SIDE, SIDE] }) },
    split: { train: 0.6, valid: 0.2, test: 0.2, seed: 1 },
  },
  trunk: (inputs, layers) => ({ map: unet({ depth: 1, filters: 4 })(inputs.picture, layers) }),
  train: { epochs: 2, batchSize: 6 },
});

const train = (store: string, options: Parameters<typeof trainRun>[1] = {}) =>
  trainRun(resolveProject(project, { projectDir: dir }), { store: join(dir, store), backend: "wasm", ...options });
const weights = (runDir: string) => readFileSync(join(runDir, "checkpoints", "last", "weights.bin"));

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pixel-tasks-"));
  const rows = Array.from({ length: 30 }, (_, i) => i);
  await Promise.all(rows.map(writePicture));
  // a picture without a mask has labels of no pixel
  const lines = rows.map((i) => `picture-${i}.png,${i === 7 ? "" : `inside-${i}.png`},half-${i}.png`);
  writeFileSync(join(dir, "squares.csv"), `picture,inside,half\n${lines.join("\n")}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("a run whose tasks are asked of pixels", () => {
  let run: LoadedRun;
  let runDir = "";
  let straight: Awaited<ReturnType<typeof train>>;
  beforeAll(async () => {
    straight = await train("straight");
    runDir = straight.run.dir;
    run = await loadRun(join(dir, "straight"), "latest", { backend: "wasm" });
  });
  afterAll(() => run.close());

  it("ends with the same weights when it is stopped in the middle of an epoch and resumed", async () => {
    const stop = new AbortController();
    let steps = 0;
    const stopping = { step: () => void (++steps === 4 && stop.abort()) };
    await expect(train("resumed", { signal: stop.signal, loggers: [stopping] })).rejects.toThrow("Interrupted");
    const resumed = await train("resumed", { resume: "latest" });
    expect(weights(resumed.run.dir).equals(weights(runDir))).toBe(true);
  });

  it("ends where it ends on two replicas, up to rounding, and is evaluated alike", async () => {
    const two = await train("two", { replicas: 2 });
    const floats = (folder: string) => {
      const { buffer, byteOffset, byteLength } = Uint8Array.from(weights(folder));
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    };
    const [shared, alone] = [floats(two.run.dir), floats(runDir)];
    expect(shared.length).toBe(alone.length);
    for (const [i, weight] of shared.entries()) {
      expect(Math.abs(weight - (alone[i] ?? Number.NaN))).toBeLessThan(2e-3);
    }
    const meanOf = ({ evaluation }: typeof two, split: string) =>
      evaluation.find(
        (row) =>
          row.split === split && row.task_path === "inside" && row.metric_name === "iou" && row.gates === "truth",
      )?.metric_res ?? Number.NaN;
    for (const split of ["train", "valid", "test"]) {
      expect(Math.abs(meanOf(two, split) - meanOf(straight, split))).toBeLessThan(0.02);
    }
  }, 120_000);

  it("writes masks of the pixels that are asked, and names them in its table", async () => {
    const out = join(dir, "answers.jsonl");
    await predictRun(run, [join(dir, "squares.csv")], { out });
    const [row] = readFileSync(out, "utf8").trim().split("\n");
    const masks = [...(row ?? "").matchAll(/answers-masks\/[^"]+\.png/g)].map(([file]) => file);
    expect(masks[0]).toBe("answers-masks/inside/1.png");
    const { data, info } = await sharp(join(dir, masks[0] ?? ""))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([SIDE, SIDE]);
    expect([...new Set(data)].every((value) => value === 0 || value === 1)).toBe(true);
  });

  it("explains a picture by its areas", async () => {
    const explained = await run.explain([join(dir, "squares.csv")]);
    const [inside] = explained[1]?.tree ?? [];
    expect(inside).toMatchObject({ path: "inside", pixels: SIDE * SIDE });
  });

  it("draws the answers over a picture, and a picture of another name for each", async () => {
    const pictures: MaskedPicture[] = [];
    await run.explain([join(dir, "picture-1.png"), join(dir, "picture-2.png")], {
      onMasks: (picture) => void pictures.push(picture),
    });
    expect(pictures.map(({ seen }) => seen.length)).toEqual([SIDE * SIDE * 3, SIDE * SIDE * 3]);
    expect(pictures[0]?.masks[0]).toMatchObject({ task: "inside" });
    const made = { inputs: [join(dir, "picture-1.png")], tables: run.tables };
    await expect(writeDrawnMasks(pictures, made, join(dir, "both.png"))).rejects.toThrow("Ask about one at a time");
    const [picture] = pictures;
    const written = await writeDrawnMasks(picture === undefined ? [] : [picture], made, join(dir, "drawn.png"));
    expect(written).toEqual([{ input: pictures[0]?.input, file: join(dir, "drawn.png") }]);
    expect((await sharp(join(dir, "drawn.png")).metadata()).height).toBeGreaterThan(192);
    for (const input of ["picture-1.png", "squares.csv"]) {
      const before = readFileSync(join(dir, input));
      await expect(
        writeDrawnMasks(picture === undefined ? [] : [picture], made, join(dir, input)),
      ).rejects.toMatchObject({ name: "UsageError" });
      expect(readFileSync(join(dir, input)).equals(before)).toBe(true);
    }
  });

  it("is tuned by Dice's coefficient, and ranks its pictures", async () => {
    const store = openRunStore(join(dir, "straight"));
    try {
      const tuned = await tuneRun(store, "latest", "f1_score");
      const dice = (rows: typeof tuned.before) =>
        rows.find(
          ({ task_path, metric_name, gates }) => task_path === "inside" && metric_name === "dice" && gates === "truth",
        );
      expect(dice(tuned.after)?.metric_res).toBeGreaterThanOrEqual(dice(tuned.before)?.metric_res ?? 0);
      const { tasks } = await interpretRun(store, "latest", { top: 2, out: join(dir, "sheets") });
      expect(tasks.map(({ worst }) => worst.length)).toEqual([2, 2]);
      // two pictures, labels above answers, under a title, the colours and above the captions
      const { height = 0 } = await sharp(join(dir, "sheets", "inside.worst.png")).metadata();
      expect(height).toBeGreaterThan(2 * 144 + 92 + 30);
    } finally {
      store.close();
    }
  });
});
