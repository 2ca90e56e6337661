/** @file The native part of better-sqlite3, which a build script makes: what to do where there is none. */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { StoreError } from "../../errors.js";

/** Where the package lies; the working folder where it cannot be found. */
function packageFolder(): string {
  try {
    return realpathSync(createRequire(import.meta.url).resolve("better-sqlite3"));
  } catch {
    return process.cwd();
  }
}

/**
 * An error about the native part in words that say what to do; null: it is about something else.
 * @param folder where better-sqlite3 lies: it tells which package manager put it there
 */
export function nativePartError(error: unknown, folder: string = packageFolder()): StoreError | null {
  if (!(error instanceof Error)) return null;
  const problem = problemOf(error);
  if (problem === null) return null;
  return new StoreError(
    `Runs are kept in SQLite, and ${problem}. ${/[\\/]\.pnpm[\\/]/.test(folder) ? BY_PNPM : BY_NPM}`,
    { package: "better-sqlite3", folder, node: process.version },
    { cause: error },
  );
}

const BY_PNPM =
  "Since version 10 pnpm runs no build scripts unless it is told to: run `pnpm approve-builds` and choose " +
  "better-sqlite3, then `pnpm rebuild better-sqlite3`.";
const BY_NPM =
  "Run `npm rebuild better-sqlite3`; where npm does not run build scripts, allow this one first with " +
  "`npm install-scripts approve better-sqlite3`. With pnpm: `pnpm approve-builds`.";

function problemOf(error: Error): string | null {
  if (error.message.startsWith("Could not locate the bindings file")) {
    return "the native part of the package better-sqlite3 is missing: its build script has not run";
  }
  if ("code" in error && error.code === "ERR_DLOPEN_FAILED") {
    return error.message.includes("NODE_MODULE_VERSION")
      ? `the native part of the package better-sqlite3 was built for another version of Node.js than ${process.version}`
      : "the native part of the package better-sqlite3 does not load on this machine";
  }
  return null;
}
