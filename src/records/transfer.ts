/**
 * @file Runs from one store to another. An exported run is a store that holds it alone, as a folder or packed as
 * .tar.gz; to import it is to merge that store. Whatever comes in is checked before anything of it is kept.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CoolError, StoreError, UsageError } from "../errors.js";
import { assertOurDatabase } from "../storage/database/foreign-database.js";
import { isRunId } from "../storage/run-record.js";
import { openRunStore, type RunStore } from "../storage/run-store.js";
import { assertWithin, pack, SIZE_LIMITS, type SizeLimits, unpack } from "./archive.js";
import { copyGroup } from "./groups/group-files.js";
import { assertSoundRun } from "./incoming-run.js";
import { type ListedRun, listed } from "./list-runs.js";
import { namedRuns } from "../storage/named-runs.js";
import { IMPORTED_MARK, markImported } from "./origin/origin.js";
import { digests, filesOf, isUnfinished } from "./run-files.js";
import { copyModels } from "./run-models.js";

export interface ExportedRun {
  /** The first of them. */
  readonly run: ListedRun;
  /** All of a group. */
  readonly runs: readonly ListedRun[];
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
 * Exports one run, or all runs of a group.
 * @param to a folder that is not there yet, or a file that ends with .tar.gz; default `<run id>.tar.gz`
 * @throws StoreError for a run that is being trained, a target that is there, or no room
 */
export function exportRun(store: RunStore, reference: string, to?: string): ExportedRun {
  const runs = namedRuns(store, reference).map((id) => store.getRun(id));
  const [run] = runs;
  if (run === undefined) throw new Error("a name means one run at least");
  const training = runs.find(({ displayState }) => displayState === "running");
  if (training !== undefined) {
    throw new StoreError(`Run ${training.id} (${training.name}) is being trained. Export it when it has ended.`, {
      run: training.id,
    });
  }
  const target = resolve(to ?? `${run.id}.tar.gz`);
  if (existsSync(target)) {
    throw new StoreError(`${target} is there already. Name another target with --to, or move it away.`, { target });
  }
  mkdirSync(dirname(target), { recursive: true });
  const scratch = mkdtempSync(join(dirname(target), ".cool-export-"));
  try {
    const folder = join(scratch, run.id);
    writeStoreOf(
      store,
      runs.map(({ id }) => id),
      folder,
    );
    if (PACKED.test(target)) {
      const packed = join(scratch, "packed");
      pack(packed, scratch, run.id);
      renameSync(packed, target);
    } else renameSync(folder, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { run: listed(store, run), runs: runs.map((each) => listed(store, each)), path: target };
}

/** With the digests of all files as they are now: who takes them in can tell whether they came whole. */
function writeStoreOf(store: RunStore, ids: readonly string[], folder: string): void {
  const single = openRunStore(folder);
  try {
    for (const id of ids) {
      addRun(single, store, id);
      const dir = single.runDir(id);
      if (existsSync(dir)) single.recordArtifacts(id, digests(dir, filesOf(dir)));
    }
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
export function importRuns(store: RunStore, path: string, limits: SizeLimits = SIZE_LIMITS): MergedRuns {
  const source = importSource(path);
  const merged = statSync(source).isDirectory()
    ? mergeStore(store, source, limits)
    : importPacked(store, source, limits);
  const [refused] = merged.refused;
  if (refused !== undefined) {
    throw new StoreError(`Run ${refused.id} was not imported: ${refused.reason}`, { refused: merged.refused });
  }
  return merged;
}

function importPacked(store: RunStore, file: string, limits: SizeLimits): MergedRuns {
  const scratch = mkdtempSync(join(store.dir, ".cool-import-"));
  try {
    unpack(file, scratch, limits);
    const inner = readdirSync(scratch, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const folders = [scratch, ...inner.map(({ name }) => join(scratch, name))];
    const folder = folders.find((dir) => isPlainFile(join(dir, "cool.db")));
    if (folder === undefined) {
      throw new StoreError(`${file} holds no exported run. Make one with: cool runs export RUN --to FILE.tar.gz`, {
        file,
      });
    }
    return mergeStore(store, folder, limits);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Adds all runs of another store that this one does not have. Runs that cannot be added are reported and left out;
 * the other store stays as it is, but for the migration of an older one.
 */
export function mergeStore(store: RunStore, otherDir: string, limits: SizeLimits = SIZE_LIMITS): MergedRuns {
  if (!isPlainFile(join(otherDir, "cool.db"))) {
    throw new StoreError(`${otherDir} is no run store: it has no cool.db. Name a .cool folder or an exported run.`, {
      dir: otherDir,
    });
  }
  // a link that the user names is followed; those within are not
  const dir = realpathSync(otherDir);
  if (dir === realpathSync(store.dir)) {
    throw new UsageError("A store cannot be merged into itself.", { dir: otherDir });
  }
  assertOurDatabase(join(dir, "cool.db"));
  const other = openRunStore(dir, { readonly: true });
  try {
    const [problem] = other.problems();
    if (problem !== undefined) {
      throw new StoreError(`${otherDir} is damaged (${problem}); nothing was added.`, { dir: otherDir, problem });
    }
    const outcomes = other
      .listRuns({ includeTrash: true })
      .map((run) => ({ id: run.id, ...tryToAdd(store, other, run.id, limits) }));
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
  limits: SizeLimits,
): { readonly outcome?: "copied" | "same"; readonly reason?: string } {
  try {
    const run = other.getRun(id);
    if (run.displayState === "running") return { reason: "it is being trained" };
    return {
      outcome: addRun(store, other, id, { limits, check: (dir) => assertSoundRun(other, id, dir), isImport: true }),
    };
  } catch (error) {
    if (error instanceof CoolError) return { reason: error.message };
    throw error;
  }
}

interface AddOptions {
  /** Looks at the copied folder before it is kept. */
  readonly check?: (dir: string) => void;
  readonly limits?: SizeLimits;
  /** Whether the run is remembered as one from elsewhere. */
  readonly isImport?: boolean;
}

/** Rows and folder, both or neither. */
function addRun(
  store: RunStore,
  other: RunStore,
  id: string,
  { check = () => {}, limits, isImport = false }: AddOptions = {},
): "copied" | "same" {
  // an id from elsewhere becomes a path below
  if (!isRunId(id)) throw new StoreError(`${JSON.stringify(id.slice(0, 60))} is not the id of a run.`, { id });
  const target = join(store.dir, "runs", id);
  const scratch = join(store.dir, "runs", `.adding-${id}-${process.pid}`);
  const isNew = !existsSync(target);
  try {
    const hasFolder = isNew && copyFolder(other.dir, id, scratch, limits);
    if (isNew) check(scratch);
    if (hasFolder && isImport) markImported(scratch);
    if (hasFolder) copyModels(other.dir, store.dir, scratch, limits);
    const group = other.groupOf(id);
    return store.copyRunFrom(other, id, () => {
      if (!isNew) throw new StoreError(`${target} is there, and belongs to no run. See: cool doctor`, { dir: target });
      if (group !== null) copyGroup(other.dir, store.dir, group.id, limits);
      if (hasFolder) renameSync(scratch, target);
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Copies a run's folder without what was left half written.
 * @returns false where there is none
 * @throws StoreError where it, the folder around it, or anything in it is a link or a device, or it is too large
 */
function copyFolder(storeDir: string, id: string, to: string, limits?: SizeLimits): boolean {
  mkdirSync(dirname(to), { recursive: true });
  for (const path of ["runs", join("runs", id)]) {
    const stats = lstatSync(join(storeDir, path), { throwIfNoEntry: false });
    if (stats === undefined) return false;
    if (!stats.isDirectory())
      throw new StoreError(`${path} is a link or a file, and not a folder of a store.`, { path });
  }
  const from = join(storeDir, "runs", id);
  const files = filesOf(from).filter(({ path }) => !isUnfinished(path) && path !== IMPORTED_MARK);
  if (limits !== undefined) assertWithin(limits, files);
  mkdirSync(to);
  for (const { path } of files) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path));
  }
  return true;
}

function isPlainFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
