/** @file Settings of another program as JSON can hold them: what it has no word for is put into its words, or named. */
import { UsageError } from "../errors.js";

type Settings = Readonly<Record<string, unknown>>;

/**
 * Typed arrays and sets become lists, maps objects, dates ISO 8601, big integers numbers where they are exact and else
 * texts; within lists NaN and the infinities are texts. Functions and undefined are left out.
 * @throws UsageError for what is no object, and for an object that holds itself
 */
export function checkedSettings(call: string, values: Settings): Settings {
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UsageError(`${call} takes settings by name, e.g. { learningRate: 0.1 }.`);
  }
  return entriesOf(call, "", isMap(values) ? values : Object.entries(values), [values]);
}

function plain(call: string, key: string, value: unknown, above: readonly object[]): unknown {
  if (typeof value === "bigint") return bigNumber(value);
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) {
    throw new UsageError(`${call}: the setting "${key.slice(0, 60)}" is an object that holds itself.`, { key });
  }
  const around = [...above, value];
  const list = listOf(value);
  if (list !== null) return list.map((part, i) => inList(plain(call, `${key}.${i}`, part, around)));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof RegExp || value instanceof Error || value instanceof URL) return String(value);
  if (isMap(value)) return entriesOf(call, key, value, around);
  if ("toJSON" in value && typeof value.toJSON === "function") return plain(call, key, value.toJSON(), around);
  return entriesOf(call, key, Object.entries(value), around);
}

function entriesOf(
  call: string,
  key: string,
  entries: Iterable<readonly [unknown, unknown]>,
  above: readonly object[],
): Record<string, unknown> {
  return Object.fromEntries(
    [...entries].map(([name, part]) => [
      String(name),
      plain(call, key === "" ? String(name) : `${key}.${String(name)}`, part, above),
    ]),
  );
}

function listOf(value: object): readonly unknown[] | null {
  if (Array.isArray(value) || value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as Iterable<unknown>);
  return null;
}

/** JSON has neither NaN nor the infinities. */
function inList(value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function bigNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function isMap(value: object): value is Map<unknown, unknown> {
  return value instanceof Map;
}
