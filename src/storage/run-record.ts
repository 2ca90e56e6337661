/** @file What the store knows of one run, and which of its names and texts it accepts. */
import { UsageError } from "../errors.js";

/** The state that a run's own process has written. */
export type WrittenRunState = "running" | "finished" | "failed" | "interrupted" | "pruned";

/** The state as shown: a running run whose process is gone has crashed. */
export type RunState = WrittenRunState | "crashed";

/** One run. Times are ISO 8601 in UTC; null: not known or not there yet. */
export interface RunRecord {
  /** Sorts by time of creation: `20261123-074455-k3f9`. */
  readonly id: string;
  /** Need not be unique: the most recent run of a name is meant. */
  readonly name: string;
  readonly project: string;
  readonly state: WrittenRunState;
  readonly displayState: RunState;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly createdAt: string;
  /** When training first began; a resumed run keeps it. */
  readonly startedAt: string;
  /** When the latest session of training began, where the run was resumed. */
  readonly sessionAt: string | null;
  /** Seconds that the sessions before the latest one took. */
  readonly earlierS: number;
  readonly endedAt: string | null;
  readonly heartbeatAt: string;
  /** When the run was moved to the trash. */
  readonly deletedAt: string | null;
  /** Why the run failed. */
  readonly error: string | null;
  readonly seed: number | null;
  readonly backend: string | null;
  readonly backendVersion: string | null;
  /** Planned epochs. */
  readonly epochs: number | null;
  readonly epochsDone: number;
  /** The epoch of the checkpoint that was evaluated; null where it is not known. */
  readonly bestEpoch: number | null;
  readonly pid: number;
  readonly host: string;
  readonly processStart: string | null;
  readonly gitCommit: string | null;
  readonly gitBranch: string | null;
  /** Whether the working tree differed from the commit. */
  readonly gitDirty: boolean | null;
  readonly commandLine: string | null;
  /** Marked by its user. */
  readonly starred: boolean;
  /** Hex sha256 of the table with its images. */
  readonly dataDigest: string | null;
  /** Hex sha256 of the project's source files. */
  readonly sourceDigest: string | null;
  readonly nodeVersion: string;
  readonly packageVersion: string;
}

/** Seconds of training up to a time, over all sessions of a run. */
export function secondsUntil(end: string, run: Pick<RunRecord, "startedAt" | "sessionAt" | "earlierS">): number {
  return run.earlierS + (Date.parse(end) - Date.parse(run.sessionAt ?? run.startedAt)) / 1000;
}

const LONGEST_NAME = 200;

/**
 * A run's name or tag, as it may be stored and shown on one line of a terminal.
 * @param kind what is named, for the message: `run name`, `tag`
 * @throws UsageError for an empty or long one, and for control characters
 */
export function checkedName(kind: string, name: string): string {
  const trimmed = name.trim();
  const length = [...trimmed].length;
  if (length === 0) throw new UsageError(`A ${kind} must not be empty.`, { kind, name });
  if (length > LONGEST_NAME) {
    throw new UsageError(
      `The ${kind} "${[...trimmed].slice(0, 40).join("")}…" has ${length} characters; shorten it to ${LONGEST_NAME}.`,
      { kind, length, longest: LONGEST_NAME },
    );
  }
  // half of a surrogate pair has no UTF-8 form, so it would not be read back as it was written
  const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029]/u.exec(trimmed)?.[0];
  if (unprintable !== undefined) {
    throw new UsageError(
      `The ${kind} ${JSON.stringify(trimmed)} has a control character or line break (${codePoint(unprintable)}). Leave it out.`,
      { kind, name: trimmed },
    );
  }
  return trimmed;
}

/** A run's name: `latest` is kept for the most recent run. */
export function checkedRunName(name: string): string {
  const checked = checkedName("run name", name);
  if (checked !== "latest") return checked;
  throw new UsageError('No run can be named "latest": that always means the most recent one. Choose another name.', {
    name,
  });
}

/** Whether a text has the form of an id, so that it can name a folder. */
export function isRunId(text: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-z]{4}$/.test(text);
}

/**
 * An id that sorts by time and is short enough to type: UTC date, UTC time, four random characters.
 * @param random uniform numbers in [0, 1)
 */
export function newRunId(now: Date, random: () => number): string {
  const [date = "", time = ""] = now.toISOString().replace(/[-:]/g, "").split(/[T.]/);
  const suffix = Array.from({ length: 4 }, () => Math.floor(random() * 36).toString(36)).join("");
  return `${date}-${time}-${suffix}`;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
