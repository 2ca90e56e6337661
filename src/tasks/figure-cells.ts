/** @file Label cells and columns of tasks that are figures on the picture. */
import { isMissing } from "./behaviour.js";
import { duplicateOf } from "./names.js";

/** A cell as a number, NaN where it is missing, or what is wrong with it. */
export function numberCell(cell: unknown): number | string {
  if (isMissing(cell)) return Number.NaN;
  const value = typeof cell === "number" ? cell : Number(String(cell).trim());
  return Number.isFinite(value) ? value : "is not a number; write a number or leave it empty";
}

/** Problem with the columns of a label of several numbers. @param names what the numbers are, in their order */
export function problemWithColumns(columns: readonly string[], names: readonly string[]): string | null {
  const wanted = `its columns in the order ${names.join(", ")}`;
  if (columns.length !== names.length) return `has ${columns.length} columns; name ${names.length}, ${wanted}`;
  const bad = columns.find((column) => typeof column !== "string" || column === "");
  if (bad !== undefined) return `has the column ${JSON.stringify(bad)}; name ${wanted}`;
  const twice = duplicateOf(columns);
  return twice === undefined ? null : `names the column "${twice}" twice; name ${wanted}`;
}
