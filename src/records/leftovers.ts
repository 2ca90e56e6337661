/** @file What a process that was killed left half written in a store, and its removal. */
import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunStore } from "../storage/run-store.js";
import { isUnfinished } from "./run-files.js";

/** So young a file may be another process's, which is writing it now. */
const YOUNG_MS = 60_000;

/**
 * Removes files and folders of a run that were being written or replaced when a process was killed. Nothing else is
 * touched: an old checkpoint stays as long as the one that was to replace it is not there.
 * @param isOver whether nobody is writing it any more; default: nobody works on this run
 * @returns their paths in the run's folder
 */
export function cleanRun(runDir: string, isOver: (path: string) => boolean = () => true): string[] {
  const names = ["", "checkpoints", "predictions"].flatMap((folder) =>
    namesIn(join(runDir, folder)).map((name) => join(folder, name)),
  );
  const left = names.filter((path) => isUnfinished(path) && isReplaced(runDir, path) && isOver(join(runDir, path)));
  for (const path of left) rmSync(join(runDir, path), { recursive: true, force: true });
  return left;
}

/** `last.old` is all there is where the process died between two renames. */
function isReplaced(runDir: string, path: string): boolean {
  return !path.endsWith(".old") || existsSync(join(runDir, path.slice(0, -".old".length), "model.json"));
}

/** The same in a whole store, but for runs that are being trained, and with imports that were cut short. */
export function cleanStore(store: RunStore, now: Date = new Date()): string[] {
  const imports = namesIn(store.dir).filter(
    (name) => name.startsWith(".cool-import-") && isOlder(join(store.dir, name), now),
  );
  for (const name of imports) rmSync(join(store.dir, name), { recursive: true, force: true });
  const runs = store
    .listRuns({ includeTrash: true })
    .filter(({ displayState }) => displayState !== "running")
    .flatMap(({ id }) =>
      cleanRun(store.runDir(id), (path) => isOlder(path, now)).map((path) => join("runs", id, path)),
    );
  return [...imports, ...runs];
}

function isOlder(path: string, now: Date): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && now.getTime() - stats.mtimeMs > YOUNG_MS;
}

function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
