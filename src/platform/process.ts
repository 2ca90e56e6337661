/** @file Whether the process that trains a run is still there. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process as another one can recognise it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /**
   * `<process namespace>/<start in clock ticks since boot>`: tells a process from a later one with the same number,
   * and one container's numbers from another's. null outside Linux.
   */
  readonly processStart: string | null;
}

/** Asked for with every run that is read, and the same as long as the process lives. */
let ownStart: string | null | undefined;

export function currentProcess(): ProcessIdentity {
  if (ownStart === undefined) ownStart = processStart(process.pid) ?? null;
  return { pid: process.pid, host: hostname(), processStart: ownStart };
}

/**
 * Whether the process lives; undefined where it cannot be seen from `viewer` (another host or container).
 * @param viewer the process that asks, which must be this one
 */
export function isAlive(subject: ProcessIdentity, viewer: ProcessIdentity): boolean | undefined {
  if (subject.host !== viewer.host || namespaceOf(subject) !== namespaceOf(viewer)) return undefined;
  if (!answersToSignals(subject.pid)) return false;
  const start = processStart(subject.pid);
  if (start === undefined) return false;
  return start === null || subject.processStart === null || start === subject.processStart;
}

function answersToSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // another user's process exists but may not be signalled
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** null where the system does not tell, undefined for a process that has ended but is not yet reaped. */
function processStart(pid: number): string | null | undefined {
  const stat = readOrNull(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const namespace = readOrNull(() => readlinkSync("/proc/self/ns/pid"));
  if (stat === null || namespace === null) return null;
  // proc_pid_stat(5): the second field, the command, may hold spaces and brackets; state is field 3, start field 22
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return state === "Z" || state === "X" ? undefined : `${namespace}/${fields[19]}`;
}

function namespaceOf(identity: ProcessIdentity): string | null {
  return identity.processStart?.split("/")[0] ?? null;
}

function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
