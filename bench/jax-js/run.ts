/**
 * @file Our step of many heads beside jax-js's, both on wasm in Node: what another engine would be worth today. The
 * package is fetched from npm into the cache of node_modules, not among the project's own.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { at } from "../../src/arrays.js";
import { median, print, printProgress, ROOT, runJson, typescript, warnIfBusy, writeResults } from "../report.js";
import type { Measurement } from "../torch.js";

const VERSION = "0.1.25";

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, steps: { type: "string", default: "2" } },
});

/** The package's entry point. */
function install(): string {
  const folder = path.join(ROOT, "node_modules", ".cache", "bench-jax-js", VERSION);
  const entry = path.join(folder, "node_modules", "@jax-js", "jax", "dist", "index.js");
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true });
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder, `@jax-js/jax@${VERSION}`]);
  }
  return entry;
}

warnIfBusy();
const entry = install();
const sides: Readonly<Record<string, () => Measurement>> = {
  "dnn-cool, wasm": () =>
    runJson(process.execPath, [
      ...typescript("bench/train/ours.ts"),
      ...["--network", "multitask", "--steps", "40", "--warmup", "5", "--backend", "wasm"],
    ]),
  [`jax-js ${VERSION}, wasm`]: () =>
    runJson(process.execPath, [path.join(ROOT, "bench/jax-js/step.mjs"), entry, flags.steps]),
};
const rounds = Array.from({ length: Number(flags.rounds) }, (_, i) => {
  printProgress(`round ${i + 1} of ${flags.rounds}`);
  return Object.values(sides).map((measure) => measure());
});
const results = Object.keys(sides).map((side, k) => {
  const own = rounds.map((round) => at(round, k));
  return {
    side,
    step_ms_median: median(own.map(({ step_ms_median }) => step_ms_median)),
    peak_rss_mb: Math.max(...own.map(({ peak_rss_mb }) => peak_rss_mb)),
    ours_ratio: median(own.map(({ step_ms_median }, i) => step_ms_median / at(at(rounds, i), 0).step_ms_median)),
  };
});
const table = new Table({ head: ["side", "ms/step", "peak RSS, MB", "side ÷ ours"], style: { head: [], border: [] } });
for (const { side, step_ms_median, peak_rss_mb, ours_ratio } of results) {
  table.push([side, step_ms_median.toFixed(0), peak_rss_mb.toFixed(0), ours_ratio.toFixed(1)]);
}
print(table.toString());
print(`Written to ${writeResults("jax-js", { results })}.`);
