/**
 * @file Runs from one store to another. An exported run is a store that holds it alone, as a folder or packed as
 * .tar.gz; to import it is to merge that store.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { CoolError, StoreError, UsageError } from "../errors.js";
import { isRunId } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import { type ListedRun, listed } from "./list-runs.js";

export interface ExportedRun {
  readonly run: ListedRun;
  /** Folder or file. */
  readonly path: string;
}

export interface MergedRuns {
  readonly added: readonly ListedRun[];
  /** That were there already, with the same content. */
  readonly same: readonly ListedRun[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

const PACKED = /\.(tar\.gz|tgz)$/i;

/**
 * @param to a folder that is not there yet, or a file that ends with .tar.gz; default `<run id>.tar.gz`
 * @throws StoreError for a run that is being trained, a target that is there, or no room
 */
export function exportRun(store: RunStore, reference: string, to?: string): ExportedRun {
  const run = store.findRun(reference);
  if (run.displayState === "running") {
    throw new StoreError(`Run ${run.id} (${run.name}) is being trained. Export it when it has ended.`, { run: run.id });
  }
  const target = resolve(to ?? `${run.id}.tar.gz`);
  if (existsSync(target)) {
    throw new StoreError(`${target} is there already. Name another target with --to, or move it away.`, { target });
  }
  mkdirSync(dirname(target), { recursive: true });
  const scratch = mkdtempSync(join(dirname(target), ".cool-export-"));
  try {
    const folder = join(scratch, run.id);
    writeStoreOf(store, run.id, folder);
    if (PACKED.test(target)) {
      const packed = join(scratch, "packed");
      tar(["-czf", packed, "-C", scratch, run.id], "packed");
      renameSync(packed, target);
    } else renameSync(folder, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { run: listed(store, run), path: target };
}

function writeStoreOf(store: RunStore, id: string, folder: string): void {
  const single = openRunStore(folder);
  try {
    addRun(single, store, id);
  } finally {
    single.close();
  }
}

/**
 * What is to be imported, asked for before a store is made for it.
 * @throws UsageError where it is not there
 */
export function importSource(path: string): string {
  const source = resolve(path);
  if (!existsSync(source)) throw new UsageError(`There is no ${source}.`, { path: source });
  return source;
}

/**
 * Adds the runs of an export, with their ids.
 * @param path a folder or a .tar.gz that `exportRun` has written
 * @throws StoreError where nothing, or not everything, of it can be added
 */
export function importRuns(store: RunStore, path: string): MergedRuns {
  const source = importSource(path);
  const merged = statSync(source).isDirectory() ? mergeStore(store, source) : importPacked(store, source);
  const [refused] = merged.refused;
  if (refused !== undefined) {
    throw new StoreError(`Run ${refused.id} was not imported: ${refused.reason}`, { refused: merged.refused });
  }
  return merged;
}

function importPacked(store: RunStore, file: string): MergedRuns {
  const scratch = mkdtempSync(join(store.dir, ".cool-import-"));
  try {
    refuseEscapes(file, tar(["-tzf", file], "read"));
    tar(["-xzf", file, "-C", scratch, "--no-same-owner", "--no-same-permissions"], "unpacked");
    const inner = readdirSync(scratch, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const folders = [scratch, ...inner.map(({ name }) => join(scratch, name))];
    const folder = folders.find((dir) => isPlainFile(join(dir, "cool.db")));
    if (folder === undefined) {
      throw new StoreError(`${file} holds no exported run. Make one with: cool runs export RUN --to FILE.tar.gz`, {
        file,
      });
    }
    return mergeStore(store, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Names that would be unpacked elsewhere; tar refuses them, too, but not every tar. */
function refuseEscapes(file: string, listing: string): void {
  const escaping = listing.split("\n").find((name) => isAbsolute(name) || name.split(/[/\\]/).includes(".."));
  if (escaping === undefined) return;
  throw new StoreError(`${file} holds ${JSON.stringify(escaping)}, which lies outside of it. It was not unpacked.`, {
    file,
    name: escaping,
  });
}

/**
 * Adds all runs of another store that this one does not have. Runs that cannot be added are reported and left out;
 * the other store stays as it is, but for the migration of an older one.
 */
export function mergeStore(store: RunStore, otherDir: string): MergedRuns {
  if (!isPlainFile(join(otherDir, "cool.db"))) {
    throw new StoreError(`${otherDir} is no run store: it has no cool.db. Name a .cool folder or an exported run.`, {
      dir: otherDir,
    });
  }
  if (resolve(otherDir) === store.dir) throw new UsageError("A store cannot be merged into itself.", { dir: otherDir });
  const other = openRunStore(otherDir, { readonly: true });
  try {
    const [problem] = other.problems();
    if (problem !== undefined) {
      throw new StoreError(`${otherDir} is damaged (${problem}); nothing was added.`, { dir: otherDir, problem });
    }
    const outcomes = other
      .listRuns({ includeTrash: true })
      .map((run) => ({ id: run.id, ...tryToAdd(store, other, run.id) }));
    const runsThat = (outcome: string) =>
      outcomes.filter((one) => one.outcome === outcome).map(({ id }) => listed(store, store.getRun(id)));
    return {
      added: runsThat("copied"),
      same: runsThat("same"),
      refused: outcomes.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }])),
    };
  } finally {
    other.close();
  }
}

function tryToAdd(
  store: RunStore,
  other: RunStore,
  id: string,
): { readonly outcome?: "copied" | "same"; readonly reason?: string } {
  try {
    const run = other.getRun(id);
    if (run.displayState === "running") return { reason: "it is being trained" };
    return { outcome: addRun(store, other, id) };
  } catch (error) {
    if (error instanceof CoolError) return { reason: error.message };
    throw error;
  }
}

/** Rows and folder, both or neither. */
function addRun(store: RunStore, other: RunStore, id: string): "copied" | "same" {
  // an id from elsewhere becomes a path below
  if (!isRunId(id)) throw new StoreError(`${JSON.stringify(id.slice(0, 60))} is not the id of a run.`, { id });
  const target = join(store.dir, "runs", id);
  const scratch = join(store.dir, "runs", `.adding-${id}-${process.pid}`);
  const isNew = !existsSync(target);
  if (isNew) copyPlainFiles(join(other.dir, "runs", id), scratch);
  try {
    return store.copyRunFrom(other, id, () => {
      if (isNew) renameSync(scratch, target);
      else throw new StoreError(`${target} is there, and belongs to no run. See: cool doctor`, { dir: target });
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Files and folders; links and devices are left out, because they could lead out of the run's folder. */
function copyPlainFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  if (lstatSync(from, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  cpSync(from, to, {
    recursive: true,
    filter: (path) => {
      const stats = lstatSync(path);
      return stats.isFile() || stats.isDirectory();
    },
  });
}

function isPlainFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function tar(args: readonly string[], deed: string): string {
  const { status, stdout, stderr, error } = spawnSync("tar", args, { encoding: "utf8", maxBuffer: 256 << 20 });
  if (error !== undefined) {
    throw new StoreError(
      `The program tar, which packs and unpacks .tar.gz files, cannot be run (${error.message}). Install it, or use a folder: cool runs export RUN --to DIR`,
      {},
      { cause: error },
    );
  }
  if (status === 0) return stdout;
  const file = basename(args[1] ?? "");
  throw new StoreError(`${file} cannot be ${deed}: ${stderr.trim().split("\n")[0]}`, { args });
}
