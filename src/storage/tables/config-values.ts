/** @file The tables run_config and run_environment: nested records as typed values under flat keys. */
import { insertion } from "./columns.js";
import type { Database } from "../database/database.js";

/** A value of a flat configuration: nested objects are opened up, lists and empty objects kept whole. */
export type ConfigValue = string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>;

/** Flat keys (`train.optimizer.learningRate`) and their values. */
export type FlatConfig = Readonly<Record<string, ConfigValue>>;

/** A value as it is stored. */
export interface ConfigRow {
  readonly key: string;
  readonly type: "number" | "string" | "boolean" | "null" | "json";
  readonly value: string;
}

/** What changed a setting: `--set key=value`, or a flag of its own such as `--epochs`. */
export type ConfigChange = "set" | "flag";

/**
 * Stores the configuration of a new run; to be called within `write`.
 * @param changes by key; the key of an object stands for all keys in it
 */
export function insertConfig(
  database: Database,
  runId: string,
  config: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, ConfigChange>> = {},
): void {
  const rows = flatten(config).map((row) => ({ runId, ...row, changedBy: changeOf(row.key, changes) }));
  database.runEach(insertion("run_config", ["runId", "key", "type", "value", "changedBy"]), rows);
}

/** Adds values to those of a stored run, or changes them; to be called within `write`. */
export function addConfig(database: Database, runId: string, config: Readonly<Record<string, unknown>>): void {
  const rows = flatten(config).map((row) => ({ runId, ...row }));
  database.runEach(
    `${insertion("run_config", ["runId", "key", "type", "value"])}
     ON CONFLICT (run_id, key) DO UPDATE SET type = excluded.type, value = excluded.value`,
    rows,
  );
}

/** Changes a setting of a stored run; to be called within `write`. */
export function changeSetting(database: Database, runId: string, key: string, value: number): void {
  database.run(
    "UPDATE run_config SET type = 'number', value = @value, changed_by = 'flag' WHERE run_id = @runId AND key = @key",
    { runId, key, value: String(value) },
  );
}

export function readConfig(database: Database, runId: string): FlatConfig {
  return readValues(database, "run_config", runId);
}

/** The settings that were not as the project has them, with what changed them. */
export function readConfigChanges(database: Database, runId: string): Readonly<Record<string, ConfigChange>> {
  const rows = database.all<{ key: string; changedBy: ConfigChange }>(
    "SELECT key, changed_by AS changedBy FROM run_config WHERE run_id = @runId AND changed_by NOT NULL ORDER BY key",
    { runId },
  );
  return Object.fromEntries(rows.map(({ key, changedBy }) => [key, changedBy]));
}

/** Stores the environment of a run in the place of an earlier one; to be called within `write`. */
export function replaceEnvironment(
  database: Database,
  runId: string,
  environment: Readonly<Record<string, unknown>>,
): void {
  database.run("DELETE FROM run_environment WHERE run_id = @runId", { runId });
  const rows = flatten(environment).map((row) => ({ runId, ...row }));
  database.runEach(insertion("run_environment", ["runId", "key", "type", "value"]), rows);
}

export function readEnvironment(database: Database, runId: string): FlatConfig {
  return readValues(database, "run_environment", runId);
}

function readValues(database: Database, table: "run_config" | "run_environment", runId: string): FlatConfig {
  const rows = database.all<ConfigRow>(`SELECT key, type, value FROM ${table} WHERE run_id = @runId ORDER BY key`, {
    runId,
  });
  return Object.fromEntries(rows.map((row) => [row.key, parseValue(row)]));
}

function changeOf(key: string, changes: Readonly<Record<string, ConfigChange>>): ConfigChange | null {
  const changed = Object.keys(changes).find(
    (prefix) => key === prefix || key.startsWith(`${prefix}.`) || key.startsWith(`${prefix}[`),
  );
  return changed === undefined ? null : (changes[changed] ?? null);
}

/** A nested configuration under flat keys, as it is stored. */
export function flatConfig(config: Readonly<Record<string, unknown>>): FlatConfig {
  return Object.fromEntries(flatten(config).map((row) => [row.key, parseValue(row)]));
}

/** What has no value in JSON (undefined, functions) is left out. */
function flatten(config: Readonly<Record<string, unknown>>, prefix = ""): ConfigRow[] {
  return Object.entries(config).flatMap(([name, value]) => {
    const key = join(prefix, name);
    if (isPlainObject(value) && Object.keys(value).length > 0) return flatten(value, key);
    const row = toRow(key, value);
    return row === undefined ? [] : [row];
  });
}

/** `a.b`; a name with dots or brackets of its own is quoted, so that no two values share a key: `a["x.y"]`. */
function join(prefix: string, name: string): string {
  if (/[.[\]]/.test(name) || name === "") return `${prefix}[${JSON.stringify(name)}]`;
  return prefix === "" ? name : `${prefix}.${name}`;
}

function toRow(key: string, value: unknown): ConfigRow | undefined {
  if (value === null) return { key, type: "null", value: "null" };
  // String, not JSON: NaN and Infinity are numbers too
  if (typeof value === "number") return { key, type: "number", value: String(value) };
  if (typeof value === "boolean") return { key, type: "boolean", value: String(value) };
  if (typeof value === "string") return { key, type: "string", value };
  const json: string | undefined = JSON.stringify(value);
  return json === undefined ? undefined : { key, type: "json", value: json };
}

export function parseValue({ type, value }: Pick<ConfigRow, "type" | "value">): ConfigValue {
  switch (type) {
    case "null":
      return null;
    case "number":
      return Number(value);
    case "boolean":
      return value === "true";
    case "string":
      return value;
    case "json":
      return JSON.parse(value) as ConfigValue;
    default:
      return type satisfies never;
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
