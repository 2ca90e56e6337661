/** @file What a user's loop may do wrong, and what is kept then. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startRun } from "dnn-cool/track";
import { expect, onTestFinished, test, vi } from "vitest";
import { listEventFiles, readEvents } from "../../src/logging/tensorboard/index.js";
import { Database, openDatabase } from "../../src/storage/database/database.js";
import { NameReader } from "../../src/tracking/names.js";
import { openStore, temporaryDir } from "../storage/support.js";

function tagsIn(folder: string): string[] {
  return listEventFiles(folder).flatMap((file) =>
    readEvents(file).flatMap(({ content }) => (content.kind === "summary" ? content.values.map(({ tag }) => tag) : [])),
  );
}

test("a statistic with an underscore tells no split, and a metric with one does", () => {
  const reader = new NameReader();
  const read = (name: string): string => {
    const { split, metricName } = reader.read(name, "train");
    return `${split} ${metricName}`;
  };
  expect(["std_dev", "t_test", "max_val", "p_val", "num_train", "grad_eval"].map(read)).toEqual([
    ...["train std_dev", "train t_test", "train max_val", "train p_val", "train num_train", "train grad_eval"],
  ]);
  expect(["loss_val", "f1_test", "loss_train", "val_loss", "dev_loss", "eval_f1"].map(read)).toEqual([
    ...["valid loss", "test f1", "train loss", "valid loss", "valid loss", "valid f1"],
  ]);
});

test("settings that JSON has no word for are kept as lists, objects and texts", async () => {
  const store = temporaryDir();
  const run = startRun({ store, project: "p", output: false, config: { first: new Map([["a", new Set([1, 2])]]) } });
  run.config({
    ...{ floats: new Float32Array([0.5, 1]), big: [10n, 2n ** 60n], bigs: new BigInt64Array([3n]), date: new Date(0) },
    ...{ nan: Number.NaN, list: [Number.NaN, 1, Number.POSITIVE_INFINITY], pattern: /a+/u, gone: undefined },
    ...{ nested: { map: new Map<unknown, unknown>([[1, new Date(1000)]]) } },
  });
  const self: Record<string, unknown> = {};
  self.me = new Map([["self", self]]);
  expect(() => run.config({ self })).toThrow(/the setting "self.me.self" is an object that holds itself/);
  await run.finish();
  expect(openStore(store).readConfig(run.id)).toEqual({
    ...{ "first.a": [1, 2], floats: [0.5, 1], big: [10, "1152921504606846976"], bigs: [3] },
    ...{ date: "1970-01-01T00:00:00.000Z", nan: Number.NaN, list: ["NaN", 1, "Infinity"], pattern: "/a+/u" },
    "nested.map.1": "1970-01-01T00:00:01.000Z",
  });
});

test("a curve and a histogram of one name are both in TensorBoard, whichever comes first", async () => {
  const run = startRun({ store: temporaryDir(), project: "p", output: false });
  run.histogram("_total/weights", [1, 2, 3]);
  run.log({ weights: 1, other: 2 }, { step: 1 });
  await run.finish();
  const tags = tagsIn(join(run.dir, "train"));
  expect(tags).toContain("_total/weights");
  expect(tags).toContain("_total/weights/curve");
  expect(tags).toContain("_total/other");
});

test("a store that is deleted while a run works stays away, and finish says so", async () => {
  const lines: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  const store = join(temporaryDir(), ".cool");
  const run = startRun({ store, project: "p", output: false });
  run.log({ loss: 1 }, { step: 1 });
  rmSync(store, { recursive: true });
  run.log({ loss: 2 }, { step: 2, split: "valid" });
  run.histogram("weights", [1], { split: "test" });
  run.text("note", "hi");
  expect(() => run.table("answers", { columns: ["id"], rows: [[1]] })).toThrow(/was deleted or replaced/);
  expect(() => run.artifact(import.meta.filename)).toThrow(/was deleted or replaced/);
  await expect(run.finish()).rejects.toThrow(/run store .* was deleted or replaced/);
  vi.restoreAllMocks();
  expect(existsSync(store) ? readdirSync(store) : []).toEqual([]);
  expect(lines.join("")).toContain("was deleted or replaced");
});

test("a store that cannot be written is tried again every second, not with every point, and then has all of them", async () => {
  const store = temporaryDir();
  const run = startRun({ store, project: "p", output: false });
  const other = openDatabase(join(store, "cool.db"));
  onTestFinished(() => other.close());
  other.exec("CREATE TRIGGER full BEFORE INSERT ON series_points BEGIN SELECT RAISE(ABORT, 'it is full'); END");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const written = vi.spyOn(Database.prototype, "runEach");
  for (let step = 1; step <= 7000; step += 1) run.log({ loss: 1 / step }, { step });
  const attempts = written.mock.calls.filter(([sql]) => sql.includes("series_points")).length;
  written.mockRestore();
  stderr.mockRestore();
  expect(attempts).toBe(1);
  other.exec("DROP TRIGGER full");
  await run.finish();
  expect(openStore(store).readMetrics(run.id, { metricName: "loss" })).toHaveLength(7000);
});
