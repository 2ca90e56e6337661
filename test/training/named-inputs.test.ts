/** @file Whole runs on wasm: several inputs, sequences, several tables, augmentation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { categorical, idCount, image, numeric, tokens } from "../../src/data/inputs/inputs.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { ConfigError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { loadRun } from "../../src/asking/load-run.js";
import { defineProject, type Project } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { binary, boundedRegression } from "../../src/tasks/index.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "named-inputs-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x) as SymbolicTensor;

/** Trains a project in the shared folder, into a store of its own. */
function train(project: Project, store: string, options: Parameters<typeof trainRun>[1] = {}) {
  return trainRun(resolveProject(project, { projectDir: dir }), {
    store: join(dir, store),
    backend: "wasm",
    ...options,
  });
}

async function metricOf(run: Awaited<ReturnType<typeof trainRun>>, task: string, metric: string) {
  return run.evaluation.find(
    (row) => row.split === "valid" && row.task_path === task && row.metric_name === metric && row.gates === "truth",
  )?.metric_res;
}

describe("an image, a number and a category", () => {
  const ROWS = 90;
  const rooms = ["kitchen", "hall", "attic"];
  /** Each question is answered by one of the inputs alone. */
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    img: `${i % 2 === 0 ? "dark" : "bright"}.png`,
    age: 1000 + ((i * 37) % 100),
    room: rooms[(i * 7) % 3] as string,
    split: i % 5 === 0 ? "valid" : "train",
  }));
  const project = defineProject({
    name: "three",
    tasks: defineTasks({
      features: ["f"],
      tasks: { bright: binary(), old: binary(), in_hall: binary() },
    }).flow("main", (flow, x, out) => {
      out.add(flow.bright(x.f));
      out.add(flow.old(x.f));
      out.add(flow.in_hall(x.f));
    }),
    flow: "main",
    data: {
      table: "three.csv",
      split: { column: "split" },
      inputs: {
        image: image({ column: "img", size: [4, 4] }),
        age: numeric({ columns: ["age"] }),
        room: categorical({ column: "room", categories: rooms }),
      },
    },
    trunk: ({ image: picture, age, room }, layers) => ({
      f: apply(layers.concatenate(), [apply(layers.flatten(), picture), age, room]),
    }),
    train: { epochs: 40, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.1 } },
  });

  beforeAll(async () => {
    const draw = (grey: number) =>
      sharp({ create: { width: 4, height: 4, channels: 3, background: { r: grey, g: grey, b: grey } } });
    await draw(20).toFile(join(dir, "dark.png"));
    await draw(230).toFile(join(dir, "bright.png"));
    const lines = rows.map(({ img, age, room, split }) =>
      [img, age, room, split, Number(img === "bright.png"), Number(age >= 1050), Number(room === "hall")].join(","),
    );
    writeFileSync(join(dir, "three.csv"), `img,age,room,split,bright,old,in_hall\n${lines.join("\n")}\n`);
  });

  test("train together, each answering its own question, and a table without labels is answered the same way", async () => {
    const run = await train(project, "three");
    for (const task of ["bright", "old", "in_hall"]) expect(await metricOf(run, task, "accuracy")).toBeGreaterThan(0.9);
    const ages = rows.filter(({ split }) => split === "train").map(({ age }) => age);
    const mean = ages.reduce((a, b) => a + b, 0) / ages.length;
    const { inputs } = JSON.parse(readFileSync(join(run.run.dir, "config.json"), "utf8"));
    expect(inputs.age.statistics.mean[0]).toBeCloseTo(mean, 8);

    // two rows alone would give other statistics: those of the run are used
    writeFileSync(join(dir, "new.csv"), `room,age,img\nhall,1000,${join(dir, "bright.png")}\nattic,1099,dark.png\n`);
    const loaded = await loadRun(join(dir, "three"), "latest", { backend: "wasm" });
    try {
      const table = join(dir, "new.csv");
      const predictions = await loaded.predict([table]);
      const decoded = predictions.map(({ answers }) => Object.values(answers).map((answer) => answer.decoded));
      expect(decoded).toEqual([
        [true, false, true],
        [false, true, false],
      ]);
      expect((await loaded.explain([table])).map(({ tree }) => tree.map(({ path }) => path))[1]).toEqual([
        "bright",
        "old",
        "in_hall",
      ]);
      await expect(loaded.explain([join(dir, "dark.png")])).rejects.toThrow(
        "reads image (image), age (numeric), room (categorical), so images or texts alone are not enough. Give a table",
      );
      expect(await loaded.evaluate({ table: join(dir, "three.csv") })).not.toEqual([]);
    } finally {
      loaded.close();
    }
  });
});

describe("sequences of tokens", () => {
  const words = ["red", "green", "blue", "the", "a"];
  const text = tokens({ column: "text", vocabulary: "words.txt", maxLength: 12 });
  const project = defineProject({
    name: "words",
    tasks: defineTasks({ features: ["f"], tasks: { about_red: binary() } }).flow("main", (flow, x, out) => {
      out.add(flow.about_red(x.f));
    }),
    flow: "main",
    data: { table: "words.csv", inputs: { text }, split: { train: 0.7, valid: 0.3, test: 0, seed: 1 } },
    // the vocabulary is a file: its size is known once the data has been read
    trunk: (inputs, layers, specs) => ({
      f: apply(
        layers.globalMaxPooling1d({}),
        apply(layers.embedding({ inputDim: idCount(specs.text), outputDim: 4 }), inputs.text),
      ),
    }),
    train: { epochs: 12, batchSize: 8, optimizer: { kind: "adamw", learningRate: 0.1 } },
  });

  test("of different lengths train and are answered", async () => {
    const lines = Array.from({ length: 120 }, (_, i) => {
      const sentence = Array.from({ length: 1 + (i % 9) }, (_, k) => words[1 + ((i * 13 + k * 7) % 4)]);
      if (i % 2 === 0) sentence[(i * 5) % sentence.length] = "red";
      return `${sentence.join(" ")},${Number(sentence.includes("red"))}`;
    });
    writeFileSync(join(dir, "words.txt"), `${words.join("\n")}\n`);
    writeFileSync(join(dir, "words.csv"), `text,about_red\n${lines.join("\n")}\n`);
    const run = await train(project, "words");
    expect(await metricOf(run, "about_red", "accuracy")).toBeGreaterThan(0.9);
    // the run has its own copy of the vocabulary
    rmSync(join(dir, "words.txt"));
    writeFileSync(join(dir, "new-words.csv"), "text\nthe red a green a green\ngreen the\n");
    const loaded = await loadRun(join(dir, "words"), "latest", { backend: "wasm" });
    try {
      const predictions = await loaded.predict([join(dir, "new-words.csv")]);
      expect(predictions.map(({ answers }) => answers.about_red?.decoded)).toEqual([true, false]);
    } finally {
      loaded.close();
    }
  });
});

describe("augmented training", () => {
  const SIZE = 16;
  const place = boundedRegression({ max: SIZE, measures: "x", lossWeight: 10 });
  const width = boundedRegression({ max: SIZE, measures: "width", lossWeight: 10 });
  const project = (epochs: number) =>
    defineProject({
      name: "boxes",
      tasks: defineTasks({ features: ["f"], tasks: { x: place, w: width, wide: binary() } }).flow(
        "main",
        (flow, x, out) => {
          out.add(flow.x(x.f));
          out.add(flow.w(x.f));
          out.add(flow.wide(x.f));
        },
      ),
      flow: "main",
      data: {
        table: "boxes.csv",
        inputs: { image: image({ column: "img", size: [SIZE, SIZE], channels: 1 }) },
        split: { column: "split" },
        augment: { flipHorizontal: 0.5, shift: 0.1, scale: [0.9, 1.1], brightness: 0.2 },
      },
      trunk: ({ image: picture }, layers) => ({
        f: apply(layers.dense({ units: 16, activation: "relu" }), apply(layers.flatten(), picture)),
      }),
      train: { epochs, batchSize: 8, optimizer: { kind: "adamw", learningRate: 5e-3 } },
    });

  beforeAll(async () => {
    // all training boxes are on the left; those to validate on are on the right
    const boxes = Array.from({ length: 48 }, (_, i) => {
      const w = 3 + (i % 4);
      const valid = i % 4 === 3;
      return { i, w, x: valid ? SIZE - 1 - w - (i % 3) : 1 + (i % 3), split: valid ? "valid" : "train" };
    });
    await Promise.all(
      boxes.map(({ i, x, w }) => {
        const pixels = new Uint8Array(SIZE * SIZE);
        for (let row = 5; row < 11; row++) pixels.fill(255, row * SIZE + x, row * SIZE + x + w);
        return sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 1 } })
          .png()
          .toFile(join(dir, `box${i}.png`));
      }),
    );
    const lines = boxes.map(({ i, x, w, split }) => `box${i}.png,${split},${x},${w},${Number(w > 4)}`);
    writeFileSync(join(dir, "boxes.csv"), `img,split,x,w,wide\n${lines.join("\n")}\n`);
  });

  test("learns places that only mirror images show", async () => {
    const run = await train(project(60), "boxes");
    expect(await metricOf(run, "x", "mean_absolute_error")).toBeLessThan(2.5);
  });

  test("ends with the same weights when it is stopped in the middle of an epoch and resumed", async () => {
    const straight = await train(project(3), "straight");
    const stop = new AbortController();
    let steps = 0;
    const stopping = { step: () => void (++steps === 7 && stop.abort()) };
    await expect(train(project(3), "resumed", { signal: stop.signal, loggers: [stopping] })).rejects.toThrow(
      "Interrupted",
    );
    const resumed = await train(project(3), "resumed", { resume: "latest" });
    const weights = (runDir: string) => readFileSync(join(runDir, "checkpoints", "last", "weights.bin"));
    expect(weights(resumed.run.dir).equals(weights(straight.run.dir))).toBe(true);
  });

  test("needs a picture to change", () => {
    const definition = project(1).definition;
    const inputs = { age: numeric({ columns: ["age"] }) };
    expect(() => resolveProject({ definition: { ...definition, data: { ...definition.data, inputs } } })).toThrow(
      ConfigError,
    );
  });
});
