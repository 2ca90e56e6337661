/** @file In which lines of source two runs differ: their commits with their patches, rebuilt beside the repository. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unifiedDiff } from "../analysis/comparison/text-diff.js";

/** A run's source as it was captured. */
export interface SourceState {
  /** null: no repository, or no commit yet. */
  readonly commit: string | null;
  /** Uncommitted work on top of it; null: none was captured. */
  readonly patchFile: string | null;
}

export interface SourceDiff {
  /**
   * `source`: from the first run's files to the second's; `patches`: between their patches of uncommitted work, where
   * the repository or a commit is not there any more.
   */
  readonly kind: "source" | "patches";
  /** A unified diff; empty where nothing differs. */
  readonly text: string;
}

/**
 * @param dir a folder in the user's repository, in which the commits may be; null: there is none
 * @returns null where neither commits nor patches are known
 */
export function diffSources(dir: string | null, first: SourceState, second: SourceState): SourceDiff | null {
  const patches = [first, second].map(readPatch) as [string, string];
  const isSame = first.commit === second.commit && patches[0] === patches[1];
  if (first.commit === null && second.commit === null && patches.every((patch) => patch === "")) return null;
  if (isSame) return { kind: "source", text: "" };
  const text = dir === null ? null : diffTrees(dir, [first, second]);
  return text === null ? { kind: "patches", text: unifiedDiff(...patches) } : { kind: "source", text };
}

function readPatch({ patchFile }: SourceState): string {
  return patchFile !== null && existsSync(patchFile) ? readFileSync(patchFile, "utf8") : "";
}

const COMMIT = /^[0-9a-f]{7,64}$/;

/** Null where git or a commit is missing, or a patch does not apply. */
function diffTrees(dir: string, states: readonly [SourceState, SourceState]): string | null {
  // a commit of a run from elsewhere is any text, which git could take for an option
  if (states.some(({ commit }) => commit !== null && !COMMIT.test(commit))) return null;
  const scratch = mkdtempSync(join(tmpdir(), "cool-diff-"));
  try {
    const common = resolve(dir, git(dir, ["rev-parse", "--git-common-dir"]).trim());
    const top = git(dir, ["rev-parse", "--show-toplevel"]).trim();
    const objects = join(scratch, "objects");
    mkdirSync(objects);
    // what is written goes beside the repository, which is only read
    const env = { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(common, "objects") };
    const [a, b] = states.map((state, i) => treeOf(top, state, { ...env, GIT_INDEX_FILE: join(scratch, `index${i}`) }));
    const options = [
      "--no-color",
      "--no-ext-diff",
      "--no-textconv",
      "--no-renames",
      "--src-prefix=a/",
      "--dst-prefix=b/",
    ];
    return git(top, ["diff", ...options, a as string, b as string], env);
  } catch {
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function treeOf(top: string, { commit, patchFile }: SourceState, env: Readonly<Record<string, string>>): string {
  git(top, ["read-tree", ...(commit === null ? ["--empty"] : [commit])], env);
  const hasPatch = patchFile !== null && readPatch({ commit, patchFile }) !== "";
  if (hasPatch) git(top, ["apply", "--cached", "--whitespace=nowarn", resolve(patchFile)], env);
  return git(top, ["write-tree"], env).trim();
}

function git(dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync("git", ["-C", dir, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 30_000,
    maxBuffer: 256 << 20,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", ...env },
  });
}
