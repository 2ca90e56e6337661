/**
 * @file CPU time (user + system) and memory of `cool init` on large tables, by the built command line: text, numbers and
 * labels of all kinds, half of which hang on others.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { drawTable } from "./table.js";

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    columns: { type: "string", default: "50" },
    tables: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
  },
});

const COOL = path.join(ROOT, "bin", "run.js");
const PRELOAD = path.join(ROOT, "bench", "cli", "cpu-at-exit.cjs");

interface Usage {
  readonly cpu_s: number;
  readonly wall_s: number;
  readonly peak_rss_mb: number;
  /** Tasks for which a precondition is proposed, and how many tasks there are. */
  readonly conditions: number;
  readonly tasks: number;
}

function measure(file: string, project: string): Usage {
  const start = performance.now();
  const args = ["--require", PRELOAD, COOL, "init", file, "--project", project, "--yes", "--json"];
  const { status, stdout, stderr, output } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  const wall_s = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`cool init ended with ${status}: ${stdout}${stderr}`);
  const { cpu_ms, peak_rss_mb } = JSON.parse(output[3] ?? "") as { cpu_ms: number; peak_rss_mb: number };
  const { tasks } = JSON.parse(stdout) as { tasks: readonly { given: string | null }[] };
  const conditions = tasks.filter(({ given }) => given !== null).length;
  return { cpu_s: cpu_ms / 1000, wall_s, peak_rss_mb, conditions, tasks: tasks.length };
}

if (!existsSync(path.join(ROOT, "dist"))) {
  printProgress("There is no dist folder. Run npm run build first.");
  process.exit(1);
}
warnIfBusy();
const [rows, columns] = [Number(flags.rows), Number(flags.columns)];
const dir = mkdtempSync(path.join(tmpdir(), "cool-bench-"));
try {
  const table = new Table({
    head: ["table", "CPU, s", "wall, s", "peak RSS, MB", "conditions"],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  const tables = [];
  for (let seed = 1; seed <= Number(flags.tables); seed++) {
    const file = path.join(dir, `labels-${seed}.csv`);
    writeFileSync(file, `${[...drawTable(rows, columns, seed)].join("\n")}\n`);
    const rounds = Array.from({ length: Number(flags.rounds) }, (_, round) => {
      printProgress(`Table ${seed}, round ${round + 1} of ${flags.rounds} …`);
      return measure(file, path.join(dir, `project-${seed}-${round}`));
    });
    const middle = (of: (usage: Usage) => number): number => median(rounds.map(of));
    const [cpu_s, wall_s, peak_rss_mb] = [
      middle((usage) => usage.cpu_s),
      middle((usage) => usage.wall_s),
      middle((usage) => usage.peak_rss_mb),
    ];
    const { conditions = 0, tasks = 0 } = rounds[0] ?? {};
    tables.push({ seed, rows, columns, cpu_s, wall_s, peak_rss_mb, conditions, tasks });
    table.push([seed, cpu_s.toFixed(1), wall_s.toFixed(1), peak_rss_mb.toFixed(0), `${conditions} of ${tasks}`]);
  }
  print(table.toString());
  printProgress(`Written to ${writeResults("init", { rounds: Number(flags.rounds), tables })}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
