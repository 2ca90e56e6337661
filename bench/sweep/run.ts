/**
 * @file The Parzen estimator beside Optuna's: the best value after 100 trials, over 30 seeds. Optuna runs where a Python
 * has it (COOL_PYTHON).
 */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { randomChoice } from "../../src/sweeping/search/simple.js";
import { sobolChoice } from "../../src/sweeping/search/sobol.js";
import { tpeChoice } from "../../src/sweeping/search/tpe.js";
import type { Trial } from "../../src/sweeping/search/trials.js";
import { print, ROOT, writeResults } from "../report.js";
import { FUNCTIONS, type TestFunction } from "./functions.js";

const { values: flags } = parseArgs({
  options: { seeds: { type: "string", default: "30" }, trials: { type: "string", default: "100" } },
});
const [seeds, trials] = [Number(flags.seeds), Number(flags.trials)];
const SEARCHES = ["tpe", "random", "sobol"] as const;

function bestOf({ space, value }: TestFunction, search: (typeof SEARCHES)[number], seed: number): number {
  const past: Trial[] = [];
  for (let number = 1; number <= trials; number++) {
    const parameters =
      search === "tpe"
        ? tpeChoice(space, past, seed, number)
        : search === "random"
          ? randomChoice(space, seed, number)
          : sobolChoice(space, seed, number);
    past.push({ number, parameters, outcome: { kind: "finished", values: [value(parameters)] } });
  }
  return Math.min(...past.map(({ outcome }) => (outcome.kind === "finished" ? (outcome.values[0] ?? 0) : 0)));
}

function quartiles(values: readonly number[]): readonly [number, number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return [at(0.25), at(0.5), at(0.75)];
}

function peer(): { readonly best: Readonly<Record<string, readonly number[]>> } | null {
  const python = process.env.COOL_PYTHON ?? "python3";
  try {
    const script = path.join(ROOT, "bench", "sweep", "optuna_tpe.py");
    return JSON.parse(execFileSync(python, [script, String(seeds), String(trials)], { encoding: "utf8" })) as never;
  } catch {
    print(`${python} has no optuna: its column is left out`);
    return null;
  }
}

const optuna = peer();
const table = new Table({ head: ["function", "search", "lower quartile", "median best", "upper quartile"] });
const results = FUNCTIONS.flatMap((tested) => {
  const own = SEARCHES.map((search) => ({
    search: search as string,
    best: Array.from({ length: seeds }, (_, seed) => bestOf(tested, search, seed)),
  }));
  const theirs = optuna === null ? [] : [{ search: "optuna tpe", best: [...(optuna.best[tested.name] ?? [])] }];
  return [...own, ...theirs].map(({ search, best }) => {
    const [low, median, high] = quartiles(best);
    table.push([tested.name, search, ...[low, median, high].map((value) => value.toPrecision(3))]);
    return { function: tested.name, search, low, median, high };
  });
});
print(table.toString());
writeResults("sweep", { seeds, trials, results });
