/** @file Python packages that tests use as independent judges, in a virtual environment made once per checkout. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A Python with the packages asked for, or the reason why there is none. */
export type Python = { readonly python: string } | { readonly skip: string };

const environmentsFolder = fileURLToPath(new URL("../../.venv/", import.meta.url));

/** Longest wait for an environment, whoever makes it. */
const TIME_LIMIT_MS = 300_000;
/** The maker of an environment touches its lock every few seconds; one left alone for so long has no maker. */
const STALE_LOCK_MS = 30_000;
/** A failed installation is not tried again by the other test files of the same run. */
const FAILURE_KEPT_MS = 600_000;

/** Present in every complete environment. */
const READY_MARKER = ".ready";

const inThisProcess = new Map<string, Promise<Python>>();

/**
 * Path of a Python interpreter that has `packages` (as pip names them), made on the first use with `python3 -m venv`
 * and `pip install`, and kept in `.venv/`. Safe to call from several test workers at once. It never throws: a machine
 * without Python or without a package index gets the reason to skip.
 */
export function ensurePython(packages: readonly string[]): Promise<Python> {
  const name = environmentName(packages);
  const known = inThisProcess.get(name) ?? makeOnce(name, packages);
  inThisProcess.set(name, known);
  return known;
}

/** Runs a script with a JSON document on its standard input, and parses what it prints. */
export async function runPython<Result>(python: string, script: string, input: unknown): Promise<Result> {
  const child = run(python, [script], { maxBuffer: 256 * 1024 * 1024, timeout: 120_000 });
  child.child.stdin?.end(JSON.stringify(input));
  const { stdout } = await child;
  return JSON.parse(stdout) as Result;
}

async function makeOnce(name: string, packages: readonly string[]): Promise<Python> {
  const folder = join(environmentsFolder, name);
  const ready: Python = { python: join(folder, "bin", "python") };
  const marker = join(folder, READY_MARKER);
  const failureFile = `${folder}.failed`;
  const lock = `${folder}.lock`;
  mkdirSync(dirname(folder), { recursive: true });
  for (const deadline = Date.now() + TIME_LIMIT_MS; Date.now() < deadline; await sleep(250)) {
    if (existsSync(marker)) return ready;
    const failure = recentFailure(failureFile);
    if (failure !== undefined) return { skip: failure };
    if (!acquire(lock)) continue;
    const heartbeat = setInterval(() => touch(lock), 5_000);
    try {
      if (!existsSync(marker)) await install(folder, packages);
      return ready;
    } catch (error) {
      const reason = `no Python with ${packages.join(", ")}: ${lastLine(error)}`;
      writeFileSync(failureFile, reason);
      return { skip: reason };
    } finally {
      clearInterval(heartbeat);
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return { skip: `no Python with ${packages.join(", ")}: not ready after ${TIME_LIMIT_MS / 1000} s` };
}

/** The marker comes last, so that an environment cut short is made anew. */
async function install(folder: string, packages: readonly string[]): Promise<void> {
  const limits = { timeout: TIME_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
  rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder], limits);
  // an index that cannot be reached is not asked five times a package: others may be configured
  await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--retries", "0", ...packages], limits);
  writeFileSync(join(folder, READY_MARKER), "");
}

/** Creating a folder is atomic on every file system. */
function acquire(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const touched = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - touched > STALE_LOCK_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function touch(lock: string): void {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // another worker took the lock for abandoned, e.g. after the machine slept; both then make the same environment
  }
}

function recentFailure(file: string): string | undefined {
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (written === undefined || Date.now() - written > FAILURE_KEPT_MS) return undefined;
  return readFileSync(file, "utf8");
}

function environmentName(packages: readonly string[]): string {
  const wanted = [...packages].sort().join(" ");
  return `${wanted.replace(/[^\w.-]+/g, "-").slice(0, 40)}-${createHash("sha256").update(wanted).digest("hex").slice(0, 8)}`;
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split("\n").at(-1) ?? message;
}
