/** @file What a zod schema says of each setting, as the generated pages and types need it. */
import { z } from "zod";

/** A setting, or an object of settings, without what wraps it. */
export interface Described {
  readonly schema: z.core.$ZodType;
  readonly description: string;
  /** Whether it may be left out. */
  readonly optional: boolean;
  readonly nullable: boolean;
  /** undefined: none. */
  readonly fallback: unknown;
}

export function described(wrapped: z.core.$ZodType): Described {
  let schema = wrapped;
  let optional = false;
  let nullable = false;
  let fallback: unknown;
  let description = metaOf(schema).description ?? "";
  for (;;) {
    if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
      optional = true;
      fallback = schema.def.defaultValue;
    } else if (schema instanceof z.ZodOptional) optional = true;
    else if (schema instanceof z.ZodNullable) nullable = true;
    else return { schema, description, optional, nullable, fallback };
    schema = schema.def.innerType;
    description ||= metaOf(schema).description ?? "";
  }
}

interface Meta {
  readonly description?: string | undefined;
  /** TypeScript's type of a custom schema. */
  readonly type?: string | undefined;
}

function metaOf(schema: z.core.$ZodType): Meta {
  const { description, type } = z.globalRegistry.get(schema) ?? {};
  return { description, type: typeof type === "string" ? type : undefined };
}

/** Settings of an object, by name; empty for what is none. */
export function settingsOf(schema: z.core.$ZodType): [name: string, setting: z.core.$ZodType][] {
  return schema instanceof z.ZodObject ? Object.entries(schema.shape) : [];
}

/** What a schema may be one of; itself, if it is no union. */
export function choicesOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  return schema instanceof z.ZodUnion ? schema.options : [schema];
}

/**
 * TypeScript's type of a value.
 * @param object how objects of settings are written
 */
export function typeText(schema: z.core.$ZodType, object: (schema: z.core.$ZodType) => string): string {
  const type = (inner: z.core.$ZodType) => typeText(inner, object);
  const grouped = (inner: z.core.$ZodType) => (choicesOf(inner).length > 1 ? `(${type(inner)})` : type(inner));
  if (schema instanceof z.ZodObject) return object(schema);
  if (schema instanceof z.ZodUnion) return [...new Set(schema.options.map(type))].join(" | ");
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => JSON.stringify(option)).join(" | ");
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => JSON.stringify(value)).join(" | ");
  if (schema instanceof z.ZodArray) return `${grouped(schema.element)}[]`;
  if (schema instanceof z.ZodTuple) return `[${schema.def.items.map(type).join(", ")}]`;
  if (schema instanceof z.ZodRecord) return `Record<${type(schema.keyType)}, ${type(schema.valueType)}>`;
  if (schema instanceof z.ZodString) return "string";
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return type(schema.def.innerType);
  }
  if (schema instanceof z.ZodNullable) return `${type(schema.def.innerType)} | null`;
  const { type: named } = metaOf(schema);
  if (named === undefined) throw new Error(`A setting of kind ${schema._zod.def.type} has no .meta({ type }).`);
  return named;
}

/** The bounds of a number in words, e.g. `whole, > 0`; empty for what has none. */
export function boundsOf(schema: z.core.$ZodType): string {
  if (!(schema instanceof z.ZodNumber)) return "";
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = z.toJSONSchema(schema);
  const safe = (bound: number | undefined) => (Math.abs(bound ?? 0) === Number.MAX_SAFE_INTEGER ? undefined : bound);
  return [
    type === "integer" ? "whole" : "",
    ...[
      ["≥", minimum],
      [">", exclusiveMinimum],
      ["≤", maximum],
      ["<", exclusiveMaximum],
    ].map(([sign, bound]) => (typeof bound === "number" && safe(bound) !== undefined ? `${sign} ${bound}` : "")),
  ]
    .filter((text) => text !== "")
    .join(", ");
}
