/**
 * @file What to label next, simulated on the example: from a few labelled rows on, the score end to end by the number of
 * labelled cells, and how many cells `cool ask` needs for the score of random labelling, and of doubt alone.
 */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import Table from "cli-table3";
import { build } from "esbuild";
import { median, print, printProgress, ROOT, writeResults } from "../report.js";
import { scoreAt, sharesOf, type Simulated } from "./curves.js";

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3,4,5" },
    strategies: { type: "string", default: "rows,cells,doubt,ask" },
    /** Labelled cells at which networks are trained, the start first. */
    ask: { type: "string", default: "120,240,480,800" },
    others: { type: "string", default: "120,240,480,800,1200" },
    processes: { type: "string", default: "2" },
  },
});

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
const others = flags.others.split(",").map(Number);
const table = new Table({ head: ["cells", ...strategies] });
for (const count of [...new Set([...flags.ask.split(",").map(Number), ...others])].sort((a, b) => a - b)) {
  const scores = strategies.map((strategy) =>
    median(simulated.map(({ curves }) => scoreAt(curves[strategy] ?? [], count))),
  );
  table.push([count, ...scores.map((score) => (Number.isNaN(score) ? "" : score.toFixed(3)))]);
}
print("Median score over the seeds, by labelled cells:");
print(table.toString());
const baselines = strategies.includes("ask") ? strategies.filter((strategy) => strategy !== "ask") : [];
const shares = baselines.flatMap((baseline) => others.slice(1).map((cells) => sharesOf(simulated, baseline, cells)));
print("Cells that ask needs for the score of a baseline, as a share of the baseline's (∞: not reached):");
const shown = new Table({ head: ["baseline", "its cells", "median", "by seed"] });
const text = (share: number): string => (Number.isFinite(share) ? share.toFixed(2) : "∞");
for (const { baseline, cells, median: middle, by_seed } of shares) {
  shown.push([baseline, cells, text(middle), by_seed.map(text).join(", ")]);
}
print(shown.toString());
print(writeResults("ask", { simulated, shares }));
