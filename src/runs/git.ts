/** @file Which source a run was made from. */
import { execFileSync } from "node:child_process";

export interface GitState {
  readonly commit: string | null;
  readonly branch: string | null;
  /** Whether tracked or untracked files differ from the commit. */
  readonly dirty: boolean | null;
}

const UNKNOWN: GitState = { commit: null, branch: null, dirty: null };

/** State of the repository that holds `dir`; nulls where there is none, no commit, or no git. */
export function gitState(dir: string): GitState {
  const commit = git(dir, "rev-parse", "HEAD");
  if (commit === null) return UNKNOWN;
  const changes = git(dir, "status", "--porcelain");
  return {
    commit,
    branch: git(dir, "rev-parse", "--abbrev-ref", "HEAD"),
    dirty: changes === null ? null : changes !== "",
  };
}

function git(dir: string, ...args: readonly string[]): string | null {
  try {
    return execFileSync("git", ["-C", dir, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5000,
    }).trim();
  } catch {
    // not a repository, no commit yet, or no git on this machine
    return null;
  }
}
