/** @file The files that are made of the code and committed; a test compares them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settingsSchema } from "../../src/project/settings-schema.js";
import { commandsPage, type Manifest } from "./commands-page.js";
import { settingsPage } from "./settings-page.js";
import { settingsTypes } from "./settings-types.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface GeneratedFile {
  readonly file: string;
  readonly text: string;
}

/** What is made of the settings' schema. */
export function settingsFiles(): GeneratedFile[] {
  const types = join(root, "src", "project", "settings-input.ts");
  return [
    { file: types, text: formatted(types, settingsTypes(settingsSchema)) },
    { file: join(root, "docs", "settings.md"), text: settingsPage(settingsSchema) },
  ];
}

/** What is made of the built command line. */
export function commandFiles(): GeneratedFile[] {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8"));
  return [{ file: join(root, "docs", "commands.md"), text: commandsPage(manifest) }];
}

export function generatedFiles(): GeneratedFile[] {
  return [...settingsFiles(), ...commandFiles()];
}

/** As the project's formatter lays it out. */
function formatted(file: string, text: string): string {
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  return execFileSync(process.execPath, [biome, "format", `--stdin-file-path=${file}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
  });
}
