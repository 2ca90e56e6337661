/** @file Metrics that are computed on demand: of a stored run, of every epoch, and as what decides. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { binary, classification, defineProject, defineTasks, loadRun, multilabel, numeric } from "../../src/index.js";
import { evaluateRun } from "../../src/asking/evaluate-run.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";

const tasks = defineTasks({
  features: ["all"],
  tasks: {
    hot: binary(),
    place: classification({ classes: ["left", "middle", "right"] }),
    marks: multilabel({ labels: ["big", "round"] }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.hot(x.all));
  out.add(flow.place(x.all));
  out.add(flow.marks(x.all).given(out.hot));
});

const project = (monitor: string, metrics: readonly string[] = []) =>
  defineProject({
    name: "metrics",
    tasks,
    flow: "all",
    data: {
      table: `select x, i % 4 > 0 as hot, ['left', 'middle', 'right'][1 + i % 3] as place,
        case when x > 0.5 then 'big,round' when x > 0.3 then 'round' else 'none' end as marks
        from (select i, i * 37 % 101 / 101.0 as x from range(120) t(i))`,
      inputs: { number: numeric({ columns: ["x"] }) },
      split: { train: 0.5, valid: 0.25, test: 0.25, seed: 2 },
    },
    trunk: ({ number }, layers) => ({ all: layers.dense({ units: 4 }).apply(number) as typeof number }),
    train: { epochs: 2, monitor },
    evaluate: { metrics: [...metrics] },
  });

const folder = mkdtempSync(join(tmpdir(), "cool-metrics-"));
let result: RunResult;
let store: RunStore;

beforeAll(async () => {
  const asked = project("place/cohen_kappa", ["matthews_correlation", "log_loss"]);
  result = await trainRun(asked, { store: folder, backend: "cpu" });
  store = openRunStore(folder);
});
afterAll(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const names = (rows: readonly { readonly task_path: string; readonly metric_name: string }[], task: string) =>
  new Set(rows.filter(({ task_path }) => task_path === task).map(({ metric_name }) => metric_name));

test("a run's evaluation has the metrics that its settings ask for, and keeps them when it is tuned", async () => {
  const wanted = ["matthews_correlation", "log_loss"];
  expect([...names(result.evaluation, "hot")]).toEqual(expect.arrayContaining(wanted));
  expect([...names(result.evaluation, "marks")]).toEqual(expect.arrayContaining(["log_loss/big", ...wanted]));
  expect(names(result.evaluation, "hot")).not.toContain("cohen_kappa");
  const tuned = await tuneRun(store, "latest", "matthews_correlation");
  expect(tuned.reports.map(({ metric }) => metric)).toEqual(Array(3).fill("matthews_correlation"));
  expect(names(store.readEvaluation(result.run.id), "hot")).toEqual(names(result.evaluation, "hot"));
});

test("curves have what is asked for, and the metric that decides", () => {
  const points = store.readMetrics(result.run.id);
  const curves = new Set(points.map(({ taskPath, metricName }) => `${taskPath}/${metricName}`));
  expect([...curves]).toEqual(expect.arrayContaining(["hot/log_loss", "place/cohen_kappa"]));
  expect(curves).not.toContain("hot/f1_score_macro");
});

test("`metrics` of an evaluation selects them by name, by label, or all", async () => {
  const evaluate = async (...metrics: string[]) => (await evaluateRun(store, "latest", { metrics })).evaluation;
  const kappas = await evaluate("cohen_kappa");
  expect(new Set(kappas.map(({ metric_name }) => metric_name))).toEqual(
    new Set(["cohen_kappa", "cohen_kappa/big", "cohen_kappa/round"]),
  );
  const [one] = await evaluate("f1_score_weighted", "cohen_kappa/round");
  expect(one).toMatchObject({ task_path: "hot", metric_name: "f1_score_weighted", num_samples: 60 });
  expect(names(await evaluate("cohen_kappa/round"), "marks")).toEqual(new Set(["cohen_kappa/round"]));
  expect(names(await evaluate("all"), "place")).toContain("roc_auc");
  const run = await loadRun(folder, "latest", { backend: "cpu" });
  try {
    const table = "select 0.4 as x, true as hot, 'left' as place, 'none' as marks";
    const rows = await run.evaluate({ table }, { metrics: ["accuracy_2"] });
    expect(rows.map(({ task_path, metric_name }) => `${task_path}/${metric_name}`)).toEqual([
      "place/accuracy_2",
      "place/accuracy_2",
    ]);
  } finally {
    run.close();
  }
});

test("a metric that no task has is refused with the nearest one", async () => {
  await expect(evaluateRun(store, "latest", { metrics: ["cohen_kapa"] })).rejects.toThrow(
    'No metric named "cohen_kapa" in the run\'s flow. Did you mean "cohen_kappa"',
  );
  expect(() => resolveProject(project("_total/loss", ["log_los"]))).toThrow(
    'No metric named "log_los" in evaluate.metrics. Did you mean "log_loss"?',
  );
  expect(() => resolveProject(project("hot/r2"))).toThrow('No metric named "r2" in train.monitor "hot/r2"');
});
