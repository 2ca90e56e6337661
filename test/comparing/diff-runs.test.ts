/** @file Two runs of a real store and a real repository, and everything in which they differ. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { captureSource } from "../../src/provenance/capture-source.js";
import { writeSource } from "../../src/records/source-record.js";
import { diffRuns } from "../../src/comparing/diff-runs.js";
import { diffSources } from "../../src/comparing/source-diff.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir, thrownBy } from "../storage/support.js";

function git(dir: string, ...args: readonly string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", dir, ...identity, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** A repository with one committed file. */
function repository(): string {
  const dir = temporaryDir();
  git(dir, "init", "-q");
  writeFileSync(join(dir, "model.ts"), "export const units = 8;\n");
  git(dir, "add", ".");
  git(dir, "commit", "-q", "-m", "first");
  return dir;
}

/** A run of the repository as it is now; returns its id. */
function addRun(store: RunStore, dir: string, name: string, output: string, batchSize = 8): string {
  const source = captureSource(dir, store.dir);
  const { id } = store.createRun({
    project: "house",
    name,
    config: { train: { batchSize } },
    git: source.git,
    sourceDigest: source.digest,
    dataDigest: "d",
    commandLine: `cool run --name ${name}`,
  });
  const runDir = store.runDir(id);
  writeSource(runDir, source);
  const inputs = { image: { kind: "image", column: "img", size: [batchSize, 8] } };
  writeFileSync(join(runDir, "config.json"), JSON.stringify({ projectDir: dir, inputs }));
  writeFileSync(
    join(runDir, "graph.json"),
    JSON.stringify({ flow: "full", tasks: [{ path: "door", index: 0, lossWeight: 1 }] }),
  );
  writeFileSync(join(runDir, "stdout.log"), `run ${id} (${name}): 3 samples\n${output}`);
  store.finishRun(id, "finished");
  return id;
}

describe("two runs", () => {
  it("differ in configuration, files and lines of source, and output", () => {
    const dir = repository();
    const store = openStore(temporaryDir());
    addRun(store, dir, "base", "epoch 1\nloss 0.5\nend\n");
    writeFileSync(join(dir, "model.ts"), "export const units = 16;\n");
    writeFileSync(join(dir, "extra.ts"), "export {};\n");
    addRun(store, dir, "wide", "epoch 1\nloss 0.25\nend\n", 16);
    const status = git(dir, "status", "--porcelain");
    const diff = diffRuns(store, ["base", "wide"], { outputLines: 1, projectDir: dir });
    expect(diff.runs.map(({ name }) => name)).toEqual(["base", "wide"]);
    expect(diff.config).toEqual([
      { key: "train.batchSize", values: [8, 16] },
      { key: "inputs.image.size", values: ["[8,8]", "[16,8]"] },
    ]);
    expect(diff.code.map(({ key }) => key)).toEqual(["command_line", "git_dirty", "source_digest"]);
    expect(diff.files).toEqual([
      { path: "extra.ts", change: "only second" },
      { path: "model.ts", change: "changed" },
    ]);
    expect(diff.source?.kind).toBe("source");
    expect(diff.source?.text).toContain("-export const units = 8;\n+export const units = 16;\n");
    expect(diff.source?.text).toContain("+++ b/extra.ts\n@@ -0,0 +1 @@\n+export {};\n");
    expect(diff.environment).toEqual([]);
    expect(diff.data).toEqual([]);
    // the first line names the run, which is not a difference
    expect(diff.output).toEqual({ lines: [4, 4], same_lines: 2, first: ["loss 0.5"], second: ["loss 0.25"] });
    // the repository is only read
    expect(git(dir, "status", "--porcelain")).toBe(status);
    expect(git(dir, "count-objects").trim()).toMatch(/^3 objects/);
  });

  it("of two commits differ in what was committed, whatever the tree holds now", () => {
    const dir = repository();
    const store = openStore(temporaryDir());
    writeFileSync(join(dir, "model.ts"), "export const units = 16;\n");
    addRun(store, dir, "uncommitted", "");
    git(dir, "commit", "-q", "-a", "-m", "second");
    addRun(store, dir, "committed", "");
    writeFileSync(join(dir, "model.ts"), "export const units = 128;\n");
    addRun(store, dir, "later", "");
    // what was uncommitted in one run is committed in the other: no line differs
    expect(diffRuns(store, ["uncommitted", "committed"], { projectDir: dir }).source).toEqual({
      kind: "source",
      text: "",
    });
    expect(diffRuns(store, ["uncommitted", "later"], { projectDir: dir }).source?.text).toContain(
      "-export const units = 16;\n+export const units = 128;\n",
    );
  });

  it("must be two", () => {
    const store = openStore(temporaryDir());
    addRun(store, repository(), "base", "");
    expect(thrownBy(() => diffRuns(store, ["base", "latest"])).message).toMatch(/are the same run/);
  });

  it("without folders differ in what the store knows", () => {
    const store = openStore(temporaryDir());
    for (const [name, seed] of [
      ["a", 1],
      ["b", 2],
    ] as const) {
      store.createRun({ project: "house", name, config: { train: { seed } } });
    }
    expect(diffRuns(store, ["a", "b"])).toMatchObject({
      config: [{ key: "train.seed", values: [1, 2] }],
      files: [],
      source: null,
      output: { lines: [null, null], same_lines: 0, first: [], second: [] },
    });
  });
});

describe("sources whose repository is gone", () => {
  it("are compared by their patches", () => {
    const dir = temporaryDir();
    const patchFile = join(dir, "source.patch");
    writeFileSync(patchFile, "-a\n+b\n");
    const commit = "c".repeat(40);
    expect(diffSources(dir, { commit, patchFile: null }, { commit, patchFile })).toEqual({
      kind: "patches",
      text: "@@ -0,0 +1,2 @@\n+-a\n++b",
    });
    expect(diffSources(dir, { commit, patchFile }, { commit, patchFile })).toEqual({ kind: "source", text: "" });
  });
});
