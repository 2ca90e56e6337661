/** @file Which source a run was made from: commit, branch, and uncommitted work as a patch. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

export interface GitState {
  readonly commit: string | null;
  readonly branch: string | null;
  /** Whether tracked or untracked files differ from the commit. */
  readonly dirty: boolean | null;
}

const UNKNOWN: GitState = { commit: null, branch: null, dirty: null };

/** State of the repository that holds `dir`; nulls where there is none, no commit, or no git. */
export function gitState(dir: string): GitState {
  const commit = git(dir, ["rev-parse", "--verify", "HEAD"])?.trim() ?? null;
  if (commit === null) return UNKNOWN;
  const changes = git(dir, ["status", "--porcelain"]);
  return {
    commit,
    branch: git(dir, ["rev-parse", "--abbrev-ref", "HEAD"])?.trim() ?? null,
    dirty: changes === null ? null : changes !== "",
  };
}

/** A file of uncommitted work that is not in the patch. */
export interface LeftOut {
  /** Relative to the repository, with `/` between its parts. */
  readonly path: string;
  readonly bytes: number;
  readonly reason: string;
}

export interface SourcePatch {
  /** What `git apply` takes on top of the commit; empty where nothing differs. */
  readonly text: string;
  /** Files that git does not track yet and that are in the patch. */
  readonly untracked: readonly string[];
  /** The first of those that are not. */
  readonly leftOut: readonly LeftOut[];
  readonly leftOutCount: number;
}

export interface PatchLimits {
  readonly fileBytes: number;
  readonly totalBytes: number;
  readonly files: number;
}

// untracked pictures and tables are data, of which a run keeps a digest
const DATA = /\.(png|jpe?g|webp|gif|bmp|tiff?|avif|parquet|arrow|npy|npz|bin|onnx|h5|pt|mp4|zip|tar|gz|tgz|zst|db)$/i;
const MOST_LISTED = 200;
const LIMITS: PatchLimits = { fileBytes: 1 << 20, totalBytes: 10 << 20, files: 1000 };

/**
 * Everything in which the working tree differs from the last commit, untracked files included and ignored ones not.
 * Nothing in the repository is touched, its index included.
 * @param exclude a folder whose files are no source, such as the run store
 * @returns null where there is no repository or no git
 */
export function sourcePatch(
  dir: string,
  options: { readonly exclude?: string; readonly limits?: PatchLimits } = {},
): SourcePatch | null {
  const top = git(dir, ["rev-parse", "--show-toplevel"])?.trim();
  const base = top === undefined ? null : baseOf(top);
  if (top === undefined || base === null) return null;
  const changed = paths(git(top, ["diff", "--name-only", "-z", "--no-renames", base]));
  const untracked = paths(git(top, ["ls-files", "--others", "--exclude-standard", "-z"]));
  const isInStore = storeDetector(top);
  const isSource = (path: string): boolean =>
    !(options.exclude !== undefined && isWithin(options.exclude, top, path)) && !isInStore(path);
  // the project's own files come first, so that others meet the limit
  const inProject = (path: string): boolean => isWithin(dir, top, path);
  const candidates = [...new Set([...changed, ...untracked])].filter(isSource);
  const ordered = [...candidates.filter(inProject), ...candidates.filter((path) => !inProject(path))];
  const isUntracked = new Set(untracked);
  const isData = (path: string): boolean => DATA.test(path) && isUntracked.has(path);
  const { kept, leftOut } = withinLimits(top, ordered, isData, options.limits ?? LIMITS);
  const untrackedKept = untracked.filter((path) => kept.has(path));
  return {
    text: diff(top, base, [...kept], untrackedKept),
    untracked: untrackedKept,
    leftOut: leftOut.slice(0, MOST_LISTED),
    leftOutCount: leftOut.length,
  };
}

/**
 * Files of the repository that holds `dir` whose text its commits and a patch can bring back: tracked ones, and untracked
 * ones that are not ignored. Absolute, as links resolve. Files of a repository within it are not among them.
 */
export function filesInGit(dir: string): ReadonlySet<string> {
  const top = git(dir, ["rev-parse", "--show-toplevel"])?.trim();
  if (top === undefined) return new Set();
  const listed = git(top, ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
  return new Set(paths(listed).map((path) => join(realPath(top), path)));
}

/** Tells git not to track a run store; where that cannot be written, the store works all the same. */
export function ignoreStore(storeDir: string): void {
  try {
    writeFileSync(join(storeDir, ".gitignore"), "*\n", { flag: "wx" });
  } catch {
    // there already, or the user's own
  }
}

/** What makes a folder a run store. */
export const STORE_FILE = "cool.db";

/** Whether a path lies in a folder that is a run store, wherever in the repository that is. */
function storeDetector(top: string): (path: string) => boolean {
  const known = new Map<string, boolean>();
  const isStore = (folder: string): boolean => {
    const seen = known.get(folder);
    if (seen !== undefined) return seen;
    const is = folder !== "." && (existsSync(join(top, folder, STORE_FILE)) || isStore(dirname(folder)));
    known.set(folder, is);
    return is;
  };
  return (path) => isStore(dirname(path));
}

/** The last commit, or git's empty tree where there is none yet. */
function baseOf(top: string): string | null {
  return (
    (
      git(top, ["rev-parse", "--verify", "HEAD"]) ?? git(top, ["hash-object", "-t", "tree", "--stdin"], { input: "" })
    )?.trim() ?? null
  );
}

function withinLimits(
  top: string,
  candidates: readonly string[],
  isData: (path: string) => boolean,
  limits: PatchLimits,
): { readonly kept: ReadonlySet<string>; readonly leftOut: readonly LeftOut[] } {
  const kept = new Set<string>();
  const leftOut: LeftOut[] = [];
  let total = 0;
  for (const path of candidates) {
    const bytes = sizeOf(join(top, path));
    const reason = isData(path)
      ? "data, not source"
      : bytes > limits.fileBytes
        ? `larger than ${limits.fileBytes} bytes`
        : total + bytes > limits.totalBytes
          ? `all files together are larger than ${limits.totalBytes} bytes`
          : kept.size === limits.files
            ? `more than ${limits.files} files`
            : null;
    if (reason === null) {
      kept.add(path);
      total += bytes;
    } else leftOut.push({ path, bytes, reason });
  }
  return { kept, leftOut };
}

/**
 * An index of our own, in which untracked files are marked as to be added, lets one diff show them all. What git stores
 * for that goes to a folder of our own, too.
 */
function diff(top: string, base: string, kept: readonly string[], untracked: readonly string[]): string {
  if (kept.length === 0) return "";
  const scratch = mkdtempSync(join(tmpdir(), "cool-index-"));
  try {
    const index = join(scratch, "index");
    const own = resolve(top, gitPath(top, "index"));
    if (sizeOf(own) > 0) copyIndex(own, index);
    const objects = join(scratch, "objects");
    mkdirSync(objects);
    const env = {
      GIT_INDEX_FILE: index,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: resolve(top, gitPath(top, "objects")),
    };
    if (untracked.length > 0) {
      const input = untracked.join("\0");
      git(top, ["--literal-pathspecs", "add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul"], {
        env,
        input,
      });
    }
    const settings = ["-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "core.quotePath=true"];
    const options = ["--binary", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"];
    return git(top, [...settings, "--literal-pathspecs", "diff", ...options, base, "--", ...kept], { env }) ?? "";
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** git trusts a file's size and time only where they are older than the index: a copy must not look newer. */
function copyIndex(from: string, to: string): void {
  copyFileSync(from, to);
  const { atime, mtime } = lstatSync(from);
  utimesSync(to, atime, mtime);
}

/** Where the repository keeps its index or objects: not always in `.git`, e.g. in a work tree of its own. */
function gitPath(top: string, name: string): string {
  return git(top, ["rev-parse", "--git-path", name])?.trim() ?? join(".git", name);
}

function isWithin(folder: string, top: string, path: string): boolean {
  const from = relative(realPath(folder), join(realPath(top), path));
  return from === "" || (!isAbsolute(from) && from !== ".." && !from.startsWith(`..${sep}`));
}

/** As links resolve; as it is where nothing is there. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** 0 for a deleted file. */
function sizeOf(file: string): number {
  return lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function paths(output: string | null): string[] {
  return (output ?? "").split("\0").filter((path) => path !== "");
}

function git(
  dir: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): string | null {
  try {
    return execFileSync("git", ["-C", dir, ...args], {
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
      input: options.input ?? "",
      timeout: 10_000,
      maxBuffer: 256 << 20,
      // reading the state must not take a lock that the user's own git waits for
      env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", ...options.env },
    });
  } catch {
    // not a repository, no commit yet, or no git on this machine
    return null;
  }
}
