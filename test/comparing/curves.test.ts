/** @file Curves of a real store, as they are drawn. */
import { describe, expect, it } from "vitest";
import { drawnCurves } from "../../src/comparing/curves.js";
import type { RunStore } from "../../src/storage/run-store.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { openStore, temporaryDir } from "../storage/support.js";

type Values = Readonly<Record<string, readonly (number | null)[]>>;

/** @param values by `split/task/metric`, one for each epoch of ten steps */
function addRun(store: RunStore, name: string, values: Values, { step = 10, monitor = "_total/loss" } = {}): string {
  const { id, startedAt } = store.createRun({ project: "p", name, config: { train: { monitor } } });
  const start = Date.parse(startedAt) / 1000;
  const points = Object.entries(values).flatMap(([curve, ys]) => {
    const [split = "", taskPath = "", ...metric] = curve.split("/");
    return ys.map(
      (value, i): MetricPoint => ({
        ...{ split: split as MetricPoint["split"], taskPath, metricName: metric.join("/") },
        ...{ step: step * (i + 1), epoch: i + 1, value, wallTime: start + 60 * (i + 1) },
      }),
    );
  });
  store.appendMetrics(id, points);
  return id;
}

const LOSSES: Values = {
  "train/_total/loss": [4, 2, 1],
  "valid/_total/loss": [5, 3, 2],
  "valid/door.open/f1_score": [0.5, null, Number.NaN],
  "valid/door.open/f1_score/red": [0.1, 0.2, 0.3],
  "train/_system/process_cpu_percent": [50, 60, 70],
};
const QUERY = { metrics: [], x: "step", smooth: 0 } as const;

function named(store: RunStore, ...metrics: string[]): string[] {
  return drawnCurves(store, [], { ...QUERY, metrics }).curves.map((c) => `${c.split}/${c.taskPath}/${c.metricName}`);
}

describe("names of curves", () => {
  it("have stars for a part, for any parts, and no split for all splits", () => {
    const store = openStore(temporaryDir());
    addRun(store, "one", LOSSES);
    expect(named(store, "valid/*/f1_score")).toEqual(["valid/door.open/f1_score"]);
    expect(named(store, "valid/**")).toEqual([
      "valid/_total/loss",
      "valid/door.open/f1_score",
      "valid/door.open/f1_score/red",
    ]);
    expect(named(store, "_total/loss")).toEqual(["train/_total/loss", "valid/_total/loss"]);
    expect(named(store, "*/*/loss", "valid/door.open/f1_score/re?")).toHaveLength(3);
    // the load of the machine is asked for by name
    expect(named(store, "**")).toHaveLength(4);
    expect(named(store, "train/_system/*")).toEqual(["train/_system/process_cpu_percent"]);
  });

  it("that no run has are an error with the nearest", () => {
    const store = openStore(temporaryDir());
    addRun(store, "one", LOSSES);
    expect(() => named(store, "valid/door.opn/f1_score")).toThrow(/Did you mean "valid\/door\.open\/f1_score"/);
    expect(() => named(store, "valid/[a-/f1")).toThrow(/No curve named "valid\/\[a-\/f1"/);
    expect(() => named(store, "test/x/y@end_to_end")).toThrow(/Leave out what stands after the @/);
  });

  it("are those of the monitor where none is given", () => {
    const store = openStore(temporaryDir());
    addRun(store, "one", LOSSES, { monitor: "door.open/f1_score" });
    expect(named(store)).toEqual(["valid/door.open/f1_score"]);
    // what another program trains need not have a total loss
    addRun(store, "two", { "train/door/loss": [1], "train/door/accuracy": [1] });
    expect(named(store)).toEqual(["train/door/loss"]);
    addRun(store, "three", { "train/door/accuracy": [1], "train/_system/process_cpu_percent": [1] });
    expect(named(store)).toEqual(["train/door/accuracy"]);
  });
});

describe("curves", () => {
  it("stand by step, epoch or seconds since the start, with undefined values as gaps", () => {
    const store = openStore(temporaryDir());
    const id = addRun(store, "one", LOSSES);
    const points = (x: "step" | "epoch" | "time") =>
      drawnCurves(store, ["one"], { metrics: ["valid/door.open/f1_score"], x, smooth: 0 }).curves[0]?.points ?? [];
    expect(points("step")).toEqual([
      { x: 10, y: 0.5 },
      { x: 20, y: Number.NaN },
      { x: 30, y: Number.NaN },
    ]);
    expect(points("epoch").map(({ x }) => x)).toEqual([1, 2, 3]);
    expect(points("time").map(({ x }) => Math.round(x))).toEqual([60, 120, 180]);
    store.appendMetrics(id, [
      { split: "train", taskPath: "own", metricName: "m", step: 1, epoch: null, value: 1, wallTime: 0 },
    ]);
    expect(() => drawnCurves(store, ["one"], { metrics: ["train/own/m"], x: "epoch", smooth: 0 })).toThrow(/no epochs/);
  });

  it("of runs of one name are told apart, and a run without the curve is named", () => {
    const store = openStore(temporaryDir());
    const ids = [addRun(store, "same", LOSSES), addRun(store, "same", LOSSES), addRun(store, "bare", {})];
    for (const id of ids.slice(0, 2)) store.updateRun(id, { name: "same" });
    const { curves, notes } = drawnCurves(store, ids, { ...QUERY, metrics: ["valid/_total/loss"] });
    expect(curves.map(({ run }) => run)).toEqual(ids.slice(0, 2).map((id) => `same ${id.slice(-4)}`));
    expect(notes).toEqual(["bare has no curve valid/_total/loss."]);
    expect(() => drawnCurves(store, ["bare"], QUERY)).toThrow("bare has no curves yet.");
  });

  it("of a group are a mean with a band, met by epoch where folds differ in their steps", () => {
    const store = openStore(temporaryDir());
    const group = store.createGroup({ kind: "folds", project: "p", name: "cv", planned: 2 });
    const folds = [
      addRun(store, "cv-1", { "valid/_total/loss": [3, 1] }, { step: 10 }),
      addRun(store, "cv-2", { "valid/_total/loss": [5, 3] }, { step: 12 }),
    ];
    folds.forEach((id, i) => void store.addToGroup(group.id, id, i + 1));
    const [curve] = drawnCurves(store, ["cv"], QUERY).curves;
    expect(curve?.run).toBe("cv (mean of 2)");
    // by hand: means of 3, 5 and 1, 3 at the mean steps; the deviation of two that differ by 2 is √2
    expect(curve?.points).toEqual([
      { x: 11, y: 4 },
      { x: 22, y: 2 },
    ]);
    expect(curve?.band?.map(({ low, high }) => +(high - low).toFixed(9))).toEqual([2.828427125, 2.828427125]);
  });

  it("of a group that logs by step meet by step, and have no place over epochs that nobody told", () => {
    const store = openStore(temporaryDir());
    const group = store.createGroup({ kind: "folds", project: "p", name: "cv", planned: 2 });
    const name = { split: "train", taskPath: "_total", metricName: "loss" } as const;
    for (const [i, values] of [
      [4, 2],
      [6, 4],
    ].entries()) {
      const { id, startedAt } = store.createRun({ project: "p", name: `cv-${i}` });
      const wallTime = Date.parse(startedAt) / 1000;
      // both steps belong to epoch 1
      store.appendMetrics(id, [
        ...values.map((value, at) => ({ ...name, step: at + 1, epoch: 1, value, wallTime })),
        { ...name, metricName: "free", step: 1, epoch: null, value: 1, wallTime },
      ]);
      store.addToGroup(group.id, id, i + 1);
    }
    const [curve] = drawnCurves(store, ["cv"], { ...QUERY, metrics: ["_total/loss"] }).curves;
    // by hand: the means of 4, 6 and of 2, 4
    expect(curve?.points).toEqual([
      { x: 1, y: 5 },
      { x: 2, y: 3 },
    ]);
    expect(() => drawnCurves(store, ["cv"], { ...QUERY, metrics: ["_total/free"], x: "epoch" })).toThrow(
      /has no epochs/,
    );
  });

  it("are counted and listed without their points", () => {
    const store = openStore(temporaryDir());
    const id = addRun(store, "one", LOSSES);
    const names = store.listCurves(id);
    expect(names[0]).toEqual({ split: "train", taskPath: "_total", metricName: "loss" });
    expect(names.map((name) => store.countPoints(id, name))).toEqual([3, 3, 3, 3, 3]);
    expect(store.countPoints(id, { split: "test", taskPath: "no", metricName: "no" })).toBe(0);
    const from = store.readMetrics(id, { split: "valid", taskPath: "_total", metricName: "loss", fromStep: 20 });
    expect(from.map(({ value }) => value)).toEqual([3, 2]);
  });
});
