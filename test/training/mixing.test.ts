/** @file A run whose pictures are mixed: the same after a stop, and the boxes learn from what is not mixed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { image } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import { mlp } from "../../src/engine/model/ready-trunks.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, box, classification } from "../../src/tasks/index.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";

let dir = "";

/** Noise, and in two of three pictures a bright square in one of three grey tones. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "mixing-"));
  const random = createRandom("mixing");
  const lines: string[] = [];
  for (let i = 0; i < 60; i++) {
    const pixels = Uint8Array.from({ length: 12 * 12 }, () => random.int(60));
    const [x, y, tone] = [random.int(8), random.int(8), random.int(3)];
    const isThere = i % 3 > 0;
    if (isThere) for (let row = y; row < y + 4; row++) pixels.fill(120 + tone * 60, row * 12 + x, row * 12 + x + 4);
    await sharp(pixels, { raw: { width: 12, height: 12, channels: 1 } })
      .png()
      .toFile(join(dir, `${i}.png`));
    lines.push(`${i}.png,${isThere ? `1,${"abc"[tone]},${x},${y},4,4` : "0,,,,,"},${i % 5 === 0 ? "valid" : "train"}`);
  }
  writeFileSync(join(dir, "table.csv"), `img,there,tone,x,y,w,h,split\n${lines.join("\n")}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function projectWith(augment: object) {
  const tasks = defineTasks({
    features: ["f"],
    tasks: {
      there: binary(),
      tone: classification({ classes: ["a", "b", "c"] }),
      place: box({ columns: ["x", "y", "w", "h"], scale: "image" }),
    },
  }).flow("main", (flow, x, out) => {
    out.add(flow.there(x.f));
    out.add(flow.tone(x.f).given(out.there));
    out.add(flow.place(x.f).given(out.there));
  });
  const project = defineProject({
    name: "mixing",
    tasks,
    flow: "main",
    data: {
      table: "table.csv",
      inputs: { img: image({ column: "img", size: [12, 12], channels: 1 }) },
      split: { column: "split" },
      augment,
    },
    trunk: ({ img }, layers) => ({ f: mlp({ units: [24] })(layers.flatten().apply(img as never) as never, layers) }),
    train: { epochs: 2, batchSize: 8, checkpointEverySteps: 2, optimizer: { kind: "adamw", learningRate: 0.01 } },
  });
  return resolveProject(project, { projectDir: dir });
}

const MIXED = { flipHorizontal: 0.5, mixup: 0.4, cutmix: 1, mixShare: 0.6 };

async function run(name: string, augment: object, options: TrainRunOptions = {}) {
  await trainRun(projectWith(augment), { store: join(dir, name), backend: "cpu", ...options });
  const store = openRunStore(join(dir, name), { readonly: true });
  try {
    const { id } = store.findRun("latest");
    const read = (file: string) => readFileSync(join(store.runDir(id), "checkpoints", file)).toString("base64");
    const curves = store.readMetrics(id).map(({ wallTime, ...point }) => point);
    return {
      weights: [read("best/weights.bin"), read("last/weights.bin"), read("last/optimizer.bin")],
      curves: curves.filter(({ metricName, taskPath }) => metricName !== "rows_per_second" && taskPath !== "_system"),
    };
  } finally {
    store.close();
  }
}

test("a run that mixes pictures ends after a stop as one that was never stopped", async () => {
  const whole = await run("whole", MIXED);
  const stop = new AbortController();
  let steps = 0;
  const loggers = [{ step: () => void (++steps === 4 && stop.abort()) }];
  await expect(run("stopped", MIXED, { signal: stop.signal, loggers })).rejects.toThrow(/^Interrupted/);
  const resumed = await run("stopped", MIXED, { resume: "latest" });
  expect(resumed).toEqual(whole);
  // the metrics of train are of the labels of each row's own picture; boxes have some in the batches that are not mixed
  const counted = (task: string) =>
    whole.curves.filter((point) => point.split === "train" && point.taskPath === task && point.metricName === "loss");
  expect(counted("place")).toHaveLength(2);
  expect(counted("place").every(({ value }) => Number.isFinite(value))).toBe(true);
}, 120_000);
