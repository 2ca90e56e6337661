/** @file What is read, or filled in by hand, is not written over. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.js";
import { refuseExisting, refuseRead } from "../../src/platform/written-files.js";

const dir = mkdtempSync(join(tmpdir(), "cool-written-"));
const table = join(dir, "labels.csv");
const link = join(dir, "link.csv");
const free = join(dir, "answers.csv");
beforeAll(() => {
  writeFileSync(table, "x\n1\n");
  symlinkSync(table, link);
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("a file to write", () => {
  it("is none that is read, under whatever name", () => {
    for (const [out, read] of [
      [table, table],
      [relative(process.cwd(), table), table],
      [link, table],
      [table, link],
    ] as const) {
      expect(() => refuseRead(out, ["select 1", read]), out).toThrow(UsageError);
    }
    expect(() => refuseRead(free, [table, "select 1"])).not.toThrow();
  });

  it("may be made anew where nobody writes into it, and is kept where people do", () => {
    expect(() => refuseRead(table, [free])).not.toThrow();
    expect(() => refuseExisting(table)).toThrow("labels.csv is there already, and what was filled in");
    expect(() => refuseExisting(free)).not.toThrow();
  });
});
