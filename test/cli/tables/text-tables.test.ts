/** @file CSV and Markdown, and the width of texts. */
import { describe, expect, it } from "vitest";
import { colourDiff } from "../../../src/cli/diff-text.js";
import { clip, displayWidth, padTo } from "../../../src/cli/tables/display-width.js";
import { csvText, markdownTable } from "../../../src/cli/tables/text-tables.js";

describe("CSV", () => {
  it("quotes cells with commas, quotes and line breaks; null is empty", () => {
    expect(
      csvText([
        ["a", 'say "hi"', null],
        [1.5, "x,y", true],
        ["two\nlines", "", 0],
      ]),
    ).toBe('a,"say ""hi""",\n1.5,"x,y",true\n"two\nlines",,0');
  });
});

describe("Markdown", () => {
  it("aligns numbers right and shows cells as they are", () => {
    expect(markdownTable(["task", "a|b"], [["x_y", "*1*"]], [1])).toBe(
      "| task | a\\|b |\n|---|--:|\n| x\\_y | \\*1\\* |",
    );
  });
});

describe("widths", () => {
  it("count wide characters twice and marks not at all", () => {
    expect(["abc", "漢字", "é", "e\u0301", "👍", ""].map(displayWidth)).toEqual([3, 4, 1, 1, 2, 0]);
  });

  it("are kept by clipping and padding", () => {
    expect(clip("abcdef", 4)).toBe("abc…");
    expect(clip("漢字漢字", 4)).toBe("漢…");
    expect(padTo("ab", 4)).toBe("ab  ");
    expect(padTo("ab", 4, "right")).toBe("  ab");
    expect(displayWidth(padTo("漢字漢字", 4))).toBe(4);
  });
});

describe("a diff", () => {
  const diff = "diff --git a/x b/x\n@@ -1 +1 @@\n-old\n+new\n same\n";

  it("is coloured by line where that is wanted", () => {
    expect(colourDiff(diff, false)).toBe(diff.trimEnd());
    expect(colourDiff(diff, true).split("\n")).toEqual([
      "\x1b[1mdiff --git a/x b/x\x1b[0m",
      "\x1b[36m@@ -1 +1 @@\x1b[0m",
      "\x1b[31m-old\x1b[0m",
      "\x1b[32m+new\x1b[0m",
      " same",
    ]);
  });

  it("cannot move the cursor", () => {
    expect(colourDiff("+\x1b[2Ja\tb\r", false)).toBe("+\\u001b[2Ja\tb\\r");
  });
});
