/** @file Files that a command is told to write and must not: those that it reads, and those that people fill in. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../errors.js";

/**
 * @param read files that the work reads, or was made of; others than files match nothing
 * @throws UsageError where the file to write is one of them
 */
export function refuseRead(out: string, read: readonly string[]): void {
  const place = placeOf(out);
  if (!read.some((file) => placeOf(file) === place)) return;
  throw new UsageError(`${out} is read, and would be written over. Name another file with --out.`, { out });
}

/** @throws UsageError where the file is there: people write into such files by hand */
export function refuseExisting(out: string): void {
  if (!existsSync(out)) return;
  throw new UsageError(
    `${out} is there already, and what was filled in there would be lost. Name another file with --out, or move it away.`,
    { out },
  );
}

/** Of a link, what it leads to. */
function placeOf(file: string): string {
  const path = resolve(file);
  return existsSync(path) ? realpathSync(path) : path;
}
