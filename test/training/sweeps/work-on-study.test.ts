/** @file Studies worked on in this process: every trial a run, whatever happens on the way. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../../src/storage/database/database.js";
import { openRunStore, type RunStore } from "../../../src/storage/run-store.js";
import { findStudy, studyDocument } from "../../../src/sweeping/study/study-document.js";
import { beginStudy, type StudyOptions } from "../../../src/training/sweeps/begin-study.js";
import { workOnStudy } from "../../../src/training/sweeps/work-on-study.js";
import { writeNumberProject } from "../../support/number-project.js";

const SLOW = { timeout: 120_000 };
const ADAM = "train.optimizer.kind=adam";
const RATES = "train.optimizer.learningRate=1e-3..1:log";

let dir = "";
let storeDir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sweep-"));
  storeDir = join(dir, ".cool");
  writeNumberProject(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const begin = (options: Partial<StudyOptions>): Promise<string> =>
  beginStudy(dir, { storeDir, sets: [ADAM, RATES], ...options });
const work = (study: string, options: Parameters<typeof workOnStudy>[1] = {}): Promise<void> =>
  workOnStudy({ storeDir, project: dir, study, backend: "cpu" }, options);

function withStore<T>(use: (store: RunStore) => T): T {
  const store = openRunStore(storeDir);
  try {
    return use(store);
  } finally {
    store.close();
  }
}

const shown = (study: string) => withStore((store) => studyDocument(store, findStudy(store, study)));

test("every trial is a run with its values, and the study says which is the best", SLOW, async () => {
  const study = await begin({ name: "rates", sets: [ADAM, RATES, "train.batchSize=4,8"], trials: 4, search: "sobol" });
  await work(study);
  const { trials, best, importance } = shown("rates");
  expect(trials.map(({ number, state }) => [number, state])).toEqual(
    [1, 2, 3, 4].map((number) => [number, "finished"]),
  );
  withStore((store) => {
    for (const { number, run, values, objectives } of trials) {
      const record = store.getRun(run ?? "");
      expect(record).toMatchObject({ name: `rates-${number}`, state: "finished" });
      expect(store.readConfig(record.id)).toMatchObject(values);
      const [row] = store.queryRuns({ where: `id = '${record.id}'`, columns: ["valid/_total/loss", "group"] });
      expect(row?.values).toEqual({ "valid/_total/loss": objectives[0], group: "rates" });
    }
  });
  const losses = trials.map(({ objectives }) => objectives[0] ?? 0);
  expect(best).toEqual([losses.indexOf(Math.min(...losses)) + 1]);
  expect(importance?.map(({ parameter }) => parameter).sort()).toEqual([
    "train.batchSize",
    "train.optimizer.learningRate",
  ]);
});

test("an interrupted trial goes on as the same run, and more trials may be asked for", SLOW, async () => {
  const study = await begin({ name: "stopped", sets: [ADAM, RATES, "train.epochs=2"], trials: 1, search: "random" });
  const controller = new AbortController();
  const stopped = work(study, { signal: controller.signal, tell: ({ kind }) => kind === "step" && controller.abort() });
  await expect(stopped).rejects.toThrow("Interrupted");
  const [before] = shown("stopped").trials;
  expect(before).toMatchObject({ number: 1, state: "interrupted" });
  withStore((store) => store.planTrials(study, 2));
  await work(study);
  const { trials } = shown("stopped");
  expect(trials).toMatchObject([
    { number: 1, state: "finished", run: before?.run, epochs_done: 2 },
    { number: 2, state: "finished" },
  ]);
});

test("a process that died between the end of a run and that of its trial has lost nothing", SLOW, async () => {
  const study = await begin({ name: "killed", trials: 1, search: "random" });
  await work(study);
  const [whole] = shown("killed").trials;
  const database = openDatabase(join(storeDir, "cool.db"));
  database.write(() =>
    database.run("UPDATE trials SET state = 'running', objectives = NULL, pid = 99999999 WHERE group_id = @study", {
      study,
    }),
  );
  database.close();
  await work(study);
  expect(shown("killed").trials).toEqual([whole]);
});

test("training that diverges is what a search finds out, and the study goes on", SLOW, async () => {
  const study = await begin({
    ...{ name: "wild", search: "grid", objectives: ["valid/_total/loss"] },
    sets: ["train.optimizer.kind=sgd", "train.optimizer.learningRate=1e38,0.1"],
  });
  await work(study);
  const { trials, best } = shown("wild");
  expect(trials).toMatchObject([
    { number: 1, state: "failed", error: expect.stringContaining("not finite") },
    { number: 2, state: "finished" },
  ]);
  expect(best).toEqual([2]);
});

test("runs that promise too little are pruned, and several objectives have a front", SLOW, async () => {
  const sets = [ADAM, "train.optimizer.learningRate=0.3,0.1,1e-5,1e-6", "train.epochs=3"];
  const study = await begin({ name: "pruned", sets, search: "grid", prune: "asha" });
  await work(study);
  const { trials, study: summary } = shown("pruned");
  expect(trials.map(({ state }) => state).slice(2)).toEqual(["pruned", "pruned"]);
  expect(trials[3]).toMatchObject({ epochs_done: 1, objectives: [expect.any(Number)] });
  expect(summary.epochs_done).toBeLessThan(12);
  const several = await begin({
    ...{ name: "front", sets: [ADAM, "train.batchSize=4,16"], search: "grid" },
    objectives: ["valid/_total/loss", "valid/right/accuracy"],
  });
  await work(several);
  const front = shown("front");
  expect(front.study.objectives.map(({ direction }) => direction)).toEqual(["minimize", "maximize"]);
  expect(front.best.length).toBeGreaterThan(0);
  expect(front.importance).toBeNull();
});

test("a space that the trials can have all of is a grid unless someone names a search", SLOW, async () => {
  const sets = [ADAM, "train.batchSize=4,8", "train.epochs=1..3:int"];
  const searchOf = async (name: string, options: Partial<StudyOptions>): Promise<unknown> => {
    await begin({ name, sets, ...options });
    const { search, planned } = shown(name).study;
    return [search, planned];
  };
  expect(await searchOf("all", {})).toEqual(["grid", 6]);
  expect(await searchOf("enough", { trials: 9 })).toEqual(["grid", 6]);
  expect(await searchOf("too-few", { trials: 5 })).toEqual(["tpe", 5]);
  expect(await searchOf("named", { search: "tpe" })).toEqual(["tpe", 20]);
});

describe("what is wrong is said before a study exists:", () => {
  test.each<readonly [string, Partial<StudyOptions>, string]>([
    ["an unknown setting", { sets: ["train.batchsize=4,8"] }, "train.batchSize"],
    [
      "a value that its setting does not take",
      { sets: ["train.batchSize=4,many"] },
      'The sweep cannot set train.batchSize="many"',
    ],
    ["nothing to search", { sets: [ADAM] }, "There is nothing to search"],
    [
      "one objective twice",
      { objectives: ["valid/_total/loss", "valid/_total/loss:min"] },
      "The objective valid/_total/loss is given twice",
    ],
    ["an unknown metric of all tasks", { objectives: ["valid/_total/los"] }, 'Did you mean "loss"'],
    ["an unknown task", { objectives: ["valid/rigth/loss"] }, 'Did you mean "right"'],
    ["an unknown metric", { objectives: ["valid/right/acuracy"] }, 'Did you mean "accuracy"'],
    ["no metric", { objectives: ["loss"] }, "is not split/task/metric"],
    [
      "pruning by what epochs do not tell",
      { prune: "asha", objectives: ["test/_total/loss"] },
      "known after each epoch",
    ],
    [
      "pruning by two objectives",
      { prune: "asha", objectives: ["valid/_total/loss", "valid/right/loss"] },
      "one objective",
    ],
    ["a grid of a range", { search: "grid" }, "A grid needs values"],
    ["the name of a study", { name: "taken" }, "There is a study named taken"],
  ])("%s", async (_, options, message) => {
    if (options.name === "taken") await begin({ name: "taken" });
    await expect(begin({ name: "wrong", ...options })).rejects.toThrow(message);
    expect(withStore((store) => store.findGroup("wrong"))).toBeNull();
  });
});

test(
  "whole numbers are searched where a setting takes no others, and an objective of no run ends the study",
  SLOW,
  async () => {
    writeFileSync(
      join(dir, "sweep.json"),
      JSON.stringify({
        parameters: { "train.epochs": { low: 1, high: 2 }, "train.optimizer.learningRate": { low: 1, high: 2 } },
        ...{ set: { "train.optimizer.kind": "adam" }, search: "random", trials: 1, name: "filed" },
        objective: "valid/right/nothing@end_to_end:max",
      }),
    );
    const study = await beginStudy(dir, { storeDir, sets: [], file: join(dir, "sweep.json") });
    const { space } = JSON.parse(withStore((store) => store.readStudy(study)) ?? "") as {
      space: readonly { step: number | null }[];
    };
    expect(space.map(({ step }) => step)).toEqual([1, null]);
    await expect(work(study)).rejects.toThrow('No metric named "valid/right/nothing@end_to_end"');
  },
);
