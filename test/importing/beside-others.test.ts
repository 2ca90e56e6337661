/** @file Others write into the store while a run is imported, and what a killed or failed import leaves. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { DataError } from "../../src/errors.js";
import { importSource } from "../../src/importing/import-source.js";
import { NO_FACTS, type Source } from "../../src/importing/shape.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { curvesOf } from "./support.js";

/** A source of one run, which calls `between` while it is read. */
function sourceOf(between: () => void, points = 120_000): Source {
  const read: Source["runs"][number]["read"] = (sink) => {
    for (let step = 0; step < points; step += 1) {
      sink.point("loss", step === 1 ? Number.NaN : step, { step, time: 1_700_000_000 + step });
      if (step % 50_000 === 0) between();
    }
    sink.point("loss", -1, { step: 0, time: 1_700_000_000 });
    return { ...NO_FACTS, name: "foreign" };
  };
  const run = { id: "one", label: "foreign", startedAt: null, digest: () => String(points), read };
  return { kind: "csv", path: "/nowhere", understood: [], left: [], runs: [run] };
}

test("a training beside it writes all the time while a run is read", () => {
  const dir = temporaryDir();
  const other = openStore(dir);
  const own = other.createRun({ name: "own", project: "p" });
  let written = 0;
  const store = openStore(dir);
  importSource(
    store,
    sourceOf(() => {
      const place = { split: "train", taskPath: "_total", metricName: "loss" } as const;
      other.appendMetrics(own.id, [{ ...place, step: written, epoch: null, value: 1, wallTime: 1 }]);
      // nothing of a run is seen before all of it is there
      expect(other.listRuns().map(({ name }) => name)).toEqual(["own"]);
      written += 1;
    }),
  );
  expect(written).toBe(3);
  expect(curvesOf(other, "own")["train/_total/loss"]).toHaveLength(3);
  const curve = other.readMetrics(other.findRun("foreign").id);
  expect(curve).toHaveLength(120_000);
  expect(curve.slice(0, 3).map(({ value }) => value)).toEqual([-1, Number.NaN, 2]);
  expect(readdirSync(dir).filter((name) => name.startsWith(".cool-import"))).toEqual([]);
});

test("what has grown is added, in one piece, and a source that breaks leaves nothing", () => {
  const dir = temporaryDir();
  const store = openStore(dir);
  importSource(
    store,
    sourceOf(() => {}, 10),
  );
  const broken = sourceOf(() => {
    throw new DataError("torn");
  }, 20);
  expect(importSource(store, broken).refused).toEqual([{ name: "foreign", reason: "torn" }]);
  expect(curvesOf(store, "foreign")["train/_total/loss"]).toHaveLength(10);
  expect(
    importSource(
      store,
      sourceOf(() => {}, 20),
    ).updated,
  ).toMatchObject([{ new_points: 10 }]);
  expect(
    importSource(
      store,
      sourceOf(() => {}, 5),
      { again: true },
    ).updated,
  ).toMatchObject([{ points: 6, new_points: 0 }]);
  expect(curvesOf(store, "foreign")["train/_total/loss"]).toHaveLength(5);
  expect(readdirSync(dir).filter((name) => name.startsWith(".cool-import"))).toEqual([]);
});
