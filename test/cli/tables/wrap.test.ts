/** @file Where texts in tables are cut: between words, and where the parts of names end. */
import { expect, test } from "vitest";
import { displayWidth } from "../../../src/cli/tables/display-width.js";
import { drawTable } from "../../../src/cli/tables/tables.js";
import { wrapText } from "../../../src/cli/tables/wrap.js";

test.each([
  ["words", "a name of many words", 10, ["a name of", "many words"]],
  ["underscores", "facial_characteristics_of_face", 16, ["facial_", "characteristics_", "of_face"]],
  [
    "paths of tasks",
    "person_regression.face_regression.face_x1",
    20,
    ["person_regression.", "face_regression.", "face_x1"],
  ],
  ["files", "data/images/front/0001.png", 12, ["data/images/", "front/0001.", "png"]],
  ["hyphens", "20261130-055926-fx9u", 16, ["20261130-055926-", "fx9u"]],
  ["only where it must", "person_regression", 17, ["person_regression"]],
  ["indents stay with the first line", "  mean_absolute_error", 16, ["  mean_absolute_", "error"]],
  ["lines stay lines", "one\n\ntwo three", 5, ["one", "", "two", "three"]],
  ["what is longer than a line is cut", "a_supercalifragilistic_b", 10, ["a_supercal", "ifragilist", "ic_b"]],
  ["figures are whole", "0.123 -1.5 0.25", 7, ["0.123", "-1.5", "0.25"]],
  ["wide characters", "日本語の表", 4, ["日本", "語の", "表"]],
])("%s", (_, text, columns, lines) => {
  expect(wrapText(text, columns)).toEqual(lines);
});

test("no line is wider than its column, and nothing but blanks is lost", () => {
  const alphabet = ["a", "bc", "_", ".", "/", " ", "-", "7", "é", "語", "😀"];
  let state = 7;
  const next = (below: number): number => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: next(40) }, () => alphabet[next(alphabet.length)]).join("");
    const columns = 2 + next(12);
    const lines = wrapText(text, columns);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  }
});

test("a table cuts names where their parts end, also those across all columns", () => {
  const path = "person_regression.face_regression.facial_characteristics";
  const table = drawTable(["task", "what", "n"], [[{ content: path, colSpan: 3 }], [path, "is wrong here", "1"]], [2], {
    width: 48,
  });
  const lines = table.split("\n");
  expect([...new Set(lines.map(displayWidth))]).toEqual([48]);
  const parts = lines.flatMap((line) => line.split(/[│\s]+/)).filter((part) => /[a-z]/.test(part));
  for (const part of ["face_regression.", "is", "wrong", "here"]) expect(parts.join(" ")).toContain(part);
  for (const part of parts.filter((one) => one.includes("_")))
    expect(part).toMatch(/^(person_regression\.|(person_|regression\.|face_|facial_|characteristics)+)+$/);
});

test("a cell across columns makes them wider where there is room", () => {
  const rows = [[{ content: "a.very.long.path", colSpan: 2 }], ["x", "1"]];
  expect(drawTable(["task", "n"], rows, [1], { width: 40 }).split("\n")).toEqual([
    "┌──────────────┬───┐",
    "│ task         │ n │",
    "├──────────────┴───┤",
    "│ a.very.long.path │",
    "│ x            │ 1 │",
    "└──────────────┴───┘",
  ]);
});

test("a table of many rows is one table, in the order of its rows", () => {
  const rows = Array.from({ length: 130 }, (_, i) => [`run ${i}`, "value"]);
  const lines = drawTable(["name", "it"], rows, [], { width: 40 }).split("\n");
  expect(lines).toHaveLength(130 + 4);
  expect(lines.filter((line) => line.includes("─"))).toHaveLength(3);
  expect(lines.slice(3, -1).map((line) => line.split("│")[1]?.trim())).toEqual(rows.map(([name]) => name));
});

test("a table without rows has its head alone", () => {
  expect(drawTable(["name"], []).split("\n").slice(0, 2)).toEqual(["┌──────┐", "│ name │"]);
});
