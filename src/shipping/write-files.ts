/** @file Files of an export on their way to the disk: their sums, and a place where they are whole or not at all. */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../errors.js";
import { SUMS } from "../predictor/files.js";

/** By name; a name with slashes lies in folders. */
export type Files = ReadonlyMap<string, Uint8Array>;

const WRONG_TARGETS: ReadonlyMap<string, string> = new Map([
  ...["ENOTDIR", "EEXIST"].map((code) => [code, "a file stands where a folder is needed"] as const),
  ...["EACCES", "EPERM", "EROFS"].map((code) => [code, "its folder cannot be written by this user"] as const),
  ...["ENOSPC", "EDQUOT"].map((code) => [code, "there is no space left"] as const),
  ["ENAMETOOLONG", "its name is too long"],
]);

/** @throws UsageError for what the file system says of the target */
export function explainedTarget(target: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = WRONG_TARGETS.get(code);
    if (reason === undefined) throw error;
    throw new UsageError(
      `${target} cannot be written: ${reason} (${code}). Name another target with --to.`,
      { target, code },
      { cause: error },
    );
  }
}

/** A list of sums beside the files. */
export function withSums(files: Files): Files {
  return new Map([...files, [SUMS, text(sumsOf(files))]]);
}

export function sumsOf(files: Files): string {
  return [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join("");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function json(value: unknown): Uint8Array {
  return text(`${JSON.stringify(value, null, 2)}\n`);
}

/** On one line: for programs, where it is long. */
export function compactJson(value: unknown): Uint8Array {
  return text(`${JSON.stringify(value)}\n`);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Beside its place first, so that it is there whole or not at all. */
export function writeAll(folder: string, files: Files, isIntoFolder: boolean): void {
  mkdirSync(dirname(folder), { recursive: true });
  if (isIntoFolder) mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(isIntoFolder ? folder : dirname(folder), ".cool-export-"));
  try {
    for (const [name, bytes] of files) {
      mkdirSync(dirname(join(scratch, name)), { recursive: true });
      writeFileSync(join(scratch, name), bytes, { flush: true });
    }
    // a folder of its own would be readable by its maker alone
    chmodSync(scratch, 0o755);
    if (!isIntoFolder) renameSync(scratch, folder);
    else for (const name of files.keys()) renameSync(join(scratch, name), join(folder, name));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
