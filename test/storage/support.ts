/** @file Folders and child processes for tests of the store. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { CoolError } from "../../src/errors.js";
import { openRunStore, type RunStore, type StoreOptions } from "../../src/storage/run-store.js";

/** An empty folder that is removed when the test ends. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "cool-store-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store that is closed when the test ends. */
export function openStore(dir: string, options: StoreOptions = {}): RunStore {
  const store = openRunStore(dir, options);
  onTestFinished(() => store.close());
  return store;
}

/** A clock that advances by one second at each look. */
export function tickingClock(start: string): () => Date {
  let seconds = -1;
  return () => {
    seconds += 1;
    return new Date(Date.parse(start) + seconds * 1000);
  };
}

/** Children compile the source as they start: a second on a free machine, many on a busy one. */
export const START_OF_CHILDREN = { timeout: 120_000 };

/** Starts worker.mjs, see there. */
export function startWorker(...parameters: string[]): ChildProcess {
  const worker = fileURLToPath(new URL("worker.mjs", import.meta.url));
  return spawn(process.execPath, [worker, ...parameters], { stdio: ["pipe", "pipe", "pipe"] });
}

/** Lets children that have all started begin at one moment; returns their error outputs and exit codes. */
export async function runTogether(children: readonly ChildProcess[]): Promise<string[]> {
  const results = children.map(ended);
  await Promise.all(children.map((child) => child.stdout && once(child.stdout, "data")));
  for (const child of children) child.stdin?.write("go\n");
  return Promise.all(results);
}

async function ended(child: ChildProcess): Promise<string> {
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [code] = await once(child, "close");
  return `${errors}exit ${code}`;
}

/** The expected error that `work` throws. */
export function thrownBy(work: () => unknown): CoolError {
  try {
    work();
  } catch (error) {
    if (error instanceof CoolError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
