/** @file One trained run, asked by somebody who is careless: what is written, read and searched. */
import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyToRun } from "../../src/asking/audit/apply-run.js";
import { auditRun } from "../../src/asking/audit/audit-run.js";
import { blameRun } from "../../src/asking/blame/blame-run.js";
import { loadRun } from "../../src/asking/load-run.js";
import { predictRun } from "../../src/asking/predict-run.js";
import { writeReceptiveFields } from "../../src/asking/receptive-field-run.js";
import { sliceRun } from "../../src/asking/slices/slice-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { runFiles } from "../../src/records/run-folder.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let store: RunStore;
const home = process.cwd();
beforeAll(async () => {
  project = await tinyProject();
  const loaded = await loadProject(project.dir, ["train.epochs=1"]);
  await trainRun(loaded, { name: "first", backend: "cpu" });
  store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  process.chdir(project.dir);
}, 60_000);
afterAll(() => {
  process.chdir(home);
  store.close();
  project.remove();
});

describe("a file to write", () => {
  it("is no table that a query reads, or that the run was trained on", async () => {
    const run = await loadRun(join(project.dir, ".cool"), "first", { backend: "cpu" });
    const before = readFileSync(project.tableFile, "utf8");
    try {
      const query = "select * from 'labels.csv' limit 1";
      await expect(predictRun(run, [query], { out: "labels.csv" })).rejects.toThrow("labels.csv is read");
      writeFileSync("other.csv", before);
      await expect(predictRun(run, ["select img from 'o*.csv' limit 1"], { out: "other.csv" })).rejects.toThrow(
        "other.csv is read",
      );
      const fields = writeReceptiveFields(run, [query], "present", "labels.csv");
      await expect(fields).rejects.toThrow("labels.csv is read");
      const { rows } = await predictRun(run, [query], { out: "answers.csv" });
      expect(rows).toBe(1);
    } finally {
      run.close();
    }
    expect(readFileSync(project.tableFile, "utf8")).toBe(before);
  });

  it("of blame is none but its own earlier picture, unless by force", async () => {
    const picture = readFileSync(project.image(0));
    copyFileSync(project.image(0), "blame.png");
    for (const out of ["blame.png", project.image(0)]) {
      await expect(blameRun(store, "first", { out })).rejects.toThrow("is no picture of cool blame");
    }
    expect(readFileSync(project.image(0)).equals(picture)).toBe(true);
    await blameRun(store, "first", { out: "blame.png", force: true });
    const drawn = readFileSync("blame.png");
    expect(drawn.equals(picture)).toBe(false);
    for (const out of ["blame.png", "blame.svg", "blame.svg"]) await blameRun(store, "first", { out });
    expect(statSync("blame.svg").size).toBeGreaterThan(0);
    mkdirSync("folder.png");
    await expect(blameRun(store, "first", { out: "folder.png" })).rejects.toThrow("folder.png is there already");
  });
});

describe("the worst slices", () => {
  it("are not searched in columns of labels, unless these are named", async () => {
    const options = { split: "test", gates: "truth", worst: 5 } as const;
    await expect(sliceRun(store, "first", { ...options, by: [] })).rejects.toThrow(
      /All columns .* hold labels.*--by \w+ --worst 5; there are .*present/,
    );
    const named = await sliceRun(store, "first", { ...options, by: [["present"]] });
    expect(named.worst).toBeDefined();
  });
});

describe("labels of another project", () => {
  it("are not judged by a run, nor corrected", async () => {
    const audited = await auditRun(store, "first");
    expect(audited.judged.rows).toBe(24);
    const other = await tinyProject();
    try {
      process.chdir(other.dir);
      await expect(auditRun(store, "first")).rejects.toThrow(
        `is of the project in ${project.dir}, and you stand in ${other.dir}`,
      );
      await expect(applyToRun(store, "first", "none.csv")).rejects.toThrow("name the project whose tables are meant");
      // the same table, which is meant
      const meant = await auditRun(store, "first", { project: other.dir });
      expect(meant.suspects).toEqual(audited.suspects);
      other.editTable(([head = "", ...lines]) => [head, ...lines.map((line) => line.replace(/,[01],/, ",,"))]);
      const [first, ...rest] = readFileSync(other.tableFile, "utf8").trim().split("\n");
      const flipped = rest.map((line) => line.replace(",red,", ",blue,").replace(",green,", ",red,"));
      writeFileSync(other.tableFile, `${[first, ...flipped].join("\n")}\n`);
      await expect(auditRun(store, "first", { project: other.dir })).rejects.toThrow(
        /other labels there\. Go to the run's project/,
      );
      other.editTable(([head = "", ...lines]) => [head, ...lines.slice(0, 20)]);
      await expect(auditRun(store, "first", { project: other.dir })).rejects.toThrow("are not in them");
    } finally {
      process.chdir(project.dir);
      other.remove();
    }
  });
});

describe("sets with a guarantee", () => {
  it("name the split that they can be made of where the run has not the one that is asked for", async () => {
    const run = await loadRun(join(project.dir, ".cool"), "first", { backend: "cpu" });
    const valid = runFiles(run.dir).predictions("valid");
    renameSync(valid, `${valid}.away`);
    try {
      const asked = run.explain([project.image(1)], { coverage: { level: 0.5 } });
      await expect(asked).rejects.toThrow("it has those of train and test. Take --coverage-from test.");
    } finally {
      renameSync(`${valid}.away`, valid);
      run.close();
    }
  });

  it("say what the guarantee does not reach in what programs read, too", async () => {
    const run = await loadRun(join(project.dir, ".cool"), "first", { backend: "cpu" });
    try {
      const coverage = { level: 0.5, of: "answer" } as const;
      const { warnings } = await predictRun(run, [project.image(1)], { coverage });
      expect(warnings).toEqual(await run.coverageWarnings(coverage));
      const bare = await predictRun(run, [project.image(1)], {});
      expect(bare).not.toHaveProperty("warnings");
    } finally {
      run.close();
    }
  });
});
