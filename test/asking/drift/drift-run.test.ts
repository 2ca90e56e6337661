/** @file New pictures beside those that a run was trained on: the same, dimmer ones, and runs from before. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driftRun } from "../../../src/asking/drift/drift-run.js";
import { loadRun } from "../../../src/asking/load-run.js";
import { loadProject } from "../../../src/project/load-project.js";
import { readMonitor } from "../../../src/records/monitor/monitor.js";
import { exportRun, importRuns, importSource } from "../../../src/records/transfer.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { trainRun } from "../../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

let project: TinyProject;
let dir = "";
const store = (): string => join(project.dir, ".cool");

beforeAll(async () => {
  project = await tinyProject(120);
  dir = (await trainRun(await loadProject(project.dir, ["train.epochs=3"]))).run.dir;
  mkdirSync(join(project.dir, "dim"));
  for (const [i] of project.rows.entries()) {
    if (i % 2 === 1) continue;
    await sharp(project.image(i))
      .linear(0.5, 0)
      .toFile(join(project.dir, "dim", `${i}.png`));
  }
});
afterAll(() => project.remove());

describe("drift", () => {
  it("is compared with what training kept of the inputs", () => {
    const monitor = readMonitor(dir);
    expect(monitor?.features).toBeNull();
    expect(monitor?.record).toMatchObject({ rows: 72, formatVersion: 1 });
    const [brightness] = monitor?.record.inputs ?? [];
    expect(brightness).toMatchObject({ kind: "numbers", name: "image brightness", sketch: { count: 72, missing: 0 } });
  });

  it("is not seen in pictures like those of train, whose features are kept then", async () => {
    const result = await driftRun(store(), "latest", join(project.dir, "images"), { project: project.dir });
    expect(result).toMatchObject({ drift: false, rows: 120, skipped: 0, notes: [] });
    expect(result.tests.filter(({ drift }) => drift)).toEqual([]);
    expect(result.furthest).toHaveLength(20);
    expect(new Set(result.tests.map(({ kind }) => kind))).toEqual(new Set(["input", "features", "asked", "answer"]));
    expect(readMonitor(dir)?.features).toMatchObject({ rows: 72, width: 32 });
  });

  it("is seen in dimmer pictures, of which the furthest are drawn", async () => {
    const sheet = join(project.dir, "far.png");
    const options = { project: project.dir, sheet, top: 5 };
    const result = await driftRun(store(), "latest", join(project.dir, "dim"), options);
    expect(result.drift).toBe(true);
    const brightness = result.tests.find(({ name }) => name === "image brightness");
    expect(brightness).toMatchObject({ drift: true, kind: "input", rows: { train: 72, now: 60 } });
    expect(brightness?.now ?? 0).toBeLessThan(brightness?.train ?? 0);
    expect(result.tests.find(({ kind }) => kind === "features")).toMatchObject({ drift: true });
    expect(result.furthest).toHaveLength(5);
    const distances = result.furthest.map(({ distance }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => b - a));
    expect((await sharp(sheet).metadata()).width).toBe(848);
  });

  it("is told of tables, by names of their rows", async () => {
    const result = await driftRun(store(), "latest", project.tableFile, { project: project.dir, top: 1 });
    expect(result.drift).toBe(false);
    expect(result.furthest[0]?.input).toMatch(/^images\/\d+\.png$/);
  });

  it("refuses a sheet before anything is computed, and finds the pictures of a table elsewhere", async () => {
    const asked = (sheet: string) => driftRun(store(), "latest", project.tableFile, { project: project.dir, sheet });
    await expect(asked(join(project.dir, "far.jpg"))).rejects.toThrow(/far\.jpg is drawn as PNG/);
    await expect(asked(join(project.dir, "nowhere", "far.png"))).rejects.toThrow(/There is no folder .*nowhere/);
    const run = await loadRun(store(), "latest", { project: project.dir });
    const { furthest, pictures } = await run.drift([project.tableFile], { top: 2, pictures: project.dir });
    run.close();
    expect(pictures).toEqual(furthest.map(({ input }) => ({ kind: "file", path: join(project.dir, input) })));
    expect(existsSync(join(project.dir, furthest[0]?.input ?? "?"))).toBe(true);
  });

  it("cannot be told of pictures of which none can be read, which no skipping helps", async () => {
    const bad = join(project.dir, "bad.png");
    writeFileSync(bad, "no picture");
    const asked = driftRun(store(), "latest", bad, { project: project.dir, onBadImage: "skip" });
    await expect(asked).rejects.toThrow(
      /1 of 1 images .*bad\.png.*\. No row is left without them: correct at least one\.$/,
    );
    rmSync(bad);
  });

  it("cannot be told of a single row", async () => {
    const one = await driftRun(store(), "latest", project.image(0), { project: project.dir });
    expect(one).toMatchObject({ drift: false, enough: false, rows: 1 });
    const all = await driftRun(store(), "latest", project.tableFile, { project: project.dir });
    expect(all).toMatchObject({ drift: false, enough: true });
  });

  it("of a run from before is computed from its data once, and goes along with the run", async () => {
    const before = readMonitor(dir);
    rmSync(join(dir, "monitor.json"));
    rmSync(join(dir, "monitor.features.bin"));
    await driftRun(store(), "latest", project.image(0), { project: project.dir });
    expect(readMonitor(dir)).toEqual(before);
    const [moved, other] = [join(project.dir, "moved"), join(project.dir, "other")];
    const from = openRunStore(store());
    exportRun(from, "latest", moved);
    from.close();
    const to = openRunStore(other);
    importRuns(to, importSource(moved));
    to.close();
    // without the data that it was trained on
    renameSync(project.tableFile, `${project.tableFile}.away`);
    const result = await driftRun(other, "latest", join(project.dir, "dim"), { project: project.dir });
    renameSync(`${project.tableFile}.away`, project.tableFile);
    expect(result.drift).toBe(true);
  });

  it("without features says so, where the data has gone, and refuses a damaged document", async () => {
    const file = join(dir, "monitor.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(text), features: null }));
    renameSync(project.tableFile, `${project.tableFile}.away`);
    const dim = join(project.dir, "dim");
    const result = await driftRun(store(), "latest", dim, { project: project.dir });
    renameSync(`${project.tableFile}.away`, project.tableFile);
    expect(result.notes).toEqual([expect.stringMatching(/^features are not compared: There is no table/)]);
    expect(result.furthest).toEqual([]);
    writeFileSync(file, '{"formatVersion": 1, "rows": -1, "inputs": [], "features": null}');
    await expect(driftRun(store(), "latest", dim, { project: project.dir })).rejects.toThrow(/monitor\.json.*rows/);
    writeFileSync(file, text);
    mkdirSync(join(project.dir, "empty"));
    await expect(driftRun(store(), "latest", join(project.dir, "empty"))).rejects.toThrow(
      /There are no pictures in .*empty/,
    );
    expect(existsSync(file)).toBe(true);
  });
});
