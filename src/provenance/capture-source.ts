/** @file The source of a run: a digest of the project's files, and uncommitted work as a patch in the run's folder. */
import { createHash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { type GitState, gitState, type LeftOut, type SourcePatch, STORE_FILE, sourcePatch } from "./git.js";
import { runFiles, writeJson } from "../records/run-folder.js";

/** A source file as it was. */
export interface SourceFile {
  /** Relative to the project, with `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface CapturedSource {
  readonly git: GitState;
  /** sha256 over the paths and contents of all source files, hex; null where there is none. */
  readonly digest: string | null;
  readonly files: readonly SourceFile[];
  readonly patch: SourcePatch | null;
}

/** source.json in a run's folder. */
export interface SourceRecord extends GitState {
  readonly digest: string | null;
  readonly files: readonly SourceFile[];
  /** null without git; the patch itself is source.patch. */
  readonly patch: {
    readonly bytes: number;
    readonly untracked: readonly string[];
    readonly leftOut: readonly LeftOut[];
    readonly leftOutCount: number;
  } | null;
}

const EXTENSIONS = new Set([
  ...[".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".py", ".sql", ".sh"],
  ...[".json", ".yaml", ".yml", ".toml"],
]);
const NO_SOURCE = new Set(["node_modules", "dist", "build", "coverage", "__pycache__"]);
const LARGEST_FILE_BYTES = 4 << 20;
const MOST_FILES = 5000;
const DEEPEST = 12;

/** @param storeDir where runs are kept, which is no source */
export function captureSource(projectDir: string, storeDir: string): CapturedSource {
  const files = sourceFiles(projectDir, storeDir);
  return {
    git: gitState(projectDir),
    digest: files.length === 0 ? null : digestOf(files),
    files,
    patch: sourcePatch(projectDir, { exclude: storeDir }),
  };
}

/** Writes source.json, and source.patch where anything was not committed. */
export function writeSource(runDir: string, { git, digest, files, patch }: CapturedSource): void {
  const record: SourceRecord = {
    ...git,
    digest,
    files,
    patch: patch === null ? null : describePatch(patch),
  };
  writeJson(runFiles(runDir).source, record);
  if (patch !== null && patch.text !== "") writeFileSync(join(runDir, "source.patch"), patch.text);
}

function describePatch({ text, untracked, leftOut, leftOutCount }: SourcePatch): SourceRecord["patch"] {
  return { bytes: Buffer.byteLength(text), untracked, leftOut, leftOutCount };
}

/** Code and settings of a project by path: not its data, dependencies, builds or hidden folders. */
export function sourceFiles(projectDir: string, storeDir: string): SourceFile[] {
  const found: string[] = [];
  const walk = (dir: string, depth: number): void => {
    const entries = entriesOf(dir);
    // another run store, or a run that was exported into the project
    if (depth > 0 && entries.some(({ name }) => name === STORE_FILE)) return;
    for (const entry of entries) {
      if (found.length >= MOST_FILES) return;
      const path = join(dir, entry.name);
      if (entry.isDirectory() && depth < DEEPEST && isSourceFolder(entry.name) && path !== storeDir) {
        walk(path, depth + 1);
      } else if (entry.isFile() && EXTENSIONS.has(extname(entry.name)) && lstatSync(path).size <= LARGEST_FILE_BYTES) {
        found.push(path);
      }
    }
  };
  walk(projectDir, 0);
  return found
    .map((path) => {
      const content = readFileSync(path);
      const sha256 = createHash("sha256").update(content).digest("hex");
      return { path: relative(projectDir, path).split(sep).join("/"), bytes: content.length, sha256 };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isSourceFolder(name: string): boolean {
  return !name.startsWith(".") && !NO_SOURCE.has(name);
}

/** A folder that may not be read holds no source of ours. */
function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}

function digestOf(files: readonly SourceFile[]): string {
  const hash = createHash("sha256");
  for (const { path, sha256 } of files) hash.update(`${path}\0${sha256}\n`);
  return hash.digest("hex");
}
