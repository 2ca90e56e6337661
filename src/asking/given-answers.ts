/** @file Answers of known tasks: from the table that is asked about, or said for all inputs with `--given`. */
import { at } from "../arrays.js";
import { readLabels } from "../data/labels/labels.js";
import { selectLabels } from "../data/labels/select-labels.js";
import type { JoinedTables } from "../data/tables/tables.js";
import { DataError, UnknownNameError, UsageError } from "../errors.js";
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import type { AnswerColumn } from "../flow/masks.js";
import { behaviourOf } from "../tasks/index.js";

/** By path of task, or by its last part where that is unique. */
export type GivenAnswers = Readonly<Record<string, boolean>>;

/**
 * Parses `--given member=true`.
 * @throws UsageError for anything else
 */
export function parseGiven(assignments: readonly string[]): GivenAnswers {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [name = "", value = "", ...more] = assignment.split("=");
      const truth = { true: true, "1": true, false: false, "0": false }[value.trim().toLowerCase()];
      if (name === "" || truth === undefined || more.length > 0) {
        throw new UsageError(`--given ${assignment} is not name=true or name=false. Write e.g. --given member=true.`, {
          assignment,
        });
      }
      return [name, truth];
    }),
  );
}

function knownTasks({ tasks }: FlowGraph): TaskNode[] {
  return tasks.filter(({ spec }) => behaviourOf(spec).answeredBy === "table");
}

/**
 * What is given, by path of task.
 * @throws UnknownNameError for a name that is no known task
 */
export function resolveGiven(graph: FlowGraph, given: GivenAnswers): ReadonlyMap<string, boolean> {
  const tasks = knownTasks(graph);
  const byName = tasks.filter(({ name }) => tasks.filter((other) => other.name === name).length === 1);
  const paths = new Map([
    ...byName.map(({ name, path }) => [name, path] as const),
    ...tasks.map(({ path }) => [path, path] as const),
  ]);
  return new Map(
    Object.entries(given).map(([name, value]) => {
      const path = paths.get(name);
      if (path === undefined) {
        throw new UnknownNameError("known task", name, new Set(paths.values()), "--given", { exitCode: 2 });
      }
      return [path, value];
    }),
  );
}

/** The same answer in every row. */
export function constantAnswers(value: boolean, rows: number): AnswerColumn {
  return new Float32Array(rows).fill(value ? 1 : 0);
}

/**
 * Answers of the known tasks of a table without labels, but for those that are given.
 * @param kept rows of the tables that are used
 * @throws DataError if a task's column is missing, or a cell is no yes-or-no
 */
export function readKnown(
  graph: FlowGraph,
  joined: JoinedTables,
  kept: Int32Array,
  given: ReadonlyMap<string, boolean>,
): ReadonlyMap<string, AnswerColumn> {
  const tasks = knownTasks(graph).filter(({ path }) => !given.has(path));
  for (const task of tasks) assertColumn(task, joined);
  const labels = readLabels({ ...graph, tasks }, joined, null);
  return new Map(tasks.map(({ path, spec }, i) => [path, selectLabels(spec, at(labels, i), kept).answers]));
}

function assertColumn(task: TaskNode, { tables, file }: JoinedTables): void {
  const { column } = task.spec;
  const names = [...new Set([task.path, task.name, ...(typeof column === "string" ? [column] : [])])];
  if (tables.some((table) => names.some((name) => table.columns.has(name)))) return;
  throw new DataError(
    `${file} has no column for the known task "${task.path}": there is no ${names.map((name) => `"${name}"`).join(" and no ")}. Add it, or say it for all rows with --given ${task.path}=true.`,
    { file, task: task.path, tried: names },
  );
}
