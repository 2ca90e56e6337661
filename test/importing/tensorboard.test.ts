/** @file Log folders of PyTorch's SummaryWriter and of TensorFlow 2's form of scalars → runs. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listEventFiles, openEventWriter, readEvents } from "../../src/logging/tensorboard/index.js";
import { temporaryDir } from "../storage/support.js";
import { curvesOf, fixture, importAll, imported, leftOf } from "./support.js";

const T0 = 1_700_000_000;
const float = Math.fround;

test("a folder with event files is a run, with curves, settings, pictures, texts, distributions and times", () => {
  const { store, result } = imported(fixture("tensorboard"));
  expect(result.added.map(({ name }) => name).sort()).toEqual(["keras", "second", "sweep/first"]);
  const run = store.findRun("sweep/first");
  expect(run).toMatchObject({ project: "tensorboard", state: "finished" });
  expect(curvesOf(store, "sweep/first")).toMatchObject({
    "train/_total/loss": [1, 2, 3].map((step) => [step, float(0.1 / step), T0 + step]),
    "valid/_total/acc": [1, 2, 3].map((step) => [step, step === 3 ? Number.NaN : float(0.25 * step), T0 + step]),
    "train/_total/f1_cat": [1, 2, 3].map((step) => [step, 0.5, T0 + step]),
    "train/_total/f1_dog": [1, 2, 3].map((step) => [step, 0.75, T0 + step]),
  });
  expect(store.readConfig(run.id)).toEqual({ lr: 0.1, opt: "adam", "nested.deep": 1 });
  expect(result.added.find(({ name }) => name === "sweep/first")).toMatchObject({ images: 1, histograms: 1, texts: 1 });
  expect(leftOf(result, "sweep/first")).toEqual(["1 values of pr_curves: the store has no place for them"]);
});

test("what TensorBoard shows of an imported run is what the source had, at its times", () => {
  const { store } = imported(fixture("tensorboard"));
  const dir = store.runDir(store.findRun("second").id);
  const [file = ""] = listEventFiles(join(dir, "train"));
  const values = readEvents(file).flatMap(({ wallTime, step, content }) =>
    content.kind === "summary" ? content.values.map((value) => ({ ...value, wallTime, step })) : [],
  );
  const weights = values.find(({ tag }) => tag === "weights");
  // numpy's edges 0, 1, 2, 3 with counts 1, 2, 1
  expect(Array.from<unknown>(weights?.tensor?.values ?? [])).toEqual([0, 1, 1, 1, 2, 2, 2, 3, 1]);
  expect(values.find(({ tag }) => tag === "digit")).toMatchObject({ wallTime: T0 + 2, step: 2 });
  expect(values.filter(({ tag }) => tag === "_total/loss").map(({ wallTime }) => wallTime)).toEqual([
    T0 + 1,
    T0 + 2,
    T0 + 3,
  ]);
});

test("scalars that are tensors, and folders that are splits, are read", () => {
  const { store } = imported(fixture("tensorboard"));
  const points = (factor: number) => [0, 1, 2].map((step) => [step, float(factor / (step + 1)), T0 + 100 + step]);
  expect(curvesOf(store, "keras")).toEqual({
    "train/_total/epoch_loss": points(1),
    "valid/_total/epoch_loss": points(2),
  });
});

test("a second import says that the runs are here, and takes what was appended since", () => {
  const logs = join(temporaryDir(), "logs");
  const first = openEventWriter(join(logs, "a"));
  for (let step = 1; step <= 3; step += 1) first.scalar("loss", step, step);
  first.flush();
  const { dir, store, result } = imported(logs);
  const [run] = result.added;
  expect(run).toMatchObject({ points: 3, new_points: 3 });
  expect(importAll(dir, logs)).toMatchObject({ added: [], updated: [], same: [{ id: run?.id, name: "a" }] });
  store.updateRun(run?.id ?? "", { note: "mine" });
  for (let step = 4; step <= 5; step += 1) first.scalar("loss", step, step);
  first.close();
  expect(importAll(dir, logs)).toMatchObject({ added: [], same: [], updated: [{ id: run?.id, new_points: 2 }] });
  expect(store.readMetrics(run?.id ?? "").map(({ value }) => value)).toEqual([1, 2, 3, 4, 5]);
  expect(store.getRun(run?.id ?? "").note).toBe("mine");
  expect(readdirSync(dir).filter((name) => name.startsWith(".cool-import"))).toEqual([]);
});

test("again reads them once more, by other rules of names", () => {
  const logs = join(temporaryDir(), "logs");
  const writer = openEventWriter(join(logs, "a"));
  writer.scalar("loss.val", 1, 1);
  writer.close();
  const { dir, store, result } = imported(logs);
  const again = importAll(dir, logs, { again: true, names: ["^(?<metric>\\w+)\\.(?<split>val)$"] });
  expect(again.updated).toMatchObject([{ id: result.added[0]?.id }]);
  expect(Object.keys(curvesOf(store, "a"))).toEqual(["valid/_total/loss"]);
});

test("a damaged file gives what stands before the damage, and says so", () => {
  const logs = join(temporaryDir(), "logs");
  const writer = openEventWriter(join(logs, "a"));
  for (let step = 1; step <= 3; step += 1) writer.scalar("loss", step, step);
  writer.close();
  const bytes = readFileSync(writer.path);
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] ?? 0) ^ 1;
  writeFileSync(writer.path, bytes);
  const { store, result } = imported(logs);
  expect(curvesOf(store, "a")["train/_total/loss"]?.map(([step]) => step)).toEqual([1, 2]);
  expect(leftOf(result, "a")[0]).toMatch(/^1 rest of an event file: .*does not match its checksum/);
});

test("a torn record at the end is named, and the rest is taken", () => {
  const logs = join(temporaryDir(), "logs");
  const writer = openEventWriter(join(logs, "a"));
  writer.scalar("loss", 1, 1);
  writer.close();
  appendFileSync(writer.path, Buffer.alloc(5));
  expect(leftOf(imported(logs).result, "a")).toEqual([expect.stringMatching(/^1 torn record: /)]);
});

test("a histogram and a curve of one name are both kept", () => {
  const logs = join(temporaryDir(), "logs");
  const [first, second] = ["one", "two"].map((name) =>
    openEventWriter(join(logs, "a", name === "one" ? "." : "train")),
  );
  first?.scalar("weights", 1, 1);
  second?.histogram("weights", [1, 2, 3], 1);
  second?.histogram("_total/weights", [1, 2, 3], 2);
  first?.close();
  second?.close();
  const { result, store } = imported(logs);
  expect(result.added).toMatchObject([{ points: 1, histograms: 2, left: [] }]);
  expect(curvesOf(store, "a")["train/_total/weights"]).toHaveLength(1);
});

test("names that are too long, and steps below 0, are counted and left out", () => {
  const logs = join(temporaryDir(), "logs");
  const writer = openEventWriter(join(logs, "a"));
  writer.scalar("n".repeat(10_000), 1, 1);
  writer.scalar("loss", 1, -1);
  writer.scalar("loss", 1, 1);
  writer.close();
  const { result } = imported(logs);
  expect(result.added).toMatchObject([{ points: 1 }]);
  expect(leftOf(result, "a")).toEqual([
    expect.stringMatching(/^1 points of "loss": their step is no whole number/),
    expect.stringMatching(/^1 points of "n+…": .*has 10000 characters/),
  ]);
});
