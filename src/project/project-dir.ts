/**
 * @file Where a project is, and which one may run: the one that the user stands in or names, and never a folder of a run
 * store. Light: commands that only read the store need no more of a project than its folder.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../errors.js";

/** Names of a project's configuration, the first one found wins. */
export const CONFIG_FILES = ["cool.config.ts", "cool.config.mts", "cool.config.js", "cool.config.mjs"];

/** What makes a folder a run store. */
const STORE_FILE = "cool.db";
/** Where runs are kept unless another place is named. */
const STORE_FOLDER = ".cool";

/**
 * The folder with a `cool.config.*`: `from` itself or the nearest one above it. Folders of a run store are passed over:
 * what was imported into it may hold anything.
 * @throws ConfigError if there is none
 */
export function findProjectDir(from: string): string {
  const found = nearestProjectDir(from);
  if (found !== undefined) return found;
  const start = resolve(from);
  throw new ConfigError(
    `No ${CONFIG_FILES[0]} in ${start} or above it. Go to a project's folder, name it with --project, or make one with cool init.`,
    { dir: start },
  );
}

function nearestProjectDir(from: string): string | undefined {
  const store = enclosingStore(from);
  return foldersUp(store === undefined ? resolve(from) : dirname(store)).find((dir) => configFileIn(dir) !== undefined);
}

/**
 * The run store that is meant where none is named: that of the project, else the nearest `.cool` with runs of other
 * programs, of which no configuration tells.
 * @throws ConfigError if there is neither
 */
export function findStoreDir(from: string): string {
  const found = knownStoreDir(from);
  if (found !== undefined) return found;
  const start = resolve(from);
  throw new ConfigError(
    `No ${CONFIG_FILES[0]} and no run store in ${start} or above it. Go to a project's folder, name it with --project, name a store with --store, or make a project with cool init.`,
    { dir: start },
  );
}

/** The same; where there is neither, `.cool` in the folder. */
export function storeDirFor(from: string): string {
  return knownStoreDir(from) ?? join(resolve(from), STORE_FOLDER);
}

function knownStoreDir(from: string): string | undefined {
  const isHere = (dir: string): boolean => existsSync(join(dir, STORE_FOLDER, STORE_FILE));
  const dir = nearestProjectDir(from) ?? foldersUp(resolve(from)).find(isHere);
  return dir === undefined ? undefined : join(dir, STORE_FOLDER);
}

/** Path of the folder's configuration. */
export function configFileIn(dir: string): string | undefined {
  return CONFIG_FILES.map((name) => join(dir, name)).find((file) => existsSync(file));
}

/** A folder and all above it, from the inside out. */
function foldersUp(from: string): string[] {
  const start = resolve(from);
  const above = dirname(start);
  return above === start ? [start] : [start, ...foldersUp(above)];
}

/** The outermost run store that a path is or lies in, also where links lead into it; undefined: it lies in none. */
export function enclosingStore(path: string): string | undefined {
  const isStore = (dir: string): boolean => existsSync(join(dir, STORE_FILE));
  return foldersUp(path).findLast(isStore) ?? foldersUp(realPath(path)).findLast(isStore);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** @throws ConfigError for a path in a run store: what lies there is data, whoever made it */
export function assertRunnable(path: string): void {
  const store = enclosingStore(path);
  if (store === undefined) return;
  throw new ConfigError(
    `${resolve(path)} lies in the run store ${store}, where nothing is run as code: whatever was imported is there, too. Name a project outside of it with --project, or keep the store in a folder of its own with --store.`,
    { path: resolve(path), store },
  );
}

/** The project whose code, native packages and queries may be run. */
export interface RunningProject {
  readonly dir: string;
  readonly configFile: string;
  /** Whether the user has named it, and does not just stand in it. */
  readonly isNamed: boolean;
}

/**
 * The project that the user names, else the nearest one above the working folder. What a run's folder says about a
 * project is never taken for it, however the run came here.
 * @param named a folder, or a configuration
 * @returns null where the user stands in none
 * @throws ConfigError where the named one is not there, or lies in a run store
 */
export function runningProject(named?: string): RunningProject | null {
  if (named === undefined) {
    const dir = nearestProjectDir(process.cwd());
    const file = dir === undefined ? undefined : configFileIn(dir);
    return file === undefined ? null : { dir: dirname(file), configFile: file, isNamed: false };
  }
  const place = resolve(named);
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const configFile = isFolder ? configFileIn(place) : place;
  if (configFile === undefined || !existsSync(configFile)) {
    throw new ConfigError(
      `There is no ${isFolder ? `${CONFIG_FILES[0]} in ${place}` : `project ${place}`}. Name a project's folder with --project.`,
      { project: place },
    );
  }
  assertRunnable(configFile);
  return { dir: dirname(configFile), configFile, isNamed: true };
}
