/** @file Tables in memory, and projects made from them. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFiles as writeTexts } from "../support/folders.js";
import type { Table } from "../../src/data/tables/table.js";
import { type ColumnWishes, guessColumns } from "../../src/init/guess-columns.js";
import { clearRoles, planProject, writeProject } from "../../src/init/init-project.js";
import { openSource } from "../../src/init/source.js";

export const ROWS = 60;

/** A cell by its row. */
type Cells = Readonly<Record<string, (row: number) => unknown>>;

export function table(columns: Cells, rows = ROWS): Table {
  const cells = Object.entries(columns).map(
    ([name, of]) => [name, Array.from({ length: rows }, (_, row) => of(row))] as const,
  );
  return { rows, columns: new Map(cells), file: "labels.csv", baseDir: ".", firstLine: 2 };
}

/** Role of each column; the kind of those that are asked. */
export function rolesOf(columns: Cells, wishes: ColumnWishes = {}): Record<string, string> {
  return Object.fromEntries(
    guessColumns(table(columns), wishes).map((role) => [role.column, role.role === "task" ? role.kind : role.role]),
  );
}

export function csvOf(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string) =>
    /[",\n\r;]/.test(text) || text.trim() !== text ? `"${text.replaceAll('"', '""')}"` : text;
  return [names, ...rows].map((line) => `${line.map(cell).join(",")}\n`).join("");
}

/** A folder with these files. */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "cool-init-"));
  writeTexts(dir, files);
  return dir;
}

/** Makes a project in a folder, as `cool init --yes` does. */
export async function initIn(dir: string, path?: string, wishes: ColumnWishes = {}, force = false) {
  const source = await openSource({ path: path === undefined ? undefined : join(dir, path), projectDir: dir });
  const plan = await planProject(source, clearRoles(source, wishes));
  const files = await writeProject(dir, plan, { force });
  return { plan, files };
}
