/** @file What killed processes left half written is removed, and nothing else. */
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cleanRun, cleanStore } from "../../src/records/leftovers.js";
import { exportRun } from "../../src/records/transfer.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { finishedRun, writeFiles } from "../support/folders.js";

const LEFT = {
  "config.json.writing-123": "{",
  "predictions/test.parquet.writing-77": "",
  "checkpoints/last.writing/model.json": "{",
  "checkpoints/best.old/model.json": "{}",
};

test("files that were being written, and checkpoints that have been replaced, are deleted", () => {
  const store = openStore(temporaryDir());
  const dir = store.runDir(finishedRun(store, "a"));
  writeFiles(dir, { ...LEFT, "checkpoints/last.old/model.json": "{}", "my.writing-notes": "" });
  expect(cleanRun(dir).sort()).toEqual([
    "checkpoints/best.old",
    "checkpoints/last.writing",
    "config.json.writing-123",
    "predictions/test.parquet.writing-77",
  ]);
  // the only checkpoint that there is
  expect(existsSync(join(dir, "checkpoints/last.old/model.json"))).toBe(true);
  expect(readdirSync(dir).sort()).toContain("my.writing-notes");
  expect(cleanRun(dir)).toEqual([]);
});

test("in a store what is young is left, as another process may be writing it", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  writeFiles(store.runDir(id), { "config.json.writing-123": "{", "graph.json.writing-9": "{" });
  writeFiles(store.dir, { ".cool-import-abc/x": "", ".cool-import-new/x": "" });
  const time = new Date(Date.now() - 120_000);
  for (const path of [join("runs", id, "config.json.writing-123"), ".cool-import-abc"]) {
    utimesSync(join(store.dir, path), time, time);
  }
  expect(cleanStore(store).sort()).toEqual([".cool-import-abc", join("runs", id, "config.json.writing-123")]);
});

test("an export is without them", () => {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  writeFiles(store.runDir(id), LEFT);
  const { path } = exportRun(store, "a", join(temporaryDir(), "a"));
  expect(
    readdirSync(join(path, "runs", id), { recursive: true })
      .map(String)
      .sort(),
  ).toEqual([
    "checkpoints",
    "checkpoints/best",
    "checkpoints/best/model.json",
    "checkpoints/best/weights.bin",
    "config.json",
    "graph.json",
    "stdout.log",
    "thresholds.json",
  ]);
});
