/** @file An installation under way: a folder that takes its place as a whole or not at all, and a lock on that place. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BackendError, InterruptedError } from "../../errors.js";
import { currentProcess, isAlive, type ProcessIdentity } from "../../platform/process.js";
import { runCommand } from "./command.js";

/** What the steps of an installation work with. */
export interface Installation {
  /** The folder that is filled. */
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
  readonly log: (line: string) => void;
  /** Runs a program in the folder. */
  run(file: string, args: readonly string[], options?: RunOptions): Promise<string>;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
}

const LOG = "install.log";

/**
 * Fills a folder beside `target` and moves it there. Whatever stops the work, a failure, Ctrl-C or a lost process,
 * leaves `target` as it was, and no other process can install there meanwhile.
 * @param logFile where what the programs print is kept after a failure
 * @throws BackendError where another process is at it
 */
export async function installInto(
  target: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly log: (line: string) => void;
    readonly logFile: string;
  },
  work: (installation: Installation) => Promise<void>,
): Promise<void> {
  const { signal, log } = options;
  mkdirSync(dirname(target), { recursive: true });
  const unlock = lock(target);
  const dir = join(partsDir(target), "backends", basename(target));
  try {
    // of a process that was killed
    rmSync(partsDir(target), { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const logFile = join(partsDir(target), LOG);
    const run: Installation["run"] = (file, args, { cwd = dir, ...rest } = {}) =>
      runCommand(file, args, { cwd, logFile, signal, ...rest });
    try {
      await work({ dir, signal, log, run });
      if (signal?.aborted === true) throw new InterruptedError("The installation was stopped.");
      await rm(target, { recursive: true, force: true });
      await rename(dir, target);
      rmSync(options.logFile, { force: true });
    } catch (error) {
      if (signal?.aborted === true) throw new InterruptedError("The installation was stopped; nothing of it is left.");
      if (existsSync(logFile)) writeFileSync(options.logFile, readFileSync(logFile));
      throw error;
    }
  } finally {
    await rm(partsDir(target), { recursive: true, force: true, maxRetries: 5 });
    unlock();
  }
}

/** A cache of its own with nothing in it but the installation, so that it can be tried out before it is moved. */
function partsDir(target: string): string {
  return join(dirname(target), `.installing-${basename(target)}`);
}

/** The cache folder (`DNN_COOL_CACHE`) in which a program finds the installation under way. */
export function trialCache({ dir }: Installation): string {
  return dirname(dirname(dir));
}

function lock(target: string): () => void {
  const file = join(dirname(target), `.lock-${basename(target)}`);
  for (let attempt = 0; ; attempt++) {
    const holder = takeLock(file);
    if (holder === null) return () => rmSync(file, { force: true });
    // one that cannot be seen from here may live
    const isGone = isAlive(holder, currentProcess()) === false;
    if (!isGone || attempt > 0) {
      throw new BackendError(
        `Another process (${holder.pid} on ${holder.host}) is installing this backend. Wait for it; if there is none, remove ${file}.`,
        { lock: file, holder },
      );
    }
    rmSync(file, { force: true });
  }
}

/** @returns the process that has it; null where this one has got it */
function takeLock(file: string): ProcessIdentity | null {
  // linked, so that it is never seen without its content
  const own = `${file}-${process.pid}`;
  writeFileSync(own, JSON.stringify(currentProcess()));
  try {
    linkSync(own, file);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Removes all but some entries of a folder. */
export function keepOnly(dir: string, names: readonly string[]): void {
  for (const name of readdirSync(dir)) {
    if (!names.includes(name)) rmSync(join(dir, name), { recursive: true, force: true });
  }
}
