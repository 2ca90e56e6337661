/** @file A run by its key: there is none yet, or one to go on with; never two at a time, whatever starts them. */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, InterruptedError, StoreError } from "../../errors.js";
import { currentProcess, isAlive } from "../../platform/process.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import type { Settings } from "../../project/settings.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { RunStore } from "../../storage/run-store.js";
import { flatConfig } from "../../storage/tables/config-values.js";
import { settingsOfRun } from "../again-run.js";

/** How often a run on another host is looked at. */
const POLL_MS = 2000;
const MOST_SHOWN = 8;

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly tell: (line: string) => void;
}

/**
 * Waits until no process trains a run: of one on another host that is when it ends, or has given no sign of life for a
 * minute.
 * @param read the run as it is now; null where there is none
 * @throws StoreError where a process of this machine trains it, InterruptedError
 */
export async function untilFree(
  read: () => RunRecord | null,
  { signal, tell }: WaitOptions,
): Promise<RunRecord | null> {
  let told = false;
  for (;;) {
    const run = read();
    if (run === null || run.displayState !== "running") return run;
    const who = `process ${run.pid} on ${run.host}`;
    if (isAlive(run, currentProcess()) === true) {
      throw new StoreError(
        `Run ${run.id} (${run.name}) is being trained already, by ${who}. Wait until it ends, or stop it; what is started then goes on.`,
        { run: run.id, pid: run.pid, host: run.host },
      );
    }
    if (!told)
      tell(`run ${run.id} (${run.name}) is trained by ${who}: waiting until it ends, or is silent for a minute`);
    told = true;
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw new InterruptedError(`Interrupted: run ${run.id} (${run.name}) is still trained by ${who}.`, {
        run: run.id,
      });
    });
  }
}

/**
 * Compares the settings that are asked for with those that the run of the key has. More epochs, and other replicas, are
 * no difference: a run may go on with them.
 * @throws ConfigError that names each setting that differs
 */
export function assertSameSettings(store: RunStore, run: RunRecord, key: string, asked: Settings): void {
  const [before, now] = [comparable(settingsOfRun(store, run)), comparable(asked)];
  const changed = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort().filter((name) => {
    if (name === "train.epochs") return Number(now[name]) < Number(before[name]);
    return !isDeepStrictEqual(before[name], now[name]);
  });
  if (changed.length === 0) return;
  const shown = changed
    .slice(0, MOST_SHOWN)
    .map((name) => `${name} is ${valueText(now[name])} and was ${valueText(before[name])}`);
  const more = changed.length > shown.length ? `; ${changed.length - shown.length} more differ` : "";
  throw new ConfigError(
    `Run ${run.id} (${run.name}) has the key "${key}" and other settings: ${shown.join("; ")}${more}. Start with the same settings to go on with it, or choose another key for another run.`,
    { run: run.id, key, changed },
  );
}

/** Settings that a run keeps from its beginning; where it began, and what queries may read, is said by it alone. */
function comparable({ data, train, ...others }: Settings): Readonly<Record<string, unknown>> {
  const { allow: _, ...ownData } = data;
  const { from: _from, replicas: _replicas, ...ownTrain } = train;
  return flatConfig({ ...others, data: ownData, train: ownTrain });
}

function valueText(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

/** The settings of a new run of the project. */
export function askedSettings(
  { settings }: LoadedProject,
  { epochs, seed }: { readonly epochs?: number | undefined; readonly seed?: number | undefined },
): Settings {
  const { train } = settings;
  return { ...settings, train: { ...train, epochs: epochs ?? train.epochs, seed: seed ?? train.seed } };
}
