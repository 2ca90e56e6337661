/** @file Line diffs, checked by hand, by rebuilding the texts, and by git. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { diffLines, unifiedDiff } from "../../../src/analysis/comparison/text-diff.js";

const dir = mkdtempSync(join(tmpdir(), "cool-diff-test-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const letters = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 25 });

/** Length of the longest common subsequence, by the textbook table. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let above = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const row = [0];
    b.forEach((y, j) => {
      row.push(x === y ? (above[j] as number) + 1 : Math.max(above[j + 1] as number, row[j] as number));
    });
    above = row;
  }
  return above[b.length] as number;
}

describe("the edit between two lists of lines", () => {
  it("rebuilds both, and is the shortest one", () => {
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const edits = diffLines(a, b);
        const without = (kind: string) => edits.flatMap((edit) => (edit.kind === kind ? [] : edit.lines));
        expect(without("added")).toEqual(a);
        expect(without("removed")).toEqual(b);
        const same = edits.flatMap((edit) => (edit.kind === "same" ? edit.lines : [])).length;
        expect(same).toBe(longestCommon(a, b));
      }),
      { numRuns: 300 },
    );
  });

  it("is one replacement where thousands of lines differ", () => {
    const lines = (prefix: string) => ["start", ...Array.from({ length: 5000 }, (_, i) => `${prefix}${i}`), "end"];
    expect(diffLines(lines("a"), lines("b")).map(({ kind, lines }) => [kind, lines.length])).toEqual([
      ["same", 1],
      ["removed", 5000],
      ["added", 5000],
      ["same", 1],
    ]);
  });
});

describe("a unified diff", () => {
  it("shows changes with three lines around them", () => {
    const text = (middle: string) => `1\n2\n3\n4\n${middle}\n6\n7\n8\n9\n`;
    expect(unifiedDiff(text("five"), text("cinq"))).toBe(
      ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-five", "+cinq", " 6", " 7", " 8"].join("\n"),
    );
  });

  it("is empty for equal texts, and counts from nothing", () => {
    expect(unifiedDiff("a\n", "a\n")).toBe("");
    expect(unifiedDiff("", "a\nb\n")).toBe("@@ -0,0 +1,2 @@\n+a\n+b");
  });

  const hasGit = spawnSync("git", ["--version"]).status === 0;

  it.skipIf(!hasGit)("turns the first text into the second when it is applied", () => {
    const file = join(dir, "text");
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        fc.pre(a.join() !== b.join() && a.length > 0 && b.length > 0);
        const [first, second] = [a, b].map((lines) => `${lines.join("\n")}\n`) as [string, string];
        writeFileSync(file, first);
        const patch = `--- a/text\n+++ b/text\n${unifiedDiff(first, second)}\n`;
        spawnSync("git", ["apply", "-"], { cwd: dir, input: patch });
        expect(readFileSync(file, "utf8")).toBe(second);
      }),
      { numRuns: 25 },
    );
  });
});
