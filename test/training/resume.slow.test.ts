/** @file A run that is stopped and goes on ends exactly as one that was never stopped. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { image, tokens } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { UsageError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject, type Project, type ProjectDefinition } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, boundedRegression, classification } from "../../src/tasks/index.js";

const MINUTES = { timeout: 300_000 };
const ROWS = 60;
const TRAIN_ROWS = 42;
const BATCH = 8;
const STEPS_PER_EPOCH = Math.ceil(TRAIN_ROWS / BATCH);
const EPOCHS = 7;

let dir = "";
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "resume-"));
  await writeData();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const COLORS = ["red", "green", "blue"];

/** Pictures of noise around a bright square, and sentences of all lengths. */
async function writeData(): Promise<void> {
  const random = createRandom("resume data");
  const lines = [];
  for (let i = 0; i < ROWS; i++) {
    const x = random.int(8);
    const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, () => random.int(120));
    for (let y = 3; y < 7; y++)
      for (let dx = 0; dx < 4; dx++) pixels.fill(240, (y * 12 + x + dx) * 3, (y * 12 + x + dx + 1) * 3);
    await sharp(pixels, { raw: { width: 12, height: 12, channels: 3 } })
      .png()
      .toFile(join(dir, `${i}.png`));
    const words = Array.from({ length: 1 + random.int(9) }, () => COLORS[random.int(3)]);
    lines.push(`${i}.png,${words.join(" ")},${x > 3 ? 1 : 0},${x > 3 ? x : ""},${words[0]}`);
  }
  writeFileSync(join(dir, "words.txt"), `${COLORS.join("\n")}\n`);
  writeFileSync(join(dir, "labels.csv"), `img,text,right,x,color\n${lines.join("\n")}\n`);
}

const apply = (layer: { apply(x: never): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x as never) as SymbolicTensor;

type Train = NonNullable<ProjectDefinition["train"]>;

/** Everything that has a state, or randomness of its own, at once. */
function project(train: Train = {}): Project {
  return defineProject({
    name: "resumed",
    tasks: defineTasks({
      features: ["seen", "read"],
      tasks: {
        right: binary(),
        x: boundedRegression({ max: 12, measures: "x", lossWeight: 3 }),
        color: classification({ classes: COLORS }),
      },
    }).flow("main", (flow, x, out) => {
      out.add(flow.right(x.seen));
      out.add(flow.x(x.seen).given(out.right));
      out.add(flow.color(x.read));
    }),
    flow: "main",
    data: {
      table: "labels.csv",
      inputs: {
        picture: image({ column: "img", size: [12, 12] }),
        text: tokens({ column: "text", vocabulary: "words.txt", maxLength: 12 }),
      },
      split: { train: TRAIN_ROWS / ROWS, valid: 9 / ROWS, test: 9 / ROWS, seed: 3 },
      augment: {
        ...{ flipHorizontal: 0.5, shift: 0.1, scale: [0.9, 1.1], brightness: 0.2, contrast: 0.2, saturation: 0.2 },
        ...{ crop: [0.7, 1], blur: 1, noise: 0.05, erase: 0.2 },
      },
    },
    trunk: ({ picture, text }, layers) => {
      // made in another order than they are used, and joined by branches
      const joined = layers.dense({ units: 8, activation: "relu" });
      const wide = layers.conv2d({ filters: 4, kernelSize: 5, strides: 2, padding: "same", useBias: false });
      const narrow = layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same" });
      const branch = (convolution: typeof wide) =>
        apply(layers.reLU(), apply(layers.batchNormalization({ momentum: 0.9 }), apply(convolution, picture)));
      const both = apply(layers.concatenate(), [branch(narrow), branch(wide)]);
      const noisy = apply(layers.gaussianNoise({ stddev: 0.05 }), both);
      const flat = apply(layers.dropout({ rate: 0.3 }), apply(layers.flatten(), noisy));
      const words = apply(layers.embedding({ inputDim: 5, outputDim: 4 }), text);
      const read = apply(layers.globalMaxPooling1d({}), words);
      const seen = apply(joined, flat);
      return { seen, read: apply(layers.dropout({ rate: 0.2 }), apply(layers.concatenate(), [read, seen])) };
    },
    train: {
      epochs: EPOCHS,
      batchSize: BATCH,
      optimizer: { kind: "adamw", learningRate: 2e-2 },
      clipNorm: 1,
      taskWeighting: "uncertainty",
      reduceOnPlateau: { factor: 0.5, patience: 1 },
      earlyStopping: { patience: 6 },
      ...train,
    },
  });
}

function run(store: string, options: TrainRunOptions = {}, train: Train = {}) {
  return trainRun(resolveProject(project(train), { projectDir: dir }), {
    store: join(dir, store),
    backend: "wasm",
    ...options,
  });
}

/** Trains until the signal is given at a step; the step counts from the start of this session. */
async function interrupted(store: string, step: number, options: TrainRunOptions = {}, train: Train = {}) {
  const controller = new AbortController();
  let steps = 0;
  const logger = {
    step: () => {
      steps += 1;
      if (steps === step) controller.abort();
    },
  };
  await expect(run(store, { ...options, signal: controller.signal, loggers: [logger] }, train)).rejects.toThrow(
    /^Interrupted: .*cool run --resume/,
  );
}

/** All that a run left behind, but for its speed. */
function leftBehind(store: string) {
  const opened = openRunStore(join(dir, store), { readonly: true });
  try {
    const { id } = opened.findRun("latest");
    const read = (file: string) => readFileSync(join(opened.runDir(id), "checkpoints", file)).toString("base64");
    return {
      best: read("best/weights.bin"),
      last: read("last/weights.bin"),
      optimizer: read("last/optimizer.bin"),
      state: JSON.parse(Buffer.from(read("last/state.json"), "base64").toString()),
      curves: opened
        .readMetrics(id)
        .filter(({ metricName, taskPath }) => metricName !== "rows_per_second" && taskPath !== "_system")
        .map(({ wallTime, ...point }) => point),
      thresholds: opened.readThresholds(id),
      evaluation: opened.readEvaluation(id),
    };
  } finally {
    opened.close();
  }
}

describe("dropout, noise, batch normalization, augmentation, learned task weights and a plateau", () => {
  let whole: ReturnType<typeof leftBehind>;
  beforeAll(async () => {
    await run("whole");
    whole = leftBehind("whole");
    // the schedule has had something to do
    expect(whole.state.schedule.learningRate).toBeLessThan(2e-2);
    expect(whole.state.position.step).toBe(EPOCHS * STEPS_PER_EPOCH);
  }, 300_000);

  test.each([
    ["in the first epoch", [2]],
    ["after its first step, and again and again", [1, 4, STEPS_PER_EPOCH, 9]],
    ["in the last epoch", [EPOCHS * STEPS_PER_EPOCH - 2]],
    ["in the middle of one epoch twice", [STEPS_PER_EPOCH + 2, 2]],
  ])("a run stopped %s leaves behind what one that was never stopped does", MINUTES, async (_, stops) => {
    const store = `stopped-${stops.join("-")}`;
    for (const [i, step] of stops.entries()) await interrupted(store, step, i === 0 ? {} : { resume: "latest" });
    await run(store, { resume: "latest" });
    expect(leftBehind(store)).toEqual(whole);
  });
});

test("a schedule, averaged weights and batches in parts: a stopped run ends as one that was not", MINUTES, async () => {
  const train: Train = {
    epochs: 3,
    optimizer: { kind: "lion", learningRate: 3e-3 },
    schedule: { kind: "cosine", warmupEpochs: 0.5 },
    averageWeights: { decay: 0.9 },
    accumulate: 3,
    sampling: "active",
    checkpointEverySteps: 2,
    reduceOnPlateau: null,
  };
  await run("whole-recipe", {}, train);
  const whole = leftBehind("whole-recipe");
  const rates = whole.curves.filter(({ metricName }) => metricName === "learning_rate").map(({ value }) => value);
  // of the last step of each epoch: 3 of 18 steps warm up
  const expected = [6, 12, 18].map((step) => (3e-3 * (1 + Math.cos((Math.PI * (step - 1 - 3)) / 15))) / 2);
  for (const [epoch, rate] of rates.entries()) expect(rate).toBeCloseTo(expected[epoch] as number, 9);
  await run("one-epoch", {}, { ...train, epochs: 1 });
  const one = leftBehind("one-epoch");
  // of one epoch, the best checkpoint holds the average, the last one what training goes on from
  expect(one.best).not.toBe(one.last);
  await interrupted("stopped-recipe", 3, {}, train);
  await interrupted("stopped-recipe", 5, { resume: "latest" }, train);
  await run("stopped-recipe", { resume: "latest" }, train);
  expect(leftBehind("stopped-recipe")).toEqual(whole);
});

test.each(["project", "upgrad"] as const)(
  "conflicts: %s: a stopped run ends as one that was not, with the same conflicts",
  MINUTES,
  async (method) => {
    const [first, second, third] = [`whole-${method}`, `stopped-${method}`, `refused-${method}`];
    const train: Train = { epochs: 2, conflicts: method, earlyStopping: null };
    await run(first, {}, train);
    const whole = leftBehind(first);
    const conflicts = whole.curves.filter(({ metricName }) => metricName.startsWith("conflict/"));
    // of the two tasks that read one feature, in each epoch
    expect(conflicts.map(({ taskPath, metricName, split }) => [split, taskPath, metricName])).toEqual([
      ["train", "right", "conflict/x"],
      ["train", "right", "conflict/x"],
    ]);
    await interrupted(second, 3, {}, train);
    await run(second, { resume: "latest" }, train);
    expect(leftBehind(second)).toEqual(whole);
    const refused = run(third, {}, { ...train, accumulate: 2 });
    await expect(refused).rejects.toThrow(`train.conflicts: "${method}" compares the tasks`);
  },
);

test("early stopping and momentum: a run stopped on its way stops early at the same epoch", MINUTES, async () => {
  const train: Train = {
    optimizer: { kind: "sgd", learningRate: 0.3, momentum: 0.9, nesterov: true },
    earlyStopping: { patience: 2 },
    epochs: 40,
  };
  await run("whole-early", {}, train);
  const whole = leftBehind("whole-early");
  expect(whole.state.position.epoch).toBeLessThan(41);
  const lastStep = whole.state.position.step as number;
  await interrupted("stopped-early", lastStep - 3, {}, train);
  await run("stopped-early", { resume: "latest" }, train);
  expect(leftBehind("stopped-early")).toEqual(whole);
  // its own settings have ended it for good, as they would have if more epochs had been planned
  const said: string[] = [];
  const loggers = [{ message: (line: string) => void said.push(line) }];
  const kept = await run("stopped-early", { resume: "latest", epochs: 60, loggers }, train);
  expect(said.join()).toMatch(/has stopped early, after \d+ of 40 epochs, and stays as it is\..*cool run --from/);
  expect(kept.run.epochs).toBe(40);
  expect(leftBehind("stopped-early")).toEqual(whole);
});

test("checkpoints within an epoch change nothing about the run", MINUTES, async () => {
  await run("plain", { epochs: 2 });
  await run("saved", { epochs: 2 }, { checkpointEverySteps: 2 });
  expect(leftBehind("saved")).toEqual(leftBehind("plain"));
});

test("a run goes on with the backend that it began with", MINUTES, async () => {
  const messages: string[] = [];
  const loggers = [{ message: (text: string) => messages.push(text) }];
  await interrupted("cpu", 2, { backend: "cpu", epochs: 1 });
  const { run: resumed } = await run("cpu", { backend: undefined, resume: "latest", loggers });
  expect(resumed.backend).toBe("cpu");
  expect(messages).toContain("backend: cpu: plain JavaScript, asked for by name");
});

test("a run cannot be gone on with and repeated at once", async () => {
  await expect(run("both", { resume: "a", again: "b" })).rejects.toThrow(UsageError);
});
