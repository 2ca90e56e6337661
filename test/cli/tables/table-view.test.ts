/** @file A table that a person moves through: keys in, lines out. */
import { describe, expect, it } from "vitest";
import {
  INITIAL_STATE,
  type Key,
  nextState,
  renderView,
  type ViewState,
  type ViewTable,
} from "../../../src/cli/tables/table-view.js";

const row = (task: string, metric: string, a: number | null, b: number | null) => ({
  cells: [task, metric, a?.toFixed(2) ?? "–", b?.toFixed(2) ?? "–"],
  sortKeys: [task, metric, a, b],
  differs: a !== b,
});

const table: ViewTable = {
  title: "2 runs",
  head: ["task", "metric", "base", "wide"],
  numeric: [2, 3],
  rows: [
    row("door_open", "loss", 0.5, 0.25),
    row("door_open", "accuracy", 0.9, 0.9),
    row("camera", "loss", 0.1, 0.75),
    row("camera", "recall", null, 1),
  ],
};

const SIZE = { columns: 60, rows: 10 };
const plain = (text: string): string => text;
const STYLE = { cursor: (text: string) => `[${text}]`, heading: plain, faint: plain, best: plain };

const KEYS: Readonly<Record<string, Key>> = {
  "?": { sequence: "?" },
  H: { name: "h", sequence: "H", shift: true },
  "/": { sequence: "/" },
  enter: { name: "return", sequence: "\r" },
};

/** The state after some keys: names of keys, or letters. */
function press(...names: readonly string[]): ViewState {
  return names.reduce<ViewState>((state, name) => {
    const next = nextState(table, state, KEYS[name] ?? { name, sequence: name }, SIZE);
    if (next === null) throw new Error(`${name} closed the view`);
    return next;
  }, INITIAL_STATE);
}

const lines = (state: ViewState, size = SIZE): string[] => renderView(table, state, size, STYLE);
/** First two cells of the rows that are shown. */
const shown = (state: ViewState): string[] =>
  lines(state)
    .slice(2, -2)
    .filter((line) => line !== "")
    .map((line) => line.replace(/[[\]]/g, "").split(/\s+/).slice(0, 2).join(" "));

describe("the view", () => {
  it("fills the terminal: title, head, rows, place, keys", () => {
    expect(lines(INITIAL_STATE)).toMatchInlineSnapshot(`
      [
        "2 runs",
        "task       metric    base  wide",
        "[door_open]  loss      0.50  0.25",
        "door_open  accuracy  0.90  0.90",
        "camera     loss      0.10  0.75",
        "camera     recall       –  1.00",
        "",
        "",
        "row 1 of 4",
        "? help · arrows move · s sort · / filter · d only differenc…",
      ]
    `);
  });

  it("never exceeds the terminal, however small", () => {
    for (const columns of [1, 5, 17, 40]) {
      for (const state of [INITIAL_STATE, press("right", "right", "right")]) {
        for (const line of renderView(table, state, { columns, rows: 6 }, { ...STYLE, cursor: (text) => text })) {
          expect(line.length).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it("keeps the first column and scrolls to the one with the cursor", () => {
    const narrow = { columns: 24, rows: 7 };
    expect(lines(INITIAL_STATE, narrow)[1]).toBe("task       metric  ");
    expect(lines(press("right", "right", "right"), narrow)[1]).toBe("task       base  wide");
  });

  it("scrolls to the row with the cursor", () => {
    const low = { columns: 60, rows: 6 };
    expect(lines(press("end"), low).slice(2, 4)).toEqual([
      "camera     loss      0.10  0.75",
      "[camera   ]  recall       –  1.00",
    ]);
  });
});

describe("keys", () => {
  it("move within the table", () => {
    expect(press("up", "left")).toMatchObject({ row: 0, column: 0 });
    expect(press("down", "down", "right")).toMatchObject({ row: 2, column: 1 });
    expect(press("end", "down", "right", "right", "right", "right")).toMatchObject({ row: 3, column: 3 });
    expect(press("pagedown", "home")).toMatchObject({ row: 0 });
  });

  it("s sorts by the column: ascending, descending, as it was; what is missing stays last", () => {
    const column = ["right", "right"];
    expect(shown(press(...column, "s"))).toEqual([
      "camera loss",
      "door_open loss",
      "door_open accuracy",
      "camera recall",
    ]);
    expect(shown(press(...column, "s", "s"))).toEqual([
      "door_open accuracy",
      "door_open loss",
      "camera loss",
      "camera recall",
    ]);
    expect(shown(press(...column, "s", "s", "s"))).toEqual(shown(INITIAL_STATE));
    expect(lines(press(...column, "s"))[1]).toBe("task       metric    base ▲  wide");
  });

  it("h hides a row, H a column, u shows all again", () => {
    expect(shown(press("down", "h"))).toEqual(["door_open loss", "camera loss", "camera recall"]);
    expect(lines(press("right", "H"))[1]).toBe("task       base  wide");
    expect(lines(press("right", "H", "H", "H", "H"))[1]).toBe("task     ");
    expect(lines(press("H"))).toEqual(lines(INITIAL_STATE));
    expect(lines(press("down", "h", "right", "H", "u"))[1]).toBe(lines(INITIAL_STATE)[1]);
  });

  it("d shows only rows that differ", () => {
    expect(shown(press("d"))).toEqual(["door_open loss", "camera loss", "camera recall"]);
    expect(shown(press("d", "d"))).toHaveLength(4);
    expect(lines(press("d")).at(-2)).toBe("row 1 of 3 (4 in all) · only differences");
  });

  it("/ filters by any cell while typing, Enter keeps the filter, Escape drops it", () => {
    expect(shown(press("/", "L", "o", "s"))).toEqual(["door_open loss", "camera loss"]);
    expect(lines(press("/", "q")).at(-2)).toBe("no rows (4 in all) · filter: q_");
    expect(shown(press("/", "c", "a", "m", "x", "backspace", "enter", "down"))).toEqual([
      "camera loss",
      "camera recall",
    ]);
    expect(press("/", "c", "escape")).toMatchObject({ filter: "", isTyping: false });
    expect(press("/", "c", "enter", "escape")).toMatchObject({ filter: "" });
  });

  it("? explains the keys until any other key, and q closes the view from there", () => {
    const help = press("?");
    const screen = renderView(table, help, { columns: 80, rows: 16 }, STYLE);
    expect(screen).toHaveLength(16);
    expect(screen.join("\n")).toContain("show only rows whose values differ");
    expect(lines(nextState(table, help, { name: "down" }, SIZE) ?? help)).toEqual(lines(INITIAL_STATE));
    expect(nextState(table, help, { name: "q", sequence: "q" }, SIZE)).toBeNull();
    for (const line of renderView(table, help, { columns: 7, rows: 6 }, STYLE))
      expect(line.length).toBeLessThanOrEqual(7);
  });

  it("marks the best of a row", () => {
    const best = { ...table, rows: [{ ...row("a", "loss", 1, 2), cells: ["a", "loss", "1.00", "2.00 •"] }] };
    const [, , line] = renderView(best, INITIAL_STATE, SIZE, { ...STYLE, best: (text) => `<${text}>` });
    expect(line).toContain("<2.00 •>");
  });

  it("q and Ctrl-C close the view; a q in the filter is a letter", () => {
    expect(nextState(table, INITIAL_STATE, { name: "q", sequence: "q" }, SIZE)).toBeNull();
    expect(nextState(table, press("/"), { name: "c", ctrl: true }, SIZE)).toBeNull();
    expect(press("/", "q").filter).toBe("q");
  });

  it("keep the cursor on the table when rows or columns go", () => {
    expect(press("end", "h", "h", "h", "h")).toMatchObject({ row: 0 });
    expect(press("right", "right", "right", "H")).toMatchObject({ column: 2 });
  });
});
