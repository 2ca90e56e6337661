/** @file Orphans between folders and database, and what the doctor says of a store. */
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diagnose } from "../../src/machine/doctor.js";
import { findOrphans, repairOrphans } from "../../src/records/orphans.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { finishedRun, writeFiles } from "../support/folders.js";

const CONFIG = {
  project: "home",
  backend: "wasm",
  dataDigest: "dd",
  settings: { train: { epochs: 4, seed: 9, batchSize: 32 } },
};

/** Two minutes old, so that no process can be making it now. */
function age(path: string): void {
  const time = new Date(Date.now() - 120_000);
  utimesSync(path, time, time);
}

function orphanedStore() {
  const store = openStore(temporaryDir());
  const [whole, withoutFolder] = [finishedRun(store, "whole"), finishedRun(store, "without folder")];
  rmSync(store.runDir(withoutFolder), { recursive: true });
  const known = "20261101-101112-abcd";
  writeFiles(join(store.dir, "runs"), {
    [`${known}/config.json`]: JSON.stringify(CONFIG),
    [`${known}/thresholds.json`]: "{}",
    "20261101-101112-half/config.json": "{",
    "my notes/a.txt": "keep me",
    ".adding-20261101-101112-copy-1/x": "",
    "20261101-101112-youn/config.json": JSON.stringify(CONFIG),
  });
  const old = [known, "20261101-101112-half", "my notes", ".adding-20261101-101112-copy-1"];
  for (const name of old) age(join(store.dir, "runs", name));
  return { store, whole, withoutFolder, known, old };
}

test("orphans are folders without a row and rows without a folder, but for what is being made", () => {
  const { store, withoutFolder, old } = orphanedStore();
  const { folders, rows } = findOrphans(store);
  expect(folders.toSorted()).toEqual(old.toSorted());
  expect(rows).toEqual([withoutFolder]);
});

test("the repair stores runs again, keeps other folders elsewhere, and tags rows", () => {
  const { store, whole, withoutFolder, known } = orphanedStore();
  repairOrphans(store, findOrphans(store));
  expect(findOrphans(store)).toEqual({ folders: [], rows: [], back: [] });
  expect(store.getRun(known)).toMatchObject({
    project: "home",
    state: "finished",
    startedAt: "2026-11-01T10:11:12.000Z",
    seed: 9,
    epochs: 4,
    dataDigest: "dd",
    tags: ["recovered"],
  });
  expect(store.readConfig(known)).toMatchObject({ "train.batchSize": 32 });
  expect(readdirSync(join(store.dir, "lost")).sort()).toEqual(["20261101-101112-half", "my notes"]);
  expect(existsSync(join(store.dir, "lost", "my notes", "a.txt"))).toBe(true);
  expect(store.getRun(withoutFolder).tags).toContain("folder-missing");
  expect(store.getRun(whole).tags).toEqual(["t"]);
  // a folder that was put back
  mkdirSync(store.runDir(withoutFolder));
  expect(findOrphans(store).back).toEqual([withoutFolder]);
  repairOrphans(store, findOrphans(store));
  expect(findOrphans(store).back).toEqual([]);
  expect(store.getRun(withoutFolder).tags).not.toContain("folder-missing");
});

test("the doctor finds what is broken, repairs what it can, and is content then", { timeout: 60_000 }, async () => {
  const { store } = orphanedStore();
  const before = await diagnose(store.dir);
  const statusOf = (checks: typeof before.checks, name: string) => checks.find((check) => check.name === name)?.status;
  expect(before.healthy).toBe(false);
  expect(statusOf(before.checks, "folders")).toBe("broken");
  for (const name of ["node", "better-sqlite3", "@duckdb/node-api", "sharp", "backend wasm", "backend cpu", "store"]) {
    expect([name, statusOf(before.checks, name)]).toEqual([name, "ok"]);
  }
  expect(before.checks.find(({ name }) => name === "backend wasm")?.detail).toMatch(/\d+ images\/s/);
  const after = await diagnose(store.dir, { repair: true });
  expect(after).toMatchObject({ healthy: true });
  expect(after.repairs).toHaveLength(5);
});

test("a damaged database is reported, not thrown", { timeout: 60_000 }, async () => {
  const dir = temporaryDir();
  openRunStore(dir).close();
  writeFileSync(join(dir, "cool.db"), "this is no database, but long enough to look like one".repeat(40));
  const { healthy, checks } = await diagnose(dir);
  expect(healthy).toBe(false);
  expect(checks.find(({ name }) => name === "store")).toMatchObject({ status: "broken" });
});
