/** @file Reads settings: defaults filled in, and errors that name the key and the nearest known one. */
import { z } from "zod";
import { ConfigError, nearestNames, sentence, shorten } from "../errors.js";
import { type Settings, settingsSchema } from "./settings-schema.js";

export type { SettingsInput } from "./settings-input.js";
export type { Settings } from "./settings-schema.js";

/** The tables of the data, in the order of their rows. */
export function tablesOf({ table, tables = [] }: Settings["data"]): string[] {
  return [...(table === undefined ? [] : [table]), ...tables.map((source) => source.table)];
}

/**
 * @param where the file the settings come from, for messages
 * @throws ConfigError naming the file, the key, and the nearest known key
 */
export function parseSettings(input: unknown, where: string): Settings {
  const result = settingsSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, input));
  throw new ConfigError(sentence(`${where}: ${problems.map(({ text }) => text).join("; ")}`), {
    file: where,
    keys: problems.map(({ key }) => key),
  });
}

interface Problem {
  readonly key: string;
  readonly text: string;
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    return issue.keys.map((unknown) => {
      const key = [...path, unknown].join(".");
      if (known.includes(unknown)) {
        // of another way to write the same setting
        const others = Object.keys(Object(valueAt(input, issue.path))).filter((other) => !issue.keys.includes(other));
        const beside = others.map((other) => `"${[...path, other].join(".")}"`).join(", ");
        return { key, text: `"${key}" does not go with ${beside}; leave out one or the other` };
      }
      const [nearest] = nearestNames(unknown, known);
      const hint =
        nearest === undefined ? `known: ${known.join(", ")}` : `did you mean "${[...path, nearest].join(".")}"?`;
      return { key, text: `"${key}" is not a setting; ${hint}` };
    });
  }
  const options = optionsOf(issue);
  if (options.length > 0) return [notAmong(path, valueAt(input, issue.path), options)];
  if (issue.code === "invalid_union") {
    // the branch that matches best says what is wrong; "split" may be written in two ways
    const branches = issue.errors.map((errors) =>
      errors.flatMap((inner) =>
        describeIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, input),
      ),
    );
    return branches.sort((a, b) => a.length - b.length)[0] ?? [{ key: path.join("."), text: issue.message }];
  }
  const key = path.join(".");
  if (issue.code === "invalid_type" && valueAt(input, issue.path) === undefined) {
    const what = { array: "a list", object: "an object" }[issue.expected as string] ?? `a ${issue.expected}`;
    return [{ key, text: `"${key}" is missing; it is ${what}` }];
  }
  return [{ key, text: `"${key}" is wrong: ${issue.message}` }];
}

/** Values that an issue says may stand there; empty where it says none. */
function optionsOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === "invalid_value") return issue.values;
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options) ? issue.options : [];
}

function notAmong(path: readonly string[], value: unknown, options: readonly unknown[]): Problem {
  const key = path.join(".");
  const [nearest] = typeof value === "string" ? nearestNames(value, options.map(String)) : [];
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  const is = value === undefined ? "is missing" : `is ${shorten(JSON.stringify(value) ?? String(value))}`;
  return { key, text: `"${key}" ${is}; it may be ${options.map((one) => JSON.stringify(one)).join(" or ")}${hint}` };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}

/** Keys that may stand at a path, looked up in the schema. */
function knownKeys(path: readonly string[]): string[] {
  const schemas = path.reduce<z.core.$ZodType[]>(
    (level, key) => level.flatMap((schema) => childrenAt(schema, key)),
    [settingsSchema],
  );
  return [...new Set(schemas.flatMap(shapesOf).flatMap((shape) => Object.keys(shape)))];
}

const WRAPPERS = [z.ZodDefault, z.ZodPrefault, z.ZodNullable, z.ZodOptional] as const;

/** What may stand at one key of an object, or at one place of a list. */
function childrenAt(schema: z.core.$ZodType, key: string): z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.element as z.core.$ZodType];
  if (schema instanceof z.ZodOptional) return childrenAt(schema.def.innerType as z.core.$ZodType, key);
  return shapesOf(schema).flatMap((shape) => {
    const schemaAt = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return schemaAt === undefined ? [] : [schemaAt];
  });
}

function shapesOf(schema: z.core.$ZodType): Record<string, z.core.$ZodType>[] {
  if (schema instanceof z.ZodObject) return [schema.shape];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => shapesOf(option as z.core.$ZodType));
  if (WRAPPERS.some((Wrapper) => schema instanceof Wrapper)) {
    return shapesOf((schema as z.ZodOptional).def.innerType as z.core.$ZodType);
  }
  return [];
}
