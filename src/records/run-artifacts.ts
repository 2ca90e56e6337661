/** @file The files of a run: with their digests as they are kept, listed, and copied out of the store. */
import { createHash } from "node:crypto";
import { constants, copyFileSync, createReadStream, existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { StoreError, UnknownNameError, UsageError } from "../errors.js";
import type { RunStore } from "../storage/run-store.js";
import type { Artifact } from "../storage/tables/artifacts.js";
import { filesOf, isFinal, isUnfinished, sha256Of } from "./run-files.js";

/** Sizes and sha256 of the run's final files; links are none. */
export async function digestFiles(runDir: string): Promise<Artifact[]> {
  if (!existsSync(runDir)) return [];
  const files = filesOf(runDir, () => {}).filter(isFinal);
  return Promise.all(
    files.map(async ({ path, bytes }) => {
      const hash = createHash("sha256");
      await pipeline(createReadStream(join(runDir, path)), hash);
      return { path, bytes, sha256: hash.digest("hex") };
    }),
  );
}

/** A file of a run's folder. */
export interface ListedArtifact {
  /** Relative to the run's folder, with `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
  /** Hex, as it was when the run ended; null of a file that goes on growing, such as the log. */
  readonly sha256: string | null;
}

export interface CopiedArtifact extends ListedArtifact {
  readonly run: string;
  /** Absolute. */
  readonly to: string;
}

/**
 * All files of a run, by path; what a process that was ended left half written is none.
 * @throws UnknownNameError where there is no such run, StoreError where its folder is gone
 */
export function listArtifacts(store: RunStore, reference: string): ListedArtifact[] {
  const run = store.findRun(reference);
  const dir = store.runDir(run.id);
  if (!existsSync(dir)) {
    throw new StoreError(`The folder of run ${run.id} (${run.name}) has been deleted: ${dir}.`, { run: run.id, dir });
  }
  const known = new Map(store.readArtifacts(run.id).map(({ path, sha256 }) => [path, sha256]));
  return filesOf(dir, () => {})
    .filter(({ path }) => !isUnfinished(path))
    .map(({ path, bytes }) => ({ path, bytes, sha256: known.get(path) ?? null }));
}

/**
 * @param path one of the run's files
 * @param to file or folder to copy to; default: the file's own name in the working folder
 * @throws UnknownNameError for another path, StoreError where the file is not as it was when the run ended, UsageError
 * where a file is there already
 */
export function copyArtifact(store: RunStore, reference: string, path: string, to?: string): CopiedArtifact {
  const run = store.findRun(reference);
  const artifacts = listArtifacts(store, run.id);
  const found = artifacts.find((artifact) => artifact.path === path);
  if (found === undefined) {
    const known = artifacts.map((artifact) => artifact.path);
    throw new UnknownNameError("file", path, known, `run ${run.name}`, { exitCode: 2 });
  }
  const source = join(store.runDir(run.id), path);
  if (found.sha256 !== null && sha256Of(source) !== found.sha256) {
    throw new StoreError(
      `${source} is not as it was when run ${run.id} (${run.name}) ended: its SHA-256 is another one. Restore it, or copy it by hand.`,
      { run: run.id, path },
    );
  }
  const place = resolve(to ?? ".");
  const target =
    statSync(place, { throwIfNoEntry: false })?.isDirectory() === true ? join(place, basename(path)) : place;
  try {
    copyFileSync(source, target, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UsageError(`${target} is there already. Name another file with --to, or move it away.`, { to: target });
  }
  return { run: run.id, ...found, to: target };
}
