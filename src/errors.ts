/** @file Every error a user can meet: each carries its facts and says what to change. */
import { distance } from "fastest-levenshtein";

/** Values an error carries for programs (`--json`) and tests. */
export type Facts = Readonly<Record<string, unknown>>;

/**
 * Base of all expected errors. The message is one paragraph for people; `facts` are the same for programs.
 * Anything else that is thrown is a bug and keeps its stack trace.
 */
export class CoolError extends Error {
  readonly facts: Facts;
  /** Process exit code: 1 the work failed, 2 wrong usage, 130 interrupted (docs/architecture.md#exit-codes). */
  readonly exitCode: 1 | 2 | 130 = 1;

  constructor(message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.facts = facts;
  }

  toJSON(): { error: string; message: string; facts: Facts } {
    return { error: this.name, message: this.message, facts: this.facts };
  }
}

/** Wrong flags or arguments. */
export class UsageError extends CoolError {
  override readonly exitCode = 2;
}

/** A name that does not exist where one of a known set was expected. */
export class UnknownNameError extends CoolError {
  override readonly exitCode: 1 | 2 | 130;
  /**
   * @param kind what was looked up, as a noun: `task`, `feature`, `run`
   * @param where the place of the wrong name, as it should read after "in"
   */
  constructor(
    kind: string,
    readonly unknownName: string,
    known: Iterable<string>,
    where?: string,
    options: { readonly exitCode?: 1 | 2 } = {},
  ) {
    const candidates = [...known];
    const place = where === undefined ? "" : ` in ${where}`;
    super(`No ${kind} named "${shorten(unknownName)}"${place}. ${suggestion(unknownName, candidates)}`, {
      kind,
      name: unknownName,
      known: candidates,
      nearest: nearestNames(unknownName, candidates),
    });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The project's configuration does not parse or contradicts itself. */
export class ConfigError extends CoolError {}

/** The flow function is wrong: names the flow, the task and the way out. */
export class FlowError extends CoolError {}

/** Labels, tables or images that cannot be used: names the file, the row and the column. */
export class DataError extends CoolError {}

/** Training cannot go on, e.g. a loss that is NaN. */
export class TrainingError extends CoolError {}

/** The run store (database and run folders) cannot be used as asked. */
export class StoreError extends CoolError {}

/** The compute backend asked for does not load or lacks an operation. */
export class BackendError extends CoolError {}

/** A replica of the network has ended, or cannot be started. */
export class ReplicaError extends CoolError {}

/** A scheduler, or another machine, does not take the work that it is handed. */
export class ClusterError extends CoolError {}

/** A sweep has ended a run whose epochs so far promise too little. */
export class PrunedError extends CoolError {}

/** EX_TEMPFAIL of sysexits.h, the exit code of what was interrupted, and goes on when the same command line is started again. */
export const START_AGAIN = 75;

/** The user stopped the work (Ctrl-C). */
export class InterruptedError extends CoolError {
  override readonly exitCode = 130;
}

/** Names of `known` that a person may have meant by `name`, best first, at most three. */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  // no name is as long, and distances take time
  if (name.length > LONGEST_NAME) return [];
  const wanted = name.toLowerCase();
  // a third of the letters may differ; one prefix or path suffix of another always counts
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const sorted = (text: string): string => [...text].sort().join("");
  const costOf = (known: string): number => {
    if (wanted.length >= 3 && (known.startsWith(wanted) || known.endsWith(wanted))) return wanted === known ? 0 : 0.5;
    // letters in a wrong order are one slip of the fingers, which edit distance counts twice
    return sorted(known) === sorted(wanted) ? Math.min(1, distance(wanted, known)) : distance(wanted, known);
  };
  return [...known]
    .map((candidate) => {
      const lower = candidate.toLowerCase();
      // the end of a path or key is often all that is remembered of it
      const leaf = lower.slice(Math.max(lower.lastIndexOf("."), lower.lastIndexOf("/")) + 1);
      return { candidate, cost: Math.min(costOf(lower), costOf(leaf) + 0.25) };
    })
    .filter(({ cost }) => cost <= limit)
    .sort((a, b) => a.cost - b.cost)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

const LONGEST_NAME = 200;
const LONGEST_QUOTE = 60;

/** A text as far as a message quotes it. */
export function shorten(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE - 3)}…`;
}

// longer than paths and identifiers are
const LONGEST_WORD = 400;
const LONGEST_MESSAGE = 4000;

/** A message whose words and whole are of a length that people read: the middle of what is longer is left out. */
export function concise(message: string): string {
  const words = message.replaceAll(/\S+/g, (word) => withoutMiddle(word, LONGEST_WORD));
  return withoutMiddle(words, LONGEST_MESSAGE);
}

function withoutMiddle(text: string, longest: number): string {
  if (text.length <= longest) return text;
  // what to change stands at the end
  const end = Math.floor(longest / 4);
  return `${text.slice(0, longest - end)}…${text.slice(-end)}`;
}

/** The message of whatever was thrown; a user's code may throw what is no error. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The same in one line: what is quoted of a file may have lines of its own. */
export function lineOf(thrown: unknown): string {
  return messageOf(thrown).replaceAll(/\s+/g, " ");
}

/** Text with a full stop, unless it already ends in a mark. */
export function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name, known);
  if (nearest.length > 0) return `Did you mean ${nearest.map((n) => `"${n}"`).join(" or ")}?`;
  if (known.length === 0) return "There is none.";
  const shown = known.slice(0, 12).map((n) => `"${n}"`);
  return `Known: ${shown.join(", ")}${known.length > shown.length ? `, … (${known.length} in all)` : ""}.`;
}
