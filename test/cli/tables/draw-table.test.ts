/** @file Tables for a terminal: whatever their cells hold, and however wide the terminal is. */
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../../src/cli/tables/display-width.js";
import { turned } from "../../../src/cli/tables/comparison-tables.js";
import { fits, setWide } from "../../../src/cli/tables/table-layout.js";
import { drawTable } from "../../../src/cli/tables/tables.js";

const linesOf = (table: string): string[] => table.split("\n");
const widths = (table: string): number[] => [...new Set(linesOf(table).map(displayWidth))];

describe("a cell", () => {
  test("that a terminal would obey is shown, and its column as wide as what is shown", () => {
    const table = drawTable(["na\u001b[31mme", "n"], [["a\u001b]0;x\u0007\u202e\tb", "1"]], [1]);
    expect(linesOf(table)).toEqual([
      "┌────────────────────────────┬───┐",
      "│ na\\u001b[31mme             │ n │",
      "├────────────────────────────┼───┤",
      "│ a\\u001b]0;x\\u0007\\u202e\\tb │ 1 │",
      "└────────────────────────────┴───┘",
    ]);
    expect(widths(table)).toHaveLength(1);
  });

  test("of a megabyte is cut, so that a table of few rows stays short", () => {
    const rows = [["note", "x".repeat(1_000_000)], ...Array.from({ length: 30 }, (_, i) => [String(i), "y"])];
    expect(drawTable(["run", ""], rows).length).toBeLessThan(200_000);
  });
});

describe("a table that is wider than the terminal", () => {
  const row = ["20261130-055926-fx9u", "a name of many words that goes on and on and on", "finished", "12.5"];
  const head = ["id", "name", "state", "loss"];

  test("wraps the cells of its widest column, and leaves out nothing", () => {
    const table = drawTable(head, [row], [3], { width: 75 });
    expect(widths(table)).toEqual([75]);
    expect(table).toContain("20261130-055926-fx9u");
    const words = linesOf(table)
      .map((line) => line.split("│")[2]?.trim() ?? "")
      .join("");
    expect(words.replaceAll(" ", "")).toContain("anameofmanywordsthatgoesonandonandon");
  });

  test("leaves out its last columns, says which, and keeps those that name its rows", () => {
    const table = drawTable(head, [row], [3], { width: 60 });
    expect(linesOf(table).at(-1)).toBe("… 2 more columns: state, loss (--wide)");
    expect(Math.max(...widths(table))).toBeLessThanOrEqual(60);
    const narrow = drawTable(head, [row], [3], { width: 36, labels: 2 });
    expect(Math.max(...widths(narrow))).toBeLessThanOrEqual(36);
    expect(linesOf(narrow).at(-1)).toBe("… 2 more columns: state, l… (--wide)");
  });

  test("fits whatever its width, and a cell across columns spans those that are left", () => {
    const wide = Array.from({ length: 30 }, (_, i) => `column_${i}`);
    const rows = [[{ content: "a task", colSpan: 30 }], wide.map((_, i) => String(i))];
    for (const width of [40, 80, 200, 1000]) {
      const table = drawTable(wide, rows, [], { width });
      expect(Math.max(...widths(table))).toBeLessThanOrEqual(width);
      expect(table).toContain("a task");
    }
  });

  test("is as wide as a terminal of 80 columns where there is none, and as its cells where all are asked for", () => {
    expect(drawTable(head, [row], [3])).toBe(drawTable(head, [row], [3], { width: 80 }));
    setWide(true);
    try {
      expect(drawTable(head, [row], [3])).toBe(drawTable(head, [row], [3], { width: 500 }));
    } finally {
      setWide(false);
    }
  });

  test("turns its runs into rows: a comparison of many", () => {
    const names = Array.from({ length: 20 }, (_, i) => `run-${i}`);
    const table = { head: ["setting", ...names], rows: [["lr", ...names.map((_, i) => String(i))]], numeric: [] };
    expect(fits(table.head, table.rows, table.numeric)).toBe(false);
    const { head: turnedHead, rows } = turned(table);
    expect(turnedHead).toEqual(["run (by setting)", "lr"]);
    expect(rows[19]).toEqual(["run-19", "19"]);
    expect(fits(turnedHead, rows, [])).toBe(true);
  });
});
