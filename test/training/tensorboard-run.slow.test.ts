/** @file What a run leaves in TensorBoard, read by TensorBoard's own reader; and runs whose logs cannot be written. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import type { RunLogger } from "../../src/logging/run-logger.js";
import { interpretRun } from "../../src/asking/interpret-run.js";
import { loadProject } from "../../src/project/load-project.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { type Python, readTensorBoards, type TensorBoardFolder, tensorBoardPython } from "../support/tensorboard.js";

const TASKS = ["blocked", "present", "square.color", "square.marks", "square.position.x"];
const SLOW = 120_000;

let judge: Python;
let project: TinyProject;
let result: RunResult;
let folders: Readonly<Record<"run" | "train" | "valid" | "test", TensorBoardFolder>> | undefined;

beforeAll(async () => {
  judge = await tensorBoardPython();
  project = await tinyProject();
  const settings = ["log.imagesEvery=1", "log.histograms=true", "log.every=2"];
  result = await trainRun(await loadProject(project.dir, settings), { epochs: 2, name: "tiny" });
  if ("skip" in judge) return;
  const { dir } = result.run;
  const parts = ["run", "train", "valid", "test"] as const;
  const read = await readTensorBoards(
    judge.python,
    parts.map((part) => (part === "run" ? dir : join(dir, part))),
  );
  folders = Object.fromEntries(parts.map((part, i) => [part, read[i]])) as typeof folders;
}, 430_000);
afterAll(() => project.remove());

/** Skips the test, with the reason, on machines without TensorBoard. */
function read(context: TestContext): NonNullable<typeof folders> {
  if (folders === undefined) return context.skip("skip" in judge ? judge.skip : "not read");
  return folders;
}

function withStore<T>(use: (store: RunStore) => T): T {
  const store = openRunStore(join(project.dir, ".cool"));
  try {
    return use(store);
  } finally {
    store.close();
  }
}

describe("the curves of a run", () => {
  it("are every metric of every epoch, as the store has them", (context) => {
    const { train, valid } = read(context);
    const points = withStore((store) => store.readMetrics(result.run.id)).filter(
      ({ taskPath, value }) => taskPath !== "_system" && value !== null,
    );
    expect(points.length).toBeGreaterThan(60);
    for (const { split, taskPath, metricName, step, value } of points) {
      const curve = (split === "train" ? train : valid).scalars[`${taskPath}/${metricName}`];
      const shown = curve?.find((point) => point.step === step)?.value;
      expect(shown, `${split} ${taskPath}/${metricName} at ${step}`).toBe(Math.fround(value as number));
    }
    expect(Object.keys(train.scalars)).toEqual(
      expect.arrayContaining([
        ...TASKS.map((task) => `${task}/loss`),
        "_total/loss",
        "_total/learning_rate",
        "_total/rows_per_second",
        "_total/gradient_norm",
      ]),
    );
  });

  it("have the running loss between epochs", (context) => {
    // 36 training rows in batches of 8 are 5 steps an epoch
    const steps = read(context).train.scalars["_total/running_loss"]?.map(({ step }) => step);
    expect(steps).toEqual([2, 4, 6, 8, 10]);
  });

  it("end with the evaluation on the test split, under every kind of gates", (context) => {
    const { test } = read(context);
    const rows = result.evaluation.filter(({ split, metric_res }) => split === "test" && metric_res !== null);
    for (const { task_path, metric_name, metric_res, gates } of rows) {
      const tag = `${task_path}/${metric_name}${{ truth: "", predicted: "/predicted_gates", end_to_end: "/end_to_end" }[gates]}`;
      expect(
        test.scalars[tag]?.map(({ value }) => value),
        tag,
      ).toEqual([Math.fround(metric_res as number)]);
    }
  });

  it("have what a constant answer comes to beside valid and test", (context) => {
    const { valid, test } = read(context);
    const rows = result.evaluation.filter(({ gates, baseline }) => gates === "truth" && baseline !== undefined);
    expect(rows.length).toBeGreaterThan(10);
    for (const { split, task_path, metric_name, baseline } of rows) {
      if (split === "train") continue;
      const tag = `${task_path}/${metric_name}/baseline`;
      const values = (split === "valid" ? valid : test).scalars[tag]?.map(({ value }) => value);
      expect(values, `${split} ${tag}`).toEqual([Math.fround(baseline ?? Number.NaN)]);
    }
  });

  it("have the evaluated checkpoint's values at the step after its epoch, which is named", (context) => {
    const { run, valid, test } = read(context);
    const losses = withStore((store) =>
      store.readMetrics(result.run.id, { split: "valid", taskPath: "_total", metricName: "loss" }),
    );
    const best = losses.reduce((one, other) => (Number(other.value) < Number(one.value) ? other : one));
    expect(result.run.best_epoch).toBe(best.epoch);
    expect(withStore((store) => store.getRun(result.run.id).bestEpoch)).toBe(best.epoch);
    expect(run.scalars["_total/best_epoch"]).toMatchObject([{ step: best.step, value: best.epoch }]);
    const [evaluated] = valid.scalars["_total/loss/evaluated"] ?? [];
    expect(evaluated).toMatchObject({ step: best.step });
    expect(evaluated?.value).toBeCloseTo(Number(best.value), 5);
    expect(test.scalars["blocked/accuracy"]?.map(({ step }) => step)).toEqual([best.step]);
    expect(run.tensors.evaluation?.[0]?.values[0]).toContain(
      `checkpoint of epoch ${best.epoch} of 2 (step ${best.step})`,
    );
  });

  it("have distributions of weights and scores where they are asked for", (context) => {
    const { train, valid } = read(context);
    const weights = Object.keys(train.tensors).filter((tag) => tag.startsWith("_weights/"));
    expect(weights.some((tag) => tag.endsWith("/kernel"))).toBe(true);
    const values = train.tensors["_weights/blocked/kernel"]?.at(-1);
    // 16 features → 1 logit
    expect(values?.values.filter((_, i) => i % 3 === 2).reduce<number>((sum, n) => sum + Number(n), 0)).toBe(16);
    expect(valid.metadata["blocked/scores"]?.plugin).toBe("histograms");
  });
});

describe("the pictures of a run", () => {
  it("are a sheet of the best and of the worst samples for each task, after epochs and at the end", (context) => {
    const { valid } = read(context);
    for (const task of TASKS) {
      for (const side of ["best", "worst"]) {
        const points = valid.images[`${task}/${side}`];
        expect(
          points?.map(({ step }) => step),
          `${task}/${side}`,
        ).toEqual([5, 10]);
        expect(points?.every(({ width, images }) => width === 848 && images.length === 1)).toBe(true);
      }
    }
  });

  it("are a confusion matrix per classification, and reliability diagrams where there are probabilities", (context) => {
    const { valid, test } = read(context);
    for (const { images } of [valid, test]) {
      const tags = Object.keys(images).filter((tag) => /confusion|reliability/.test(tag));
      expect(tags.sort()).toEqual([
        "blocked/reliability",
        "present/reliability",
        "square.color/confusion_matrix",
        "square.color/reliability",
        "square.marks/reliability",
      ]);
    }
  });
});

describe("the tables of a run", () => {
  it("have PR curves of yes-or-no answers, a curve per label", (context) => {
    const { valid, test } = read(context);
    for (const { metadata } of [valid, test]) {
      const tags = Object.keys(metadata).filter((tag) => metadata[tag]?.plugin === "pr_curves");
      expect(tags.sort()).toEqual([
        "blocked/pr_curve",
        "present/pr_curve",
        "square.marks/pr_curve/dot",
        "square.marks/pr_curve/stripe",
      ]);
    }
    // with threshold 0 every row is a yes: true and false positives are the labels
    const curve = test.tensors["blocked/pr_curve"]?.[0];
    const rows = result.evaluation.find(({ split, task_path }) => split === "test" && task_path === "blocked");
    const [tp, fp] = [curve?.values[0], curve?.values[curve.shape[1] as number]];
    expect(Number(tp) + Number(fp)).toBe(rows?.num_samples);
  });

  it("have the settings and the metrics that runs are compared by", (context) => {
    const { run, test } = read(context);
    const message = run.metadata["_hparams_/experiment"]?.message as {
      experiment: { hparamInfos: { name: string }[]; metricInfos: { name: { tag: string; group: string } }[] };
    };
    const names = message.experiment.hparamInfos.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["backend", "train.optimizer.learningRate", "train.batchSize"]));
    expect(names.some((name) => name.startsWith("log."))).toBe(false);
    const metrics = message.experiment.metricInfos.map(({ name }) => name);
    expect(metrics).toContainEqual({ tag: "blocked/accuracy", group: "test" });
    expect(metrics).toContainEqual({ tag: "_total/loss/evaluated", group: "valid" });
    expect(metrics).toContainEqual({ tag: "_total/best_epoch" });
    for (const { tag, group } of metrics) if (group === "test") expect(test.scalars[tag], tag).toBeDefined();
    expect(run.metadata["_hparams_/session_start_info"]?.message).toMatchObject({
      sessionStartInfo: { hparams: { "train.batchSize": 8, "train.epochs": 2, "train.clipNorm": "none" } },
    });
    expect(run.metadata["_hparams_/session_end_info"]?.message).toMatchObject({
      sessionEndInfo: { status: "STATUS_SUCCESS" },
    });
  });

  it("have the flow as a graph whose dotted edges are preconditions", (context) => {
    const nodes = new Map(read(context).run.graph?.map((node) => [node.name, node]));
    expect(nodes.get("present")).toMatchObject({ op: "binary", inputs: ["_trunk/features", "^blocked"] });
    expect(nodes.get("square/position/x")).toMatchObject({
      op: "boundedRegression",
      inputs: ["_trunk/place", "^present", "^square/color"],
    });
    expect(nodes.get("square/position/x")?.attributes.precondition).toBe("present and not square.color is blue");
  });

  it("have settings and evaluation as Markdown", (context) => {
    const { tensors } = read(context).run;
    expect(tensors.config?.[0]?.values[0]).toContain("| train.batchSize | 8 |");
    expect(tensors.evaluation?.[0]?.values[0]).toMatch(
      /### test\n\n\| task \| metric \|.*\n(.*\n)*\| blocked \| loss \|/,
    );
  });
});

describe("the best and worst samples of a finished run", () => {
  it("name the files of their images, and are drawn into a folder", async () => {
    const out = join(project.dir, "sheets");
    const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
    try {
      const found = await interpretRun(store, "tiny", { top: 2, split: "test", task: "square.color", out });
      expect(found.tasks.map(({ task_path }) => task_path)).toEqual(["square.color"]);
      const [worst] = found.tasks[0]?.worst ?? [];
      expect(worst?.image).toBe(join(project.dir, worst?.id as string));
      expect(readdirSync(out).sort()).toEqual(["square.color.best.png", "square.color.worst.png"]);
      expect(readFileSync(join(out, "square.color.best.png")).subarray(1, 4).toString()).toBe("PNG");
    } finally {
      store.close();
    }
  });
});

describe("a run whose logs cannot be written", () => {
  it(
    "trains to the end, warns once, and says so",
    async () => {
      const warnings: string[] = [];
      let spoilt = false;
      const spoil: RunLogger = {
        warning: (line) => warnings.push(line),
        step: () => {
          if (spoilt) return;
          spoilt = true;
          // a file where the folder of the curves should be
          const [latest = ""] = readdirSync(join(project.dir, ".cool", "runs"))
            .sort()
            .reverse();
          writeFileSync(join(project.dir, ".cool", "runs", latest, "valid"), "");
        },
      };
      const { run, evaluation } = await trainRun(await loadProject(project.dir), { epochs: 1, loggers: [spoil] });
      expect(run.state).toBe("finished");
      expect(evaluation.length).toBeGreaterThan(0);
      expect(warnings.filter((line) => line.startsWith("Logging goes on without"))).toHaveLength(1);
      expect(warnings.at(-1)).toMatch(/^The logs of run \S+ have gaps \(it is tagged incomplete-logs\)/);
      expect(withStore((store) => store.getRun(run.id).tags)).toEqual(["incomplete-logs"]);
    },
    SLOW,
  );
});
