/**
 * @file Evaluating a large split with all metrics, and tuning one threshold exactly beside a search over 100 candidates
 * with scikit-learn. It measures the built package: run `npm run build` first. `COOL_BENCH_PYTHON` names a Python with scikit-learn; without it our side alone is measured.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { createRandom } from "../../src/data/rng.js";
import { median, print, printProgress, ROOT, runJson, warnIfBusy, writeResults } from "../report.js";

const { values: flags } = parseArgs({
  options: { rows: { type: "string", default: "1000000" }, rounds: { type: "string", default: "5" } },
});
const rows = Number(flags.rows);

const OWN_PYTHON = path.join(ROOT, ".venv", "bench", "bin", "python");
const PYTHON = process.env.COOL_BENCH_PYTHON ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : undefined);

interface Evaluated {
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly numbers: number;
  readonly rss_mb: number;
  readonly inputs_mb: number;
}

/** Thresholds of a chain: the cost per row, or the mean F1, of those tuned one by one and of those chosen together. */
interface Chosen extends Evaluated {
  readonly before: number;
  readonly after: number;
}

interface Tuned {
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly threshold: number;
  readonly f1_score: number;
  readonly rss_mb: number;
}

/** Float32 scores, higher for a yes than for a no more often than not, then a byte of truth each. */
function writeScores(file: string): void {
  const random = createRandom("tune");
  const truths = Uint8Array.from({ length: rows }, () => (random.next() < 0.3 ? 1 : 0));
  const scores = Float32Array.from(truths, (truth) => (random.next() + random.next() + truth) / 3);
  writeFileSync(file, Buffer.concat([Buffer.from(scores.buffer), truths]));
}

function medianOf<T extends object>(rounds: readonly T[]): T {
  const [first] = rounds as readonly [T];
  const entries = Object.keys(first).map((key) => [key, median(rounds.map((round) => Number(round[key as keyof T])))]);
  return Object.fromEntries(entries) as T;
}

const OURS = path.join(ROOT, "bench", "evaluate", "ours.mjs");
const folder = mkdtempSync(path.join(tmpdir(), "cool-bench-evaluate-"));
try {
  warnIfBusy();
  if (PYTHON === undefined) printProgress("COOL_BENCH_PYTHON is not set: our side alone is measured.");
  const scores = path.join(folder, "scores.bin");
  writeScores(scores);
  const predictions = path.join(folder, "predictions.parquet");
  // in a process of its own, so that no round has the memory of drawing them
  runJson(process.execPath, [OURS, "read", String(rows), predictions]);
  const rounds = Array.from({ length: Number(flags.rounds) }, (_, round) => {
    printProgress(`round ${round + 1}`);
    return {
      evaluate: runJson<Evaluated>(process.execPath, [OURS, "evaluate", String(rows)]),
      end_to_end: runJson<Evaluated>(process.execPath, [OURS, "end_to_end", String(rows)]),
      blame: runJson<Evaluated>(process.execPath, [OURS, "blame", String(rows)]),
      audit: runJson<Evaluated>(process.execPath, [OURS, "audit", String(rows)]),
      intervals: runJson<Evaluated>(process.execPath, [OURS, "intervals", String(rows)]),
      temperature: runJson<Evaluated>(process.execPath, [OURS, "temperature", String(rows)]),
      isotonic: runJson<Evaluated>(process.execPath, [OURS, "isotonic", String(rows)]),
      probabilities: runJson<Evaluated>(process.execPath, [OURS, "probabilities", String(rows)]),
      coverage: runJson<Evaluated>(process.execPath, [OURS, "coverage", String(rows)]),
      chain_cost: runJson<Chosen>(process.execPath, [OURS, "chain_cost", String(rows)]),
      chain_f1: runJson<Chosen>(process.execPath, [OURS, "chain_f1", String(rows)]),
      read: runJson<Evaluated>(process.execPath, [OURS, "read", String(rows), predictions]),
      whole: runJson<Evaluated>(process.execPath, [OURS, "whole", String(rows), predictions]),
      tune: runJson<Tuned>(process.execPath, [OURS, "tune", String(rows), scores]),
      sklearn:
        PYTHON === undefined
          ? null
          : runJson<Tuned | null>(PYTHON, [path.join(ROOT, "bench/evaluate/sklearn_tune.py"), String(rows), scores]),
    };
  });
  report(rounds);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type Costs = Pick<Tuned, "seconds" | "cpu_seconds" | "rss_mb">;

interface Round {
  readonly evaluate: Evaluated;
  readonly end_to_end: Evaluated;
  readonly blame: Evaluated;
  readonly audit: Evaluated;
  readonly intervals: Evaluated;
  readonly temperature: Evaluated;
  readonly isotonic: Evaluated;
  readonly probabilities: Evaluated;
  readonly coverage: Evaluated;
  readonly chain_cost: Chosen;
  readonly chain_f1: Chosen;
  readonly read: Evaluated;
  readonly whole: Evaluated;
  readonly tune: Tuned;
  readonly sklearn: Tuned | null;
}

function report(rounds: readonly Round[]): void {
  const evaluate = medianOf(rounds.map((round) => round.evaluate));
  const end_to_end = medianOf(rounds.map((round) => round.end_to_end));
  const blame = medianOf(rounds.map((round) => round.blame));
  const audit = medianOf(rounds.map((round) => round.audit));
  const intervals = medianOf(rounds.map((round) => round.intervals));
  const trust = {
    temperature: medianOf(rounds.map((round) => round.temperature)),
    isotonic: medianOf(rounds.map((round) => round.isotonic)),
    probabilities: medianOf(rounds.map((round) => round.probabilities)),
    coverage: medianOf(rounds.map((round) => round.coverage)),
  };
  const chain_cost = medianOf(rounds.map((round) => round.chain_cost));
  const chain_f1 = medianOf(rounds.map((round) => round.chain_f1));
  const read = medianOf(rounds.map((round) => round.read));
  const whole = medianOf(rounds.map((round) => round.whole));
  const tune = medianOf(rounds.map((round) => round.tune));
  const peers = rounds.flatMap(({ sklearn }) => (sklearn === null ? [] : [sklearn]));
  const sklearn = peers.length === 0 ? null : medianOf(peers);
  // pair by pair, so that a slow minute hits both sides
  const ratios = rounds.flatMap((round) =>
    round.sklearn === null ? [] : [round.sklearn.seconds / round.tune.seconds],
  );
  const times_faster = ratios.length === 0 ? null : median(ratios);
  const table = new Table({
    head: ["work", "side", "seconds", "CPU, s", "peak RSS, MB", "F1"],
    colAligns: ["left", "left", "right", "right", "right", "right"],
  });
  const line = (work: string, side: string, { seconds, cpu_seconds, rss_mb }: Costs, f1 = ""): void => {
    table.push([work, side, seconds.toFixed(3), cpu_seconds.toFixed(3), rss_mb.toFixed(0), f1]);
  };
  line(`evaluate ${rows.toLocaleString("en")} × 14 tasks, ${evaluate.numbers} numbers`, "dnn-cool", evaluate);
  line(`end to end, ${end_to_end.numbers} numbers more`, "dnn-cool", end_to_end);
  line(`blame, ${blame.numbers} shares`, "dnn-cool", blame);
  line(`audit labels, ${audit.numbers} suspects`, "dnn-cool", audit);
  line(`95 % intervals of ${intervals.numbers} of them`, "dnn-cool", intervals);
  line(`calibrate by temperatures, ${trust.temperature.numbers} measures`, "dnn-cool", trust.temperature);
  line(`calibrate by isotonic maps, ${trust.isotonic.numbers} measures`, "dnn-cool", trust.isotonic);
  line("how likely each question is asked and answered so", "dnn-cool", trust.probabilities);
  line("limits of sets of trees and of answers", "dnn-cool", trust.coverage);
  line(`tune the chain, cost ${chain_cost.before.toFixed(3)} → ${chain_cost.after.toFixed(3)}`, "dnn-cool", chain_cost);
  line("tune the chain, mean F1", "dnn-cool", chain_f1, chain_f1.after.toFixed(6));
  line(`read predictions, ${read.numbers.toLocaleString("en")} numbers`, "dnn-cool", read);
  line("all of it in one process, from the Parquet file", "dnn-cool", whole);
  line(`tune ${rows.toLocaleString("en")} scores, exact`, "dnn-cool", tune, tune.f1_score.toFixed(6));
  if (sklearn !== null) {
    line(
      `tune ${rows.toLocaleString("en")} scores, 100 candidates`,
      "scikit-learn",
      sklearn,
      sklearn.f1_score.toFixed(6),
    );
  }
  print(table.toString());
  printProgress(
    `Written to ${writeResults("evaluate", { rows, evaluate, end_to_end, blame, audit, intervals, ...trust, chain_cost, chain_f1, read, whole, tune, sklearn, times_faster })}`,
  );
}
