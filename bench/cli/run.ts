/**
 * @file CPU time (user + system) of short commands beside an empty Node.js process. CPU time, because the wall clock
 * says more about the rest of the machine.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";

interface Usage {
  readonly cpu_ms: number;
  readonly wall_ms: number;
  readonly peak_rss_mb: number;
}

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    runs: { type: "string", default: "1000" },
  },
});

const COOL = path.join(ROOT, "bin", "run.js");
const PRELOAD = path.join(ROOT, "bench", "cli", "cpu-at-exit.cjs");

/** A store whose runs have what a real one has: configuration, curves, an evaluation. */
function makeStore(dir: string, runs: number): void {
  const store = openRunStore(dir);
  for (let i = 0; i < runs; i++) {
    const { id } = store.createRun({
      project: "bench",
      name: `bench-${i}`,
      config: { train: { epochs: 10, batchSize: 32, optimizer: { kind: "adamw", learningRate: 1e-3 } } },
      tags: i % 10 === 0 ? ["tenth"] : [],
      epochs: 10,
      seed: i,
      backend: "wasm",
    });
    store.appendMetrics(id, lossCurve(10));
    store.replaceEvaluation(id, [EVALUATION_ROW]);
    store.finishRun(id, "finished");
  }
  store.close();
}

const EVALUATION_ROW: EvaluationRow = {
  split: "test",
  task_path: "camera_blocked",
  metric_name: "accuracy",
  metric_res: 0.99,
  num_samples: 300,
  gates: "truth",
};

function lossCurve(epochs: number): MetricPoint[] {
  return Array.from({ length: epochs }, (_, i) => ({
    split: "train",
    taskPath: "_total",
    metricName: "loss",
    step: 75 * (i + 1),
    epoch: i + 1,
    value: 1 / (i + 1),
    wallTime: 1_800_000_000 + i,
  }));
}

/** Runs `node` with these arguments. @throws where it fails or prints what is not `expected` */
function measure(args: readonly string[], expected: (stdout: string) => boolean): Usage {
  const start = performance.now();
  const { status, stdout, stderr, output } = spawnSync(process.execPath, ["--require", PRELOAD, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  const wall_ms = performance.now() - start;
  if (status !== 0 || !expected(stdout)) {
    throw new Error(`node ${args.join(" ")} exited with ${status}:\n${stderr}${stdout.slice(0, 1000)}`);
  }
  return { ...(JSON.parse(String(output[3])) as Omit<Usage, "wall_ms">), wall_ms };
}

if (!existsSync(path.join(ROOT, "dist"))) {
  printProgress("There is no dist folder. Run npm run build first.");
  process.exit(1);
}
warnIfBusy();
const storeDir = mkdtempSync(path.join(tmpdir(), "cool-bench-"));
try {
  const runs = Number(flags.runs);
  makeStore(storeDir, runs);
  const commands = [
    { name: "node -e 0", args: ["-e", "0"], expected: (stdout: string) => stdout === "" },
    { name: "cool --version", args: [COOL, "--version"], expected: (stdout: string) => /\d+\.\d+/.test(stdout) },
    {
      name: `cool runs list --json (${runs} runs)`,
      args: [COOL, "runs", "list", "--json", "--store", storeDir],
      expected: (stdout: string) => (JSON.parse(stdout) as { runs: unknown[] }).runs.length === runs,
    },
  ];
  // the first round fills the disk cache
  for (const { args, expected } of commands) measure(args, expected);
  const usages: Usage[][] = commands.map(() => []);
  for (let round = 0; round < Number(flags.rounds); round++) {
    commands.forEach(({ args, expected }, i) => {
      usages[i]?.push(measure(args, expected));
    });
  }
  const results = commands.map(({ name }, i) => {
    const medianOf = (key: keyof Usage) => median((usages[i] as Usage[]).map((usage) => usage[key]));
    const [cpu_ms, wall_ms, peak_rss_mb] = [medianOf("cpu_ms"), medianOf("wall_ms"), medianOf("peak_rss_mb")];
    return { command: name, cpu_ms, wall_ms, peak_rss_mb };
  });
  const table = new Table({
    head: ["command", "CPU, ms", "wall, ms", "peak RSS, MB"],
    colAligns: ["left", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { command, cpu_ms, wall_ms, peak_rss_mb } of results) {
    table.push([command, cpu_ms.toFixed(0), wall_ms.toFixed(0), peak_rss_mb.toFixed(0)]);
  }
  print(table.toString());
  printProgress(`Written to ${writeResults("cli", { rounds: Number(flags.rounds), results })}.`);
} finally {
  rmSync(storeDir, { recursive: true });
}
