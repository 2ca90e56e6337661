/**
 * @file Replicas: training speed of one and of several, beside PyTorch, and the memory of the coordinating side where
 * outputs are very wide, beside gathering everything there.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { median, print, printProgress, runJson, typescript, warnIfBusy, writeResults } from "../report.js";
import { findPython, type Measurement, runTorch } from "../torch.js";
import type { NetworkName } from "../train/networks.js";
import type { MemoryMeasurement } from "./memory.js";

const NETWORKS = ["multitask", "convnet"] as const satisfies readonly NetworkName[];

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    network: { type: "string", multiple: true, default: [...NETWORKS] },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    replicas: { type: "string", default: "2" },
    backend: { type: "string", default: "wasm" },
  },
});
const REPLICAS = Number(flags.replicas);
const WARMUP = 10;

interface Speed {
  readonly network: NetworkName;
  readonly side: string;
  readonly images_per_second: number;
  /** Median over rounds of this side's images per second ÷ those of one replica in the same round. */
  readonly speedup: number;
  /** The same ÷ PyTorch's; null without it. */
  readonly of_torch: number | null;
}

const ours = (replicas: number) => ({
  name: replicas === 1 ? "1 replica" : `${replicas} replicas`,
  run: (network: NetworkName, steps: number): Measurement =>
    runJson(process.execPath, [
      ...typescript("bench/train/ours.ts"),
      ...["--network", network, "--steps", String(steps), "--warmup", String(WARMUP)],
      ...["--backend", flags.backend, "--replicas", String(replicas)],
    ]),
});

const torch = (python: string) => ({
  name: "torch, default",
  run: (network: NetworkName, steps: number): Measurement =>
    runTorch(python, { network, variant: "default", threads: String(REPLICAS), steps, warmup: WARMUP }),
});

function speeds(network: NetworkName): Speed[] {
  const python = findPython();
  if (python === undefined) printProgress("No Python with torch was found. Set COOL_BENCH_PYTHON to compare with it.");
  const sides = [ours(1), ours(REPLICAS), ...(python === undefined ? [] : [torch(python)])];
  const steps = sides.map((side) =>
    Math.max(5, Math.ceil((Number(flags.seconds) * 1000) / side.run(network, 5).step_ms_median)),
  );
  const rounds = Array.from({ length: Number(flags.rounds) }, (_, round) =>
    sides.map((side, i) => {
      const { images_per_second } = side.run(network, steps[i] as number);
      printProgress(`${network}, round ${round + 1}: ${side.name} ${images_per_second.toFixed(0)} img/s`);
      return images_per_second;
    }),
  );
  const over = (side: number, other: number) =>
    median(rounds.map((round) => (round[side] as number) / (round[other] as number)));
  return sides.map(({ name }, i) => ({
    network,
    side: name,
    images_per_second: median(rounds.map((round) => round[i] as number)),
    speedup: over(i, 0),
    of_torch: python === undefined ? null : over(i, 2),
  }));
}

function memory(): MemoryMeasurement[] {
  return (["one", "balanced", "gathered"] as const).map((way) => {
    printProgress(`memory: ${way}`);
    return runJson<MemoryMeasurement>(process.execPath, [...typescript("bench/replicas/memory.ts"), "--way", way]);
  });
}

function speedTable(results: readonly Speed[]): string {
  const table = new Table({ head: ["network", "side", "images/s", "÷ 1 replica", "÷ torch"], style: { head: [] } });
  for (const { network, side, images_per_second, speedup, of_torch } of results) {
    table.push([network, side, images_per_second.toFixed(0), speedup.toFixed(2), of_torch?.toFixed(2) ?? "–"]);
  }
  return table.toString();
}

const WAYS = { one: "no replicas", balanced: "2 replicas, reduced there", gathered: "2 replicas, gathered" } as const;

function memoryTable(results: readonly MemoryMeasurement[]): string {
  const head = ["softmax over 8,000 classes per token", "coordinating side, MB", "a replica, MB", "ratio"];
  const table = new Table({ head, style: { head: [] } });
  for (const { way, coordinator, replica } of results) {
    const ratio = replica === null ? "–" : (coordinator / replica).toFixed(2);
    table.push([WAYS[way], coordinator.toFixed(0), replica?.toFixed(0) ?? "–", ratio]);
  }
  return table.toString();
}

warnIfBusy();
const networks = NETWORKS.filter((network) => flags.network.includes(network));
const speed = flags.only === "memory" ? [] : networks.flatMap(speeds);
const peaks = flags.only === "speed" ? [] : memory();
if (speed.length > 0) print(speedTable(speed));
if (peaks.length > 0) print(memoryTable(peaks));
printProgress(`Written to ${writeResults("replicas", { replicas: REPLICAS, speed, memory: peaks })}.`);
