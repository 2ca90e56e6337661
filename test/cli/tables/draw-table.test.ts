/** @file Tables for a terminal: whatever their cells hold, and however wide the terminal is. */
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../../src/cli/tables/display-width.js";
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

  test("keeps columns that can be read, and is as it is where there is no terminal", () => {
    expect(Math.min(...widths(drawTable(head, [row], [3], { width: 10 })))).toBeGreaterThan(10);
    expect(drawTable(head, [row], [3])).toBe(drawTable(head, [row], [3], { width: 500 }));
  });
});
