/**
 * @file Training speed beside PyTorch: rounds of the sides in turn, so that a slow minute of the machine hits all of
 * them, medians over the rounds, and ratios pair by pair.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { compiled, median, print, printProgress, runJson, warnIfBusy, writeResults } from "../report.js";
import { findPython, type Measurement, runTorch } from "../torch.js";
import { NETWORKS, type NetworkName } from "./networks.js";
import type { OwnMeasurement } from "./ours.js";

/** One competitor: how to run it for some steps. */
interface Side {
  readonly name: string;
  run(network: NetworkName, steps: number, warmup: number): Measurement;
}

interface SideResult extends Measurement {
  readonly network: NetworkName;
  readonly side: string;
  /** Operations of the network per second of CPU time ÷ those of a product of matrices; both sides count the same ones. */
  readonly share_of_peak: number;
  /** Median over rounds of our images per second ÷ this side's in the same round. */
  readonly ours_ratio: number;
  /** The same of CPU time: this side's per step ÷ ours, which other work on the machine distorts less. */
  readonly cpu_ratio: number;
  readonly rounds: readonly Measurement[];
}

const { values: flags } = parseArgs({
  options: {
    network: { type: "string", multiple: true, default: [...NETWORKS] },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    threads: { type: "string", default: String(availableParallelism()) },
    backend: { type: "string", multiple: true, default: ["auto"] },
    warmup: { type: "string", default: "10" },
    isa: { type: "string" },
  },
});

const OURS = compiled("bench/train/ours.ts");
const WARMUP = Number(flags.warmup);

// both sides inherit it
process.env.TF_NUM_INTRAOP_THREADS = flags.threads;
if (flags.isa !== undefined) {
  process.env.ONEDNN_MAX_CPU_ISA = flags.isa;
  // PyTorch's own kernels and its matrix products do not ask oneDNN
  if (flags.isa === "AVX2")
    Object.assign(process.env, { ATEN_CPU_CAPABILITY: "avx2", MKL_ENABLE_INSTRUCTIONS: "AVX2" });
}

function ours(backend: string): Side {
  return {
    name: `dnn-cool (${backend})`,
    run: (network, steps, warmup) =>
      runJson(process.execPath, [
        OURS,
        ...["--network", network, "--steps", String(steps), "--warmup", String(warmup), "--backend", backend],
      ]),
  };
}

function torch(python: string, variant: "default" | "tuned", threads: string): Side {
  return {
    name: `torch, ${variant}`,
    run: (network, steps, warmup) => runTorch(python, { network, variant, threads, steps, warmup }),
  };
}

/** Rounds of all sides in turn, each of about `seconds`. The first side is ours, which the others are compared with. */
function compare(network: NetworkName, sides: readonly Side[], rounds: number, seconds: number): SideResult[] {
  const steps = sides.map((side) => {
    printProgress(`${network}: how fast is ${side.name}?`);
    return Math.max(5, Math.ceil((seconds * 1000) / side.run(network, 5, WARMUP).step_ms_median));
  });
  const measured: Measurement[][] = sides.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    sides.forEach((side, i) => {
      const measurement = side.run(network, steps[i] as number, WARMUP);
      measured[i]?.push(measurement);
      printProgress(
        `${network}, round ${round}/${rounds}: ${side.name} ${measurement.images_per_second.toFixed(0)} img/s`,
      );
    });
  }
  const own = measured[0] as OwnMeasurement[];
  return sides.map(({ name }, i) => summarize(network, name, own, measured[i] as Measurement[]));
}

function summarize(
  network: NetworkName,
  side: string,
  own: readonly OwnMeasurement[],
  rounds: readonly Measurement[],
): SideResult {
  const medianOf = (key: keyof Measurement) => median(rounds.map((round) => round[key]));
  const flops = own[0]?.flops_per_step ?? Number.NaN;
  const shareOf = ({ cpu_ms_per_step, peak_gflops }: Measurement) => flops / (cpu_ms_per_step * 1e6) / peak_gflops;
  return {
    network,
    side,
    images_per_second: medianOf("images_per_second"),
    step_ms_median: medianOf("step_ms_median"),
    cpu_ms_per_step: medianOf("cpu_ms_per_step"),
    peak_rss_mb: medianOf("peak_rss_mb"),
    peak_gflops: medianOf("peak_gflops"),
    share_of_peak: median(rounds.map(shareOf)),
    ours_ratio: median(rounds.map((round, i) => (own[i] as Measurement).images_per_second / round.images_per_second)),
    cpu_ratio: median(rounds.map((round, i) => round.cpu_ms_per_step / (own[i] as Measurement).cpu_ms_per_step)),
    rounds,
  };
}

function table(results: readonly SideResult[]): string {
  const rows = new Table({
    head: ["network", "side", "images/s", "ms/step", "CPU ms", "of peak", "peak RSS, MB", "ours ÷ side", "by CPU"],
    colAligns: ["left", "left", ...Array.from({ length: 7 }, () => "right" as const)],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const { images_per_second, step_ms_median, cpu_ms_per_step, peak_rss_mb, share_of_peak } = result;
    const cells = [images_per_second.toFixed(0), step_ms_median.toFixed(1), cpu_ms_per_step.toFixed(1)];
    cells.push(`${(100 * share_of_peak).toFixed(0)} %`);
    const ratios = [result.ours_ratio.toFixed(2), result.cpu_ratio.toFixed(2)];
    rows.push([result.network, result.side, ...cells, peak_rss_mb.toFixed(0), ...ratios]);
  }
  return rows.toString();
}

warnIfBusy();
const python = findPython();
if (python === undefined) {
  printProgress(
    "No Python with torch was found, so only our side is measured. Run bench/setup-python.sh or set COOL_BENCH_PYTHON.",
  );
}
const peers = python === undefined ? [] : (["default", "tuned"] as const).map((v) => torch(python, v, flags.threads));
const sides = [...flags.backend.map(ours), ...peers];
const results = NETWORKS.filter((network) => flags.network.includes(network)).flatMap((network) =>
  compare(network, sides, Number(flags.rounds), Number(flags.seconds)),
);
print(table(results));
printProgress(`Written to ${writeResults("train", { threads: Number(flags.threads), results })}.`);
