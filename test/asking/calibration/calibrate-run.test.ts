/** @file Calibrating a run and a group of folds on record: what is kept, shown beside the curves, and answered. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calibrateRun } from "../../../src/asking/calibration/calibrate-run.js";
import { loadRun } from "../../../src/asking/load-run.js";
import { calibrate } from "../../../src/decoding/calibration.js";
import { listEventFiles } from "../../../src/logging/tensorboard/event-file.js";
import { readEvents } from "../../../src/logging/tensorboard/event-reader.js";
import { loadProject } from "../../../src/project/load-project.js";
import { openRunStore, type RunStore } from "../../../src/storage/run-store.js";
import { trainFolds } from "../../../src/training/folds/train-folds.js";
import { trainRun } from "../../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

let project: TinyProject;
let store: RunStore;
const home = process.cwd();
beforeAll(async () => {
  project = await tinyProject();
  await trainRun(await loadProject(project.dir, ["train.epochs=1"]), { name: "first", backend: "cpu" });
  const split = 'data.split={"train":0.4,"valid":0.3,"test":0.3,"folds":2,"seed":3}';
  await trainFolds(await loadProject(project.dir, ["train.epochs=1", split]), { name: "cv", backend: "cpu" });
  store = openRunStore(join(project.dir, ".cool"));
  process.chdir(project.dir);
}, 120_000);
afterAll(() => {
  process.chdir(home);
  store.close();
  project.remove();
});

/** Of the newest event file of a split: the step from which it counts, and its values and pictures by tag. */
function newest(dir: string, split: string) {
  const files = listEventFiles(join(dir, split));
  const events = [...readEvents(files.at(-1) ?? "")];
  const start = events.find(({ content }) => content.kind === "sessionLog")?.step;
  const values = events.flatMap(({ step, content }) =>
    content.kind === "summary" ? content.values.map((value) => ({ step, ...value })) : [],
  );
  return { files: files.length, start, values };
}

describe("a calibrated run", () => {
  it("has its errors before and after, and the diagram, one step after its curves", async () => {
    const { dir, id } = { dir: store.runDir(store.findRun("first").id), id: store.findRun("first").id };
    const before = newest(dir, "test");
    const last = Math.max(
      ...store
        .readMetrics(id)
        .filter(({ taskPath }) => taskPath !== "_system")
        .map(({ step }) => step),
    );
    const { calibration } = await calibrateRun(store, "first", "isotonic");
    const { files, start, values } = newest(dir, "test");
    expect(files).toBe(before.files + 1);
    expect(start).toBe(last + 1);
    for (const { task_path, metric_name, raw, calibrated } of calibration.filter(({ split }) => split === "test")) {
      const found = (tag: string) => values.find((value) => value.tag === tag);
      if (!metric_name.startsWith("ece")) continue;
      const tag = `${task_path}/${metric_name}`;
      if (raw !== null) expect(found(tag)).toMatchObject({ step: last + 1, scalar: Math.fround(raw) });
      if (calibrated !== null) expect(found(`${tag}/calibrated`)?.scalar).toBeCloseTo(calibrated, 6);
    }
    expect(values.some(({ tag }) => tag === "blocked/reliability/calibrated")).toBe(true);
    expect(values.length).toBeGreaterThan(4);
  });

  it("is told anew where it is calibrated again, and no more where it is not calibrated", async () => {
    const dir = store.runDir(store.findRun("first").id);
    const first = newest(dir, "valid");
    await calibrateRun(store, "first", "temperature");
    const second = newest(dir, "valid");
    // readers drop what stands at a later or the same step in older files
    expect([second.files, second.start]).toEqual([first.files + 1, first.start]);
    await calibrateRun(store, "first", "none");
    expect(newest(dir, "valid")).toEqual({ files: second.files + 1, start: first.start, values: [] });
  });
});

describe("a group of folds", () => {
  it("is calibrated on its out-of-fold answers, and answers by it until it is not", async () => {
    const result = await calibrateRun(store, "cv", "isotonic");
    if (!("group" in result)) throw new Error("it is a group");
    expect(result.group.name).toBe("cv");
    const rows = (split: string) =>
      result.calibration.find((row) => row.split === split && row.task_path === "blocked")?.num_samples;
    // 42 rows are held out by one fold each, 18 are of test
    expect([rows("valid"), rows("test")]).toEqual([42, 18]);
    const file = join(store.dir, "groups", result.group.id, "calibration.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ formatVersion: 1, method: "isotonic" });
    const scoreOf = async () => {
      const run = await loadRun(store.dir, "cv", { backend: "cpu" });
      const [explained] = await run.explain([project.image(0)]);
      run.close();
      return { score: explained?.tree[0]?.activated[0], logit: explained?.tree[0]?.logits[0] ?? Number.NaN };
    };
    const { score, logit } = await scoreOf();
    const own = result.tasks.blocked;
    if (own === undefined) throw new Error("it has probabilities");
    expect(score).toBeCloseTo(calibrate({ kind: "binary" }, own, Float32Array.of(logit))[0] ?? Number.NaN, 6);
    await calibrateRun(store, "cv", "none");
    expect(existsSync(file)).toBe(false);
    expect((await scoreOf()).score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
  });

  it("has sets with a guarantee from test, to which its ensemble has answered, and from nothing else", async () => {
    const run = await loadRun(store.dir, "cv", { backend: "cpu" });
    try {
      const coverage = { level: 0.6, of: "answer" } as const;
      const [explained] = await run.explain([project.image(0)], { coverage });
      expect(explained?.coverage?.questions.blocked).toHaveProperty("set");
      const valid = run.explain([project.image(0)], { coverage: { ...coverage, from: "valid" } });
      await expect(valid).rejects.toThrow("Make the guarantee of test: --coverage-from test");
    } finally {
      run.close();
    }
  });
});
