/**
 * @file The run store at 10,000 runs × 30 curves: wall-clock time of commands beside `cool --version`, and metric
 * points written per second beside Python's sqlite3 (and MLflow's store where Python has it).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { MetricPoint } from "../../src/tasks/evaluation.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { fillStore } from "./fill.js";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    rounds: { type: "string", default: "9" },
    points: { type: "string", default: "300000" },
    batch: { type: "string", default: "1000" },
    python: { type: "string", default: process.env.COOL_BENCH_PYTHON ?? "python3" },
    // the built CLI
    cool: { type: "string", default: path.join(ROOT, "bin", "run.js") },
  },
});

interface Command {
  readonly name: string;
  readonly args: readonly string[];
}

interface CommandResult {
  readonly command: string;
  readonly wall_ms: number;
  /** Median over the rounds of what the command took beyond `cool --version` in the same round. */
  readonly beyond_version_ms: number;
}

interface WriteResult {
  readonly side: string;
  readonly points_per_second: number;
}

const FILTER = "valid/person_present/f1_score > 0.9 and train.batchSize in (16, 32)";

function measureCommands(storeDir: string, rounds: number): CommandResult[] {
  const names = [0, 1, 2, 3, 4].map((i) => `bench-${i}`);
  const commands: Command[] = [
    { name: "cool --version", args: ["--version"] },
    { name: "runs list --where … --limit 20", args: ["runs", "list", "--where", FILTER, "--limit", "20"] },
    { name: "runs list --where … --json (all that match)", args: ["runs", "list", "--where", FILTER, "--json"] },
    { name: "runs list --tag tenth --sort metric --limit 20", args: sorted() },
    { name: "compare runs, five", args: ["compare", "runs", ...names, "--split", "valid", "--json"] },
  ];
  const times = commands.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    commands.forEach(({ name, args }, i) => {
      const milliseconds = wallTime(i === 0 ? args : [...args, "--store", storeDir], name);
      // the first round fills the disk cache
      if (round >= 0) times[i]?.push(milliseconds);
    });
  }
  const [version = []] = times;
  return commands.map(({ name }, i) => {
    const own = times[i] as number[];
    const beyond = own.map((time, round) => time - (version[round] as number));
    return { command: name, wall_ms: median(own), beyond_version_ms: median(beyond) };
  });
}

function sorted(): string[] {
  return ["runs", "list", "--tag", "tenth", "--sort", "valid/door_open/f1_score:desc", "--limit", "20"];
}

function wallTime(args: readonly string[], name: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [flags.cool, ...args], { maxBuffer: 1 << 28 });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${name} exited with ${status}: ${stderr}`);
  return milliseconds;
}

function measureWrites(dir: string, points: number, batch: number): WriteResult {
  const store = openRunStore(dir);
  const { id } = store.createRun({ project: "bench" });
  const batches = Array.from({ length: Math.ceil(points / batch) }, (_, i) => pointsOf(i * batch, batch));
  const start = performance.now();
  for (const some of batches) store.appendMetrics(id, some);
  const seconds = (performance.now() - start) / 1000;
  store.close();
  return { side: "dnn-cool", points_per_second: (batches.length * batch) / seconds };
}

function pointsOf(first: number, count: number): MetricPoint[] {
  return Array.from({ length: count }, (_, i) => ({
    split: "train",
    taskPath: `task${Math.floor((first + i) / 1000) % 30}`,
    metricName: "loss",
    step: first + i,
    epoch: 1,
    value: (first + i) * 0.5,
    wallTime: 1,
  }));
}

function pythonWrites(points: number, batch: number): WriteResult[] {
  try {
    const script = path.join(ROOT, "bench", "store", "python_sqlite.py");
    const stdout = execFileSync(flags.python, [script, String(points), String(batch)], { encoding: "utf8" });
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as WriteResult);
  } catch (error) {
    printProgress(`${flags.python} was not measured: ${(error as Error).message.split("\n")[0]}`);
    return [];
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
    style: { head: [], border: [] },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
}

if (!existsSync(path.join(ROOT, "dist")) && flags.cool.startsWith(ROOT)) {
  printProgress("There is no dist folder. Run npm run build first.");
  process.exit(1);
}
warnIfBusy();
const dir = mkdtempSync(path.join(tmpdir(), "cool-bench-"));
try {
  const [runs, rounds, points, batch] = [flags.runs, flags.rounds, flags.points, flags.batch].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  printProgress(`Filling a store with ${runs} runs …`);
  const storeDir = path.join(dir, "store");
  fillStore(storeDir, runs);
  const store_mb = statSync(path.join(storeDir, "cool.db")).size / 1e6;
  const commands = measureCommands(storeDir, rounds);
  const writes = [measureWrites(path.join(dir, "writes"), points, batch), ...pythonWrites(points, batch)];
  print(`${runs} runs × 30 curves, ${store_mb.toFixed(0)} MB`);
  print(
    table(
      ["command", "wall, ms", "beyond cool --version, ms"],
      commands.map((one) => [one.command, one.wall_ms.toFixed(0), one.beyond_version_ms.toFixed(0)]),
    ),
  );
  print(
    table(
      [`metric points, ${batch} a transaction`, "points/s"],
      writes.map((one) => [one.side, Math.round(one.points_per_second).toLocaleString("en")]),
    ),
  );
  printProgress(`Written to ${writeResults("store", { runs, rounds, points, batch, store_mb, commands, writes })}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
