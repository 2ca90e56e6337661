/** @file Answers as cells, written as the other cells of their columns are. */
import { describe, expect, it } from "vitest";
import { answerCells, cellProblem } from "../../../src/asking/audit/cell-writer.js";
import { binary, box, classification, multilabel, regression } from "../../../src/tasks/index.js";

const columns = (...cells: readonly (readonly unknown[])[]) =>
  cells.map((own, i) => ({ column: `c${i}`, cells: own, row: 0 }));

describe("cells of answers", () => {
  it("say yes and no as their column does", () => {
    expect(answerCells(binary(), columns(["1", null, "0"]), true)).toEqual(["1"]);
    expect(answerCells(binary(), columns(["True", "False"]), false)).toEqual(["False"]);
    expect(answerCells(binary(), columns([true, false]), false)).toEqual(["false"]);
    expect(answerCells(binary(), columns(["1"]), false)).toEqual(["false"]);
  });

  it("round numbers as their column does", () => {
    expect(answerCells(regression(), columns(["1", "20"]), 12.3456)).toEqual(["12"]);
    expect(answerCells(regression(), columns(["1.5", "20.25"]), 12.3456)).toEqual(["12.35"]);
    const figure = box({ columns: ["x", "y", "w", "h"], format: "xywh" });
    expect(answerCells(figure, columns([1], [2], [0.5], [4]), [1.26, 2.26, 3.26, 4.26])).toEqual([
      "1",
      "2",
      "3.3",
      "4",
    ]);
  });

  it("name classes and labels", () => {
    expect(answerCells(classification({ classes: ["a", "b"] }), columns(["a"]), "b")).toEqual(["b"]);
    const labels = multilabel({ labels: ["red", "blue"], delimiter: "|" });
    expect(answerCells(labels, columns(["red | blue"]), ["red", "blue"])).toEqual(["red | blue"]);
    expect(answerCells(labels, columns([null]), ["red", "blue"])).toEqual(["red|blue"]);
    expect(answerCells(labels, columns(["red"]), [])).toEqual(["none"]);
    const flags = multilabel({ labels: ["red", "blue"], column: ["r", "b"] });
    expect(answerCells(flags, columns(["1", "0"], ["true", "false"]), ["blue"])).toEqual(["0", "true"]);
  });

  it("are empty where nothing is asked", () => {
    expect(answerCells(binary(), columns(["1"]), null)).toEqual([""]);
  });

  it("are checked as labels", () => {
    expect(cellProblem(binary(), ["maybe"])).toContain("yes-or-no");
    expect(cellProblem(binary(), [""])).toBeNull();
    expect(cellProblem(classification({ classes: ["red", "green"] }), ["gren"])).toContain("green");
    expect(cellProblem(box({ columns: ["x", "y", "w", "h"], format: "xywh" }), ["0", "0", "1", ""])).toBeNull();
  });
});
