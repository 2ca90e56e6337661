/**
 * @file What logging adds to a training epoch of the example: epochs of runs with and without curves, metrics and
 * system samples, in turns; and the CPU time spent within the loggers, which is the steadier figure.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { LoggerGroup } from "../../src/logging/logger-group.js";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { median, print, printProgress, ROOT, warnIfBusy, writeResults } from "../report.js";

const { values: flags } = parseArgs({
  options: {
    project: { type: "string", default: path.join(ROOT, "examples", "home-security") },
    rounds: { type: "string", default: "3" },
    epochs: { type: "string", default: "6" },
  },
});

interface Round {
  /** CPU milliseconds from the start of one epoch to that of the next, but for the first epoch. */
  readonly epochs: readonly number[];
  /** Of that, spent in logging. */
  readonly logged: readonly number[];
}

/** CPU time of this process: the wall clock says more about the rest of the machine. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

const LOGGING: readonly (readonly [object, readonly string[]])[] = [
  [LoggerGroup.prototype, ["open", "step", "points", "epoch", "scored", "weights"]],
];

/** Puts other methods in the place of an object's own while `work` runs. */
async function withMethods<T>(
  changes: readonly (readonly [object, readonly string[]])[],
  replace: (method: Method) => Method,
  work: () => Promise<T>,
): Promise<T> {
  const undo: (() => void)[] = [];
  for (const [object, names] of changes) {
    for (const name of names) {
      const methods = object as Record<string, Method>;
      const original = methods[name] as Method;
      methods[name] = replace(original);
      undo.push(() => {
        methods[name] = original;
      });
    }
  }
  try {
    return await work();
  } finally {
    for (const restore of undo) restore();
  }
}

async function measure(store: string, logging: boolean): Promise<Round> {
  const starts: number[] = [];
  const totals: number[] = [];
  let spent = 0;
  const timed = (method: Method): Method =>
    function (...args) {
      const start = cpuMs();
      const count = (): void => {
        spent += cpuMs() - start;
      };
      const result = method.apply(this, args);
      if (result instanceof Promise) return result.finally(count);
      count();
      return result;
    };
  const marked = (method: Method): Method =>
    function (...args) {
      starts.push(cpuMs());
      totals.push(spent);
      return method.apply(this, args);
    };
  const project = await loadProject(flags.project, ["log.imagesEvery=null"]);
  const train = () => trainRun(project, { store, epochs: Number(flags.epochs) });
  await withMethods([[Trainer.prototype, ["finishEpoch"]]], marked, () =>
    withMethods(LOGGING, logging ? timed : () => () => undefined, train),
  );
  const differences = (all: readonly number[]) => all.slice(1).map((value, i) => value - (all[i] as number));
  return { epochs: differences(starts).slice(1), logged: differences(totals).slice(1) };
}

warnIfBusy();
const dir = mkdtempSync(path.join(tmpdir(), "cool-bench-"));
try {
  const rounds: { readonly on: Round; readonly off: Round }[] = [];
  for (let round = 0; round < Number(flags.rounds); round++) {
    printProgress(`Round ${round + 1} of ${flags.rounds} …`);
    const off = await measure(path.join(dir, `off-${round}`), false);
    rounds.push({ off, on: await measure(path.join(dir, `on-${round}`), true) });
  }
  const with_ms = median(rounds.flatMap(({ on }) => on.epochs));
  const without_ms = median(rounds.flatMap(({ off }) => off.epochs));
  const within_ms = median(rounds.flatMap(({ on }) => on.logged));
  const percent = (part: number): string => `${((100 * part) / without_ms).toFixed(2)} %`;
  print(`CPU time of an epoch without logging: ${without_ms.toFixed(0)} ms`);
  print(`with logging: ${with_ms.toFixed(0)} ms (${percent(with_ms - without_ms)} more)`);
  print(`spent within the loggers: ${within_ms.toFixed(1)} ms (${percent(within_ms)})`);
  const file = writeResults("logging", { rounds: rounds.length, without_ms, with_ms, within_ms });
  printProgress(`Written to ${file}.`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
