/** @file Creates the one event file of a writer, under a name that TensorBoard reads after all older ones. */
import { mkdirSync, readdirSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { StoreError } from "../../errors.js";
import { RecordFile } from "./record-file.js";

const NAME_PREFIX = "events.out.tfevents.";

/** What the file name says of its writer. */
export interface WriterIdentity {
  readonly timeSeconds: number;
  readonly host?: string;
  readonly pid?: number;
}

/** Event files opened by this process, so that two names never clash. */
let sequence = 0;

/**
 * Creates the folder if it is missing.
 *
 * @returns its canonical path
 * @throws StoreError naming the folder and the reason
 */
export function createFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return realpathSync(folder);
  } catch (cause) {
    throw creationError(folder, cause);
  }
}

/**
 * Creates a new event file in `folder`.
 *
 * TensorBoard reads the files of a folder in the order of their names, so a resumed run's file has to sort last even
 * if the clock was set back or both files are from the same second.
 *
 * @throws StoreError naming the folder and the reason
 */
export function createEventFile(folder: string, identity: WriterIdentity): RecordFile {
  try {
    return new RecordFile(join(folder, nameAfter(lastEventFile(folder), identity)));
  } catch (cause) {
    throw creationError(folder, cause);
  }
}

/** Paths of the folder's event files in the order in which TensorBoard reads them. */
export function listEventFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.includes("tfevents"))
    .sort()
    .map((name) => join(folder, name));
}

function lastEventFile(folder: string): string {
  return readdirSync(folder).reduce((last, name) => (name.startsWith(NAME_PREFIX) && name > last ? name : last), "");
}

function creationError(folder: string, cause: unknown): StoreError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new StoreError(
    `Could not create an event file in ${folder}: ${message}. Check the path and its permissions.`,
    { folder, code },
    { cause },
  );
}

function nameAfter(last: string, { timeSeconds, host = hostname(), pid = process.pid }: WriterIdentity): string {
  const safeHost = host.replace(/[^\w.-]/g, "_");
  const writer = `${safeHost}.${String(pid).padStart(10, "0")}.${String(sequence++).padStart(5, "0")}`;
  const name = (seconds: number) => `${NAME_PREFIX}${String(seconds).padStart(10, "0")}.${writer}`;
  const wanted = name(Math.floor(timeSeconds));
  if (wanted > last) return wanted;
  const lastSeconds = Number.parseInt(last.slice(NAME_PREFIX.length), 10);
  return name(lastSeconds + 1);
}
