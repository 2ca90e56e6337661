/** @file The source of a run: a digest of the project's files, and uncommitted work as a patch in the run's folder. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { filesInGit, type GitState, gitState, type LeftOut, realPath, type SourcePatch, sourcePatch } from "./git.js";
import { isTextOfOurs, type SourceFile, sourceFiles } from "./source-files.js";

export interface CapturedSource {
  readonly git: GitState;
  /** sha256 over the paths and contents of all source files, hex; null where there is none. */
  readonly digest: string | null;
  readonly files: readonly SourceFile[];
  readonly patch: SourcePatch | null;
  /** Modules that git could not bring back, whose text is kept with the run. */
  readonly kept: readonly KeptFile[];
}

interface KeptFile extends SourceFile {
  /** Absolute. */
  readonly file: string;
}

/** source.json in a run's folder. */
export interface SourceRecord extends GitState {
  /** From 2 on the modules of the configuration are among the files, wherever they lie; runs before have none. */
  readonly formatVersion?: number;
  readonly digest: string | null;
  readonly files: readonly SourceFile[];
  /** null without git; the patch itself is source.patch. */
  readonly patch: {
    readonly bytes: number;
    readonly untracked: readonly string[];
    readonly leftOut: readonly LeftOut[];
    readonly leftOutCount: number;
  } | null;
  /** Paths of the files whose text lies in the run's folder as `source/<sha256>`. */
  readonly kept?: readonly string[];
}

const KEPT: { readonly fileBytes: number; readonly totalBytes: number } = { fileBytes: 1 << 20, totalBytes: 10 << 20 };

/**
 * @param storeDir where runs are kept, which is no source
 * @param modules of the configuration, wherever they lie
 */
export function captureSource(projectDir: string, storeDir: string, modules: readonly string[] = []): CapturedSource {
  const files = sourceFiles(projectDir, storeDir, modules);
  const patch = sourcePatch(projectDir, { exclude: storeDir });
  return {
    git: gitState(projectDir),
    digest: files.length === 0 ? null : digestOf(files),
    files,
    patch,
    kept: keptFiles(projectDir, files, modules),
  };
}

/** Modules outside of the repository, in another one within it, or ignored: neither commit nor patch has their text. */
function keptFiles(projectDir: string, files: readonly SourceFile[], modules: readonly string[]): KeptFile[] {
  const known = filesInGit(projectDir);
  const wanted = new Set(modules.filter((file) => isTextOfOurs(file) && !known.has(file)));
  let total = 0;
  return files
    .map((file): KeptFile => ({ ...file, file: join(projectDir, file.path) }))
    .filter(({ file, bytes }) => {
      if (!wanted.has(realPath(file)) || bytes > KEPT.fileBytes || total + bytes > KEPT.totalBytes) return false;
      total += bytes;
      return true;
    });
}

function digestOf(files: readonly SourceFile[]): string {
  const hash = createHash("sha256");
  for (const { path, sha256 } of files) hash.update(`${path}\0${sha256}\n`);
  return hash.digest("hex");
}
