/** @file Folders, git repositories and stores for tests of runs. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RunStore } from "../../src/storage/run-store.js";

/** Writes files by their path relative to a folder. */
export function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

export function git(dir: string, ...args: readonly string[]): string {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"];
  return execFileSync("git", ["-C", dir, ...identity, ...args], { encoding: "utf8" });
}

/** A repository whose files are all committed. */
export function repository(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  writeFiles(dir, files);
  git(dir, "init", "--quiet");
  git(dir, "add", "--all");
  git(dir, "commit", "--quiet", "--message", "first");
}

/** A finished run with one of everything, and its folder. */
export function finishedRun(store: RunStore, name: string): string {
  const { id } = store.createRun({
    project: "p",
    name,
    tags: ["t"],
    config: { train: { epochs: 2 } },
    environment: { a: 1 },
  });
  const point = { split: "train" as const, taskPath: "door", metricName: "loss", epoch: 1, wallTime: 1.25 };
  store.appendMetrics(id, [
    { ...point, step: 1, value: 0.5 },
    { ...point, step: 2, value: Number.NaN },
  ]);
  store.replaceThresholds(id, "f1_score", [{ taskPath: "door", labelIndex: 0, label: null, value: 0.75 }]);
  const row = { split: "test" as const, task_path: "door", metric_name: "f1_score", num_samples: 7 };
  store.replaceEvaluation(id, [
    { ...row, metric_res: 0.1, gates: "truth" },
    { ...row, metric_res: null, gates: "predicted" },
  ]);
  const sample = {
    taskPath: "door",
    side: "best" as const,
    rank: 0,
    sample: "a.png",
    loss: 0.1,
    label: true,
    prediction: 1,
  };
  store.replaceInterpretation(id, "test", [sample]);
  store.recordArtifacts(id, [{ path: "checkpoints/best/model.json", bytes: 2, sha256: "ab" }]);
  writeFiles(store.runDir(id), { "checkpoints/best/model.json": "{}", "stdout.log": `log of ${name}\n` });
  store.finishRun(id, "finished");
  return id;
}
