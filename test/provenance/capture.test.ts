/** @file What is captured with a run: output as it was seen, source files, load of the machine, environment. */
import { createHash } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { storeLogger } from "../../src/provenance/store-logger.js";
import { LoggerGroup } from "../../src/logging/logger-group.js";
import { captureOutput, uncaptured } from "../../src/provenance/capture-output.js";
import { watchRun } from "../../src/provenance/capture-run.js";
import { captureSource } from "../../src/provenance/capture-source.js";
import { writeSource } from "../../src/records/source-record.js";
import { sourceFiles } from "../../src/provenance/source-files.js";
import { type SystemSample, startSystemMonitor } from "../../src/provenance/capture-system.js";
import { readEnvironment } from "../../src/provenance/environment.js";
import { openStore, temporaryDir } from "../storage/support.js";
import { repository, writeFiles } from "../support/folders.js";

/** The streams with a `write` that swallows, so that the test's own output stays readable. */
function quietly(work: (swallowed: string[]) => void): string[] {
  const swallowed: string[] = [];
  const originals = (["stdout", "stderr"] as const).map((name) => [name, process[name].write] as const);
  for (const [name] of originals) {
    process[name].write = ((chunk: string | Uint8Array) => {
      swallowed.push(Buffer.from(chunk as Uint8Array).toString());
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    work(swallowed);
  } finally {
    for (const [name, original] of originals) process[name].write = original;
  }
  return swallowed;
}

describe("output", () => {
  test("of both streams is kept in order, from before its file is known, and still seen", () => {
    const file = join(temporaryDir(), "stdout.log");
    const seen = quietly(() => {
      const capture = captureOutput();
      process.stdout.write("one\n");
      process.stderr.write(Buffer.from("two\n"));
      capture.writeTo(file);
      process.stdout.write("6d61c3b1616e61\n".slice(0, 14), "hex");
      capture.add("of a logger\n");
      process.stderr.write("three\n");
      capture.stop();
      process.stdout.write("after\n");
    });
    expect(readFileSync(file, "utf8")).toBe("one\ntwo\nmañanaof a logger\nthree\n");
    expect(seen).toEqual(["one\n", "two\n", "6d61c3b1616e61", "three\n", "after\n"]);
  });

  test("past the capture is seen and not kept", () => {
    const file = join(temporaryDir(), "stdout.log");
    const seen = quietly(() => {
      const bar = uncaptured(process.stderr);
      const capture = captureOutput();
      capture.writeTo(file);
      bar.write("bar");
      process.stderr.write("line");
      capture.stop();
      bar.write("later");
    });
    expect(readFileSync(file, "utf8")).toBe("line");
    expect(seen).toEqual(["bar", "line", "later"]);
  });

  test("of two runs at a time goes to both, and the streams are as before at the end", () => {
    const [a, b] = [join(temporaryDir(), "a"), join(temporaryDir(), "b")];
    quietly(() => {
      const before = process.stdout.write;
      const [first, second] = [captureOutput(), captureOutput()];
      first.writeTo(a);
      second.writeTo(b);
      process.stdout.write("both\n");
      first.stop();
      process.stdout.write("second\n");
      second.stop();
      expect(process.stdout.write).toBe(before);
    });
    expect([readFileSync(a, "utf8"), readFileSync(b, "utf8")]).toEqual(["both\n", "both\nsecond\n"]);
  });
});

describe("source", () => {
  test("files are code and settings, not data, dependencies or the store; the digest follows their content", () => {
    const dir = temporaryDir();
    writeFiles(dir, {
      "cool.config.ts": "a",
      "lib/b.mjs": "b",
      "labels.csv": "no",
      "images/1.png": "no",
      "node_modules/x/index.js": "no",
      ".hidden/x.ts": "no",
      "runs/cool.ts": "no",
    });
    const files = sourceFiles(dir, join(dir, "runs"));
    expect(files.map(({ path }) => path)).toEqual(["cool.config.ts", "lib/b.mjs"]);
    expect(files[0]).toMatchObject({ bytes: 1, sha256: createHash("sha256").update("a").digest("hex") });
    const digest = () => captureSource(dir, join(dir, "runs")).digest;
    const before = digest();
    writeFiles(dir, { "labels.csv": "other" });
    expect(digest()).toBe(before);
    writeFiles(dir, { "lib/b.mjs": "c" });
    expect(digest()).not.toBe(before);
  });

  test("is written down with the patch beside it", () => {
    const [dir, runDir] = [temporaryDir(), temporaryDir()];
    repository(dir, { "a.ts": "1\n" });
    writeFiles(dir, { "b.ts": "2\n" });
    const source = captureSource(dir, join(dir, ".cool"));
    writeSource(runDir, source);
    const record = JSON.parse(readFileSync(join(runDir, "source.json"), "utf8"));
    const patch = readFileSync(join(runDir, "source.patch"), "utf8");
    expect(record).toMatchObject({ branch: "main", dirty: true, patch: { untracked: ["b.ts"], bytes: patch.length } });
    expect(patch).toContain("+++ b/b.ts");
  });
});

test("the environment names the machine and the versions that are installed", async () => {
  const environment = await readEnvironment();
  expect(environment.node).toBe(process.versions.node);
  expect(environment.cpu.count).toBeGreaterThan(0);
  expect(environment.memoryBytes).toBeGreaterThan(1e8);
  expect(environment.packages).toMatchObject({
    "dnn-cool": "0.1.0",
    "better-sqlite3": expect.stringMatching(/^\d+\./),
  });
  expect(Object.keys(environment.packages)).toContain("sharp");
});

/** A program of that name first in PATH, which prints what the true one prints on a machine with two cards. */
function fakeNvidiaSmi(): void {
  const dir = temporaryDir();
  const script = `#!/bin/sh
case "$*" in
  "--query-gpu=name,memory.total,driver_version --format=csv,noheader,nounits")
    printf '%s\\n' 'NVIDIA H100 80GB HBM3, 81559, 550.54.15' 'NVIDIA H100 80GB HBM3, 81559, 550.54.15' ;;
  "--query-gpu=utilization.gpu,memory.used --format=csv,noheader,nounits")
    printf '%s\\n' '37, 1024' '[N/A], 0' ;;
  *) exit 2 ;;
esac
`;
  writeFiles(dir, { "nvidia-smi": script });
  chmodSync(join(dir, "nvidia-smi"), 0o755);
  vi.stubEnv("PATH", `${dir}${delimiter}${process.env.PATH}`);
}

describe.skipIf(process.platform === "win32")("where nvidia-smi answers", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("the environment names the cards", async () => {
    fakeNvidiaSmi();
    expect((await readEnvironment()).gpu).toEqual({
      names: ["NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"],
      memoryMb: [81559, 81559],
      driver: "550.54.15",
    });
  });

  test("their load is sampled, but for what a card does not tell", async () => {
    fakeNvidiaSmi();
    const samples: SystemSample[] = [];
    const monitor = startSystemMonitor(temporaryDir(), (sample) => samples.push(sample), 20);
    while (samples.at(-1)?.gpu0_percent === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    monitor.stop();
    expect(samples.at(-1)).toMatchObject({ gpu0_percent: 37, gpu0_memory_mb: 1024, gpu1_memory_mb: 0 });
    expect(samples.at(-1)).not.toHaveProperty("gpu1_percent");
  });
});

test("the load of the machine is sampled at intervals and once more at the end", async () => {
  const samples: SystemSample[] = [];
  const monitor = startSystemMonitor(temporaryDir(), (sample) => samples.push(sample), 20);
  const start = performance.now();
  while (performance.now() - start < 200) await new Promise((resolve) => setTimeout(resolve, 10));
  monitor.stop();
  const count = samples.length;
  monitor.stop();
  expect(samples).toHaveLength(count);
  expect(count).toBeGreaterThan(2);
  for (const sample of samples) {
    expect(sample.process_memory_mb).toBeGreaterThan(20);
    expect(sample.disk_free_gb).toBeGreaterThan(0);
    for (const name of ["process_cpu_percent", "system_cpu_percent", "system_memory_percent"]) {
      expect(sample[name]).toBeGreaterThanOrEqual(0);
    }
    expect(sample.system_memory_percent).toBeLessThanOrEqual(100);
  }
});

test("a watched run has its load as curves of the task _system, which go on after a resume", () => {
  const store = openStore(temporaryDir());
  const { id } = store.createRun({ project: "p" });
  const runDir = store.runDir(id);
  const loggers = new LoggerGroup([storeLogger(store, id)]);
  watchRun(store, id, runDir, loggers).stop();
  watchRun(store, id, runDir, loggers).stop();
  const points = store.readMetrics(id, { taskPath: "_system", metricName: "process_memory_mb" });
  expect(points.map(({ step, split }) => [step, split])).toEqual([
    [0, "train"],
    [1, "train"],
  ]);
});
