/** @file The schema of settings → src/project/settings-input.ts: types with comments, which an editor shows. */
import type { z } from "zod";
import { described, settingsOf, typeText } from "./schema.js";

const HEADER = `/**
 * @file What a user may write as settings. Made of settings-schema.ts by \`npm run docs\`, since types that are inferred
 * from a schema carry no comments into an editor.
 */
`;

/** @param settings the schema of all settings */
export function settingsTypes(settings: z.core.$ZodType): string {
  return `${HEADER}
export interface SettingsInput ${objectType(settings)}\n`;
}

function objectType(schema: z.core.$ZodType): string {
  return `{\n${settingsOf(schema)
    .map(([name, setting]) => property(name, setting))
    .join("\n")}\n}`;
}

function property(name: string, setting: z.core.$ZodType): string {
  const { schema, description, optional, nullable, fallback } = described(setting);
  const shown = fallback === undefined || isObject(fallback) ? "" : ` Default: ${JSON.stringify(fallback)}.`;
  const comment = description === "" ? "" : `/** ${description}.${shown} */\n`;
  const type = typeText(schema, objectType) + (nullable ? " | null" : "") + (optional ? " | undefined" : "");
  return `${comment}${name}${optional ? "?" : ""}: ${type};`;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
