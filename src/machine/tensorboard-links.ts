/** @file A folder of links to runs under the names that TensorBoard shows, with no more entries than it checks. */
import { copyFileSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { listEventFiles } from "../logging/tensorboard/index.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";

/** A run as TensorBoard shows it. */
export interface ShownRun {
  readonly id: string;
  readonly name: string;
  readonly dir: string;
}

/** Which runs to show; nothing given: the newest, also those that begin later. */
export interface WantedRuns {
  /** Ids, unique id prefixes, names or `latest`. */
  readonly references: readonly string[];
  /** A condition, of those that are not named one by one. */
  readonly where?: string | undefined;
  /** The newest so many; default `MOST_RUNS`. */
  readonly limit?: number | undefined;
}

/** TensorBoard's Time Series checks no entry by itself once there are more than this. */
const MOST_ENTRIES = 500;
/** With a folder for the run and one for valid each, all of them are checked. */
export const MOST_RUNS = MOST_ENTRIES / 2;

/**
 * Names of runs, each once: of runs with the same name, all but the oldest get the end of their id.
 * @throws UnknownNameError for a run that is not there, UsageError for a condition that cannot be understood
 */
export function shownRuns(store: RunStore, { references, where, limit = MOST_RUNS }: WantedRuns): ShownRun[] {
  const runs =
    references.length === 0
      ? store.queryRuns({ where, limit }).map(({ run }) => run)
      : references.map((reference) => store.findRun(reference));
  const unique = [...new Map(runs.map((run) => [run.id, run])).values()];
  const taken = new Set<string>();
  return unique
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((run) => {
      const name = freeName(run, taken);
      taken.add(name.toLowerCase());
      return { id: run.id, name, dir: join(store.dir, "runs", run.id) };
    });
}

/** Disks that take upper for lower case must not mix two runs up. */
function freeName({ id, name }: RunRecord, taken: ReadonlySet<string>): string {
  const plain = fileName(name);
  if (!taken.has(plain.toLowerCase())) return plain;
  const withId = `${plain}-${id.slice(-4)}`;
  return taken.has(withId.toLowerCase()) ? `${plain}-${id}` : withId;
}

const LONGEST_BYTES = 180;

/** A name as a file can have it: TensorBoard would take a slash for a folder, and a leading dot hides. */
function fileName(name: string): string {
  const clean = name
    .replaceAll(/[/\\:*?"<>|]/g, "-")
    .replace(/^\.+/, "")
    .replace(/[.\s]+$/, "");
  let short = clean;
  while (Buffer.byteLength(short) > LONGEST_BYTES) short = [...short].slice(0, -1).join("");
  return short === "" ? "run" : short;
}

/** Whether a folder of a run is shown, such as `valid`. */
export type ShownParts = (part: string) => boolean;

/** What is given up first where there are too many entries. */
const PARTS: readonly [ShownParts, ...ShownParts[]] = [
  () => true,
  (part) => part !== "system",
  (part) => part !== "system" && part !== "train",
  (part) => part === "valid",
];

/** Folders of a run without event files, which TensorBoard would search again and again. */
const OTHER_FOLDERS = new Set(["checkpoints", "predictions", "source"]);

/** As many folders of each run as keep all runs within what TensorBoard checks by itself. */
export function shownParts(runs: readonly ShownRun[]): ShownParts {
  const folders = runs.map(({ dir }) => partsOf(dir));
  const entries = (shown: ShownParts) => folders.reduce((sum, parts) => sum + 1 + parts.filter(shown).length, 0);
  return PARTS.find((shown) => entries(shown) <= MOST_ENTRIES) ?? ((part) => part === "valid");
}

/** Names of a run's folders with event files; none of one that is gone. */
function partsOf(dir: string): string[] {
  return entriesOf(dir).flatMap((entry) => (entry.isDirectory() && !OTHER_FOLDERS.has(entry.name) ? [entry.name] : []));
}

function entriesOf(dir: string): ReturnType<typeof readFolder> {
  try {
    return readFolder(dir);
  } catch {
    return [];
  }
}

function readFolder(dir: string) {
  return readdirSync(dir, { withFileTypes: true });
}

/**
 * Makes the folder's links those of the runs, touching only what has changed.
 * @param begin writes what a run's folder of links holds besides
 */
export function linkRuns(
  folder: string,
  runs: readonly ShownRun[],
  shown: ShownParts,
  begin: (run: ShownRun, folder: string) => void,
): void {
  const names = new Set(runs.map(({ name }) => name));
  const present = new Set(readdirSync(folder));
  for (const name of present) if (!names.has(name)) rmSync(join(folder, name), { recursive: true });
  for (const run of runs) {
    const own = join(folder, run.name);
    if (!present.has(run.name)) {
      mkdirSync(own);
      begin(run, own);
    }
    const linked = new Set(readdirSync(own));
    for (const part of partsOf(run.dir)) {
      if (shown(part) && !linked.has(part)) symlinkSync(join(run.dir, part), join(own, part), "junction");
    }
    for (const file of eventFilesOf(run.dir)) {
      if (!linked.has(basename(file))) linkFile(file, join(own, basename(file)));
    }
  }
}

function eventFilesOf(dir: string): string[] {
  try {
    return listEventFiles(dir);
  } catch {
    // a run whose folder is gone is shown without curves
    return [];
  }
}

/** Windows lets few users make symbolic links to files. */
function linkFile(file: string, link: string): void {
  if (process.platform !== "win32") {
    symlinkSync(file, link);
    return;
  }
  try {
    linkSync(file, link);
  } catch {
    // on another disk
    copyFileSync(file, link);
  }
}
