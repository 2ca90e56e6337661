/** @file How much each row counts in training: the cells of `data.weight`. */
import { at } from "../../arrays.js";
import { DataError } from "../../errors.js";
import { isMissing } from "../../tasks/behaviour.js";
import { columnHint } from "../tables/table.js";
import { type BadCell, badCellsError, type JoinedTables } from "../tables/tables.js";

/**
 * Weights of all rows of all tables. Rows of a table without the column count 1.
 * @throws DataError where no table has the column, a cell is no number from 0 up, or no row of train counts
 */
export function readRowWeights(joined: JoinedTables, column: string, train: Int32Array): Float32Array {
  assertColumn(joined, column);
  const weights = new Float32Array(joined.rows).fill(1);
  const bad: BadCell[] = [];
  joined.tables.forEach((table, t) => {
    const first = at(joined.firstRows, t);
    table.columns.get(column)?.forEach((cell, row) => {
      const weight = isMissing(cell) || typeof cell === "object" ? Number.NaN : Number(cell);
      if (weight >= 0 && weight < Infinity) weights[first + row] = weight;
      else bad.push({ table, row, column, cell, reason: REASON, reader: { kind: "setting", name: "data.weight" } });
    });
  });
  if (bad.length > 0) throw badCellsError(joined, bad, "weight");
  if (train.length > 0 && !train.some((row) => at(weights, row) > 0)) {
    throw new DataError(
      `No row of the train split counts: the column "${column}" (data.weight) is 0 in all of them. Give some a weight above 0.`,
      { column, trainRows: train.length },
    );
  }
  return weights;
}

const REASON = "is no weight; write a number from 0 (counts for nothing) up";

function assertColumn({ tables, file }: JoinedTables, column: string): void {
  const [first] = tables;
  if (first === undefined || tables.some((table) => table.columns.has(column))) return;
  throw new DataError(`${file} has no column "${column}" for the setting data.weight. ${columnHint(first, [column])}`, {
    file,
    column,
    columns: [...first.columns.keys()],
  });
}
