/**
 * @file `cool __complete KIND PREFIX -- WORDS…`, which scripts of shells call while a command is typed. It starts
 * without the rest of the command line, and says nothing where there is nothing to offer.
 */
import { homedir } from "node:os";
import { resolve } from "node:path";
import { findStoreDir } from "../project/project-dir.js";
import { cellText } from "./text.js";
import { CANDIDATE_KINDS, type CandidateKind, candidates } from "../storage/query/candidates.js";

/**
 * One candidate a line, its description after a tab. Names of imported runs may hold anything; none that a line of a
 * shell cannot hold is offered.
 */
export function completeWord([kind, prefix = "", , ...words]: readonly string[]): string {
  const known = CANDIDATE_KINDS.find((name) => name === kind);
  if (known === undefined) return "";
  return offered(known, prefix, words)
    .filter(({ value }) => cellText(value) === value)
    .map(({ value, description }) =>
      description === undefined ? `${value}\n` : `${value}\t${cellText(description)}\n`,
    )
    .join("");
}

function offered(kind: CandidateKind, prefix: string, words: readonly string[]): ReturnType<typeof candidates> {
  try {
    return candidates(storeDirOf(words), kind, prefix);
  } catch {
    // no project, no store, or a damaged one: the command itself will say so
    return [];
  }
}

/** The store that the words typed so far mean. */
function storeDirOf(words: readonly string[]): string {
  const store = flagValue("--store", words);
  return store === undefined ? findStoreDir(flagValue("--project", words) ?? ".") : resolve(store);
}

/** Of `--flag value`, `--flag=value`, or as bash takes that apart: `--flag`, `=`, `value`. */
function flagValue(flag: string, words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  if (word === undefined) return undefined;
  const value = word === flag ? words[at + (words[at + 1] === "=" ? 2 : 1)] : word.slice(flag.length + 1);
  // shells hand over what was typed
  return value?.replace(/^~(?=\/|$)/, homedir()).replaceAll(/\\(.)|["']/g, "$1");
}
