/** @file What is said where better-sqlite3 has no native part. */
import { describe, expect, it } from "vitest";
import { nativePartError } from "../../../src/storage/database/native-part.js";

const missing = new Error("Could not locate the bindings file. Tried:\n → /home/me/build/better_sqlite3.node");
const pnpmFolder = "/home/me/node_modules/.pnpm/better-sqlite3@12.11.1/node_modules/better-sqlite3/lib/index.js";
const npmFolder = "/home/me/node_modules/better-sqlite3/lib/index.js";

describe("a native part that is missing", () => {
  it("is what pnpm 10 leaves behind, and the message names its command", () => {
    const message = nativePartError(missing, pnpmFolder)?.message;
    expect(message).toContain("its build script has not run");
    expect(message).toContain("`pnpm approve-builds`");
    expect(message).not.toContain("Tried");
    expect(message).not.toContain("\n");
  });

  it("is rebuilt with npm where npm installed it", () => {
    expect(nativePartError(missing, npmFolder)?.message).toContain("`npm rebuild better-sqlite3`");
  });
});

it("a native part of another Node.js is named as such, without Node's own words", () => {
  const error = Object.assign(
    new Error("The module was compiled against a different Node.js version using\nNODE_MODULE_VERSION 115."),
    { code: "ERR_DLOPEN_FAILED" },
  );
  const message = nativePartError(error, npmFolder)?.message ?? "";
  expect(message).toContain(`another version of Node.js than ${process.version}`);
  expect(message).not.toContain("NODE_MODULE_VERSION");
});

it("an error of SQLite itself is none of the native part", () => {
  expect(nativePartError(Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" }))).toBeNull();
});
