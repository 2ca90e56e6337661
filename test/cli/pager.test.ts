/** @file Wide output through the pager of its user. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { page } from "../../src/cli/pager.js";

describe("the pager", () => {
  it("gets the whole text, by a command line with arguments", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "cool-pager-")), "text");
    expect(await page("a\nb\n", { ...process.env, PAGER: `cat > '${file}'` })).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("a\nb\n");
  });

  it("that ends before the text does is no error", async () => {
    expect(await page("x".repeat(5_000_000), { ...process.env, PAGER: "true" })).toBe(true);
  });

  it("that is not there, or is none, leaves the text to the caller", async () => {
    expect(await page("a\n", { ...process.env, PAGER: "no-such-pager-here 2>/dev/null" })).toBe(false);
    expect(await page("a\n", { ...process.env, PAGER: "" })).toBe(false);
    expect(await page("a\n", { ...process.env, PAGER: "cat" })).toBe(false);
    expect(existsSync("no-such-pager-here")).toBe(false);
  });
});
