/** @file Folders, git repositories and stores for tests of runs. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
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

/** The documents of a run that asks one question about a picture. */
const DOCUMENTS = {
  "config.json": JSON.stringify({
    formatVersion: 1,
    project: "p",
    projectDir: "/nowhere",
    configFile: null,
    inputs: { image: { kind: "image", column: "img", size: [8, 8], channels: 3 } },
    settings: { data: { table: "labels.csv" } },
    backend: "cpu",
    dataDigest: "d",
    skipped: [],
  }),
  "graph.json": JSON.stringify({
    formatVersion: 1,
    flow: "main",
    features: ["f"],
    tasks: [
      {
        ...{ index: 0, path: "door", name: "door", declaredName: "door", feature: "f", spec: { kind: "binary" } },
        ...{ lossWeight: 1, ownPrecondition: null, precondition: null, parent: null },
      },
    ],
    flows: [],
  }),
  "thresholds.json": JSON.stringify({ door: 0.75 }),
};

/** Files of a finished run, beside its log. */
export const FINAL_FILES: Readonly<Record<string, string>> = {
  ...DOCUMENTS,
  "checkpoints/best/model.json": "{}",
  "checkpoints/best/weights.bin": "weights",
};

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
  const calibration = { method: "temperature", split: "test" as const, taskPath: "door", metricName: "ece" };
  store.replaceCalibration(id, [{ ...calibration, raw: 0.25, calibrated: null, numSamples: 7 }]);
  store.replaceThresholds(id, "f1_score", [{ taskPath: "door", labelIndex: 0, label: null, value: 0.75 }]);
  const row = { split: "test" as const, task_path: "door", metric_name: "f1_score", num_samples: 7 };
  store.replaceEvaluation(id, [
    { ...row, metric_res: 0.1, gates: "truth", baseline: 0.05, beats_baseline: true },
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
  writeFiles(store.runDir(id), { ...FINAL_FILES, "stdout.log": `log of ${name}\n` });
  store.recordArtifacts(
    id,
    Object.entries(FINAL_FILES).map(([path, text]) => {
      const sha256 = createHash("sha256").update(text).digest("hex");
      return { path, bytes: Buffer.byteLength(text), sha256 };
    }),
  );
  store.finishRun(id, "finished");
  return id;
}
