/**
 * @file A pretrained backbone beside PyTorch: the losses of the same steps, and images per second, frozen with cached
 * features and fine-tuned. Rounds of the sides in turn, so that a slow minute of the machine hits both.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { execFileSync } from "node:child_process";
import { median, print, printProgress, ROOT, runJson, typescript, warnIfBusy, writeResults } from "../report.js";
import { findPython } from "../torch.js";
import type { CaseName } from "./exported.js";

/** What a side prints. */
interface Measurement {
  readonly losses: readonly number[];
  readonly images_per_second: number;
  readonly features_per_second: number | null;
  readonly peak_rss_mb: number;
  readonly version: string;
}

interface Side {
  readonly name: string;
  run(dir: string, name: CaseName, steps: number): Measurement;
}

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    case: { type: "string", multiple: true, default: ["frozen", "finetuned"] },
    backend: { type: "string", multiple: true, default: ["auto"] },
    threads: { type: "string" },
    tuned: { type: "boolean", default: false },
  },
});

/** Steps of a round; the first 20 are those whose losses are compared. */
const STEPS: Readonly<Record<CaseName, number>> = { frozen: 200, finetuned: 20 };
/** How far losses may be apart, as a share of them. */
const TOLERANCE = 1e-3;
const SCRIPT = join(ROOT, "bench", "finetune", "torch_finetune.py");

function ours(backend: string): Side {
  return {
    name: `dnn-cool (${backend})`,
    run: (dir, name, steps) =>
      runJson(process.execPath, [
        ...typescript("bench/finetune/ours.ts"),
        ...[dir, "--case", name, "--steps", String(steps), "--backend", backend],
      ]),
  };
}

function torch(python: string, tuned: boolean): Side {
  const threads = flags.threads === undefined ? [] : ["--threads", flags.threads];
  return {
    name: tuned ? "torch, tuned" : "torch",
    run: (dir, name, steps) => {
      const args = ["--case", name, "--steps", String(steps), ...threads, ...(tuned ? ["--tuned"] : [])];
      return runJson(python, [SCRIPT, "train", dir, ...args]);
    },
  };
}

/** Largest difference of the losses of two sides. */
function apart(a: Measurement, b: Measurement): number {
  return Math.max(...a.losses.map((loss, step) => Math.abs((b.losses[step] ?? Number.NaN) / loss - 1)));
}

interface Result {
  readonly case: CaseName;
  readonly side: string;
  readonly images_per_second: number;
  readonly features_per_second: number | null;
  readonly peak_rss_mb: number;
  /** Median over the rounds of ours ÷ this side's images per second. */
  readonly ours_ratio: number;
  /** Largest difference of a step's loss from ours, over all rounds. */
  readonly losses_apart: number;
  readonly rounds: readonly Measurement[];
}

function compare(dir: string, name: CaseName, sides: readonly Side[]): Result[] {
  const measured: Measurement[][] = sides.map(() => []);
  for (let round = 1; round <= Number(flags.rounds); round++) {
    sides.forEach((side, i) => {
      const measurement = side.run(dir, name, STEPS[name]);
      measured[i]?.push(measurement);
      const speed = measurement.images_per_second.toFixed(1);
      printProgress(`${name}, round ${round}/${flags.rounds}: ${side.name} ${speed} images/s`);
    });
  }
  const own = measured[0] ?? [];
  return sides.map(({ name: side }, i) => summarize(name, side, own, measured[i] ?? []));
}

function summarize(name: CaseName, side: string, own: readonly Measurement[], rounds: readonly Measurement[]): Result {
  const of = (value: (each: Measurement) => number): number => median(rounds.map(value));
  const pairs = rounds.flatMap((each, i) => own.slice(i, i + 1).map((ours) => ({ each, ours })));
  const features = of(({ features_per_second: speed }) => speed ?? Number.NaN);
  return {
    ...{ case: name, side, rounds },
    images_per_second: of((each) => each.images_per_second),
    features_per_second: Number.isNaN(features) ? null : features,
    peak_rss_mb: Math.max(...rounds.map((each) => each.peak_rss_mb)),
    ours_ratio: median(pairs.map(({ each, ours }) => ours.images_per_second / each.images_per_second)),
    losses_apart: Math.max(...pairs.map(({ each, ours }) => apart(each, ours))),
  };
}

function tableOf(results: readonly Result[]): string {
  const table = new Table({
    head: ["case", "side", "images/s", "features/s", "ours ÷ side", "peak RSS, MB", "losses apart"],
    colAligns: ["left", "left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    table.push([
      ...[result.case, result.side, result.images_per_second.toFixed(1)],
      ...[result.features_per_second?.toFixed(1) ?? "", result.ours_ratio.toFixed(2), result.peak_rss_mb.toFixed(0)],
      result.losses_apart.toExponential(1),
    ]);
  }
  return table.toString();
}

warnIfBusy();
const python = findPython();
if (python === undefined) {
  throw new Error("PyTorch and torchvision export the backbone: run bench/setup-python.sh, or set COOL_BENCH_PYTHON.");
}
const dir = mkdtempSync(join(tmpdir(), "bench-finetune-"));
try {
  execFileSync(python, [SCRIPT, "export", dir], { stdio: "inherit" });
  const sides = [...flags.backend.map(ours), torch(python, false), ...(flags.tuned ? [torch(python, true)] : [])];
  const results = flags.case.flatMap((name) => compare(dir, name as CaseName, sides));
  print(tableOf(results));
  const [load = 0] = loadavg();
  printProgress(`Written to ${writeResults("finetune", { ...flags, load_average: load, results })}.`);
  const wide = results.filter(({ losses_apart: difference }) => !(difference <= TOLERANCE));
  for (const { case: name, side, losses_apart: difference } of wide) {
    printProgress(`${name}: losses of ${side} are ${difference.toExponential(1)} apart; ${TOLERANCE} was to be kept.`);
  }
  if (wide.length > 0) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
