/**
 * @file Peak resident memory against rows: `cool check` and `cool run` (one epoch, evaluation, predictions) of tables of
 * eight numbers and twenty labels; and a first and a second run of `--pictures` small pictures, each a file. It measures the
 * built package: run `npm run build` first.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";
import { drawPeaks } from "./draw.js";
import { writePictures } from "./pictures.js";
import { LABELS, NUMBERS, writeProject } from "./table.js";

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "20000,200000,2000000" },
    formats: { type: "string", default: "parquet,csv" },
    commands: { type: "string", default: "check,run" },
    pictures: { type: "string", default: "2000,20000" },
  },
});

interface Measured {
  readonly command: string;
  readonly format: string;
  readonly rows: number;
  readonly peak_mb: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly exit_code: number | null;
}

/** Each process leaves what it took when it ends. */
const AT_EXIT = `data:text/javascript,${encodeURIComponent(`
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  writeFileSync(process.env.COOL_BENCH_MEMORY + "/" + process.pid + ".json", JSON.stringify({ peak: maxRSS / 1024, cpu }));
});`)}`;

function measure(project: string, command: string): Omit<Measured, "command" | "format" | "rows"> {
  const taken = mkdtempSync(path.join(project, "taken-"));
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [path.join(ROOT, "bin/run.js"), command, "--json"], {
    cwd: project,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NODE_OPTIONS: `--import=${AT_EXIT}`, COOL_BENCH_MEMORY: taken },
  });
  if (status !== 0) throw new Error(`cool ${command} in ${project} ended with ${status}`);
  const seconds = (performance.now() - start) / 1000;
  const processes = readdirSync(taken).map((file): { readonly peak: number; readonly cpu: number } =>
    JSON.parse(readFileSync(path.join(taken, file), "utf8")),
  );
  const peak_mb = processes.reduce((sum, { peak }) => sum + peak, 0);
  const cpu_seconds = processes.reduce((sum, { cpu }) => sum + cpu, 0);
  return { peak_mb, seconds, cpu_seconds, exit_code: status };
}

const folder = mkdtempSync(path.join(tmpdir(), "cool-bench-memory-"));
const measured: Measured[] = [];
try {
  warnIfBusy();
  for (const format of flags.formats.split(",").filter(Boolean)) {
    if (format !== "parquet" && format !== "csv") throw new RangeError(`no tables of the kind ${format}`);
    for (const rows of flags.rows.split(",").map(Number)) {
      const project = await writeProject(folder, rows, format);
      for (const command of flags.commands.split(",")) {
        printProgress(`${command}, ${rows} rows, ${format}`);
        measured.push({ command, format, rows, ...measure(project, command) });
      }
      rmSync(project, { recursive: true, force: true });
    }
  }
  for (const rows of flags.pictures.split(",").filter(Boolean).map(Number)) {
    const project = await writePictures(folder, rows);
    for (const command of ["first run", "second run"]) {
      printProgress(`${command}, ${rows} pictures`);
      measured.push({ command, format: "pictures", rows, ...measure(project, "run") });
    }
    rmSync(project, { recursive: true, force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Bytes for each further row, between the two largest tables of a command and format. */
function bytesPerRow({ command, format, rows, peak_mb }: Measured): number | null {
  const smaller = measured.filter((one) => one.command === command && one.format === format && one.rows < rows).at(-1);
  return smaller === undefined ? null : ((peak_mb - smaller.peak_mb) * 2 ** 20) / (rows - smaller.rows);
}

const table = new Table({
  head: ["command", "table", "rows", "peak RSS, MB", "bytes a row", "seconds", "CPU, s"],
  colAligns: ["left", "left", "right", "right", "right", "right", "right"],
});
for (const one of measured) {
  table.push([
    ...[one.command, one.format, one.rows.toLocaleString("en"), one.peak_mb.toFixed(0)],
    ...[bytesPerRow(one)?.toFixed(0) ?? "", one.seconds.toFixed(1), one.cpu_seconds.toFixed(1)],
  ]);
}
print(table.toString());
const results = measured.map((one) => ({ ...one, bytes_per_row: bytesPerRow(one) }));
printProgress(`Written to ${writeResults("memory", { numbers: NUMBERS, labels: LABELS, results })}`);
printProgress(`Drawn to ${(await drawPeaks(measured)).join(" and ")}`);
