/**
 * @file What to label next, simulated on the example: from a few labelled rows on, the score end to end by the number of
 * labelled cells, and how many cells `cool ask` and doubt alone need for the score of random labelling.
 */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import Table from "cli-table3";
import { build } from "esbuild";
import { median, print, printProgress, ROOT, writeResults } from "../report.js";
import { cellsFor, type Point, scoreAt } from "./curves.js";

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3,4,5" },
    strategies: { type: "string", default: "rows,doubt,ask" },
    /** Labelled cells at which networks are trained, the start first. */
    ask: { type: "string", default: "120,200,320,500,750,1080" },
    others: { type: "string", default: "120,200,320,500,800,1200,1800" },
    processes: { type: "string", default: "2" },
  },
});

interface Simulated {
  readonly seed: number;
  readonly curves: Readonly<Record<string, readonly Point[]>>;
}

const run = promisify(execFile);

/** One program, as TypeScript that is translated while it runs spends most of a training on that. */
async function simulate(seeds: readonly string[]): Promise<Simulated[]> {
  const bundle = path.join(ROOT, "bench", `.ask-${process.pid}.mjs`);
  const entryPoints = [path.join(ROOT, "bench", "ask", "seed.ts")];
  await build({ entryPoints, outfile: bundle, bundle: true, format: "esm", platform: "node", packages: "external" });
  const waiting = [...seeds];
  const found: Simulated[] = [];
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const own = ["--strategies", flags.strategies, "--ask", flags.ask, "--others", flags.others];
      const running = run(process.execPath, [bundle, "--seed", seed, ...own], { maxBuffer: 1 << 28 });
      running.child.stderr?.on("data", (text: Buffer) => printProgress(text.toString().trimEnd()));
      found.push(JSON.parse((await running).stdout) as Simulated);
    }
  };
  try {
    await Promise.all(Array.from({ length: Number(flags.processes) }, work));
  } finally {
    rmSync(bundle, { force: true });
  }
  return found.sort((a, b) => a.seed - b.seed);
}

const simulated = await simulate(flags.seeds.split(","));
const strategies = flags.strategies.split(",");
const targets = flags.others.split(",").map(Number).slice(2);
const table = new Table({ head: ["cells", ...strategies.map((strategy) => `${strategy}, score`)] });
const cells = [...new Set([...flags.ask.split(","), ...flags.others.split(",")].map(Number))].sort((a, b) => a - b);
for (const count of cells) {
  const scores = strategies.map((strategy) =>
    median(simulated.map(({ curves }) => scoreAt(curves[strategy] ?? [], count))),
  );
  table.push([count, ...scores.map((score) => (Number.isNaN(score) ? "" : score.toFixed(3)))]);
}
print("Median score over the seeds, by labelled cells:");
print(table.toString());
const ratios = strategies
  .filter((strategy) => strategy !== "rows")
  .flatMap((strategy) =>
    targets.map((target) => {
      const shares = simulated.map(
        ({ curves }) => cellsFor(curves[strategy] ?? [], scoreAt(curves.rows ?? [], target)) / target,
      );
      return { strategy, cells_at_random: target, shares, median: median(shares) };
    }),
  );
print("Cells for the score of random rows, as a share of theirs (∞: not reached):");
const shown = new Table({ head: ["strategy", "cells at random", "median", "by seed"] });
const text = (share: number): string => (Number.isFinite(share) ? share.toFixed(2) : "∞");
for (const { strategy, cells_at_random, shares, median: middle } of ratios) {
  shown.push([strategy, cells_at_random, text(middle), shares.map(text).join(", ")]);
}
print(shown.toString());
print(writeResults("ask", { simulated, ratios }));
