/** @file Groups of runs in the store. */
import { expect, test } from "vitest";
import type { GroupEvaluationRow } from "../../src/tasks/evaluation.js";
import { finishedRun } from "../support/folders.js";
import { openStore, temporaryDir } from "./support.js";

const folds = { kind: "folds", project: "door", name: "cv", planned: 3 } as const;

test("a group has its runs by place; a run that is deleted leaves it", () => {
  const store = openStore(temporaryDir());
  const group = store.createGroup(folds);
  expect(group).toMatchObject({ ...folds, endedAt: null, runs: [] });
  const [a, b] = [finishedRun(store, "a"), finishedRun(store, "b")];
  store.addToGroup(group.id, b, 2);
  store.addToGroup(group.id, a, 1);
  expect(store.addToGroup(group.id, a, 1).runs).toEqual([
    { position: 1, id: a },
    { position: 2, id: b },
  ]);
  expect([a, b].map((id) => store.groupOf(id)?.name)).toEqual(["cv", "cv"]);
  expect(store.groupOf(finishedRun(store, "c"))).toBeNull();
  store.trashRun(a);
  store.deleteRun(a);
  expect(store.findGroup("cv")?.runs).toEqual([{ position: 2, id: b }]);
  expect(() => store.addToGroup(group.id, "20260101-000000-none", 3)).toThrow("20260101-000000-none");
  store.trashRun(b);
  store.deleteRun(b);
  // with the last of them
  expect(store.findGroup("cv")).toBeNull();
});

test("a group where a single run is asked for is an error that names its runs", () => {
  const store = openStore(temporaryDir());
  const { id } = store.createGroup(folds);
  expect(() => store.findRun("cv")).toThrow(
    '"cv" is a group of runs, and a single run is asked for. It has no runs yet.',
  );
  for (const [i, name] of ["second", "first"].entries()) store.addToGroup(id, finishedRun(store, name), 2 - i);
  for (const reference of ["cv", id]) {
    expect(() => store.findRun(reference)).toThrow("is asked for. Name one of its runs: first, second.");
  }
  expect(() => store.findRun("vc")).toThrow('No run named "vc"');
});

test("a group is found by its id or its name, which no other group or run has", () => {
  const store = openStore(temporaryDir());
  finishedRun(store, "taken");
  const [first, second, third] = [folds, folds, { ...folds, name: "taken" }].map((group) => store.createGroup(group));
  expect([first, second, third].map((group) => group?.name)).toEqual(["cv", "cv-2", "taken-2"]);
  expect(store.findGroup(second?.id ?? "")).toEqual(second);
  expect(store.findGroup("cv-2")).toEqual(second);
  expect(store.findGroup("taken")).toBeNull();
  store.removeGroup(first?.id ?? "");
  expect(store.findGroup("cv")).toBeNull();
  expect(store.listGroups()).toHaveLength(2);
});

test("what its runs come to is kept exactly, and ends it", () => {
  const store = openStore(temporaryDir());
  const { id } = store.createGroup(folds);
  const row = { split: "test", gates: "truth", task_path: "door", num_samples: 7, runs: 3 } as const;
  const rows: GroupEvaluationRow[] = [
    { ...row, metric_name: "loss", mean: 0.1, deviation: 0.01, metric_res: 0.09, baseline: 0.2, beats_baseline: true },
    { ...row, metric_name: "roc_auc", mean: null, deviation: null, runs: 0, metric_res: null },
  ];
  expect(store.endGroup(id, rows).endedAt).not.toBeNull();
  expect(store.readGroupEvaluation(id)).toEqual(rows);
  store.endGroup(id, rows.slice(1));
  expect(store.readGroupEvaluation(id)).toEqual(rows.slice(1));
});

test("conditions and columns name the group", () => {
  const store = openStore(temporaryDir());
  const group = store.createGroup(folds);
  const [a, b] = [finishedRun(store, "a"), finishedRun(store, "b")];
  store.addToGroup(group.id, a, 1);
  expect(store.queryRuns({ where: "group = cv" }).map(({ run }) => run.id)).toEqual([a]);
  expect(store.queryRuns({ where: "group = null" }).map(({ run }) => run.id)).toEqual([b]);
  expect(store.queryRuns({ columns: ["group"], sort: ["name"] }).map(({ values }) => values.group)).toEqual([
    "cv",
    null,
  ]);
});
