/** @file Groups of runs, with scripts and without. */
import { expect, it } from "vitest";
import type { GroupAnswer, GroupsAnswer } from "../../src/ui/api/types.js";
import { addStudy } from "../support/study.js";
import { addRun, openUi } from "./ui-app.js";

const NAME = "folds <b>of</b> base";

function withGroup() {
  let group = "";
  const runs: string[] = [];
  const ui = openUi((store) => {
    const made = store.createGroup({ kind: "folds", project: "security", name: NAME, planned: 3 });
    group = made.id;
    for (const [i, value] of [0.5, 0.7].entries()) {
      const id = addRun(store, `fold-${i}`, value);
      store.addToGroup(group, id, i);
      runs.push(id);
    }
    const row = {
      ...{ split: "valid", task_path: "door", metric_name: "f1_score", metric_res: 0.61, num_samples: 18 },
      ...{ gates: "truth", mean: 0.6, deviation: 0.1414, runs: 2 },
    };
    store.endGroup(group, [row] as Parameters<typeof store.endGroup>[1]);
  });
  return { ...ui, group, runs };
}

it("are listed, and each has a page with its runs in their order and what they come to", async () => {
  const { read, group, runs } = withGroup();
  expect((await read<GroupsAnswer>("/api/groups")).groups).toMatchObject([{ id: group, planned: 3, runs }]);
  const answer = await read<GroupAnswer>(`/api/groups/${group}`);
  // the last point of 0.7's curve
  expect(answer.runs.map(({ name, values }) => [name, values?.monitored])).toEqual([
    ["fold-0", 0.53],
    ["fold-1", 0.73],
  ]);
  expect(answer.group.evaluation).toMatchObject([{ mean: 0.6, deviation: 0.1414, metric_res: 0.61, runs: 2 }]);
});

it("can be read without scripts, their names as text", async () => {
  const { ask, group, runs } = withGroup();
  const list = await (await ask("/groups")).text();
  expect(list).toContain(`href="/groups/${group}"`);
  expect(list).not.toContain("<b>");
  const page = await (await ask(`/groups/${group}`)).text();
  for (const part of [...runs.map((id) => `href="/runs/${id}"`), "0.1414", "0.61"]) expect(page).toContain(part);
});

it("of a name, or an id that is not there, are not found", async () => {
  const { ask } = withGroup();
  for (const path of [`/groups/${encodeURIComponent(NAME)}`, "/groups/%00", "/api/groups/nothing"]) {
    expect((await ask(path)).status, path).toBe(404);
  }
});

it("of a sweep have its study: trials, pictures and runs, with scripts and without", async () => {
  let study = { id: "", runs: [] as readonly string[] };
  const { ask, read } = openUi((store) => {
    study = addStudy(store, "rates", 6, 2);
  });
  const answer = await read<GroupAnswer>(`/api/groups/${study.id}`);
  expect(answer.study?.trials.map(({ run }) => run).toSorted()).toEqual([...study.runs].toSorted());
  expect([answer.study?.slices.length, answer.study?.fronts.length]).toEqual([2, 1]);
  const page = await (await ask(`/groups/${study.id}`)).text();
  expect(page).toContain("train.optimizer.learningRate");
  for (const run of study.runs) expect(page).toContain(`href="/runs/${run}"`);
  expect(page).not.toContain("<b>");
});
