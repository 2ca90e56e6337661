/** @file Whole runs with regressions and ordinals: trained, stored, resumed, evaluated and asked from the folder alone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { confusionMatrix } from "../../src/analysis/confusion.js";
import { numeric } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import type { RegressionSpec } from "../../src/flow/graph.js";
import { defineProject, type Project } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { readGraph } from "../../src/records/run-documents.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { ordinal, regression } from "../../src/tasks/index.js";

const LEVELS = ["none", "mild", "severe"] as const;
const SPLITS = ["train", "train", "train", "valid", "test"] as const;
const random = createRandom("numbers and grades");
/** The price is 1000 + 40·(a − b); the grade follows from a alone; a price is known where the grade is not "none". */
const rows = Array.from({ length: 200 }, (_, i) => {
  const [a, b] = [2 * random.next() - 1, 2 * random.next() - 1];
  const grade = a < -0.4 ? 0 : a < 0.4 ? 1 : 2;
  return {
    a,
    b,
    grade,
    price: grade === 0 ? null : 1000 + 40 * (a - b),
    split: SPLITS[i % 5] as (typeof SPLITS)[number],
  };
});

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "numbers-and-grades-"));
  const lines = rows.map(({ a, b, grade, price, split }) => [a, b, LEVELS[grade], price ?? "", split].join(","));
  writeFileSync(join(dir, "table.csv"), `a,b,grade,price,split\n${lines.join("\n")}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function project(epochs: number): Project {
  const tasks = defineTasks({
    features: ["f"],
    tasks: { grade: ordinal({ levels: LEVELS }), price: regression() },
  }).flow("main", (flow, x, out) => {
    out.add(flow.grade(x.f));
    out.add(flow.price(x.f).given(out.grade.atLeast("mild")));
  });
  return defineProject({
    name: "numbers",
    tasks,
    flow: "main",
    data: { table: "table.csv", inputs: { at: numeric({ columns: ["a", "b"] }) }, split: { column: "split" } },
    trunk: ({ at }, layers) => ({
      f: layers.dense({ units: 8, activation: "tanh" }).apply(at as SymbolicTensor) as SymbolicTensor,
    }),
    train: { epochs, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.03 } },
  });
}

const train = (epochs: number, store: string, options: TrainRunOptions = {}) =>
  trainRun(resolveProject(project(epochs), { projectDir: dir }), {
    store: join(dir, store),
    backend: "cpu",
    ...options,
  });
const weights = (store: string, id: string) =>
  readFileSync(join(dir, store, "runs", id, "checkpoints/last/weights.bin"));

describe("a run with a regression and an ordinal", () => {
  test("learns both, and its folder alone answers in label units and names of levels", async () => {
    const { run, evaluation } = await train(40, "whole");
    const metric = (task: string, name: string) =>
      evaluation.find((row) => row.split === "test" && row.task_path === task && row.metric_name === name)?.metric_res;
    expect(metric("price", "r2")).toBeGreaterThan(0.9);
    expect(metric("grade", "quadratic_weighted_kappa")).toBeGreaterThan(0.8);
    // statistics of the prices of the train split
    const trained = rows.flatMap(({ price, split }) =>
      price === null || split !== "train" ? [] : [Math.fround(price)],
    );
    const mean = trained.reduce((sum, price) => sum + price, 0) / trained.length;
    const spec = readGraph(join(dir, "whole/runs", run.id)).tasks[1]?.spec as RegressionSpec;
    expect(spec.statistics?.mean).toBeCloseTo(mean, 6);
    const loaded = await loadRun(join(dir, "whole"));
    const [answer, unasked] = await loaded.predict(["select 0.9 as a, -0.2 as b union all select -0.9 as a, 0.5 as b"]);
    expect(answer?.answers.grade?.decoded).toBe("severe");
    expect(Math.abs((answer?.answers.price?.decoded as number) - 1044)).toBeLessThan(10);
    // not asked where the grade is none
    expect(unasked?.answers).toEqual({
      grade: { decoded: "none", activated: expect.anything(), joint_probability: expect.closeTo(0.987, 2) },
    });
    const { scored } = await loaded.score(["select 0.9 as a, -0.2 as b"]);
    expect(scored.tasks.map((task) => confusionMatrix(task)?.classes)).toEqual([[...LEVELS], undefined]);
    const [tree] = await loaded.explain(["select 0.9 as a, -0.2 as b"]);
    expect(tree?.tree[0]).toMatchObject({ decoded: ["severe"], labels: ["at least mild", "at least severe"] });
    const again = await loaded.evaluate("test");
    expect(again).toEqual(evaluation.filter(({ split }) => split === "test"));
    loaded.close();
  }, 60_000);

  test("that is stopped and goes on ends with the weights of one that was not", async () => {
    const whole = await train(6, "six", { name: "whole" });
    const part = await train(3, "parts", { name: "part" });
    const resumed = await train(3, "parts", { resume: part.run.id, epochs: 6 });
    expect(weights("parts", resumed.run.id).equals(weights("six", whole.run.id))).toBe(true);
  }, 60_000);
});
