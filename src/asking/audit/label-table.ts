/** @file The tables that a run was trained on as they are now: cells, labels, and where a sample stands in them. */
import { existsSync } from "node:fs";
import type { Cells } from "../../data/tables/cells.js";
import { resolve } from "node:path";
import { at } from "../../arrays.js";
import { withImpliedLabels } from "../../data/labels/implied-labels.js";
import { columnsOf, readLabels } from "../../data/labels/labels.js";
import { tokenSpans } from "../../data/labels/token-labels.js";
import { rowIds } from "../../data/inputs/table-inputs.js";
import { type JoinedTables, readTables, rowIn, type TableSource } from "../../data/tables/tables.js";
import { ConfigError } from "../../errors.js";
import { isPerElement, type TaskNode } from "../../flow/graph.js";
import type { RunningProject } from "../../project/project-dir.js";
import type { RunRecord } from "../../storage/run-record.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import { type StoredRun, storedPlaces } from "../stored-run.js";

/** Where a sample's row stands. */
export interface RowPlace {
  /** The table as the settings name it. */
  readonly table: string;
  /** From 1, not counting the header. */
  readonly row: number;
}

export interface LabelTable {
  readonly joined: JoinedTables;
  readonly sources: readonly TableSource[];
  /** Folder that the tables are relative to. */
  readonly projectDir: string;
  /** Per task of the graph, over all rows of all tables. */
  readonly labels: readonly Labels[];
  /** Name of each row. */
  readonly ids: readonly string[];
  /** Row of a sample among those of all tables. */
  readonly rowOf: ReadonlyMap<string, number>;
}

/** @throws DataError where a table is no longer there, or does not fit the run's flow, ConfigError as `tablesFolder` */
export async function readLabelTable(stored: StoredRun): Promise<LabelTable> {
  const { run, config, graph, project } = stored;
  const { data } = config.settings;
  const projectDir = tablesFolder(run, config.projectDir, project);
  const sources = [...(data.table === undefined ? [] : [{ table: data.table }]), ...(data.tables ?? [])];
  const joined = await readTables(sources, projectDir, { allow: data.allow });
  const ids = rowIds(joined, config.inputs);
  const spans = await tokenSpans(graph, config.inputs, joined, { projectDir, stored: storedPlaces(stored) });
  const read = readLabels(graph, joined, null, spans);
  const labels = data.impliedLabels ? withImpliedLabels(graph, read, spans?.offsets).labels : read;
  return { joined, sources, projectDir, labels, ids, rowOf: new Map(ids.map((id, row) => [id, row])) };
}

/**
 * The folder that a run's tables are relative to: the user's project, else the one that the run was trained in.
 * @throws ConfigError where that is not here, as of a run from another machine
 */
export function tablesFolder(
  run: Pick<RunRecord, "id" | "name">,
  trainedIn: string,
  project: Pick<RunningProject, "dir"> | null,
): string {
  if (project !== null) return project.dir;
  if (existsSync(trainedIn)) return trainedIn;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) was trained in ${trainedIn}, which is not here, and its tables were there. Name the folder that has them with --project.`,
    { run: run.id, project: trainedIn },
  );
}

export function placeOfRow({ joined, sources }: LabelTable, row: number): RowPlace {
  const found = rowIn(joined, row);
  return { table: at(sources, joined.tables.indexOf(found.table)).table, row: found.row + 1 };
}

/** A table's file. */
export function fileOf({ projectDir }: Pick<LabelTable, "projectDir">, table: string): string {
  return resolve(projectDir, table);
}

/** A column that holds labels of a task, as it is called in the file of a row, and its cells. */
export interface LabelColumn {
  readonly column: string;
  /** Of the row's table. */
  readonly cells: Cells;
  /** Row in the table, from 0. */
  readonly row: number;
}

/** Columns of a task in the table of a row; none where that table has no labels of it. */
export function labelColumnsAt({ joined, sources }: LabelTable, task: TaskNode, row: number): LabelColumn[] {
  const { table, row: own } = rowIn(joined, row);
  const index = joined.tables.indexOf(table);
  const aliases: Readonly<Record<string, string>> = at(sources, index).columns ?? {};
  return (columnsOf(task, joined)[index] ?? []).map((name) => ({
    column: aliases[name] ?? name,
    cells: table.columns.get(name) ?? [],
    row: own,
  }));
}

/** Whether labels of the task stand in cells that an audit reads: one label for each row. */
export function hasCells({ spec }: TaskNode): boolean {
  return !isPerElement(spec) && behaviourOf(spec).answeredBy === "network";
}

/** A cell as text, empty where it is missing. */
export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** Cells of a row for a person to read: a single one as it is, several behind the names of their columns. */
export function readableCells(columns: readonly string[], cellIn: (column: string) => unknown): string {
  const texts = columns.map((column) => ({ column, text: cellText(cellIn(column)) }));
  if (texts.length === 1) return texts.map(({ text }) => text).join("");
  return texts.map(({ column, text }) => `${column}: ${text === "" ? "–" : text}`).join(", ");
}
