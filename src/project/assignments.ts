/** @file Settings that are given as `key=value`, by `--set` and by programs. */
import { UsageError } from "../errors.js";

type Values = Record<string, unknown>;

/**
 * Applies `--set train.batchSize=64` to what the user wrote.
 * @param assignments `key=value`; the value is JSON, or else a string
 */
export function applyAssignments(input: object, assignments: readonly string[]): Values {
  const changed: Values = { ...input };
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at <= 0) {
      throw new UsageError(`--set ${assignment} is not key=value. Write e.g. --set train.batchSize=64.`, {
        assignment,
      });
    }
    assign(changed, assignment.slice(0, at).split("."), parseValue(assignment.slice(at + 1)));
  }
  return changed;
}

/** Objects on the way are copied, since what the user wrote may be in use elsewhere. */
function assign(target: Values, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    define(target, key, value);
    return;
  }
  const inner = Object.hasOwn(target, key) ? target[key] : undefined;
  const copy: Values = typeof inner === "object" && inner !== null ? { ...inner } : {};
  define(target, key, copy);
  assign(copy, rest, value);
}

/** A key of its own, also where it is called `__proto__`: the schema then says that there is no such setting. */
function define(target: Values, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
