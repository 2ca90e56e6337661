/** @file Two tasks that would read one label column only because their flows use the same name. */
import { DataError } from "../../errors.js";
import type { FlowGraph, TaskNode } from "../../flow/graph.js";
import type { JoinedTables } from "../tables/tables.js";

/**
 * Tasks of different flows may share a name; the labels of one are then easily taken for those of the other. A column
 * that tasks name themselves, by path or by their `column` option, may be shared.
 * @param columns of each task and table, as they were found; null where a table has none
 * @throws DataError that names the flows, the tasks and the way out
 */
export function assertOwnColumns(
  tasks: FlowGraph["tasks"],
  columns: readonly (readonly (readonly string[] | null)[])[],
  joined: JoinedTables,
): void {
  joined.tables.forEach((table, t) => {
    const readers = new Map<string, TaskNode>();
    tasks.forEach((task, i) => {
      for (const column of columns[i]?.[t] ?? []) {
        const other = readers.get(column);
        if (other === undefined) readers.set(column, task);
        else if (byNameAlone(task, column) || byNameAlone(other, column)) {
          throw sharedError(other, task, column, table.file);
        }
      }
    });
  });
}

function byNameAlone({ path, spec }: TaskNode, column: string): boolean {
  return path !== column && ![spec.column].flat().includes(column);
}

function sharedError(a: TaskNode, b: TaskNode, column: string, file: string): DataError {
  const names = [a, b].map(({ path }) => `"${path}"`);
  const flows = [a, b].map(({ path }) =>
    path.includes(".") ? `"${path.slice(0, path.lastIndexOf("."))}"` : "the main flow",
  );
  return new DataError(
    `The tasks ${names.join(" and ")}, which ${flows.join(" and ")} both call "${column}", would read the same column "${column}" of ${file}. Give each a column of its own, named ${names.join(" and ")}; or, if one column labels both, say so in the task's options: column: "${column}".`,
    { file, column, tasks: [a.path, b.path] },
  );
}
