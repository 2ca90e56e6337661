/** @file The files that are made of the code and committed; a test compares them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settingsSchema } from "../../src/project/settings-schema.js";
import { commandsPage, type Manifest } from "./commands-page.js";
import { settingsPage } from "./settings-page.js";
import { settingsTypes } from "./settings-types.js";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface GeneratedFile {
  /** From the root. */
  readonly file: string;
  readonly text: string;
}

/** What is made of the settings' schema. */
export function settingsFiles(): GeneratedFile[] {
  return [
    formatted("src/project/settings-input.ts", settingsTypes(settingsSchema)),
    formatted("docs/settings.md", settingsPage(settingsSchema)),
  ];
}

/** What is made of the built command line. */
export function commandFiles(): GeneratedFile[] {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8"));
  return [formatted("docs/commands.md", commandsPage(manifest))];
}

export function generatedFiles(): GeneratedFile[] {
  return [...settingsFiles(), ...commandFiles()];
}

/** As the project's formatter lays it out. */
function formatted(file: string, text: string): GeneratedFile {
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  const laidOut = execFileSync(process.execPath, [biome, "format", `--stdin-file-path=${file}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
  });
  return { file, text: laidOut };
}
