/** @file The files of a run's folder as they lie there: listed without following links, and told apart by their SHA-256. */
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../errors.js";
import type { Artifact } from "../storage/tables/artifacts.js";
import { SPLITS } from "../tasks/evaluation.js";

/** A file of a folder. */
export interface FolderFile {
  /** Relative, with `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * All files below a folder, sorted.
 * @param onOther is told of links, pipes and devices, which could lead out of it; default: they are refused
 * @throws StoreError
 */
export function filesOf(dir: string, onOther: (path: string) => void = refuseOther): FolderFile[] {
  const found: FolderFile[] = [];
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(dir, folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const stats = lstatSync(join(dir, path));
      if (stats.isDirectory()) visit(path);
      else if (stats.isFile()) found.push({ path, bytes: stats.size });
      else onOther(path);
    }
  };
  visit("");
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function refuseOther(path: string): never {
  throw new StoreError(`${path} is a link or a device, and not a file of a run.`, { path });
}

/** What a process that was ended left half written. */
export function isUnfinished(path: string): boolean {
  return /\.writing(-\d+)?(\/|$)/.test(path) || /^checkpoints\/[^/]+\.old(\/|$)/.test(path);
}

// event files and the log go on growing after a run's results are kept; the rest is final
const GROWING = new Set<string>([...SPLITS, "system", "stdout.log"]);

/** Whether a file stays as it is once the run has ended. */
export function isFinal({ path }: FolderFile): boolean {
  const [first = ""] = path.split("/");
  return !GROWING.has(first) && !first.startsWith("events.out.tfevents.") && !isUnfinished(path);
}

/** Sizes and sha256 of files. */
export function digests(dir: string, files: readonly FolderFile[]): Artifact[] {
  return files.map(({ path, bytes }) => ({ path, bytes, sha256: sha256Of(join(dir, path)) }));
}

const BLOCK_BYTES = 1 << 20;

/** Hex. */
export function sha256Of(file: string): string {
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const opened = openSync(file, "r");
  try {
    for (let read = readSync(opened, block); read > 0; read = readSync(opened, block)) {
      hash.update(block.subarray(0, read));
    }
  } finally {
    closeSync(opened);
  }
  return hash.digest("hex");
}
