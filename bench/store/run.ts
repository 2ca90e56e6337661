/**
 * @file The run store at 1,000 to 100,000 runs × 32 curves: wall-clock time of commands beside `cool --version`, and metric
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
import { fillStore, runId } from "./fill.js";

const { values: flags } = parseArgs({
  options: {
    // sizes of stores, one after another
    runs: { type: "string", default: "1000,10000,100000" },
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
  readonly peak_rss_mb: number;
}

interface WriteResult {
  readonly side: string;
  readonly points_per_second: number;
}

const FILTER = "valid/person.person_present/f1_score > 0.9 and train.batchSize in (16, 32)";

/** @param runs in the store */
function measureCommands(storeDir: string, runs: number, rounds: number): CommandResult[] {
  // every other run of the newest thousand, but for those in the trash
  const ids = Array.from({ length: 1000 }, (_, i) => runs - 1 - i).filter(
    (run) => run >= 0 && run % 50 > 1 && run % 2 === 0,
  );
  const many = ids.slice(0, 500).map(runId);
  const list = ["runs", "list", "--limit", "20"];
  const commands: Command[] = [
    { name: "cool --version", args: ["--version"] },
    { name: "runs list", args: ["runs", "list"] },
    { name: "runs list --where …", args: [...list, "--where", FILTER] },
    { name: "runs list --where … (nothing matches)", args: [...list, "--where", "valid/door_open/f1_score > 2"] },
    { name: "runs list --sort monitored", args: [...list, "--sort", "monitored"] },
    { name: "runs list --sort (a setting)", args: [...list, "--sort", "train.optimizer.learningRate"] },
    {
      name: "runs list --tag … --sort (a metric)",
      args: [...list, "--tag", "tenth", "--sort", "valid/door_open/f1_score:desc"],
    },
    { name: "runs show (by name)", args: ["runs", "show", "door-300"] },
    { name: "completion of a run", args: ["__complete", "runs", "door-3", "--"] },
    { name: "sql, mean of a metric by task", args: ["sql", SQL] },
    { name: "compare runs, five", args: ["compare", "runs", ...many.slice(0, 5), "--split", "valid", "--json"] },
    { name: `compare runs, ${many.length}`, args: ["compare", "runs", ...many, "--split", "valid", "--json"] },
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
  return commands.map(({ name, args }, i) => {
    const own = times[i] as number[];
    const beyond = own.map((time, round) => time - (version[round] as number));
    const peak_rss_mb = peakMemory(i === 0 ? args : [...args, "--store", storeDir]);
    return { command: name, wall_ms: median(own), beyond_version_ms: median(beyond), peak_rss_mb };
  });
}

const SQL = `select task_path, avg(metric_res) from evaluation where task_path = 'door_open' and metric_name = 'f1_score'
  and split = 'valid' and gates = 'truth' group by 1`;

/** Of the process, as it says itself at its end. */
function peakMemory(args: readonly string[]): number {
  const say = "data:text/javascript,process.on('exit',()=>process.stderr.write('RSS '+process.resourceUsage().maxRSS))";
  const { stderr } = spawnSync(process.execPath, ["--import", say, flags.cool, ...args], { maxBuffer: 1 << 28 });
  return Number(/RSS (\d+)/.exec(String(stderr))?.[1]) / 1024;
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

function measureStore(storeDir: string, runs: number, rounds: number) {
  printProgress(`Filling a store with ${runs} runs …`);
  fillStore(storeDir, runs);
  const store_mb = statSync(path.join(storeDir, "cool.db")).size / 1e6;
  const commands = measureCommands(storeDir, runs, rounds);
  print(`${runs} runs × 32 curves, ${store_mb.toFixed(0)} MB`);
  print(
    table(
      ["command", "wall, ms", "beyond cool --version, ms", "peak, MB"],
      commands.map((one) => [
        one.command,
        one.wall_ms.toFixed(0),
        one.beyond_version_ms.toFixed(0),
        one.peak_rss_mb.toFixed(0),
      ]),
    ),
  );
  return { runs, store_mb, commands };
}

if (!existsSync(path.join(ROOT, "dist")) && flags.cool.startsWith(ROOT)) {
  printProgress("There is no dist folder. Run npm run build first.");
  process.exit(1);
}
warnIfBusy();
const dir = mkdtempSync(path.join(tmpdir(), "cool-bench-"));
try {
  const [rounds, points, batch] = [flags.rounds, flags.points, flags.batch].map(Number) as [number, number, number];
  const stores = flags.runs.split(",").map((size) => measureStore(path.join(dir, size), Number(size), rounds));
  const writes = [measureWrites(path.join(dir, "writes"), points, batch), ...pythonWrites(points, batch)];
  print(
    table(
      [`metric points, ${batch} a transaction`, "points/s"],
      writes.map((one) => [one.side, Math.round(one.points_per_second).toLocaleString("en")]),
    ),
  );
  printProgress(`Written to ${writeResults("store", { rounds, points, batch, stores, writes })}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
