/**
 * @file Scalars per second and bytes per scalar of our TensorBoard writer beside tfjs-node's and Python's, each where it
 * is installed. `COOL_BENCH_PYTHON` names a Python with tensorboard (and torch or tensorboardX).
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { median, print, printProgress, ROOT, runJson, typescript, warnIfBusy, writeResults } from "../report.js";

const { values: flags } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });

const PYTHON = process.env.COOL_BENCH_PYTHON;
const PYTHON_WRITERS = path.join(ROOT, "bench", "tensorboard", "python_writers.py");
const TFJS_NODE_WRITER = path.join(ROOT, "bench", "tensorboard", "tfjs_node.cjs");

interface Side {
  readonly name: string;
  /** Enough for about a second. */
  readonly scalars: number;
  /** Program and arguments before folder and count. */
  readonly command: readonly [string, ...string[]];
}

const SIDES: readonly Side[] = [
  {
    name: "dnn-cool",
    scalars: 1_000_000,
    command: [process.execPath, ...typescript("bench/tensorboard/ours.ts")],
  },
  { name: "tfjs-node", scalars: 10_000, command: [process.execPath, TFJS_NODE_WRITER] },
  ...["tensorboard", "torch", "tensorboardX"].flatMap((name) =>
    PYTHON === undefined ? [] : [{ name, scalars: 10_000, command: [PYTHON, PYTHON_WRITERS, name] } satisfies Side],
  ),
];

interface Measurement {
  readonly side: string;
  readonly scalars_per_second: number;
  readonly bytes_per_scalar: number;
}

/** Undefined where the side is not installed. */
function measure({ name, scalars, command: [program, ...args] }: Side): Measurement | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), "cool-bench-tensorboard-"));
  try {
    const result = runJson<{ seconds: number } | null>(program, [...args, folder, String(scalars)]);
    if (result === null) return undefined;
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
    return { side: name, scalars_per_second: scalars / result.seconds, bytes_per_scalar: bytes / scalars };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Medians over the rounds; the bytes are the same in each. */
function summarize(rounds: readonly Measurement[]): Measurement[] {
  return SIDES.flatMap(({ name }) => {
    const own = rounds.filter(({ side }) => side === name);
    const [first] = own;
    if (first === undefined) return [];
    return [{ ...first, scalars_per_second: median(own.map((round) => round.scalars_per_second)) }];
  });
}

warnIfBusy();
if (PYTHON === undefined) printProgress("COOL_BENCH_PYTHON is not set: no Python writer is measured.");
const rounds = Array.from({ length: Number(flags.rounds) }, () => SIDES.flatMap((side) => measure(side) ?? [])).flat();
const results = summarize(rounds);
const table = new Table({ head: ["side", "scalars/s", "bytes/scalar"], colAligns: ["left", "right", "right"] });
for (const { side, scalars_per_second, bytes_per_scalar } of results) {
  table.push([side, Math.round(scalars_per_second).toLocaleString("en"), bytes_per_scalar.toFixed(1)]);
}
print(table.toString());
printProgress(`Written to ${writeResults("tensorboard", { results })}`);
