/** @file Event files judged by TensorBoard's own readers. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { openEventWriter, readEvents } from "../../src/logging/tensorboard/index.js";
import {
  type Python,
  readDataServer,
  readTensorBoard,
  readTensorBoards,
  tensorBoardPython,
} from "../support/tensorboard.js";

let judge: Python;
beforeAll(async () => {
  judge = await tensorBoardPython();
}, 310_000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-tensorboard-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Skips the test, with the reason, on machines without TensorBoard. */
function python(context: TestContext): string {
  if ("skip" in judge) return context.skip(judge.skip);
  return judge.python;
}

const NOW = 1_700_000_000.125;
const now = () => NOW;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const picture = (red: number) =>
  sharp({ create: { width: 8, height: 4, channels: 3, background: { r: red, g: 0, b: 0 } } });

describe("EventAccumulator", () => {
  it("reads every scalar with its step, time and value", async (context) => {
    const values = [0.1, -2, 0, 1e30, Number.NaN, Infinity, -Infinity, 1e-45];
    const writer = openEventWriter(folder, { now });
    values.forEach((value, i) => {
      writer.scalar("camera_blocked/loss", value, i * 1000, "what the *camera* costs");
    });
    writer.scalar("tür/größe", 1, 2 ** 40);
    writer.close();
    const found = await readTensorBoard(python(context), folder);
    expect(found.scalars).toEqual({
      "camera_blocked/loss": values.map((value, i) => ({ step: i * 1000, wallTime: NOW, value: Math.fround(value) })),
      "tür/größe": [{ step: 2 ** 40, wallTime: NOW, value: 1 }],
    });
    expect(found.metadata["camera_blocked/loss"]).toMatchObject({
      plugin: "scalars",
      dataClass: 1,
      description: "what the *camera* costs",
    });
    expect(found.sessionLogs).toEqual([{ status: 1, step: 0 }]);
  });

  it("reads histograms, text and PR curves as the plugins define them", async (context) => {
    const writer = openEventWriter(folder, { now });
    writer.histogram("weights", Float32Array.of(-1, 0, 0.5, 3, Number.NaN), 5, 4, "of the *head*");
    writer.histogram("one value", [7, 7], 5, 2);
    writer.histogram("empty", [], 5, 2);
    writer.text("flow", "# Flow\n* door", 1);
    // at 0, 0.5 and 1: scores 0.9 and 0.5 reach 0.5; with weights 1, 2, 4, 8
    const rows = { labels: [true, false, true, false], scores: [0.9, 0.5, 0.25, 0], weights: [1, 2, 4, 8] };
    writer.prCurve("door/pr", { ...rows, thresholds: 3 }, 2);
    writer.close();
    const { tensors, metadata } = await readTensorBoard(python(context), folder);
    expect(tensors.weights).toEqual([
      {
        step: 5,
        wallTime: NOW,
        dtype: "float64",
        shape: [4, 3],
        values: [-1, 0, 1, 0, 1, 2, 1, 2, 0, 2, 3, 1],
      },
    ]);
    expect(tensors["one value"]?.[0]?.values).toEqual([7, 7, 0, 7, 7, 2]);
    expect(tensors.empty?.[0]?.values).toEqual([0, 0, 0, 0, 0, 0]);
    expect(tensors.flow?.[0]).toMatchObject({ step: 1, dtype: "object", shape: [1], values: ["# Flow\n* door"] });
    const curve = [
      [5, 1, 0],
      [10, 2, 0],
      [0, 8, 10],
      [0, 4, 5],
      [5 / 15, 1 / 3, 0],
      [1, 1 / 5, 0],
    ];
    expect(tensors["door/pr"]?.[0]).toMatchObject({ dtype: "float32", shape: [6, 3] });
    expect(tensors["door/pr"]?.[0]?.values).toEqual(curve.flat().map(Math.fround));
    expect(metadata.weights).toMatchObject({ plugin: "histograms", dataClass: 2, description: "of the *head*" });
    expect(metadata.flow).toMatchObject({ plugin: "text", dataClass: 2 });
    expect(metadata["door/pr"]).toMatchObject({ plugin: "pr_curves", message: { numThresholds: 3 } });
  });

  it("reads the same pictures that were logged", async (context) => {
    const reds = await Promise.all([10, 20, 30].map((red) => picture(red).png().toBuffer()));
    const jpeg = await picture(40).jpeg().toBuffer();
    const size = { width: 8, height: 4 };
    const writer = openEventWriter(folder, { now });
    writer.image(
      "door/worst",
      reds.map((png) => ({ png, ...size })),
      1,
    );
    writer.image("door/worst", { jpeg, ...size }, 2);
    writer.close();
    const { images, metadata } = await readTensorBoard(python(context), folder);
    const shown = (bytes: Uint8Array) => ({ sha256: sha256(bytes), bytes: bytes.length });
    expect(images).toEqual({
      "door/worst": [
        { step: 1, wallTime: NOW, ...size, images: reds.map(shown) },
        { step: 2, wallTime: NOW, ...size, images: [shown(jpeg)] },
      ],
    });
    expect(metadata["door/worst"]).toMatchObject({ plugin: "images", dataClass: 3 });
  });

  it("reads hyperparameters, the custom layout and the graph", async (context) => {
    const writer = openEventWriter(folder, { now });
    writer.hparams({ hparams: { rate: 0.001, name: "x" }, metrics: [{ tag: "_total/loss", group: "valid" }] });
    writer.endSession("failure");
    writer.customScalars({ categories: [{ title: "door", charts: [{ title: "losses", tags: ["door/.*"] }] }] });
    writer.graph([
      { name: "features", op: "trunk", inputs: [], outputShapes: [[-1, 128]] },
      { name: "door/open", op: "binary", inputs: ["features"], attributes: { lossWeight: 2, column: "open" } },
    ]);
    writer.close();
    const { metadata, layouts, graph } = await readTensorBoard(python(context), folder);
    expect(metadata["_hparams_/experiment"]?.message).toEqual({
      experiment: {
        timeCreatedSecs: NOW,
        hparamInfos: [
          { name: "name", type: "DATA_TYPE_STRING" },
          { name: "rate", type: "DATA_TYPE_FLOAT64" },
        ],
        metricInfos: [{ name: { group: "valid", tag: "_total/loss" } }],
      },
    });
    expect(metadata["_hparams_/session_start_info"]?.message).toEqual({
      sessionStartInfo: { hparams: { rate: 0.001, name: "x" }, startTimeSecs: NOW },
    });
    expect(metadata["_hparams_/session_end_info"]?.message).toEqual({
      sessionEndInfo: { status: "STATUS_FAILURE", endTimeSecs: NOW },
    });
    expect(layouts).toEqual({
      custom_scalars__config__: {
        category: [{ title: "door", chart: [{ title: "losses", multiline: { tag: ["door/.*"] } }] }],
      },
    });
    expect(graph).toEqual([
      { name: "features", op: "trunk", inputs: [], attributes: { _output_shapes: [[-1, 128]] } },
      { name: "door/open", op: "binary", inputs: ["features"], attributes: { lossWeight: 2, column: "open" } },
    ]);
  });

  it("shows each step once after a resume, with the later value", async (context) => {
    // the first run reached step 5; its last checkpoint was after step 3, and both files are from one second
    const first = openEventWriter(folder, { now, pid: 900 });
    for (let step = 1; step <= 5; step++) first.scalar("loss", step, step);
    first.histogram("weights", [1], 5);
    first.close();
    const second = openEventWriter(folder, { now, pid: 100, resumeStep: 4 });
    for (let step = 4; step <= 6; step++) second.scalar("loss", step * 10, step);
    second.histogram("weights", [2], 5);
    second.close();
    const { scalars, tensors, sessionLogs } = await readTensorBoard(python(context), folder);
    expect(scalars.loss?.map(({ step, value }) => [step, value])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 40],
      [5, 50],
      [6, 60],
    ]);
    expect(tensors.weights?.map(({ step, values }) => [step, values[0]])).toEqual([[5, 2]]);
    expect(sessionLogs).toEqual([
      { status: 1, step: 0 },
      { status: 1, step: 4 },
    ]);
  });

  it("shows exactly the whole records of a file cut anywhere", async (context) => {
    const writer = openEventWriter(folder, { now });
    for (let step = 0; step < 12; step++) writer.scalar("loss", step / 4, step);
    writer.close();
    const whole = readFileSync(writer.path);
    const cuts = Array.from({ length: 40 }, (_, i) => Math.floor((whole.length * (i + 1)) / 40) - (i % 3));
    const folders = cuts.map((cut) => {
      const cutFolder = join(folder, `cut-${cut}`);
      mkdirSync(cutFolder);
      writeFileSync(join(cutFolder, basename(writer.path)), whole.subarray(0, cut));
      return cutFolder;
    });
    const shown = await readTensorBoards(python(context), folders);
    const lengths = shown.map(({ scalars }) => scalars.loss?.length ?? 0);
    const ours = cuts.map(
      (cut) => readEvents(whole.subarray(0, cut)).filter(({ content }) => content.kind === "summary").length,
    );
    expect(lengths).toEqual(ours);
    expect(new Set(lengths).size).toBe(13);
  });
});

describe("the data server", () => {
  it("reads scalars, tensors and pictures", async (context) => {
    const interpreter = python(context);
    const png = await picture(99).png().toBuffer();
    const first = openEventWriter(join(folder, "train"), { now });
    for (const step of [1, 2, 3]) first.scalar("door/loss", step, step);
    first.close();
    const writer = openEventWriter(join(folder, "train"), { now, resumeStep: 3 });
    writer.scalar("door/loss", 30, 3);
    writer.histogram("weights", [0, 1], 3, 1);
    writer.text("notes", "hello", 3);
    writer.prCurve("door/pr", { labels: [1, 0], scores: [1, 0], thresholds: 2 }, 3);
    writer.image(
      "door/best",
      [1, 2].map(() => ({ png, width: 8, height: 4 })),
      3,
    );
    writer.close();
    const { scalars, tensors, images } = await readDataServer(interpreter, folder);
    expect(scalars["train/door/loss"]?.map(({ step, value }) => [step, value])).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
    ]);
    expect(tensors["train/weights"]?.[0]).toMatchObject({ step: 3, shape: [1, 3], values: [0, 1, 2] });
    expect(tensors["train/notes"]?.[0]).toMatchObject({ values: ["hello"] });
    expect(tensors["train/door/pr"]?.[0]).toMatchObject({ shape: [6, 2] });
    expect(images["train/door/best"]).toEqual([
      {
        step: 3,
        wallTime: NOW,
        width: 8,
        height: 4,
        images: [png, png].map((b) => ({ sha256: sha256(b), bytes: b.length })),
      },
    ]);
  }, 60_000);
});
