/**
 * @file Whether a run was made here. What a run says of places on a disk holds where it was made: an archive from
 * elsewhere may name any folder, and a page of its samples would carry what lies there to whoever it is sent to.
 */
import { existsSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RunRecord } from "../../storage/run-record.js";

/** A file of the run's folder that importing writes, and that is never taken from an archive. */
export const IMPORTED_MARK = "imported.json";

/** @param dir folder of the run, whose import is not yet complete */
export function markImported(dir: string): void {
  writeFileSync(join(dir, IMPORTED_MARK), `${JSON.stringify({ formatVersion: 1 })}\n`);
}

export function isImported(dir: string): boolean {
  return existsSync(join(dir, IMPORTED_MARK));
}

/** Whether what the run says of places can be taken as it is: neither it nor the store around it came from elsewhere. */
export function isFromHere({ host }: Pick<RunRecord, "host">, dir: string): boolean {
  return host === hostname() && !isImported(dir);
}
