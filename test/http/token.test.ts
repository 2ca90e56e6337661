/** @file Where a token comes from. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { UsageError } from "../../src/errors.js";
import { checkOrigin } from "../../src/http/hosts.js";
import { readToken } from "../../src/http/token.js";

const dir = mkdtempSync(join(tmpdir(), "cool-token-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const NONE = ["COOL_SERVE_TOKEN", undefined] as const;
const file = (text: string): string => {
  const path = join(dir, "token");
  writeFileSync(path, text);
  return path;
};

it("is that of the file, else of the variable, else none", () => {
  expect(readToken({ file: file("0123456789abcdef\n"), variable: ["X", "ffffffffffffffffffff"] })).toBe(
    "0123456789abcdef",
  );
  expect(readToken({ variable: ["X", "ffffffffffffffffffff"] })).toBe("ffffffffffffffffffff");
  expect(readToken({ variable: NONE })).toBeNull();
  expect(readToken({ variable: ["X", ""] })).toBeNull();
});

it.each(["", "short", "with a space in it 0123456789", "ümlaut-0123456789abcdef"])("%j is none", (text) => {
  expect(() => readToken({ file: file(text), variable: NONE })).toThrow(/16 to 4096 visible ASCII characters/);
});

it("a file that is not there is no open door", () => {
  expect(() => readToken({ file: join(dir, "nowhere"), variable: NONE })).toThrow(UsageError);
});

it("an origin is scheme and host alone", () => {
  expect(checkOrigin("https://App.example:8443")).toBe("https://app.example:8443");
  for (const text of ["*", "app.example", "https://app.example/", "null", "file:///x"]) {
    expect(() => checkOrigin(text), text).toThrow(/is no origin/);
  }
});
