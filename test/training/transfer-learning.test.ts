/** @file Runs that begin with the weights of another, and keep some of them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { runFiles } from "../../src/records/run-folder.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let first: RunResult;
const store = () => join(project.dir, ".cool");

beforeAll(async () => {
  project = await tinyProject();
  first = await train([], { name: "first" });
});
afterAll(() => project.remove());

async function train(settings: string[], options: TrainRunOptions = {}): Promise<RunResult> {
  return trainRun(await loadProject(project.dir, ["train.epochs=1", ...settings]), options);
}

function logOf({ run }: RunResult): string {
  return readFileSync(join(run.dir, "stdout.log"), "utf8");
}

/** Weights of every layer of a run, in the order of its model. */
async function weightsOf(name: string): Promise<Map<string, Float32Array[]>> {
  const run = await loadRun(store(), name);
  const { model } = run;
  const weighted = model.layers.filter(({ weights }) => weights.length > 0);
  const values = weighted.map((layer) => layer.getWeights().map((w) => (w.dataSync() as Float32Array).slice()));
  run.close();
  // automatic names count up through the process
  return new Map(weighted.map(({ name: layer }, i) => [layer.replace(/\d+$/, ""), values[i] ?? []]));
}

const HEADS = ["blocked", "present", "square.color", "square.marks", "square.position.x"];

describe("a run that begins with another's weights", () => {
  test("says what it has taken, and records it", async () => {
    const next = await train([], { from: "first", name: "second" });
    expect(logOf(next)).toMatch(
      /starts from \S+: 8 of 8 layers taken \(conv2d_Conv2D\d+, dense_Dense\d+, dense_Dense\d+, blocked, present, square\.color, square\.marks, square\.position\.x\); fresh: none/,
    );
    const { settings, transfer } = readRunConfig(next.run.dir);
    expect(settings.train.from).toEqual({ run: first.run.id });
    expect(transfer?.from).toBe(first.run.id);
    expect(transfer?.taken.slice(-5)).toEqual(HEADS.map((layer) => ({ layer, from: layer })));
    expect(transfer?.fresh).toEqual([]);
  });

  test("keeps what it froze bit by bit, and trains the rest", async () => {
    const freeze = `train.freeze=["features", "place", "square"]`;
    await train([freeze], { from: "first", name: "frozen" });
    const [before, after] = [await weightsOf("first"), await weightsOf("frozen")];
    const moved = [...after].filter(([name, values]) => JSON.stringify(values) !== JSON.stringify(before.get(name)));
    expect(moved.map(([name]) => name)).toEqual(["blocked", "present"]);
  });

  test("may have other tasks and a wider head", async () => {
    project.editConfig(['classes: ["red", "green", "blue"]', 'classes: ["red", "green", "blue", "pink"]']);
    const next = await train([], { from: "latest", name: "wider" });
    expect(readRunConfig(next.run.dir).transfer?.fresh).toEqual(["square.color"]);
    project.editConfig(['classes: ["red", "green", "blue", "pink"]', 'classes: ["red", "green", "blue"]']);
  });

  test("may begin with a model's file, named relative to the project", async () => {
    const checkpoint = join(runFiles(first.run.dir).checkpoint("best"), "model.json").slice(project.dir.length + 1);
    const next = await train([`train.from=${checkpoint}`], { name: "of a file" });
    expect(readRunConfig(next.run.dir).transfer).toMatchObject({ from: checkpoint, fresh: [] });
  });

  test("goes on after an interruption with the same parts frozen", async () => {
    const freeze = `train.freeze=["features", "place"]`;
    const controller = new AbortController();
    const stopped = train([freeze, "train.epochs=2"], {
      from: "first",
      name: "stopped",
      signal: controller.signal,
      loggers: [{ epoch: ({ epoch }) => epoch === 1 && controller.abort() }],
    });
    await expect(stopped).rejects.toThrow("--resume");
    await trainRun(await loadProject(project.dir), { resume: "stopped" });
    const [before, after] = [await weightsOf("first"), await weightsOf("stopped")];
    const moved = [...after].filter(([name, values]) => JSON.stringify(values) !== JSON.stringify(before.get(name)));
    expect(moved.map(([name]) => name)).toEqual(HEADS);
  });
});

describe("what cannot be followed is refused before a run exists", () => {
  const countRuns = (): number => {
    const opened = openRunStore(store(), { readonly: true });
    const { length } = opened.listRuns();
    opened.close();
    return length;
  };

  test.each([
    ["an unknown run", [], { from: "frist" }, 'No run named "frist"'],
    ["a part that is not there", ['train.freeze=["featurs"]'], {}, 'Did you mean "features"?'],
    ["a model that is not there", ["train.from=trunk/model.json"], {}, "it is not there"],
    ["a setting of the wrong kind", ["train.from=3"], {}, '"train.from" is wrong'],
    ["from and resume at once", [], { from: "first", resume: "first" }, "leave out either"],
  ])("%s", async (_what, settings, options, message) => {
    const before = countRuns();
    await expect(train(settings, options)).rejects.toThrow(message);
    expect(countRuns()).toBe(before);
  });

  test("a run of which nothing fits", async () => {
    project.editConfig(["filters: 8", "filters: 7"], ["units: 16", "units: 15"], ["units: 16", "units: 15"]);
    await expect(train([], { from: "first" })).rejects.toThrow(/Nothing of run \S+ \(first\) fits this network/);
    project.editConfig(["filters: 7", "filters: 8"], ["units: 15", "units: 16"], ["units: 15", "units: 16"]);
    expect(existsSync(store())).toBe(true);
  });
});
