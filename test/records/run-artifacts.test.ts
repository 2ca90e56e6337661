/** @file The files of a run, listed and copied out of the store. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyArtifact, digestFiles, listArtifacts } from "../../src/records/run-artifacts.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { finishedRun } from "../support/folders.js";

async function runWithFiles() {
  const store = openStore(temporaryDir());
  const id = finishedRun(store, "a");
  mkdirSync(join(store.runDir(id), "predictions"), { recursive: true });
  writeFileSync(join(store.runDir(id), "predictions", "test.parquet"), "rows");
  mkdirSync(join(store.runDir(id), "checkpoints", "best.writing"), { recursive: true });
  writeFileSync(join(store.runDir(id), "checkpoints", "best.writing", "weights.bin"), "half");
  store.recordArtifacts(id, await digestFiles(store.runDir(id)));
  return { store, id };
}

test("files are listed with their digests, those that grow without, and half of a file not at all", async () => {
  const { store } = await runWithFiles();
  const listed = listArtifacts(store, "a");
  expect(listed.find(({ path }) => path === "stdout.log")).toMatchObject({ sha256: null });
  expect(listed.find(({ path }) => path === "predictions/test.parquet")).toMatchObject({
    bytes: 4,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(listed.some(({ path }) => path.includes("writing"))).toBe(false);
});

test("a file is copied into a folder or under a name, and over nothing", async () => {
  const { store, id } = await runWithFiles();
  const [folder, path] = [temporaryDir(), "predictions/test.parquet"];
  const { to } = copyArtifact(store, id, path, folder);
  expect(to).toBe(join(folder, "test.parquet"));
  expect(readFileSync(to, "utf8")).toBe("rows");
  expect(() => copyArtifact(store, id, path, folder)).toThrow(`${to} is there already.`);
  expect(copyArtifact(store, id, path, join(folder, "other")).to).toBe(join(folder, "other"));
});

test("a wrong name gets the nearest, and a file that was changed is not handed out", async () => {
  const { store, id } = await runWithFiles();
  expect(() => copyArtifact(store, id, "prediction/test.parquet", temporaryDir())).toThrow(
    'No file named "prediction/test.parquet" in run a. Did you mean "predictions/test.parquet"?',
  );
  expect(() => copyArtifact(store, id, "../../runs.sqlite", temporaryDir())).toThrow("No file named");
  appendFileSync(join(store.runDir(id), "predictions", "test.parquet"), "!");
  expect(() => copyArtifact(store, id, "predictions/test.parquet", temporaryDir())).toThrow(
    "its SHA-256 is another one",
  );
});
