/** @file What a run measured is read back as it was written. */
import { expect, test } from "vitest";
import { decimate } from "../../src/plotting/decimate.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { openStore, temporaryDir, thrownBy } from "./support.js";

function storeWithRun() {
  const store = openStore(temporaryDir());
  return { store, id: store.createRun({ project: "p" }).id };
}

function point(step: number, value: number | null, others: Partial<MetricPoint> = {}): MetricPoint {
  return { split: "train", taskPath: "door_open", metricName: "loss", step, epoch: 0, value, wallTime: 1.5, ...others };
}

test("metric values are kept exactly, NaN, infinities and undefined included", () => {
  const { store, id } = storeWithRun();
  const values = [0.1 + 0.2, -1e-310, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null, 3];
  const points = values.map((value, step) => point(step, value));
  store.appendMetrics(id, points);
  expect(store.readMetrics(id)).toEqual(points);
});

test("curves are read by ascending step, all or some of them", () => {
  const { store, id } = storeWithRun();
  const valid = point(2, 5, { split: "valid", epoch: null });
  const nested = point(1, 6, { taskPath: "person_regression.face_x1", metricName: "mean_absolute_error" });
  store.appendMetrics(id, [point(10, 1), nested, valid, point(9, 2)]);
  expect(store.readMetrics(id)).toEqual([point(9, 2), point(10, 1), nested, valid]);
  expect(store.readMetrics(id, { split: "valid" })).toEqual([valid]);
  expect(store.readMetrics(id, { taskPath: nested.taskPath, metricName: "mean_absolute_error" })).toEqual([nested]);
  expect(store.readMetrics(id, { metricName: "' OR 1 = 1 --" })).toEqual([]);
  expect(store.lastMetrics(id)).toEqual([point(10, 1), nested, valid]);
  expect(store.lastMetrics(id, { split: "train", metricName: "loss" })).toEqual([point(10, 1)]);
});

/** Of a multiplicative generator: the same for each seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test("a curve is thinned while it is read as a drawing thins what it was given", () => {
  const { store, id } = storeWithRun();
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const next = numbers(seed);
    const odd = [Number.NaN, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let step = Math.floor(next() * 1e6);
    const points = Array.from({ length: 700 }, () => {
      step += 1 + Math.floor(next() ** 9 * 5000);
      const value = next() < 0.1 ? (odd[Math.floor(next() * 4)] ?? null) : Math.round(next() * 50);
      return point(step, value, { metricName: `m${seed}` });
    });
    store.appendMetrics(id, points);
    const [first = 0, last = 0] = [points[0]?.step, points.at(-1)?.step];
    for (const columns of [1, 7, 32, 174, 175]) {
      const drawn = points.map((one) => ({ x: one.step, y: one.value ?? Number.NaN, one }));
      const expected = decimate(drawn, columns, (x) => (x - first) / (last - first)).map(({ one }) => one);
      const name = { split: "train", taskPath: "door_open", metricName: `m${seed}` } as const;
      const thinned = store.thinnedMetrics(id, name, columns);
      expect(thinned.points).toEqual(expected);
      expect(thinned.total).toBe(700);
      expect(thinned.notFinite).toBe(points.filter(({ value }) => value !== null && !Number.isFinite(value)).length);
    }
  }
  const none = { split: "valid", taskPath: "t", metricName: "m" } as const;
  expect(store.thinnedMetrics(id, none, 10)).toEqual({ points: [], total: 0, notFinite: 0 });
});

test("points find their curves also where another process has written, a write has failed, or a run went and came", () => {
  const dir = temporaryDir();
  const [store, other] = [openStore(dir), openStore(dir)];
  const { id } = store.createRun({ project: "p" });
  const of = (metricName: string, step: number, value: number) => point(step, value, { metricName });
  store.appendMetrics(id, [of("a", 1, 1)]);
  other.appendMetrics(id, [of("b", 1, 2)]);
  // the new curve c is not kept, and its number goes to the next new one
  expect(() => store.appendMetrics(id, [of("c", 1, 3), of("a", 1.5, 1)])).toThrow();
  other.appendMetrics(id, [of("d", 1, 4)]);
  store.appendMetrics(id, [of("c", 1, 5), of("d", 2, 6)]);
  expect(() => store.appendMetrics(id, [of("e", 1, 3), of("a", 1.5, 1)])).toThrow();
  store.appendMetrics(id, [of("f", 1, 7)]);
  store.appendMetrics(id, [of("e", 1, 8)]);
  const read = other.readMetrics(id).map(({ metricName, step, value }) => [metricName, step, value]);
  expect(read).toEqual([
    ...[
      ["a", 1, 1],
      ["b", 1, 2],
      ["c", 1, 5],
      ["d", 1, 4],
      ["d", 2, 6],
    ],
    ["e", 1, 8],
    ["f", 1, 7],
  ]);
  store.finishRun(id, "finished");
  store.trashRun(id);
  store.deleteRun(id);
  const second = store.createRun({ project: "p" }).id;
  store.appendMetrics(second, [of("z", 1, 9)]);
  expect(() => store.appendMetrics(id, [of("a", 2, 1)])).toThrow();
  expect(store.readMetrics(second)).toEqual([of("z", 1, 9)]);
});

test("a resumed run writes its last steps anew", () => {
  const { store, id } = storeWithRun();
  store.appendMetrics(id, [point(1, 1), point(2, Number.NaN)]);
  store.appendMetrics(id, [point(2, 3, { epoch: 1, wallTime: 9 })]);
  expect(store.readMetrics(id)).toEqual([point(1, 1), point(2, 3, { epoch: 1, wallTime: 9 })]);
});

test("points that cannot all be written are not written at all", () => {
  const { store, id } = storeWithRun();
  expect(() => store.appendMetrics(id, [point(1, 1), point(1.5, 1)])).toThrow();
  expect(store.readMetrics(id)).toEqual([]);
});

test("what is on record of a calibration is that of the last one", () => {
  const { store, id } = storeWithRun();
  const row = { method: "isotonic", split: "valid" as const, taskPath: "door", metricName: "brier", numSamples: 3 };
  store.replaceCalibration(id, [{ ...row, raw: 0.5, calibrated: 0.25 }]);
  const later = [{ ...row, method: "temperature", raw: null, calibrated: null }];
  store.replaceCalibration(id, later);
  expect(store.readCalibration(id)).toEqual(later);
  store.replaceCalibration(id, []);
  expect(store.readCalibration(id)).toEqual([]);
});

test("a task has one set of thresholds, the one tuned last", () => {
  const { store, id } = storeWithRun();
  const characteristics = ["red", "green"].map((label, labelIndex) => ({
    taskPath: "facial_characteristics",
    labelIndex,
    label,
    value: 0.25 + labelIndex / 2,
  }));
  const doorOpen = { taskPath: "door_open", labelIndex: 0, label: null, value: 0.5 };
  store.replaceThresholds(id, "f1_score", [...characteristics, doorOpen]);
  store.replaceThresholds(id, "accuracy", [{ ...doorOpen, value: 0.75 }]);
  expect(store.readThresholds(id)).toEqual([
    { ...doorOpen, value: 0.75, metricName: "accuracy" },
    ...characteristics.map((row) => ({ ...row, metricName: "f1_score" })),
  ]);
});

test("an evaluation replaces the frames it has rows of, and keeps the order of the flow", () => {
  const { store, id } = storeWithRun();
  const row = (split: "valid" | "test", gates: "truth" | "predicted", task: string, metric_res: number | null) =>
    ({ split, task_path: task, metric_name: "accuracy", metric_res, num_samples: 8, gates }) satisfies EvaluationRow;
  const first = [
    row("valid", "truth", "z_first_in_flow", 0.5),
    row("valid", "truth", "a_second_in_flow", null),
    row("valid", "predicted", "z_first_in_flow", 0.25),
  ];
  store.replaceEvaluation(id, [row("test", "truth", "z_first_in_flow", 1), ...first]);
  expect(store.readEvaluation(id, { split: "valid" })).toEqual(first);
  const renewed = row("valid", "truth", "a_second_in_flow", Number.NaN);
  store.replaceEvaluation(id, [renewed]);
  expect(store.readEvaluation(id)).toEqual([
    { ...renewed, metric_res: null },
    first[2],
    row("test", "truth", "z_first_in_flow", 1),
  ]);
  expect(store.readEvaluation(id, { gates: "predicted" })).toEqual([first[2]]);
});

test("an evaluation keeps its baselines, and says nothing of those that are not there", () => {
  const { store, id } = storeWithRun();
  const row = { split: "test", task_path: "door", metric_res: 0.5, num_samples: 8, gates: "truth" } as const;
  const rows: EvaluationRow[] = [
    { ...row, metric_name: "accuracy", baseline: 0.625, beats_baseline: false },
    { ...row, metric_name: "loss", baseline: 0.7, beats_baseline: true },
    { ...row, metric_name: "recall", baseline: 1, interval: [0.25, 0.75] as const },
    { ...row, metric_name: "perplexity" },
  ];
  store.replaceEvaluation(id, rows);
  expect(store.readEvaluation(id)).toEqual(rows);
});

test("best and worst samples are kept with their labels and answers", () => {
  const { store, id } = storeWithRun();
  const sample = (side: "best" | "worst", rank: number, loss: number | null, label: unknown) =>
    ({
      taskPath: "door_open",
      side,
      rank,
      sample: `img/${side}${rank}.png`,
      loss,
      label,
      prediction: { decoded: true },
    }) as const;
  const samples = [sample("best", 0, 0.1, true), sample("worst", 0, 9, ["red"]), sample("worst", 1, 8, null)];
  store.replaceInterpretation(id, "valid", samples.toReversed());
  store.replaceInterpretation(id, "test", [sample("best", 0, 1, 3.5)]);
  expect(store.readInterpretation(id, { split: "valid" })).toEqual(samples.map((row) => ({ split: "valid", ...row })));
  expect(store.readInterpretation(id, { split: "valid", side: "worst", taskPath: "door_open" })).toHaveLength(2);
  store.replaceInterpretation(id, "valid", []);
  expect(store.readInterpretation(id).map((row) => row.split)).toEqual(["test"]);
});

test("artifacts are files of the run's folder, with their newest digests", () => {
  const { store, id } = storeWithRun();
  store.recordArtifacts(id, [
    { path: "graph.json", bytes: 10, sha256: "aa" },
    { path: "checkpoints/best/model.json", bytes: 20, sha256: "bb" },
  ]);
  store.recordArtifacts(id, [{ path: "./graph.json", bytes: 11, sha256: "cc" }]);
  expect(store.readArtifacts(id)).toEqual([
    { path: "checkpoints/best/model.json", bytes: 20, sha256: "bb" },
    { path: "graph.json", bytes: 11, sha256: "cc" },
  ]);
  for (const path of ["../other/graph.json", "/etc/passwd", "a/../../b", ""]) {
    expect(thrownBy(() => store.recordArtifacts(id, [{ path, bytes: 1, sha256: "dd" }])).message).toContain("outside");
  }
});
