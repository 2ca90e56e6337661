/** @file What is kept with runs so that many of them are listed fast: the last value of each curve, and the monitored one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRunStore, type RunStore } from "../../../src/storage/run-store.js";

let dir: string;
let store: RunStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-kept-"));
  store = openRunStore(dir);
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const create = (config: object = {}) => store.createRun({ project: "p", config: { ...config } }).id;

function log(id: string, taskPath: string, metricName: string, values: readonly (number | null)[]): void {
  const points = values.map((value, i) => ({ epoch: i + 1, step: 10 * (i + 1), value, wallTime: i }));
  store.appendMetrics(
    id,
    points.map((point) => ({ ...point, split: "valid", taskPath, metricName })),
  );
}

const monitored = (id: string): unknown =>
  store.queryRuns({ where: `id = "${id}"`, columns: ["monitored"] })[0]?.values.monitored;

test("the monitored value is the last of valid, and that of the best epoch once there is one", () => {
  const id = create();
  expect(monitored(id)).toBeNull();
  log(id, "_total", "loss", [3, 1, 2]);
  expect(monitored(id)).toBe(2);
  store.updateRun(id, { bestEpoch: 2 });
  expect(monitored(id)).toBe(1);
  log(id, "door", "f1_score", [0.5]);
  expect(monitored(id)).toBe(1);
});

test("a value that is no number at the best epoch is not covered by a later one, and other curves leave it alone", () => {
  const id = create();
  log(id, "_total", "loss", [3, null, 2]);
  store.updateRun(id, { bestEpoch: 2 });
  expect(monitored(id)).toBeNull();
  log(id, "_total", "accuracy", [0.5]);
  expect(monitored(id)).toBeNull();
  // a resumed run passes its last steps a second time
  log(id, "_total", "loss", [3, 1, 2]);
  expect(monitored(id)).toBe(1);
  // before the best epoch has a point, the last one
  store.updateRun(id, { bestEpoch: 9 });
  expect(monitored(id)).toBe(2);
});

test("it follows the metric that the run is monitored by, also where that is said later", () => {
  const id = create({ train: { monitor: "door.open/f1_score" } });
  log(id, "_total", "loss", [3]);
  expect(monitored(id)).toBeNull();
  log(id, "door.open", "f1_score", [0.5, 0.75]);
  expect(monitored(id)).toBe(0.75);
  store.addConfig(id, { train: { monitor: "_total/loss" } });
  expect(monitored(id)).toBe(3);
});

test("a curve without an evaluation is asked for by its value at the highest step, whatever came last", () => {
  const id = create();
  log(id, "door", "f1_score", [0.1, 0.2, 0.3]);
  log(id, "door", "f1_score", [0.9]);
  const found = (value: number) => store.queryRuns({ where: `valid/door/f1_score = ${value}` }).length;
  expect([found(0.3), found(0.9)]).toEqual([1, 0]);
});

test("a run that is copied keeps both", () => {
  const id = create();
  log(id, "_total", "loss", [3, 1]);
  const other = openRunStore(join(dir, "other"));
  other.copyRunFrom(store, id);
  const [copied] = other.queryRuns({ where: "valid/_total/loss = 1", columns: ["monitored"] });
  expect(copied?.values).toEqual({ monitored: 1 });
  other.close();
});

test("the first runs of an order are those that all runs in this order begin with", () => {
  const ids = Array.from({ length: 12 }, (_, i) => {
    const id = create({ rate: (i * 7) % 12 });
    if (i % 3 > 0) log(id, "_total", "loss", [(i * 5) % 12]);
    return id;
  });
  for (const sort of ["monitored", "monitored:desc", "rate", "name:desc"]) {
    const all = store.queryRuns({ sort: [sort], columns: ["rate"] });
    expect(all).toHaveLength(ids.length);
    expect(store.queryRuns({ sort: [sort], columns: ["rate"], limit: 5 })).toEqual(all.slice(0, 5));
  }
});
