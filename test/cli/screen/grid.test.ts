/** @file Cells of a terminal: what is sent makes one picture of another, and no more than that. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Grid, paint } from "../../../src/cli/screen/grid.js";
import { displayWidth } from "../../../src/cli/tables/display-width.js";

/** A terminal that knows what `paint` sends: cursor, erase, graphic rendition, text. */
class Emulator {
  readonly cells: string[][];

  constructor(columns: number, rows: number) {
    this.cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => " |"));
  }

  write(text: string): void {
    let [row, column, style] = [0, 0, ""];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    for (const [part] of text.matchAll(/\x1b\[[\d;?]*[A-Za-z]|[^\x1b]/gu)) {
      const own = this.cells[row] ?? [];
      if (part.endsWith("H") && part.startsWith("\x1b")) {
        [row, column] = part
          .slice(2, -1)
          .split(";")
          .map((n) => Number(n) - 1) as [number, number];
      } else if (part === "\x1b[2J") for (const line of this.cells) line.fill(" |");
      else if (part.startsWith("\x1b")) style = part.slice(2, -1).replace(/^0;?/, "");
      else if (displayWidth(part) === 0) own[column - 1] = (own[column - 1] ?? "").replace("|", `${part}|`);
      else {
        own[column] = `${part}|${style}`;
        if (displayWidth(part) === 2) own[column + 1] = `|${style}`;
        column += displayWidth(part);
      }
    }
  }
}

const cellsOf = (grid: Grid): string[][] =>
  Array.from({ length: grid.rows }, (_, row) =>
    Array.from({ length: grid.columns }, (_, column) => {
      const { text, style } = grid.at(column, row);
      return `${text}|${style}`;
    }),
  );

const drawn = (texts: readonly (readonly [column: number, row: number, text: string, style: string])[]): Grid => {
  const grid = new Grid(20, 5);
  for (const [column, row, text, style] of texts) grid.put(column, row, text, style);
  return grid;
};

describe("paint", () => {
  it("makes any picture of any other", () => {
    const text = fc.stringMatching(/^[a-c ⡇─]{0,12}$/);
    const put = fc.tuple(
      fc.integer({ min: 0, max: 19 }),
      fc.integer({ min: 0, max: 4 }),
      text,
      fc.constantFrom("", "1", "2", "1;32"),
    );
    fc.assert(
      fc.property(fc.array(fc.array(put, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), (pictures) => {
        const terminal = new Emulator(20, 5);
        let before: Grid | null = null;
        for (const texts of pictures) {
          const after = drawn(texts);
          terminal.write(paint(before, after));
          expect(terminal.cells).toEqual(cellsOf(after));
          before = after;
        }
      }),
    );
  });

  it("sends nothing where nothing has changed, and little where little has", () => {
    const before = drawn([
      [0, 0, "epoch 3/12", "1"],
      [0, 4, "some log line", ""],
    ]);
    expect(
      paint(
        before,
        drawn([
          [0, 0, "epoch 3/12", "1"],
          [0, 4, "some log line", ""],
        ]),
      ),
    ).toBe("");
    const after = drawn([
      [0, 0, "epoch 4/12", "1"],
      [0, 4, "some log line", ""],
    ]);
    expect(paint(before, after)).toBe("\x1b[1;7H\x1b[0;1m4\x1b[0m");
    // another size is drawn anew
    expect(paint(new Grid(10, 5), after)).toContain("\x1b[2J");
  });

  it("keeps wide characters whole, and accents with their letters", () => {
    const grid = new Grid(6, 1);
    expect(grid.put(0, 0, "é狐狐狐")).toBe(5);
    expect(grid.text(0)).toBe("é狐狐");
    const terminal = new Emulator(6, 1);
    terminal.write(paint(null, grid));
    const next = new Grid(6, 1);
    next.put(0, 0, "é猫狐");
    terminal.write(paint(grid, next));
    expect(terminal.cells[0]?.map((cell) => cell.replace("|", "")).join("")).toBe("é猫狐 ");
  });

  it("leaves out what has no room", () => {
    const grid = new Grid(4, 1);
    grid.put(2, 0, "abc");
    grid.put(0, 3, "below");
    grid.put(0, 0, "xyz", "", 1);
    expect(grid.text(0)).toBe("x ab");
  });
});
