/** @file `cool run --folds` and what follows from it, as a user types it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cool, coolJson } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

interface Group {
  readonly group: { readonly id: string; readonly name: string; readonly runs: readonly { readonly name: string }[] };
  readonly evaluation: readonly { readonly split: string; readonly runs: number; readonly mean: number | null }[];
}

let project: TinyProject;
let group: Group;
const inProject = (...args: string[]) => [...args, "--project", project.dir];
const folds = ["--folds", "--epochs", "1", "--set", "data.split.folds=2", "--set", "data.split.stratify=true"];

beforeAll(async () => {
  project = await tinyProject();
  group = await coolJson<Group>(["run", project.dir, ...folds, "--name", "cv"]);
});
afterAll(() => project.remove());

it("prints one JSON document: the group with its runs, thresholds, and rows of all folds", () => {
  expect(group.group.runs.map(({ name }) => name)).toEqual(["cv-fold-1", "cv-fold-2"]);
  expect(new Set(group.evaluation.map(({ split }) => split))).toEqual(new Set(["valid", "test"]));
  expect(group.evaluation.some(({ runs, mean }) => runs === 2 && mean !== null)).toBe(true);
});

it("a group is evaluated, asked and shown by its name", async () => {
  const { group: shown, evaluation } = await coolJson<Group>(inProject("evaluate", "cv"));
  expect({ group: shown, evaluation }).toEqual({ group: group.group, evaluation: group.evaluation });
  const { stdout } = await cool(inProject("evaluate", "cv", "--split", "valid"));
  expect(stdout).toMatch(/│ valid\s+│\s+mean │\s+± │\s+pooled │\s+n │\s+constant │/);
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  const some = await coolJson<Group>(inProject("evaluate", "cv", "--split", "test", "--metric", "accuracy"));
  expect(some.evaluation.length).toBeGreaterThan(0);
  expect(some.evaluation.length).toBeLessThan(evaluation.length / 4);
  expect((await cool(inProject("evaluate", "cv", "--metric", "acuracy"))).stderr).toContain('Did you mean "accuracy"?');
  const image = project.image(0);
  const { run } = await coolJson<{ run: string }>(inProject("predict", image, "--run", "cv"));
  expect(run).toBe(group.group.id);
  const { run: fold } = await coolJson<{ run: { group: string } }>(inProject("runs", "show", "cv-fold-2"));
  expect(fold.group).toBe("cv");
});

it("prints a table of each split where JSON is not asked for", async () => {
  const { code, stdout, stderr } = await cool(["run", project.dir, ...folds, "--name", "cv"]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^fold 2 of 2$/m);
  expect(stdout).toMatch(/│ test\s+│\s+mean │\s+± │\s+ensem- │/);
  // the name is taken
  expect(stdout).toContain("(cv-2) of 2 folds");
});

it("refuses folds of what cannot be cut, and a group that is not there", async () => {
  const tooMany = await cool(["run", project.dir, "--folds", "--set", "data.split.folds=90"]);
  expect(tooMany).toMatchObject({ code: 1, stdout: "" });
  expect(tooMany.stderr).toMatch(/too few for 90 folds/);
  const unknown = await cool(["run", project.dir, "--folds", "--resume", "vc"]);
  expect(unknown.stderr).toMatch(/No group named "vc"/);
});

it("pictures are checked for others that look the same, before any training", async () => {
  const { duplicates, pictures } = await coolJson<{ duplicates: unknown[]; pictures: number }>([
    "check",
    project.dir,
    "--images",
  ]);
  expect(pictures).toBe(project.rows.length);
  expect(Array.isArray(duplicates)).toBe(true);
});

it("labels of a group are audited, and corrections are written beside the table", async () => {
  const audit = await coolJson<{
    judged: { rows: number; kind: string; unjudged: number };
    suspects: { row: number; sample: string; task_path: string; suspicion: number }[];
    duplicates: unknown[];
  }>(inProject("audit", "cv", "--images", "--least", "0"));
  expect(audit.judged).toEqual({ rows: project.rows.length, kind: "out_of_fold", unjudged: 0, advice: null });
  const labels = readFileSync(project.tableFile, "utf8")
    .trim()
    .replaceAll(/"[^"]*"/g, "quoted")
    .split("\n")
    .slice(1);
  expect(audit.suspects).toHaveLength(
    labels.reduce(
      (sum, line) =>
        sum +
        line
          .split(",")
          .slice(1)
          .filter((cell) => cell !== "").length,
      0,
    ),
  );
  for (const { row, sample } of audit.suspects) expect(labels[row - 1]?.startsWith(`${sample},`)).toBe(true);
  const { stdout } = await cool(inProject("audit", "cv", "--top", "3", "--sheets", join(project.dir, "sheets")));
  expect(stdout).toContain("60 rows judged, each by a network that had not seen it");
  for (const line of stdout.split("\n").filter((one) => /[│┌]/.test(one))) expect(line.length).toBeLessThanOrEqual(80);
  const out = join(project.dir, "suspects.csv");
  const fold = await coolJson<{ judged: { kind: string; advice: string } }>(
    inProject("audit", "cv-fold-1", "--least", "0", "--out", out),
  );
  expect(fold.judged).toMatchObject({ kind: "held_out", advice: expect.stringContaining("cool audit cv") });
  // corrected by hand meanwhile
  expect((await cool(inProject("audit", "cv-fold-1", "--out", out))).stderr).toContain("is there already");
  writeFileSync(out, "row,column,label,corrected\n2,blocked,0,1\n2,color,,mauve\n");
  const applied = await cool(inProject("audit", "cv", "--apply", out));
  expect(applied.stderr).toMatch(/not applied: labels.csv, row 2, column "color": "mauve"/);
  const written = join(project.dir, "labels.corrected.csv");
  expect(applied.stdout).toContain(`1 cells corrected in ${written}`);
  const [before, after] = [readFileSync(project.tableFile, "utf8"), readFileSync(written, "utf8")];
  expect(after).not.toBe(before);
  expect((await cool(inProject("audit", "vc"))).stderr).toMatch(/No run named "vc"/);
  expect((await cool(inProject("audit", "cv", "--task", "colr"))).stderr).toContain("color");
  expect((await cool(inProject("audit", "cv", "--least", "2"))).code).toBe(2);
});

it("empty cells are ranked, asked for in Label Studio, and its export is read back", async () => {
  const rows = readFileSync(project.tableFile, "utf8").trim().split("\n");
  const table = rows.map((line, i) => (i > 0 && i % 3 === 0 ? `${line.split(",")[0]},,,,,` : line));
  writeFileSync(project.tableFile, `${table.join("\n")}\n`);
  const [out, studio] = [join(project.dir, "next.csv"), join(project.dir, "studio")];
  const asked = await coolJson<{
    cells: { row: number; task_path: string; given: string | null }[];
    questions: number;
  }>(inProject("ask", "cv", "--budget", "12", "--out", out, "--label-studio", studio));
  expect(asked.questions).toBeLessThanOrEqual(12 + 1e-6);
  expect(asked.questions).toBeGreaterThan(11);
  expect(new Set(asked.cells.map(({ row }) => row % 3))).toEqual(new Set([0]));
  expect(readFileSync(out, "utf8").split("\n")[0]).toContain("corrected");
  expect((await cool(inProject("ask", "cv", "--out", out))).stderr).toContain("is there already");
  expect(readFileSync(join(studio, "config.xml"), "utf8")).toContain('visibleWhen="choice-selected"');
  const tasks = JSON.parse(readFileSync(join(studio, "tasks.json"), "utf8")) as { data: object }[];
  const answered = [{ from_name: "blocked", to_name: "image", type: "choices", value: { choices: ["yes"] } }];
  const file = join(project.dir, "export.json");
  writeFileSync(file, JSON.stringify([{ ...tasks[0], annotations: [{ was_cancelled: false, result: answered }] }]));
  const { stdout } = await cool(inProject("ask", "cv", "--read", file));
  expect(stdout).toMatch(/^1 cells filled in .*labels\.corrected(-2)?\.csv$/m);
  const { stdout: shown } = await cool(inProject("ask", "cv", "--budget", "5", "--top", "3"));
  for (const line of shown.split("\n").filter((one) => /[│┌]/.test(one))) expect(line.length).toBeLessThanOrEqual(80);
});
