/** @file The group that a run belongs to, copied with it from one store into another. */
import { StoreError } from "../errors.js";
import type { BoundValues, Database } from "./database/database.js";
import { withinConstraints } from "./database/store-errors.js";
import { checkedName, checkedRunName, isRunId } from "./run-record.js";
import { freeName } from "./tables/groups.js";

type Row = Readonly<Record<string, string | number | null>>;

/**
 * Puts a copied run into its group, which comes along with what its runs come to together where the store lacks it.
 * To be called within `write` of the target, after the run is there. Nothing where the run is in no group.
 * @throws StoreError where a row could not have been written by dnn-cool, or another run has its place in the group
 */
export function copyGroup(source: Database, target: Database, runId: string): void {
  const membership = source.get<{ id: string; position: number }>(
    "SELECT group_id AS id, position FROM group_runs WHERE run_id = @runId",
    { runId },
  );
  if (membership === undefined) return;
  const { id, position } = membership;
  if (target.get("SELECT 1 FROM run_groups WHERE id = @id", { id }) === undefined) addGroup(source, target, id);
  const there = target.get<{ run: string }>(
    "SELECT run_id AS run FROM group_runs WHERE group_id = @id AND position = @position",
    { id, position },
  );
  if (there !== undefined) {
    throw new StoreError(`its place ${position} in the group ${id} belongs to the run ${there.run}.`, { group: id });
  }
  target.run("INSERT INTO group_runs (group_id, run_id, position) VALUES (@id, @runId, @position)", {
    id,
    runId,
    position,
  });
  const trial = source.get<Row>("SELECT * FROM trials WHERE group_id = @id AND number = @position", { id, position });
  if (trial === undefined) return;
  target.run("DELETE FROM trials WHERE group_id = @id AND number = @position", { id, position });
  insert(target, "trials", trial);
}

function addGroup(source: Database, target: Database, id: string): void {
  const group = source.get<Row>("SELECT * FROM run_groups WHERE id = @id", { id });
  if (group === undefined || !isRunId(id)) {
    throw new StoreError(`its group ${JSON.stringify(id.slice(0, 60))} is not one as dnn-cool writes it.`, { id });
  }
  const { name, project, planned, created_at: createdAt, ended_at: endedAt } = group;
  checkedName("name of a project", String(project));
  const times = [createdAt, ...(endedAt === null ? [] : [endedAt])];
  if (!Number.isSafeInteger(planned) || times.some((time) => Number.isNaN(Date.parse(String(time))))) {
    throw new StoreError(`its group ${id} is not one as dnn-cool writes it.`, { id });
  }
  insert(target, "run_groups", { ...group, name: freeName(target, checkedRunName(String(name))) });
  const study = source.get<Row>("SELECT * FROM studies WHERE group_id = @id", { id });
  if (study !== undefined) insert(target, "studies", study);
  const rows = source.all<Row>("SELECT * FROM group_evaluation WHERE group_id = @id ORDER BY seq", { id });
  // rows are numbered anew in every store
  for (const { seq: _, ...row } of rows) insert(target, "group_evaluation", row);
}

function insert(
  target: Database,
  table: "run_groups" | "group_evaluation" | "studies" | "trials",
  row: BoundValues,
): void {
  const columns = target
    .all<{ name: string }>("SELECT name FROM pragma_table_info(@table)", { table })
    .map(({ name }) => name)
    .filter((name) => Object.hasOwn(row, name));
  const values = columns.map((name) => `@${name}`).join(", ");
  withinConstraints(table, () => target.run(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values})`, row));
}
