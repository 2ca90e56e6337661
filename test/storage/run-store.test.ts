/** @file Runs: created, found, listed, changed, and what belongs to them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UnknownNameError } from "../../src/errors.js";
import { secondsUntil } from "../../src/storage/run-record.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir, thrownBy, tickingClock } from "./support.js";

const START = "2026-11-23T07:44:55.000Z";

/** Numbers that make the ids' suffixes 0000, 1111, …: four equal numbers per run. */
function countingRandom(): () => number {
  let calls = 0;
  return () => {
    calls += 1;
    return (Math.floor((calls - 1) / 4) % 36) / 36;
  };
}

function newStore() {
  return openStore(temporaryDir(), { now: tickingClock(START), random: countingRandom() });
}

describe("a new run", () => {
  test("has an id that sorts by time, a folder, and all that was told about it", () => {
    const store = openStore(temporaryDir(), { now: () => new Date(START), random: () => 0.6 });
    const run = store.createRun({
      project: "home-security",
      seed: 7,
      backend: "wasm",
      backendVersion: "4.22.0",
      epochs: 10,
      commandLine: "cool run --epochs 10",
      git: { commit: "abc", branch: "main", dirty: true },
      tags: ["b", "a"],
      note: "first",
    });
    expect(run).toMatchObject({
      id: "20261123-074455-llll", // floor(0.6 · 36) = 21, the 22nd of 0-9a-z
      name: "home-security-1",
      project: "home-security",
      state: "running",
      displayState: "running",
      tags: ["a", "b"],
      note: "first",
      createdAt: START,
      startedAt: START,
      heartbeatAt: START,
      endedAt: null,
      deletedAt: null,
      error: null,
      seed: 7,
      backend: "wasm",
      backendVersion: "4.22.0",
      epochs: 10,
      epochsDone: 0,
      pid: process.pid,
      gitCommit: "abc",
      gitBranch: "main",
      gitDirty: true,
      commandLine: "cool run --epochs 10",
      nodeVersion: process.versions.node,
    });
    expect(store.runDir(run.id)).toBe(join(store.dir, "runs", run.id));
    expect(existsSync(store.runDir(run.id))).toBe(true);
    expect(store.getRun(run.id)).toEqual(run);
  });

  test("gets another id where the first one is taken", () => {
    const numbers = [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5];
    const store = openStore(temporaryDir(), { now: () => new Date(START), random: () => numbers.shift() ?? 0 });
    expect(store.createRun({ project: "p" }).id).toBe("20261123-074455-0000");
    expect(store.createRun({ project: "p" }).id).toBe("20261123-074455-iiii");
  });

  test("is numbered within its project", () => {
    const store = newStore();
    const names = ["a", "a", "b"].map((project) => store.createRun({ project }).name);
    expect(names).toEqual(["a-1", "a-2", "b-1"]);
  });

  test("that cannot be stored leaves no folder", () => {
    const store = newStore();
    expect(() => store.createRun({ project: "p", config: { big: 1n } })).toThrow(TypeError);
    expect(readdirSync(join(store.dir, "runs"))).toEqual([]);
    expect(store.listRuns()).toEqual([]);
  });

  test("keeps its configuration as flat, typed values", () => {
    const store = newStore();
    const { id } = store.createRun({
      project: "p",
      config: {
        train: { optimizer: { kind: "adamw", learningRate: 1e-3 }, clip: null, shuffle: true, unset: undefined },
        size: [64, 64],
        empty: {},
        limit: Number.POSITIVE_INFINITY,
        text: "true",
        files: { "a.csv": 1, __proto__x: 2 },
      },
    });
    expect(store.readConfig(id)).toEqual({
      "train.optimizer.kind": "adamw",
      "train.optimizer.learningRate": 1e-3,
      "train.clip": null,
      "train.shuffle": true,
      size: [64, 64],
      empty: {},
      limit: Number.POSITIVE_INFINITY,
      text: "true",
      'files["a.csv"]': 1,
      "files.__proto__x": 2,
    });
  });
});

describe("names", () => {
  test.each([
    ["of SQL", "'; drop table runs; --"],
    ["of a path", "../../etc/passwd"],
    ["of many scripts", "日本語 🎉 👩‍👩‍👧"],
    ["of wildcards", "100%_done"],
    ["of shell syntax", '"quoted" `back` $(touch x)'],
    ["of 200 characters", "x".repeat(200)],
    ["of 200 emoji", "🎉".repeat(200)],
  ])("%s are stored as they are, and are part of no path", (_, name) => {
    const store = newStore();
    const { id } = store.createRun({ project: "p", name });
    expect(store.findRun(name)).toMatchObject({ id, name });
    expect(readdirSync(join(store.dir, "runs"))).toEqual([id]);
    expect(store.listRuns()).toHaveLength(1);
  });

  test.each([
    ["of 201 characters", "x".repeat(201), "has 201 characters; shorten it to 200"],
    ["of 10,000 characters", "x".repeat(10_000), "has 10000 characters"],
    ["with a line break", "two\nlines", "control character or line break (U+000A)"],
    ["with a NUL", "nul\0byte", "U+0000"],
    ["with a terminal's escape", "\u001b[31mred", "U+001B"],
    ["with a line separator", "line\u2028separator", "U+2028"],
    ["with half a surrogate pair", "half \ud83c", "U+D83C"],
    ["of blanks", "   ", "must not be empty"],
    ["that mean something else", "latest", "always means the most recent one"],
  ])("%s are refused", (_, name, reason) => {
    const store = newStore();
    const { id } = store.createRun({ project: "p" });
    for (const attempt of [() => store.createRun({ project: "p", name }), () => store.updateRun(id, { name })]) {
      const error = thrownBy(attempt);
      expect(error).toMatchObject({ name: "UsageError", exitCode: 2 });
      expect(error.message).toContain(reason);
      expect(error.message.length).toBeLessThan(400);
    }
    expect(store.listRuns()).toHaveLength(1);
  });

  test("of a project are cut where they become part of a run's name", () => {
    const store = newStore();
    expect(store.createRun({ project: "p".repeat(500) }).name).toBe(`${"p".repeat(150)}-1`);
  });
});

describe("a run is found", () => {
  test("by id, by the start of its id, by name, and as the latest", () => {
    const store = newStore();
    const [first, second] = [
      store.createRun({ project: "p", name: "one" }),
      store.createRun({ project: "p", name: "two" }),
    ];
    expect(store.findRun(first.id).id).toBe(first.id);
    expect(store.findRun(first.id.slice(0, -2)).id).toBe(first.id);
    expect(store.findRun("one").id).toBe(first.id);
    expect(store.findRun("latest").id).toBe(second.id);
  });

  test("as the most recent of several with one name", () => {
    const store = newStore();
    store.createRun({ project: "p", name: "same" });
    const second = store.createRun({ project: "p", name: "other" });
    store.updateRun(second.id, { name: "same" });
    expect(store.findRun("same").id).toBe(second.id);
  });

  test("by the number that its name is given where another run has it, in the trash too", () => {
    const store = newStore();
    const named = () => store.createRun({ project: "p", name: "base" });
    const names = [named(), named(), named()].map(({ name }) => name);
    expect(names).toEqual(["base", "base-2", "base-3"]);
    store.createRun({ project: "p", name: "p-5" });
    // the fifth run of the project, whose number is taken
    expect(store.createRun({ project: "p" }).name).toBe("p-6");
    const { id } = store.findRun("base-3");
    store.finishRun(id, "finished");
    store.trashRun(id);
    expect(named().name).toBe("base-4");
  });

  test("as the latest in the order of creation where the times are equal", () => {
    const random = [0.9, 0.9, 0.9, 0.9, 0, 0, 0, 0];
    const store = openStore(temporaryDir(), { now: () => new Date(START), random: () => random.shift() ?? 0 });
    store.createRun({ project: "p" });
    const second = store.createRun({ project: "p" });
    expect(store.findRun("latest").id).toBe(second.id);
  });

  test("never by a start that several ids share: they are listed", () => {
    const store = newStore();
    const ids = [1, 2, 3].map(() => store.createRun({ project: "p" }).id);
    const error = thrownBy(() => store.findRun("20261123"));
    expect(error.message).toContain('3 runs have ids that start with "20261123"');
    expect(error.facts).toMatchObject({ matches: ids.toReversed() });
  });

  test("never by a pattern", () => {
    const store = newStore();
    store.createRun({ project: "p" });
    for (const reference of ["%", "2026112_", "*", ""])
      expect(() => store.findRun(reference)).toThrow(UnknownNameError);
  });

  test("or the nearest name is offered", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p", name: "baseline" });
    const error = thrownBy(() => store.findRun("basline"));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error.message).toBe('No run named "basline". Did you mean "baseline"?');
    expect(error.facts).toMatchObject({ known: ["baseline", id] });
    expect(thrownBy(() => store.getRun("nonsense"))).toBeInstanceOf(UnknownNameError);
    expect(thrownBy(() => store.appendMetrics("nonsense", []))).toBeInstanceOf(UnknownNameError);
    expect(thrownBy(() => store.runDir("../.."))).toBeInstanceOf(UnknownNameError);
  });

  test("in an empty store there is no latest", () => {
    expect(thrownBy(() => newStore().findRun("latest")).message).toContain("holds no run yet");
  });
});

describe("a run changes", () => {
  test("in what a run may change", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p", epochs: 3 });
    store.updateRun(id, { name: "renamed", note: "line one\nline two", epochsDone: 2, backend: undefined });
    expect(store.getRun(id)).toMatchObject({ name: "renamed", note: "line one\nline two", epochs: 3, epochsDone: 2 });
    store.updateRun(id, { note: null });
    expect(store.getRun(id).note).toBeNull();
    expect(store.updateRun(id, {}).name).toBe("renamed");
  });

  test("to its end, with the reason of a failure", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p" });
    const failed = store.finishRun(id, "failed", { error: "The loss is NaN." });
    expect(failed).toMatchObject({ state: "failed", displayState: "failed", error: "The loss is NaN." });
    expect(Date.parse(failed.endedAt ?? "")).toBeGreaterThan(Date.parse(failed.startedAt));
  });

  test("back to running when it is resumed, which makes it the latest", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p" });
    store.finishRun(id, "interrupted");
    store.createRun({ project: "p" });
    const resumed = store.resumeRun(id);
    expect(resumed).toMatchObject({ state: "running", endedAt: null, error: null, createdAt: START });
    expect(store.findRun("latest").id).toBe(id);
  });

  test("over several sessions, whose start is the first one's and whose times add up", () => {
    let now = Date.parse("2026-11-23T08:00:00Z");
    const at = (minute: number) => (now = Date.parse("2026-11-23T08:00:00Z") + minute * 60_000);
    const store = openRunStore(temporaryDir(), { now: () => new Date(now) });
    const { id, startedAt } = store.createRun({ project: "p" });
    at(3);
    store.finishRun(id, "interrupted");
    at(60);
    store.resumeRun(id);
    at(62);
    store.finishRun(id, "interrupted");
    at(100);
    store.resumeRun(id);
    at(110);
    const run = store.finishRun(id, "finished");
    expect(run.startedAt).toBe(startedAt);
    expect(run.endedAt).toBe("2026-11-23T09:50:00.000Z");
    expect(secondsUntil(run.endedAt ?? "", run)).toBe(15 * 60);
    const [queried] = store.queryRuns({ columns: ["duration", "started"] });
    expect(queried?.values.duration).toBeCloseTo(15 * 60, 2);
    expect(store.queryRuns({ where: "duration > 840 and duration < 960" })).toHaveLength(1);
    store.close();
  });

  test("but is neither resumed nor removed while it runs", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p" });
    expect(thrownBy(() => store.resumeRun(id)).message).toContain(`process ${process.pid}`);
    expect(thrownBy(() => store.trashRun(id)).message).toContain("Stop it first");
  });

  test("in its tags", () => {
    const store = newStore();
    const { id } = store.createRun({ project: "p", tags: ["old"] });
    expect(store.addTags(id, ["good", "old"]).tags).toEqual(["good", "old"]);
    expect(store.removeTags(id, ["old", "never there"]).tags).toEqual(["good"]);
    expect(() => store.addTags(id, ["fine", "not\tfine"])).toThrow("control character");
    expect(store.getRun(id).tags).toEqual(["good"]);
  });

  test("to the trash and back, with all that belongs to it", () => {
    const store = newStore();
    const kept = store.createRun({ project: "p", name: "kept" });
    const { id } = store.createRun({ project: "p", name: "gone" });
    store.finishRun(id, "finished");
    expect(store.trashRun(id).deletedAt).not.toBeNull();
    expect(store.listRuns().map((run) => run.id)).toEqual([kept.id]);
    expect(store.listRuns({ includeTrash: true })).toHaveLength(2);
    expect(store.findRun("latest").id).toBe(kept.id);
    expect(existsSync(store.runDir(id))).toBe(true);
    expect(store.restoreRun(store.findRun("gone").id).deletedAt).toBeNull();
    expect(store.findRun("latest").id).toBe(id);
  });
});

test("runs are listed from the latest, by state, and up to a limit", () => {
  const store = newStore();
  const ids = [1, 2, 3].map(() => store.createRun({ project: "p" }).id);
  store.finishRun(ids[0] ?? "", "finished");
  expect(store.listRuns().map((run) => run.id)).toEqual(ids.toReversed());
  expect(store.listRuns({ state: "finished" }).map((run) => run.id)).toEqual([ids[0]]);
  expect(store.listRuns({ state: "running", limit: 1 }).map((run) => run.id)).toEqual([ids[2]]);
  expect(store.listRuns({ limit: 2 })).toHaveLength(2);
  expect(store.listRuns({ limit: 0 })).toEqual([]);
});
