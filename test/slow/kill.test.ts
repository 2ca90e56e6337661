/** @file Runs that are killed or interrupted at any moment: the store stays sound, and going on ends with the same weights. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/data/rng.js";
import type { RunRecord } from "../../src/storage/run-record.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type CliResult, coolJson, startCool } from "../support/cli.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

/** Long enough that training takes about as long as starting and evaluating. */
const EPOCHS = 40;
const AT_ONCE = 2;
const NAME = "stopped";
const WEIGHTS = [join("checkpoints", "best", "weights.bin"), join("checkpoints", "last", "weights.bin")];

interface Run {
  readonly run: { readonly id: string; readonly state: string; readonly dir: string };
}

let project: TinyProject;
let stores: string;
/** Of a run that nothing stops: what it takes with another beside it, and the weights it ends with. */
let wholeMs: number;
let whole: readonly Buffer[];

beforeAll(async () => {
  project = await tinyProject();
  project.editConfig(["train: {", "train: { checkpointEverySteps: 3, reduceOnPlateau: { patience: 3 },"]);
  // the first run after an installation takes longer
  stores = mkdtempSync(join(tmpdir(), "cool-stopped-"));
  await train(join(stores, "warm-up"));
  const started = performance.now();
  const [first] = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => train(join(stores, `whole-${i}`))));
  wholeMs = performance.now() - started;
  whole = weightsOf((first as Run).run.dir);
}, 300_000);
afterAll(() => {
  project.remove();
  rmSync(stores, { recursive: true, force: true });
});

const command = (store: string) => ["run", project.dir, "--store", store, "--name", NAME, "--epochs", String(EPOCHS)];
const train = (store: string) => coolJson<Run>(command(store));
const weightsOf = (dir: string) => WEIGHTS.map((file) => readFileSync(join(dir, file)));

interface Stopped {
  readonly moment: number;
  readonly result: CliResult;
  /** null where the process was stopped before it had stored a run. */
  readonly before: RunRecord | null;
}

/** Starts a run in a store of its own and stops it after `moment` milliseconds. */
async function stop(store: string, moment: number, signal: NodeJS.Signals): Promise<Stopped> {
  mkdirSync(store);
  const running = startCool(command(store));
  const ended = running.ended.then(() => "ended");
  await Promise.race([sleep(moment), ended]);
  running.child.kill(signal);
  const result = await running.ended;
  return { moment, result, before: soundRun(store) };
}

/** The only run of a store that passes its integrity check. */
function soundRun(dir: string): RunRecord | null {
  const file = join(dir, "cool.db");
  if (!existsSync(file)) return null;
  const database = new Database(file);
  const [integrity, foreign] = [
    database.pragma("integrity_check", { simple: true }),
    database.pragma("foreign_key_check"),
  ];
  database.close();
  expect([integrity, foreign]).toEqual(["ok", []]);
  const store = openRunStore(dir);
  const runs = store.listRuns();
  store.close();
  expect(runs.length).toBeLessThanOrEqual(1);
  return runs[0] ?? null;
}

/** Goes on with the run, or begins it where there is none yet, and compares what it ends with. */
async function goOn(store: string, { before }: Stopped): Promise<void> {
  const { run } =
    before === null
      ? await train(store)
      : await coolJson<Run>(["run", project.dir, "--store", store, "--resume", before.id]);
  expect(run.state).toBe("finished");
  if (before !== null) expect(run.id).toBe(before.id);
  const same = weightsOf(run.dir).map((weights, i) => weights.equals(whole[i] as Buffer));
  expect(same).toEqual([true, true]);
  const unfinished = readdirSync(run.dir, { recursive: true }).filter((name) => /writing|\.old/.test(String(name)));
  expect(unfinished).toEqual([]);
}

/** Does all of it at each moment, some at a time, and tells which states were met. */
async function atEachMoment(
  moments: readonly number[],
  signal: NodeJS.Signals,
  check: (stopped: Stopped) => void,
): Promise<string[]> {
  const met: string[] = [];
  const waiting = moments.map((moment, i) => ({ moment, store: join(stores, `${signal}-${i}`) }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const stopped = await stop(next.store, next.moment, signal);
      try {
        check(stopped);
        await goOn(next.store, stopped);
      } catch (error) {
        const { stderr } = stopped.result;
        throw new Error(`stopped after ${next.moment} ms: ${(error as Error).message}\n${stderr}`, { cause: error });
      }
      met.push(stopped.before?.displayState ?? "no run");
      rmSync(next.store, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return met;
}

/** One, drawn, in each of as many equal parts of the time of a whole run: none of its phases is left out. */
function momentsOf(seed: string, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => Math.round(((i + random.next()) / count) * wholeMs));
}

const count = (met: readonly string[]) =>
  Object.fromEntries([...new Set(met)].sort().map((state) => [state, met.filter((one) => one === state).length]));

test("killed at 50 moments, a run shows as crashed and goes on to the same weights", { timeout: 900_000 }, async () => {
  const met = await atEachMoment(momentsOf("kill", 50), "SIGKILL", ({ before, result }) => {
    // killed in the moments between writing down the end of the run and that of the process, it has finished
    if (before !== null) expect(["finished", ...(result.code === 0 ? [] : ["crashed"])]).toContain(before.displayState);
  });
  process.stdout.write(`killed within ${Math.round(wholeMs)} ms; found: ${JSON.stringify(count(met))}\n`);
  // moments of all kinds were met
  expect(count(met)).toMatchObject({ crashed: expect.any(Number), "no run": expect.any(Number) });
});

test("interrupted at 16 moments, a run goes on to the same weights", { timeout: 600_000 }, async () => {
  const met = await atEachMoment(momentsOf("interrupt", 16), "SIGINT", ({ before, result }) => {
    // before the command listens, the signal ends the process as it ends any other
    if (before === null) expect([130, null]).toContain(result.code);
    else if (result.code === 0) expect(before.displayState).toBe("finished");
    // after the end of the run has been written down, while results are printed, it ends the process alone
    else if (before.displayState === "finished") expect([130, null]).toContain(result.code);
    else expect([result.code, before.displayState]).toEqual([130, "interrupted"]);
  });
  process.stdout.write(`interrupted within ${Math.round(wholeMs)} ms; found: ${JSON.stringify(count(met))}\n`);
});
