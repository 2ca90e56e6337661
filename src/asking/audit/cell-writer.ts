/** @file An answer as the text of a cell, written as the other cells of its column are. */
import type { Cells } from "../../data/tables/cells.js";
import { f32At } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { behaviourOf, type Described } from "../../tasks/index.js";
import { cellText, type LabelColumn } from "./label-table.js";

/**
 * Texts of a task's cells for an answer, one for each of its columns.
 * @param answer in the words of the labels; null: the cells are emptied
 * @param options.round whether numbers have as many decimals as their column has; else six digits that count
 */
export function answerCells(
  spec: TaskSpec,
  columns: readonly LabelColumn[],
  answer: Described,
  { round = true }: { readonly round?: boolean } = {},
): string[] {
  const numberText = (value: number, cells: Cells): string =>
    round ? rounded(value, cells) : String(Number(value.toPrecision(6)));
  if (answer === null) return columns.map(() => "");
  if (typeof answer === "number") return columns.map(({ cells }) => numberText(answer, cells));
  if (typeof answer === "object" && answer.some((part) => typeof part === "number")) {
    return columns.map(({ cells }, i) => numberText(Number(answer[i]), cells));
  }
  const [only, ...more] = columns;
  if (only === undefined) return [];
  // a column for each label
  if (more.length > 0) {
    const names = behaviourOf(spec).questions(spec);
    return columns.map(({ cells }, i) => truthText(cells, Array.isArray(answer) && answer.includes(names[i] ?? "")));
  }
  return [seenText(spec, only.cells, answer) ?? plainText(spec, answer)];
}

/** With as many decimals as the column has. */
function rounded(value: number, cells: Cells): string {
  let decimals = 0;
  cells.forEach((cell) => {
    const [, fraction = ""] = cellText(cell).split(".");
    if (/^\d+$/.test(fraction)) decimals = Math.max(decimals, fraction.length);
  });
  return String(Number(value.toFixed(Math.min(decimals, 12))));
}

/** How the column says the same elsewhere. */
function seenText(spec: TaskSpec, cells: Cells, answer: Described): string | null {
  const behaviour = behaviourOf(spec);
  const wanted = JSON.stringify(answer);
  const out = new Float32Array(answerWidth(spec));
  const seen = new Set<unknown>();
  for (const cell of cells) {
    if (cell === null || seen.has(cell)) continue;
    seen.add(cell);
    if (behaviour.parseLabel(spec, [cell], [], out, 0) !== null) continue;
    if (JSON.stringify(behaviour.describe(spec, out, 0)) === wanted) return cellText(cell);
  }
  return null;
}

function truthText(cells: Cells, truth: boolean): string {
  const words = truth ? ["1", "true", "1.0"] : ["0", "false", "0.0"];
  const found = cells.map(cellText).find((text) => words.includes(text.trim().toLowerCase()));
  return found ?? String(Number(truth));
}

function plainText(spec: TaskSpec, answer: string | boolean | readonly (string | number)[]): string {
  if (typeof answer !== "object") return String(answer);
  const delimiter = "delimiter" in spec && typeof spec.delimiter === "string" ? spec.delimiter : ",";
  return answer.length === 0 ? "none" : answer.join(delimiter);
}

/** What is wrong with the cells of a task, or null. */
export function cellProblem(spec: TaskSpec, cells: readonly string[]): string | null {
  const behaviour = behaviourOf(spec);
  const out = new Float32Array(answerWidth(spec));
  const scales = behaviour.imageScales(spec).map(() => Number.NaN);
  const problem = behaviour.parseLabel(
    spec,
    cells.map((cell) => (cell === "" ? null : cell)),
    scales,
    out,
    0,
  );
  // what is filled must say something, else it would be lost without a word
  const isLost =
    problem === null && cells.every((cell) => cell !== "") && out.every((_, i) => Number.isNaN(f32At(out, i)));
  return isLost ? "is no label of the task" : problem;
}
