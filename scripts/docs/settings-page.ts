/** @file The schema of settings → docs/settings.md. */
import { z } from "zod";
import { boundsOf, choicesOf, described, settingsOf, typeText } from "./schema.js";

const HEADER = `# Settings

<!-- made of src/project/settings-schema.ts by \`npm run docs\` -->

What \`defineProject\` takes under \`data\`, \`train\`, \`tune\`, \`evaluate\` and \`log\`. Every setting may be given on the command
line: \`cool run --set train.batchSize=64\`. A setting without a default may be left out, or is optional where it says so.
`;

/** @param settings the schema of all settings */
export function settingsPage(settings: z.core.$ZodType): string {
  const sections = settingsOf(settings).map(([name, setting]) => {
    const { schema, description } = described(setting);
    return `## ${name}\n\n${description}.\n\n${table(name, schema)}`;
  });
  return `${[HEADER, ...sections].join("\n")}`;
}

function table(path: string, schema: z.core.$ZodType): string {
  const rows = [["setting", "type", "default", "meaning"], ["---", "---", "---", "---"], ...rowsOf(path, schema)];
  return `${rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")}\n`;
}

/** The settings of an object, each followed by those within it. */
function rowsOf(path: string, object: z.core.$ZodType): string[][] {
  return settingsOf(object).flatMap(([name, setting]) => {
    const { schema, description, optional, nullable, fallback } = described(setting);
    const here = `${path}.${name}`;
    const bounds = boundsOf(schema);
    const type = `\`${typeText(schema, () => "{ … }")}${nullable ? " | null" : ""}\`${bounds === "" ? "" : `, ${bounds}`}`;
    const shown = fallback === undefined ? (optional ? "" : "required") : `\`${literal(fallback)}\``;
    return [[`\`${here}\``, type, shown, description], ...innerRows(here, schema)];
  });
}

function innerRows(path: string, schema: z.core.$ZodType): string[][] {
  if (schema instanceof z.ZodArray) return rowsOf(`${path}[]`, schema.element);
  const kinds = choicesOf(schema).filter((choice) => choice instanceof z.ZodObject);
  return kinds.flatMap((choice) => {
    const rows = rowsOf(path, choice);
    const kind = kindOf(choice);
    // the settings of one kind say so
    return kind === undefined
      ? rows
      : rows.map(([setting = "", type = "", shown = "", meaning = ""]) => [
          setting,
          type,
          shown,
          setting.endsWith(".kind`") ? meaning : `${kind}: ${meaning}`,
        ]);
  });
}

function kindOf(choice: z.core.$ZodType): string | undefined {
  const kind = settingsOf(choice).find(([name]) => name === "kind")?.[1];
  return kind instanceof z.ZodLiteral ? String(kind.value) : undefined;
}

/** A default as it is written in a configuration. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${literal(inner)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}
