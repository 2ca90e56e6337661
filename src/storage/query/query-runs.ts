/** @file Runs by condition, order and columns of choice: one SQL statement with bound parameters. */
import { at } from "../../arrays.js";
import { UsageError } from "../../errors.js";
import { parseValue } from "../tables/config-values.js";
import type { Database } from "../database/database.js";
import type { RunRecord, RunState } from "../run-record.js";
import { crashedRuns, NEWEST_FIRST, selectRuns } from "../tables/runs.js";
import { fieldNames } from "./ast.js";
import { type CompiledSql, Compiler } from "./compile.js";
import type { Field } from "./fields.js";
import { parseCondition } from "./parse.js";
import { parseTime } from "./time.js";

/** Which runs, in which order, with which values beside them; nothing given: all, newest first. */
export interface RunsQuery {
  /** A condition, e.g. `valid/door_open/f1_score > 0.9 and train.batchSize in (16, 32)`. */
  readonly where?: string | undefined;
  /** Started at or after: a date, or an age such as `2 days`. */
  readonly since?: string | undefined;
  /** All of these. */
  readonly tags?: readonly string[] | undefined;
  /** Any of these, as shown. */
  readonly states?: readonly RunState[] | undefined;
  /** Fields, each with `:asc` (default) or `:desc`; runs without a value come last. */
  readonly sort?: readonly string[] | undefined;
  /** Fields to read. */
  readonly columns?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Default `live`: those that are not in the trash. */
  readonly trash?: "live" | "only" | "all";
}

export interface QueriedRun {
  readonly run: RunRecord;
  /** Of the query's columns, by their names. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** @throws UsageError for a condition, order or column that cannot be understood */
export function queryRuns(database: Database, now: Date, query: RunsQuery): QueriedRun[] {
  const { columns = [], limit } = query;
  const { condition, order, shown, parameters } = compiled(database, now, query);
  const runs = selectRuns(database, now, { condition, order, limit, parameters });
  if (columns.length === 0) return runs.map((run) => ({ run, values: {} }));
  const values = columnValues(database, shown, columns, {
    sql: limit === undefined ? condition : "runs.id IN (SELECT value FROM json_each(@ids))",
    parameters: { ...parameters, ids: JSON.stringify(runs.map(({ id }) => id)) },
  });
  return runs.map((run) => ({ run, values: values.get(run.id) ?? {} }));
}

/** Ids alone, in the order of the query: what pages are cut from. */
export function queryOrder(database: Database, now: Date, query: RunsQuery): string[] {
  const { condition, order, parameters } = compiled(database, now, query);
  const sql = `SELECT id FROM runs WHERE ${condition} ORDER BY ${order} LIMIT @limit`;
  return database.all<{ id: string }>(sql, { ...parameters, limit: query.limit ?? -1 }).map(({ id }) => id);
}

/** Runs of these ids, in their order; those that are gone are left out. */
export function runsOf(
  database: Database,
  now: Date,
  ids: readonly string[],
  columns: readonly string[],
): QueriedRun[] {
  const compiler = new Compiler(database, now);
  const shown = columns.map((name) => compiler.value(name, name));
  const parameters = { ...compiler.parameters, ...crashedNow(database, now), ids: JSON.stringify(ids) };
  const condition = "runs.id IN (SELECT value FROM json_each(@ids))";
  const runs = new Map(selectRuns(database, now, { condition, parameters }).map((run) => [run.id, run]));
  const values =
    columns.length === 0 ? undefined : columnValues(database, shown, columns, { sql: condition, parameters });
  return ids.flatMap((id) => {
    const run = runs.get(id);
    return run === undefined ? [] : [{ run, values: values?.get(id) ?? {} }];
  });
}

function compiled(database: Database, now: Date, query: RunsQuery) {
  const compiler = new Compiler(database, now);
  const condition = [TRASH[query.trash ?? "live"], ...conditions(compiler, query, now)].join(" AND ");
  const order = [...(query.sort ?? []).map((key) => orderBy(compiler, key)), NEWEST_FIRST].join(", ");
  const shown = (query.columns ?? []).map((name) => compiler.value(name, name));
  const parameters = { ...compiler.parameters, ...crashedNow(database, now) };
  return { condition, order, shown, parameters };
}

/** What the field `state` is told by. */
function crashedNow(database: Database, now: Date): { readonly crashed: string } {
  return { crashed: JSON.stringify(crashedRuns(database, now)) };
}

const TRASH = { live: "runs.deleted_at IS NULL", only: "runs.deleted_at IS NOT NULL", all: "TRUE" } as const;

function conditions(compiler: Compiler, { where, since, tags = [], states = [] }: RunsQuery, now: Date): string[] {
  const literal = (value: string) => ({ value, at: 0 });
  const field = (name: string) => ({ name, at: 0 });
  return [
    ...(where === undefined ? [] : [compiler.condition(where, parseCondition(where))]),
    ...(since === undefined
      ? []
      : [
          compiler.condition(since, {
            kind: "compare",
            field: field("started"),
            operator: ">=",
            literal: literal(sinceTime(since, now)),
          }),
        ]),
    ...tags.map((tag) =>
      compiler.condition(tag, { kind: "compare", field: field("tag"), operator: "=", literal: literal(tag) }),
    ),
    ...(states.length === 0
      ? []
      : [compiler.condition("", { kind: "in", field: field("state"), literals: states.map(literal) })]),
  ];
}

function sinceTime(since: string, now: Date): string {
  const time = parseTime(since, now);
  if (time !== null) return time.toISOString();
  throw new UsageError(`--since ${since} is no time. Write an age ("2 days", 90m) or a date (2026-11-23).`, { since });
}

/** Names of the fields by which a query chooses and orders runs, each once. */
export function askedFields({ where, sort = [] }: RunsQuery): string[] {
  const conditions = where === undefined ? [] : fieldNames(parseCondition(where));
  return [...new Set([...sort.map((key) => sortKey(key).name), ...conditions])];
}

function sortKey(key: string): { readonly name: string; readonly direction: string } {
  const [, name = key, direction = "asc"] = /^(.*):(asc|desc)$/i.exec(key) ?? [];
  return { name, direction };
}

function orderBy(compiler: Compiler, key: string): string {
  const { name, direction } = sortKey(key);
  return `${compiler.value(key, name).order} ${direction.toUpperCase()} NULLS LAST`;
}

function columnValues(
  database: Database,
  shown: readonly { readonly field: Field; readonly shown: string }[],
  names: readonly string[],
  { sql, parameters }: CompiledSql,
): Map<string, Readonly<Record<string, unknown>>> {
  const selected = shown.map((column, i) => `${column.shown} AS c${i}`).join(", ");
  const rows = database.all<Readonly<Record<string, unknown>>>(
    `SELECT id, ${selected} FROM runs WHERE ${sql}`,
    parameters,
  );
  return new Map(
    rows.map((row) => [
      String(row.id),
      Object.fromEntries(shown.map(({ field }, i) => [at(names, i), cellOf(field, row[`c${i}`])])),
    ]),
  );
}

/** The value as its field's type has it. */
function cellOf(field: Field, cell: unknown): unknown {
  if (cell === null || cell === undefined) return null;
  if (field.kind === "column" && field.type === "boolean") return cell === 1;
  if (field.kind !== "value") return cell;
  const [type = "", ...value] = String(cell).split(":");
  return parseValue({ type: type as Parameters<typeof parseValue>[0]["type"], value: value.join(":") });
}
