/** @file The report document beside the store and the answers that a run keeps, counted anew. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FROM_ELSEWHERE, storedImages } from "../../src/asking/pictures/stored-images.js";
import { readParquet } from "../../src/data/tables/table-writer.js";
import { loadProject } from "../../src/project/load-project.js";
import type { ReportDocument, RunReport, TaskReport } from "../../src/reporting/document.js";
import type { RunningProject } from "../../src/project/project-dir.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { type ReportOptions, reportDocument } from "../../src/reporting/report-document.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { startRun } from "../../src/tracking/index.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let store: RunStore;
let report: ReportDocument;

beforeAll(async () => {
  project = await tinyProject();
  await trainRun(await loadProject(project.dir, ["train.epochs=2"]), { name: "two" });
  await trainRun(await loadProject(project.dir, ["train.epochs=1"]), { name: "one" });
  store = openRunStore(join(project.dir, ".cool"));
  report = await reportDocument(store, ["two"], { project: project.dir, now: new Date("2026-01-02T03:04:05Z") });
}, 120_000);
afterAll(() => {
  store?.close();
  project?.remove();
});

function onlyRun({ runs: [run] }: ReportDocument): RunReport {
  if (run === undefined) throw new Error("there is no run");
  return run;
}

function task(path: string, of: ReportDocument = report): TaskReport {
  const found = onlyRun(of).tasks.find((one) => one.path === path);
  if (found === undefined) throw new Error(`no task ${path}`);
  return found;
}

/** Rows of a task that count: asked by the labels, and labelled. */
async function answers(path: string, split: string) {
  const file = join(store.runDir(onlyRun(report).overview.id), "predictions", `${split}.parquet`);
  const columns = ["task_path", "label", "activated", "decoded", "active_by_truth"];
  const [paths = [], labels = [], scores = [], decoded = [], active = []] = await readParquet(file, columns, '"row"');
  const numbers = (cell: unknown): number[] =>
    (Array.isArray(cell) ? cell : ((cell as { items?: unknown[] } | null)?.items ?? [])).map((one) =>
      Number(one ?? Number.NaN),
    );
  return paths.flatMap((one, i) =>
    one === path && active[i] === true && labels[i] !== null
      ? [{ label: numbers(labels[i]), score: numbers(scores[i]), decoded: numbers(decoded[i]) }]
      : [],
  );
}

describe("a finished run", () => {
  it("is JSON, and stays the same through it", () => {
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({
      format_version: 1,
      kind: "run",
      title: "two",
      created_at: "2026-01-02T03:04:05.000Z",
    });
  });

  it("has the store's evaluation, to six digits", () => {
    const { evaluation, overview } = onlyRun(report);
    const stored = store.readEvaluation(overview.id);
    expect(evaluation).toHaveLength(stored.length);
    evaluation.forEach((row, i) => {
      const own = stored[i];
      expect([row.task_path, row.metric_name, row.gates, row.beats_baseline]).toEqual([
        ...[own?.task_path, own?.metric_name, own?.gates, own?.beats_baseline],
      ]);
      const value = own?.metric_res ?? null;
      if (value === null) expect(row.metric_res).toBeNull();
      else expect(Math.abs((row.metric_res ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-5 * Math.abs(value));
    });
  });

  it("has the store's curves, each point of so few", () => {
    const { curves, overview } = onlyRun(report);
    for (const { split, task_path: taskPath, metric_name: metricName, y, points } of curves) {
      const stored = store.readMetrics(overview.id, { split, taskPath, metricName });
      expect(points).toBe(stored.length);
      expect(y).toEqual(stored.map(({ value }) => (value === null ? null : Number(value.toPrecision(5)))));
    }
    expect(curves.some(({ task_path }) => task_path === "square.color")).toBe(true);
  });

  it("has confusion matrices that are counted from its answers", async () => {
    for (const { split, classes, counts } of task("square.color").confusion) {
      const counted = classes.map(() => classes.map(() => 0));
      for (const { label, decoded } of await answers("square.color", split)) {
        const row = counted[label[0] ?? -1] ?? [];
        row[decoded[0] ?? -1] = (row[decoded[0] ?? -1] ?? 0) + 1;
      }
      expect(counts).toEqual(counted);
    }
    expect(
      task("square.color")
        .confusion.map(({ split }) => split)
        .toSorted(),
    ).toEqual(["test", "valid"]);
  });

  it("has counts at every candidate threshold as a look at every answer gives them", async () => {
    const all = [task("blocked"), task("square.marks")];
    expect(all.map(({ thresholds }) => thresholds.length)).toEqual([2, 4]);
    for (const { path, thresholds } of all) {
      for (const report of thresholds) {
        const place = report.label === "dot" ? 1 : 0;
        const rows = (await answers(path, report.split)).map(({ label, score }) => ({
          isYes: label[place] === 1,
          score: score[place] ?? Number.NaN,
        }));
        expect(report.candidates).toContain(report.threshold);
        report.candidates.forEach((threshold, i) => {
          const yes = rows.filter(({ score }) => score >= threshold);
          expect(report.true_positives[i]).toBe(yes.filter(({ isYes }) => isYes).length);
          expect(report.false_positives[i]).toBe(yes.filter(({ isYes }) => !isYes).length);
        });
        expect(report.positives).toBe(rows.filter(({ isYes }) => isYes).length);
        expect(report.negatives).toBe(rows.filter(({ isYes }) => !isYes).length);
      }
    }
  });

  it("draws its flow from each gate to what only it opens", () => {
    const { flow } = onlyRun(report);
    expect(flow?.edges).toEqual([
      { from: "blocked", to: "present", label: "no" },
      { from: "present", to: "square.color", label: "yes" },
      { from: "present", to: "square.marks", label: "yes" },
      { from: "square.color", to: "square.position.x", label: "not is blue" },
    ]);
  });

  it("shows each sample's picture, small and within the page", () => {
    const { samples } = task("square.color");
    expect(samples.length).toBeGreaterThan(2);
    const { pictures } = onlyRun(report);
    for (const { sample } of samples) {
      expect(pictures[sample]).toMatchObject({
        kind: "picture",
        uri: expect.stringMatching(/^data:image\/webp;base64,/),
      });
    }
  });
});

it("without pictures none is taken in", async () => {
  const { pictures } = onlyRun(await reportDocument(store, ["two"], { project: project.dir, pictures: false }));
  expect(new Set(Object.values(pictures).map(({ kind }) => kind))).toEqual(new Set(["missing"]));
});

it("two runs are shown with what differs; one that is named twice is refused", async () => {
  const { kind, title, differences, runs } = await reportDocument(store, ["two", "one"], { project: project.dir });
  expect({ kind, title, runs: runs.length }).toEqual({ kind: "comparison", title: "two and one", runs: 2 });
  expect(differences?.settings).toContainEqual({ key: "train.epochs", values: ["2", "1"] });
  await expect(reportDocument(store, ["two", "two"])).rejects.toThrow(/is named twice/);
});

it("a tracked run has its curves and settings and no flow, also while it is going", async () => {
  const run = startRun({ store: store.dir, project: "other", name: "going", config: { lr: 0.5 } });
  for (let step = 1; step <= 3; step++) run.log({ loss: 1 / step }, { step, split: "train" });
  run.log({ loss: Number.NaN }, { step: 4, split: "train" });
  const going = onlyRun(await reportDocument(store, ["going"]));
  await run.finish();
  expect([going.overview.state, going.overview.tracked, going.flow]).toEqual(["running", true, null]);
  const { curves, settings, evaluation } = onlyRun(await reportDocument(store, ["going"]));
  expect(evaluation).toEqual([]);
  expect(settings).toContainEqual({ key: "lr", value: "0.5", changed_by: null });
  expect(curves.find(({ metric_name }) => metric_name === "loss")).toMatchObject({
    ...{ unit: "step", x: [1, 2, 3, 4], y: [1, 0.5, 0.33333, null], not_finite: 1 },
  });
});

describe("pictures of a run from elsewhere", () => {
  let other: RunStore;
  let elsewhere: string;
  beforeAll(() => {
    elsewhere = mkdtempSync(join(tmpdir(), "cool-elsewhere-"));
    other = openRunStore(join(elsewhere, ".cool"));
    const { path } = exportRun(store, "two", join(elsewhere, "two.tar.gz"));
    importRuns(other, path);
  });
  afterAll(() => {
    other.close();
    rmSync(elsewhere, { recursive: true, force: true });
  });
  const kinds = async (from: RunStore, options: ReportOptions = {}) =>
    new Set(Object.values(onlyRun(await reportDocument(from, ["two"], options)).pictures).map(({ kind }) => kind));

  it("are not looked for in the folder that the run names, and the page says why", async () => {
    const document = await reportDocument(other, ["two"]);
    const pictures = Object.values(onlyRun(document).pictures);
    expect(pictures.length).toBeGreaterThan(2);
    for (const picture of pictures) expect(picture).toEqual({ kind: "missing", reason: FROM_ELSEWHERE });
    expect(document.left_out).toEqual([expect.stringContaining("--project")]);
    // the same folder, of the user's own run
    expect(await kinds(store)).toEqual(new Set(["picture"]));
  });

  it("are shown from the project that the user names, and from nowhere else", async () => {
    expect(await kinds(other, { project: project.dir })).toEqual(new Set(["picture"]));
    const bare = join(elsewhere, "bare");
    mkdirSync(bare);
    cpSync(project.configFile, join(bare, "cool.config.ts"));
    // of a name that leads out of the project nothing is shown, though the file is there
    const config = join(other.runDir(other.findRun("two").id), "config.json");
    const written = readFileSync(config, "utf8");
    const { settings, ...rest } = JSON.parse(written) as { settings: { data: object } };
    const table = join(relative(bare, project.dir), "labels.csv");
    writeFileSync(config, JSON.stringify({ ...rest, settings: { ...settings, data: { ...settings.data, table } } }));
    expect(await kinds(other, { project: bare })).toEqual(new Set(["missing"]));
    writeFileSync(config, written);
  });

  it("are not taken for granted in a store that was made on another machine", () => {
    const run = { ...store.findRun("two"), host: "elsewhere" };
    const dir = store.runDir(run.id);
    const id = `images/${basename(project.image(0))}`;
    const image = (standingIn: RunningProject | null) =>
      storedImages({ config: readRunConfig(dir), dir, run, project: standingIn })({ id }).kind;
    expect(image(null)).toBe("missing");
    expect(image({ dir: project.dir, configFile: project.configFile, isNamed: false })).toBe("file");
  });

  it("that lie behind a link are shown where the user named the project, not where they just stand in it", () => {
    const dir = other.runDir(other.findRun("two").id);
    const linked = join(elsewhere, "linked");
    mkdirSync(linked);
    symlinkSync(join(project.dir, "images"), join(linked, "images"));
    const run = { ...other.findRun("two"), host: "elsewhere" };
    const own = store.runDir(run.id);
    const image = (from: string, isNamed: boolean) =>
      storedImages({ config: readRunConfig(dir), dir: from, run, project: { dir: linked, configFile: "", isNamed } })({
        id: `images/${basename(project.image(0))}`,
      }).kind;
    expect([image(dir, true), image(dir, false), image(own, false)]).toEqual(["file", "missing", "missing"]);
  });
});

it("where pictures are gone the page says so", async () => {
  const images = join(project.dir, "images");
  for (const file of readdirSync(images)) rmSync(join(images, file));
  const { pictures } = onlyRun(await reportDocument(store, ["one"], { project: project.dir }));
  expect(Object.values(pictures).length).toBeGreaterThan(0);
  for (const picture of Object.values(pictures)) expect(picture).toEqual({ kind: "missing", reason: "is gone" });
});

it("where the folder is gone, what the store keeps is shown", async () => {
  rmSync(store.runDir(store.findRun("one").id), { recursive: true });
  const { missing, flow, evaluation, curves } = onlyRun(await reportDocument(store, ["one"]));
  expect(missing).toEqual([expect.stringContaining("folder has been deleted")]);
  expect(flow).toBeNull();
  expect(Math.min(evaluation.length, curves.length)).toBeGreaterThan(0);
});
