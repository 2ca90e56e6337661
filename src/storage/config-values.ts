/** @file The table run_config: a nested configuration as typed values under flat keys. */
import type { Database } from "./database.js";

/** A value of a flat configuration: nested objects are opened up, lists and empty objects kept whole. */
export type ConfigValue = string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>;

/** Flat keys (`train.optimizer.learningRate`) and their values. */
export type FlatConfig = Readonly<Record<string, ConfigValue>>;

interface ConfigRow {
  readonly key: string;
  readonly type: "number" | "string" | "boolean" | "null" | "json";
  readonly value: string;
}

/** Stores the configuration of a new run; to be called within `write`. */
export function insertConfig(database: Database, runId: string, config: Readonly<Record<string, unknown>>): void {
  const rows = flatten(config).map((row) => ({ runId, ...row }));
  database.runEach("INSERT INTO run_config (run_id, key, type, value) VALUES (@runId, @key, @type, @value)", rows);
}

export function readConfig(database: Database, runId: string): FlatConfig {
  const rows = database.all<ConfigRow>("SELECT key, type, value FROM run_config WHERE run_id = @runId ORDER BY key", {
    runId,
  });
  return Object.fromEntries(rows.map((row) => [row.key, parse(row)]));
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

function parse({ type, value }: ConfigRow): ConfigValue {
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
