/** @file Whole runs with own and known tasks: trained, tuned, stored, and opened again with and without their code. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { tinyProject } from "../support/projects.js";

const CONFIG = `import { binary, defineProject, defineTasks, known, numeric } from "dnn-cool";
import { angle } from "./angle.ts";

const tasks = defineTasks({
  features: ["f"],
  tasks: { member: known(), wrist: angle({ column: "wrist_angle" }), right: binary() },
}).flow("main", (flow, x, out) => {
  out.add(flow.member());
  out.add(flow.wrist(x.f));
  out.add(flow.right(x.f).given(out.member.and(out.wrist.below(400))));
});

export default defineProject({
  name: "angles",
  tasks,
  flow: "main",
  data: {
    table: "angles.csv",
    inputs: { at: numeric({ columns: ["x", "y"] }, { standardize: false }) },
    split: { column: "split" },
  },
  trunk: ({ at }, layers) => ({ f: layers.dense({ units: 4 }).apply(at) }),
  train: { epochs: 15, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.05 } },
});
`;

const SPLITS = ["train", "train", "valid", "test"] as const;
/** Rows to predict and learn; on valid and test the labels are 15° ahead of what train says. */
const rows = Array.from({ length: 320 }, (_, i) => {
  const degrees = (i * 37) % 360;
  const split = SPLITS[i % 4] as (typeof SPLITS)[number];
  const [x, y] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const label = split === "train" ? degrees : (degrees + 15) % 360;
  return { x, y, label, split, member: i % 3 === 0 ? 0 : 1, right: x > 0 ? 1 : 0 };
});

let dir = "";
let run: Awaited<ReturnType<typeof trainRun>>;
const store = () => join(dir, "store");

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "own-tasks-"));
  const source = readFileSync(new URL("../support/angle-task.ts", import.meta.url), "utf8");
  writeFileSync(join(dir, "angle.ts"), source.replace("../../src/project/define-task.js", "dnn-cool"));
  writeFileSync(join(dir, "cool.config.ts"), CONFIG);
  const lines = rows.map((row) => [row.x, row.y, row.label, row.split, row.member, row.right].join(","));
  writeFileSync(join(dir, "angles.csv"), `x,y,wrist_angle,split,member,right\n${lines.join("\n")}\n`);
  run = await trainRun(await loadProject(dir), { store: store(), backend: "cpu", name: "angles" });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The same modules as in a process that has defined nothing yet. */
async function freshModules() {
  vi.resetModules();
  const [{ loadRun: load }, { tuneRun }, { openRunStore: open }] = await Promise.all([
    import("../../src/asking/load-run.js"),
    import("../../src/asking/tune-run.js"),
    import("../../src/storage/run-store.js"),
  ]);
  return { load, tuneRun, open };
}

const metricOf = (split: string, metric: string) =>
  run.evaluation.find(
    (row) =>
      row.split === split && row.task_path === "wrist" && row.metric_name === metric && row.gates === "predicted",
  )?.metric_res;

describe("a run with a custom task", () => {
  test("learns the angle, and tunes the decoder's offset on valid", () => {
    const [offset] = run.thresholds.wrist as readonly number[];
    expect(offset).toBeGreaterThan(12);
    expect(offset).toBeLessThan(18);
    expect(metricOf("test", "mean_angular_deviation")).toBeLessThan(5);
    // train has no such shift
    expect(metricOf("train", "mean_angular_deviation")).toBeGreaterThan(10);
  });

  test("stores its parameter like a threshold", () => {
    expect(JSON.parse(readFileSync(join(run.run.dir, "thresholds.json"), "utf8"))).toEqual(run.thresholds);
    const opened = openRunStore(store(), { readonly: true });
    const kept = opened.readThresholds(run.run.id).filter(({ taskPath }) => taskPath === "wrist");
    opened.close();
    expect(kept).toMatchObject([{ labelIndex: 0, label: null, value: (run.thresholds.wrist as number[])[0] }]);
  });

  test("has no metrics of the known task", () => {
    expect(new Set(run.evaluation.map(({ task_path }) => task_path))).toEqual(new Set(["wrist", "right", "_total"]));
  });

  test("is opened by another process with its code, its parameter and its gates", async () => {
    const { load } = await freshModules();
    const loaded = await load(store(), "angles", { backend: "cpu", project: dir });
    try {
      const predictions = await loaded.predict([join(dir, "angles.csv")]);
      predictions.forEach(({ answers }, i) => {
        const row = rows[i] as (typeof rows)[number];
        const shown = (answers.wrist?.decoded ?? Number.NaN) as number;
        const expected = row.split === "train" ? row.label + 15 : row.label;
        expect(180 - Math.abs(180 - Math.abs(shown - (expected % 360)))).toBeLessThan(12);
        expect(answers.member).toEqual({ decoded: row.member === 1, activated: [] });
        expect(answers.right === undefined).toBe(row.member === 0);
      });
      const evaluated = await loaded.evaluate("test");
      expect(evaluated).toEqual(run.evaluation.filter(({ split }) => split === "test"));
    } finally {
      loaded.close();
    }
  });

  test("is tuned again by another process to the same parameter", async () => {
    const { tuneRun, open } = await freshModules();
    const opened = open(store());
    const tuned = await tuneRun(opened, "angles", "mean_angular_deviation", { project: dir });
    opened.close();
    expect(tuned.thresholds).toEqual(run.thresholds);
    const report = tuned.reports.find(({ task_path }) => task_path === "wrist");
    expect(report?.metric).toBe("mean_angular_deviation");
    expect(report?.after).toBeLessThan(5);
  });
});

describe("without its code, a run with a custom task", () => {
  const angleFile = () => join(dir, "angle.ts");
  const original = () => readFileSync(angleFile(), "utf8");
  const opening = async (options: { project?: string } = {}) => {
    const { load } = await freshModules();
    const loaded = await load(store(), "angles", { backend: "cpu", project: dir, ...options });
    loaded.close();
  };

  test("says what has changed, and is opened with a project that has it as it was", async () => {
    const before = original();
    const copy = join(dir, "copy");
    mkdirSync(copy);
    for (const file of ["angle.ts", "cool.config.ts"]) cpSync(join(dir, file), join(copy, file));
    writeFileSync(angleFile(), before.replace("[offset = 0]", "[offset = 1]").replace("<= 5", "<= 6"));
    try {
      await expect(opening()).rejects.toThrow(
        /The custom task type "angle" of run \S+ \(angles\) has changed in .*cool\.config\.ts since: its decoder\.decode, metrics\.within_five_degrees\.compute\. .*--project/,
      );
      await opening({ project: copy });
    } finally {
      writeFileSync(angleFile(), before);
    }
  });

  test("other line breaks and indentation are no change", async () => {
    const before = original();
    writeFileSync(angleFile(), before.replace("let [x, y] = [0, 0];", "let [x,\n y] =\n [0, 0];"));
    try {
      await opening();
    } finally {
      writeFileSync(angleFile(), before);
    }
  });

  test("names the task and the way out where its configuration is gone", async () => {
    const [config, away] = [join(dir, "cool.config.ts"), join(dir, "away.ts")];
    renameSync(config, away);
    try {
      await expect(opening()).rejects.toThrow(
        /There is no cool\.config\.ts in .*own-tasks-.*\. Name a project's folder with --project/,
      );
    } finally {
      renameSync(away, config);
    }
  });

  test("is never opened with the code that it names itself", async () => {
    const { load } = await freshModules();
    await expect(load(store(), "angles", { backend: "cpu" })).rejects.toThrow(
      /tasks of the type "angle", whose code is in its project, and there is no project here\. It says that it was made from ".*cool\.config\.ts"\. Go to the project's folder/,
    );
  });

  test("names the type that the project does not define", async () => {
    const before = original();
    writeFileSync(angleFile(), before.replace('name: "angle"', 'name: "wrist_angle"'));
    try {
      await expect(opening()).rejects.toThrow(/type "angle", which .*cool\.config\.ts does not define/);
    } finally {
      writeFileSync(angleFile(), before);
    }
  });
});

describe("a known task", () => {
  test("must have its column in a table that is asked about, unless it is given", async () => {
    const table = join(dir, "unknown.csv");
    writeFileSync(table, "x,y\n1,0\n0,1\n");
    const loaded = await loadRun(store(), "angles", { backend: "cpu" });
    try {
      await expect(loaded.predict([table])).rejects.toThrow(
        'unknown.csv has no column for the known task "member": there is no "member". Add it, or say it for all rows with --given member=true.',
      );
      const asked = await loaded.predict([table], { given: { member: true } });
      expect(asked.map(({ answers }) => Object.keys(answers))).toEqual([
        ["member", "wrist", "right"],
        ["member", "wrist", "right"],
      ]);
      const not = await loaded.predict([table], { given: { member: false } });
      expect(not.map(({ answers }) => "right" in answers)).toEqual([false, false]);
      await expect(loaded.predict([table], { given: { membre: true } })).rejects.toThrow(
        'No known task named "membre" in --given. Did you mean "member"?',
      );
    } finally {
      loaded.close();
    }
  });

  test("is unknown for bare images, so that what it gates is not asked, unless it is given", async () => {
    const project = await tinyProject(30);
    try {
      project.editConfig(
        ["import { binary,", "import { known, binary,"],
        ["blocked: binary()", "blocked: known()"],
        ["flow.blocked(x.features)", "flow.blocked()"],
      );
      const loaded = await loadProject(project.dir, ["train.epochs=1"]);
      await trainRun(loaded, { backend: "cpu" });
      const opened = await loadRun(join(project.dir, ".cool"), "latest", { backend: "cpu" });
      try {
        const [bare] = await opened.explain([project.image(1)]);
        expect(bare?.tree).toEqual([
          { path: "blocked", kind: "task", decoded: [], activated: [], logits: [], children: [] },
        ]);
        const [given] = await opened.explain([project.image(1)], { given: { blocked: false } });
        expect(given?.tree[0]).toMatchObject({ path: "blocked", decoded: [false] });
        expect(given?.tree[0]?.children.map(({ path }) => path)).toEqual(["present"]);
      } finally {
        opened.close();
      }
    } finally {
      project.remove();
    }
  });
});

describe("train.monitor", () => {
  test("decides which epoch is best, in the metric's direction", async () => {
    const project = await loadProject(dir, ["train.monitor=wrist/within_five_degrees", "train.epochs=6"]);
    const monitored = await trainRun(project, { store: store(), backend: "cpu", name: "monitored" });
    const opened = openRunStore(store(), { readonly: true });
    const values = opened
      .readMetrics(monitored.run.id)
      .filter((p) => p.split === "valid" && p.taskPath === "wrist" && p.metricName === "within_five_degrees")
      .map(({ value }) => value as number);
    opened.close();
    expect(values).toHaveLength(6);
    const state = JSON.parse(readFileSync(join(monitored.run.dir, "checkpoints", "last", "state.json"), "utf8"));
    const best = Math.max(...values);
    expect(state.schedule.best).toEqual({ loss: best, epoch: values.indexOf(best) + 1 });
  });

  test.each([
    ["wirst/loss", 'No task named "wirst" in train.monitor "wirst/loss". Did you mean "wrist"?'],
    ["wrist/within_5_degrees", 'Did you mean "within_five_degrees"?'],
    ["member/accuracy", 'No task named "member" in train.monitor'],
    ["_total/f1_score", 'No metric named "f1_score" in train.monitor'],
    ["loss", 'train.monitor is "loss", which names no metric. Write <task path>/<metric>'],
  ])("%s is refused before training", async (monitor, message) => {
    await expect(loadProject(dir, [`train.monitor=${monitor}`])).rejects.toThrow(message);
  });
});

describe("train.taskWeighting uncertainty", () => {
  test("keeps the log-variance of every task that has a loss, after each epoch", async () => {
    const project = await loadProject(dir, ["train.taskWeighting=uncertainty", "train.epochs=3"]);
    const weighted = await trainRun(project, { store: store(), backend: "cpu", name: "weighted" });
    const opened = openRunStore(store(), { readonly: true });
    const points = opened.readMetrics(weighted.run.id).filter((point) => point.metricName === "log_variance");
    opened.close();
    expect(points.map(({ taskPath, epoch, split }) => [taskPath, epoch, split])).toEqual(
      ["right", "wrist"].flatMap((path) => [1, 2, 3].map((epoch) => [path, epoch, "train"])),
    );
    const last = points.at(-1)?.value as number;
    expect(Number.isFinite(last)).toBe(true);
    expect(last).not.toBe(0);
    expect(weighted.evaluation.some(({ metric_name }) => metric_name === "log_variance")).toBe(false);
  });
});
