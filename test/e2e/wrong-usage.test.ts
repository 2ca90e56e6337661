/** @file What a user types wrong ends with exit code 2 and says what to type (docs/architecture.md#exit-codes). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRunStore } from "../../src/storage/run-store.js";
import { cool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let runs: readonly [string, string];

beforeAll(async () => {
  project = await tinyProject(6);
  const store = openRunStore(`${project.dir}/.cool`);
  const make = (name: string): string => {
    const { id } = store.createRun({ project: "p", name, config: { train: { batchSize: 8 } } });
    store.replaceEvaluation(id, [
      { split: "valid", task_path: "door", metric_name: "f1_score", metric_res: 0.5, num_samples: 3, gates: "truth" },
    ]);
    store.finishRun(id, "finished");
    return id;
  };
  runs = [make("base"), make("wide")];
  store.close();
});

afterAll(() => project.remove());

const UNKNOWN_RUN = 'No run named "bse". Did you mean "base"?';

test.each([
  // runs
  [["runs", "show", "bse"], UNKNOWN_RUN],
  [["runs", "tag", "bse", "+x"], UNKNOWN_RUN],
  [["runs", "note", "bse", "text"], UNKNOWN_RUN],
  [["runs", "rename", "bse", "new"], UNKNOWN_RUN],
  [["runs", "mark", "bse"], UNKNOWN_RUN],
  [["runs", "remove", "base", "bse"], UNKNOWN_RUN],
  [["runs", "restore", "bse"], UNKNOWN_RUN],
  [["runs", "export", "bse"], UNKNOWN_RUN],
  [["runs", "export-metrics", "bse"], UNKNOWN_RUN],
  [["runs", "diff", "wide", "bse"], UNKNOWN_RUN],
  [["compare", "runs", "wide", "bse"], UNKNOWN_RUN],
  [["evaluate", "bse"], UNKNOWN_RUN],
  [["tune", "bse"], UNKNOWN_RUN],
  [["interpret", "bse"], UNKNOWN_RUN],
  [["explain", "--run", "bse", "x.png"], UNKNOWN_RUN],
  [["predict", "--run", "bse", "x.png"], UNKNOWN_RUN],
  [["predict", "x.png", "--coverage-of", "answer"], "when using --coverage-of: --coverage"],
  [["audit", "--least", "2"], "Error: --least 2 is no number from 0 to 1.\n"],
  [["run", "--folds", "3"], "Write: cool run --folds --set data.split.folds=3"],
  [["run", "--resume", "bse"], UNKNOWN_RUN],
  [["run", "--again", "bse"], UNKNOWN_RUN],
  [["run", "--from", "bse"], UNKNOWN_RUN],
  [["runs", "show", "2"], '2 runs have ids that start with "2"'],
  // names
  [["runs", "rename", "base", "latest"], 'No run can be named "latest"'],
  [["runs", "rename", "base", "two\nlines"], "control character or line break"],
  [["runs", "tag", "base", "good"], "Write +good to add it"],
  // conditions
  [["runs", "list", "--where", "(state = finished"], 'Expected ")", found the end'],
  [["runs", "list", "--where", "valid/door/f1_scor > 0.1"], 'Did you mean "valid/door/f1_score"?'],
  [["runs", "list", "--where", "batchsize = 8"], 'Did you mean "train.batchSize"?'],
  [["runs", "list", "--sort", "nam"], 'Did you mean "name"?'],
  [["runs", "list", "--columns", "nam"], 'Did you mean "name"?'],
  [["runs", "list", "--since", "yesteryear"], "--since yesteryear is no time"],
  [["runs", "list", "--state", "done"], "Expected --state=done to be one of"],
  [["runs", "gc", "--older-than", "soon"], "is no length of time"],
  [["sql", "delete from runs"], "only reading is possible"],
  [["sql", "select nme from runs"], "no such column: nme"],
  // settings
  [["run", "--set", "epochs"], "--set epochs is not key=value"],
  [["run", "--set", "train.batchsize=8"], 'did you mean "train.batchSize"?'],
  [["run", "--set", "train.epochs=many"], '"train.epochs" is wrong'],
  // words
  [["runs", "lst"], 'Did you mean "runs list"?'],
  [["rnus"], 'Did you mean "runs"?'],
  [["runs", "list", "base"], 'takes no argument "base"'],
  [["runs", "list", "--limt", "3"], 'Did you mean "--limit"?'],
  [["runs", "merge", "nowhere"], "There is no folder"],
  [["runs", "import", "nowhere"], "There is no "],
  [["run", "nowhere"], "There is no folder"],
])("%j", async (args, message) => {
  const { code, stdout, stderr } = await cool(args, { cwd: project.dir });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^Error: .*\n/);
  expect(stderr).toContain(message);
});

test("nothing was changed", () => {
  const store = openRunStore(`${project.dir}/.cool`, { readonly: true });
  const left = store.listRuns({ includeTrash: true });
  store.close();
  expect(left.map(({ id }) => id).sort()).toEqual([...runs].sort());
  expect(left.every(({ tags, deletedAt, starred }) => tags.length === 0 && deletedAt === null && !starred)).toBe(true);
});

test.each([
  [["runs", "tag", "base", "+x"]],
  [["runs", "note", "base", "x"]],
  [["runs", "rename", "base", "x"]],
  [["runs", "mark", "base"]],
  [["runs", "remove", "base"]],
  [["runs", "restore", "base"]],
  [["runs", "gc"]],
  [["tune", "base"]],
  [["runs", "list"]],
])("%j makes no store where there is none", async (args) => {
  const { code, stderr } = await cool([...args, "--store", "nowhere"], { cwd: project.dir });
  expect(code).toBe(1);
  expect(stderr).toContain(`There is no run store at ${join(project.dir, "nowhere", "cool.db")}`);
  expect(existsSync(join(project.dir, "nowhere"))).toBe(false);
});
