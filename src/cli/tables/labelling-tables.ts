/** @file Cells to label next, as tables for the terminal. */
import type { Described } from "../../tasks/index.js";
import { shortNames } from "../../tasks/short-names.js";
import { answerText } from "./audit-tables.js";
import { drawTable, groupByFlow } from "./tables.js";

/** How much is asked for of a task. */
export interface AskedTaskLine {
  readonly task_path: string;
  readonly cells: number;
  readonly labels: number;
  readonly error_rate: number;
}

export function askedTasksTable(tasks: readonly AskedTaskLine[]): string {
  const rows = tasks.map(({ task_path, cells, labels, error_rate }) => ({
    path: task_path,
    cells: [String(labels), `${(100 * error_rate).toFixed(1)} %`, String(cells)],
  }));
  return drawTable(["task", "labels", "wrong", "asked for"], groupByFlow(rows), [1, 2, 3]);
}

/** A cell to label. */
export interface AskedCellLine {
  readonly sample: string;
  readonly task_path: string;
  readonly bundle: number;
  readonly given: string | null;
  readonly asked: number;
  readonly predicted: Described;
}

export function askedCellsTable(cells: readonly AskedCellLine[], paths: readonly string[]): string {
  const short = shortNames(paths);
  const rows = cells.map(({ sample, task_path, bundle, given, asked, predicted }, i) => [
    // what is asked together stands together
    cells[i - 1]?.bundle === bundle ? "" : sample,
    short.get(task_path) ?? task_path,
    given === null ? "" : `if ${[...short].reduce((text, [path, name]) => text.replaceAll(path, name), given)}`,
    asked.toFixed(2),
    answerText(predicted),
  ]);
  return drawTable(["sample", "task", "given", "asked", "predicted"], rows, [3]);
}
