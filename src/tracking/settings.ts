/** @file Settings of another program, checked before they are stored: what has no JSON is named, and not a crash. */
import { UsageError } from "../errors.js";

/**
 * Functions and undefined are left out where they are stored, and need no error.
 * @throws UsageError for what is no object, a bigint, and an object that holds itself
 */
export function checkedSettings(
  call: string,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UsageError(`${call} takes settings by name, e.g. { learningRate: 0.1 }.`);
  }
  check(call, "", values, []);
  return values;
}

function check(call: string, key: string, value: unknown, above: readonly object[]): void {
  if (typeof value === "bigint") throw unfit(call, key, "a bigint; give a number or a text");
  if (typeof value !== "object" || value === null) return;
  if (above.includes(value)) throw unfit(call, key, "an object that holds itself");
  if ("toJSON" in value || ArrayBuffer.isView(value)) return;
  for (const [name, part] of Object.entries(value)) {
    check(call, key === "" ? name : `${key}.${name}`, part, [...above, value]);
  }
}

function unfit(call: string, key: string, what: string): UsageError {
  return new UsageError(`${call}: the setting "${key.slice(0, 60)}" is ${what}.`, { key });
}
