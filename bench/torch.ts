/** @file PyTorch as a peer, in a process of its own. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { ROOT, runJson } from "./report.js";

/** Speed of one side in one round. */
export interface Measurement {
  readonly images_per_second: number;
  readonly step_ms_median: number;
  /** Of all threads, user and system: what other work on the machine distorts least. */
  readonly cpu_ms_per_step: number;
  readonly peak_rss_mb: number;
  /** Of a product of float32 matrices by the same library on the same threads, per second of CPU time. */
  readonly peak_gflops: number;
}

export interface TorchOptions {
  readonly network: string;
  readonly variant: "default" | "tuned";
  readonly threads: string;
  readonly steps: number;
  readonly warmup: number;
}

/** The first Python that can import torch. */
export function findPython(): string | undefined {
  const own = path.join(ROOT, ".venv", "bench", "bin", "python");
  const candidates = [process.env.COOL_BENCH_PYTHON, existsSync(own) ? own : undefined, "python3"];
  return candidates.find((python) => {
    if (python === undefined) return false;
    try {
      execFileSync(python, ["-c", "import torch"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

export function runTorch(python: string, { network, variant, threads, steps, warmup }: TorchOptions): Measurement {
  return runJson(python, [
    path.join(ROOT, "bench", "train", "torch_train.py"),
    ...["--network", network, "--variant", variant, "--threads", threads],
    ...["--steps", String(steps), "--warmup", String(warmup)],
  ]);
}
