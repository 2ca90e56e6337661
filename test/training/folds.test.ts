/** @file `cool run --folds`: a group of runs, checked from the files that they leave behind. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GroupResult } from "../../src/asking/groups/group-runs.js";
import { groupResult } from "../../src/asking/groups/group-runs.js";
import { loadRun } from "../../src/asking/load-run.js";
import { numeric } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import { readParquet } from "../../src/data/tables/table-writer.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { checkProject } from "../../src/project/check-project.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, classification, regression } from "../../src/tasks/index.js";
import { trainFolds } from "../../src/training/folds/train-folds.js";

const random = createRandom("folds");
const ROWS = 120;
let dir = "";
let result: GroupResult;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-folds-"));
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const [a, b] = [2 * random.next() - 1, 2 * random.next() - 1];
    const ill = a + 0.6 * (random.next() - 0.5) > 0.2 ? 1 : 0;
    const kind = b > 0.3 ? "x" : b > -0.3 ? "y" : "z";
    // each patient has its own level, so that folds standardize the weight differently
    return [a, b, ill, kind, ill === 1 ? 70 + 20 * b : "", `p${Math.floor(i / 3)}`].join(",");
  });
  writeFileSync(join(dir, "table.csv"), `a,b,ill,kind,weight,patient\n${lines.join("\n")}\n`);
  result = await trainFolds(project(), { store: join(dir, "store"), backend: "cpu", name: "cv" });
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function project(folds = 3) {
  return resolveProject(projectDefinition(folds), { projectDir: dir });
}

function projectDefinition(folds = 3) {
  const tasks = defineTasks({
    features: ["f"],
    tasks: { ill: binary(), kind: classification({ classes: ["x", "y", "z"] }), weight: regression() },
  }).flow("main", (flow, x, out) => {
    out.add(flow.ill(x.f));
    out.add(flow.kind(x.f));
    out.add(flow.weight(x.f).given(out.ill));
  });
  return defineProject({
    name: "numbers",
    tasks,
    flow: "main",
    data: {
      table: "table.csv",
      inputs: { at: numeric({ columns: ["a", "b"] }) },
      split: { train: 0.6, valid: 0.2, test: 0.2, seed: 3, groupBy: "patient", stratify: true, folds },
    },
    trunk: ({ at }, layers) => ({
      f: layers.dense({ units: 6, activation: "tanh" }).apply(at as SymbolicTensor) as SymbolicTensor,
    }),
    train: { epochs: 12, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.05 } },
  });
}

/** Columns of a file of predictions about one task, in the order of its rows. */
async function answers(file: string, task: string) {
  const [paths, samples, labels, activated, decoded] = (await readParquet(
    file,
    ["task_path", "sample", "label", "activated", "decoded"],
    '"row"',
  )) as [string[], string[], (number[] | null)[], number[][], number[][]];
  return paths.flatMap((path, i) =>
    path === task
      ? [
          {
            sample: samples[i] ?? "",
            label: labels[i]?.[0] ?? null,
            scores: activated[i] ?? [],
            decoded: decoded[i]?.[0],
          },
        ]
      : [],
  );
}

const runFile = (run: { readonly dir: string }, split: string) => join(run.dir, "predictions", `${split}.parquet`);
const row = (split: string, task: string, metric: string) =>
  result.evaluation.find(
    (one) => one.split === split && one.task_path === task && one.metric_name === metric && one.gates === "truth",
  );

describe("a group of folds", () => {
  test("is a run for each, of the group in the store, and test is the same in all", async () => {
    const store = openRunStore(join(dir, "store"), { readonly: true });
    const group = store.findGroup("cv");
    expect(group).toMatchObject({ kind: "folds", project: "numbers", name: "cv", planned: 3 });
    expect(group?.endedAt).not.toBeNull();
    expect(result.group.runs.map(({ name, state }) => [name, state])).toEqual([
      ["cv-fold-1", "finished"],
      ["cv-fold-2", "finished"],
      ["cv-fold-3", "finished"],
    ]);
    expect(group === null ? null : groupResult(store, group)).toEqual({
      group: result.group,
      evaluation: result.evaluation,
    });
    store.close();
    const tests = await Promise.all(result.group.runs.map((run) => answers(runFile(run, "test"), "ill")));
    const samples = tests.map((rows) => rows.map(({ sample }) => sample));
    expect(samples[1]).toEqual(samples[0]);
    expect(samples[2]).toEqual(samples[0]);
  });

  test("holds every row of train and valid out once, and its threshold is the best on all of them", async () => {
    const parts = await Promise.all(result.group.runs.map((run) => answers(runFile(run, "valid"), "ill")));
    const pooled = parts.flat();
    const tests = await answers(runFile(result.group.runs[0] as { dir: string }, "test"), "ill");
    const all = [...pooled, ...tests].map(({ sample }) => sample);
    expect(new Set(all).size).toBe(ROWS);
    expect(all).toHaveLength(ROWS);
    const kept = await answers(join(result.group.predictions, "valid.parquet"), "ill");
    expect(kept.map(({ sample }) => sample)).toEqual(pooled.map(({ sample }) => sample));
    // brute force: no threshold has a better F1 on the pooled answers
    const f1 = (threshold: number): number => {
      const said = pooled.map(({ label, scores }) => [label === 1, (scores[0] ?? 0) >= threshold]);
      const hits = said.filter(([truth, yes]) => truth && yes).length;
      const misses = said.filter(([truth, yes]) => truth !== yes).length;
      return (2 * hits) / (2 * hits + misses);
    };
    const best = Math.max(...pooled.map(({ scores }) => f1(scores[0] ?? 0)));
    const threshold = result.thresholds.ill as number;
    expect(f1(threshold)).toBeCloseTo(best, 10);
    expect(row("valid", "ill", "f1_score")?.metric_res).toBeCloseTo(best, 6);
    // every fold decides by it
    for (const part of parts) {
      for (const { scores, decoded } of part) expect(decoded).toBe((scores[0] ?? 0) >= threshold ? 1 : 0);
    }
  });

  test("reports mean and deviation over the folds", async () => {
    const store = openRunStore(join(dir, "store"), { readonly: true });
    for (const [split, task, metric] of [
      ["valid", "ill", "accuracy"],
      ["test", "kind", "accuracy_1"],
      ["test", "weight", "mean_absolute_error"],
    ] as const) {
      const values = result.group.runs.map(
        ({ id }) =>
          store.readEvaluation(id, { split, taskPath: task, metricName: metric, gates: "truth" })[0]?.metric_res ?? 0,
      );
      const mean = values.reduce((sum, value) => sum + value, 0) / 3;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
      expect(row(split, task, metric)).toMatchObject({
        mean: expect.closeTo(mean, 10),
        deviation: expect.closeTo(deviation, 10),
        runs: 3,
      });
    }
    store.close();
  });

  test("answers on test as an ensemble: the mean of probabilities, shares and numbers", async () => {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const task of ["ill", "kind", "weight"]) {
      const own = await answers(join(result.group.predictions, "test.parquet"), task);
      const each = await Promise.all(result.group.runs.map((run) => answers(runFile(run, "test"), task)));
      expect(own.length).toBeGreaterThan(10);
      for (const [i, { scores, decoded, label }] of own.entries()) {
        expect(label).toBe(each[0]?.[i]?.label ?? null);
        if (task === "weight") {
          // in label units, although every fold standardizes by its own rows
          expect(decoded).toBeCloseTo(mean(each.map((rows) => rows[i]?.decoded ?? Number.NaN)), 3);
        } else {
          for (const [c, score] of scores.entries()) {
            expect(score).toBeCloseTo(mean(each.map((rows) => rows[i]?.scores[c] ?? Number.NaN)), 5);
          }
        }
      }
      if (task !== "kind") continue;
      const right = own.filter(({ label, decoded }) => label === decoded).length;
      expect(row("test", "kind", "accuracy_1")?.metric_res).toBeCloseTo(right / own.length, 10);
    }
  });

  test("answers new inputs together, each fold with its own statistics", async () => {
    const query = "select 0.4 as a, 0.1 as b union all select -0.5 as a, -0.9 as b";
    const open = (name: string) => loadRun(join(dir, "store"), name, { backend: "cpu" });
    const group = await open("cv");
    const together = await group.predict([query]);
    const [tree] = await group.explain([query]);
    expect(tree?.tree[0]).toMatchObject({ path: "ill" });
    await expect(group.explain([query], { uncertainty: {} })).rejects.toThrow("a group of 3");
    expect(group.id).toBe(result.group.id);
    group.close();
    const each = [];
    for (const { id } of result.group.runs) {
      const run = await open(id);
      each.push(await run.predict([query]));
      run.close();
    }
    for (const [i, { answers: own }] of together.entries()) {
      const scores = each.map((rows) => rows[i]?.answers.ill?.activated[0] ?? Number.NaN);
      expect(own.ill?.activated[0]).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / 3, 5);
    }
  });

  test("that was interrupted goes on where it stopped", async () => {
    const store = join(dir, "stopped");
    const controller = new AbortController();
    let begun = 0;
    const stopping = trainFolds(project(2), {
      store,
      backend: "cpu",
      name: "two",
      signal: controller.signal,
      loggers: [
        {
          message: (line) => {
            if (line.startsWith("fold ")) begun++;
          },
          epoch: ({ epoch }) => {
            if (begun === 2 && epoch === 3) controller.abort();
          },
        },
      ],
    });
    await expect(stopping).rejects.toThrow("Interrupted");
    await expect(loadRun(store, "two")).rejects.toThrow(
      /The group two \(.*\) has no results: 1 of 2 folds are finished\. Go on with: cool run --folds --resume two/,
    );
    const finished = await trainFolds(project(2), { store, backend: "cpu", resume: "two" });
    const whole = await trainFolds(project(2), { store: join(dir, "whole"), backend: "cpu", name: "two" });
    expect(finished.group.runs).toHaveLength(2);
    expect(finished.evaluation).toEqual(whole.evaluation);
    await expect(trainFolds(project(3), { store, resume: "two" })).rejects.toThrow("has 2 folds");
    await expect(trainFolds(project(2), { store, resume: "tow" })).rejects.toThrow('"two"');
  }, 120_000);

  test("whose data cannot be cut leaves no group behind", async () => {
    const store = join(dir, "none");
    await expect(trainFolds(project(60), { store, backend: "cpu" })).rejects.toThrow('groups of "patient"');
    const opened = openRunStore(store, { readonly: true });
    expect(opened.listGroups()).toEqual([]);
    opened.close();
  });
});

test("a class of fewer rows than folds is warned of before the first step, and trains", async () => {
  const own = mkdtempSync(join(tmpdir(), "cool-rare-"));
  try {
    const lines = readFileSync(join(dir, "table.csv"), "utf8").replaceAll(/,[xyz],/g, (_, place: number) =>
      place % 2 === 0 ? ",x," : ",y,",
    );
    const [head, first, second, ...rest] = lines.trimEnd().split("\n");
    const rare = [first, second].map((line) => line?.replace(/,[xy],/, ",z,"));
    const table = [head, ...rare, ...rest].map((line, row) => {
      const split = row === 0 ? "split" : row > 2 && row % 4 === 0 ? "test" : row % 4 === 1 ? "valid" : "train";
      return `${line},${split}`;
    });
    writeFileSync(join(own, "table.csv"), `${table.join("\n")}\n`);
    const { definition } = projectDefinition();
    const rareProject = resolveProject(
      defineProject({
        ...definition,
        data: { ...definition.data, split: { column: "split", stratify: true, folds: 3 } },
        train: { ...definition.train, epochs: 1 },
      }),
      { projectDir: own },
    );
    const text =
      /^kind: there are 2 usable rows of "z" in train and valid together, and fold \d of 3 holds out none of them; label more, or lower data.split.folds to 2$/;
    const { warnings } = await checkProject(rareProject);
    expect(warnings).toEqual([expect.stringMatching(text)]);
    const told: string[] = [];
    const logger = { warning: (line: string) => void told.push(line) };
    const { group } = await trainFolds(rareProject, { store: join(own, "store"), backend: "cpu", loggers: [logger] });
    expect(group.runs).toHaveLength(3);
    expect(told.filter((line) => text.test(line)).length).toBeGreaterThan(0);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}, 120_000);
