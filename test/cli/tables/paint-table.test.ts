/** @file Tables in box characters, beside cli-table3. */
import Table from "cli-table3";
import { expect, test } from "vitest";
import { displayWidth } from "../../../src/cli/tables/display-width.js";
import { paintTable } from "../../../src/cli/tables/paint-table.js";
import { createRandom } from "../../../src/data/rng.js";

const PLAIN = { room: Number.POSITIVE_INFINITY, colour: false };

function byPackage(rows: readonly string[][], numeric: readonly number[]): string {
  const [head = [], ...body] = rows;
  const colAligns = head.map((_, column) => (numeric.includes(column) ? ("right" as const) : ("left" as const)));
  const table = new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
  table.push(...body);
  return table.toString();
}

test("two hundred tables of random texts are those of cli-table3", () => {
  const rng = createRandom(1);
  const pick = (count: number): number => rng.int(count);
  const texts = ["", "a", "a name of words", "0.1234", "two\nlines", "–", "• best", "  indented", "長い名"];
  for (let i = 0; i < 200; i++) {
    const columns = 1 + pick(5);
    const rows = Array.from({ length: 1 + pick(6) }, () =>
      Array.from({ length: columns }, () => texts[pick(texts.length)] ?? ""),
    );
    const numeric = Array.from({ length: columns }, (_, column) => column).filter(() => rng.next() < 0.5);
    const painted = paintTable(rows, { ...PLAIN, numeric, widths: rows[0]?.map(() => null) ?? [] });
    expect(painted).toBe(byPackage(rows, numeric));
  }
});

test("a cell across columns has no lines through it, and is wrapped where there is no room to widen them", () => {
  const rows = [["task", "n"], [{ content: "a.very.long.path", colSpan: 2 }], ["x", "1"]];
  expect(paintTable(rows, { ...PLAIN, numeric: [1], widths: [null, null] }).split("\n")).toEqual([
    "┌──────────────┬───┐",
    "│ task         │ n │",
    "├──────────────┴───┤",
    "│ a.very.long.path │",
    "│ x            │ 1 │",
    "└──────────────┴───┘",
  ]);
  expect(paintTable(rows, { ...PLAIN, room: 14, numeric: [1], widths: [null, null] }).split("\n")).toEqual([
    "┌────────┬───┐",
    "│ task   │ n │",
    "├────────┴───┤",
    "│ a.very.lon │",
    "│ g.path     │",
    "│ x      │ 1 │",
    "└────────┴───┘",
  ]);
});

test("a wrapped text loses nothing, whatever its characters' widths", () => {
  const text = "長い名前 with 😀 wide characters";
  const painted = paintTable([["a"], [text]], { ...PLAIN, numeric: [], widths: [9] });
  const lines = painted.split("\n");
  expect(new Set(lines.map(displayWidth))).toEqual(new Set([11]));
  const kept = lines.slice(3, -1).map((line) => line.slice(2, -2).trimEnd());
  expect(kept.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
});

test("in colour the head is bold and lines are grey", () => {
  const [top, head] = paintTable([["a"]], { ...PLAIN, colour: true, numeric: [], widths: [null] }).split("\n");
  expect(top).toBe("\u001b[90m┌───┐\u001b[39m");
  expect(head).toBe("\u001b[90m│\u001b[39m\u001b[1m a \u001b[22m\u001b[90m│\u001b[39m");
});
