/** @file The example with wrong labels, as a project of its own: what audits are measured on. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generateDataset, LABEL_COLUMNS } from "../../examples/home-security/generate.js";
import { readTable } from "../../src/data/tables/table.js";
import { ROOT } from "../report.js";
import { type Corrupted, injectNoise, type NoiseKind, type TextRow } from "./noise.js";

/** Which cells of a folder's table are wrong. */
export interface NoisyExample {
  readonly folder: string;
  readonly corrupted: readonly Corrupted[];
}

/** Draws the pictures and writes a table with noise; a folder that has its table stays as it is. */
export async function noisyExample(
  folder: string,
  options: {
    readonly count: number;
    readonly share: number;
    readonly kinds: readonly NoiseKind[];
    readonly seed: string;
  },
): Promise<NoisyExample> {
  const list = path.join(folder, "corrupted.json");
  if (existsSync(list)) return { folder, corrupted: JSON.parse(readFileSync(list, "utf8")) as Corrupted[] };
  mkdirSync(folder, { recursive: true });
  for (const file of ["cool.config.ts", "generate.ts"]) {
    cpSync(path.join(ROOT, "examples", "home-security", file), path.join(folder, file));
  }
  await generateDataset(folder, { count: options.count });
  const table = path.join(folder, "labels.csv");
  const clean = await readRows(table);
  const { rows, corrupted } = injectNoise(clean, LABEL_COLUMNS, options);
  cpSync(table, path.join(folder, "clean.csv"));
  writeRows(table, ["img", ...LABEL_COLUMNS], rows);
  writeFileSync(list, JSON.stringify(corrupted));
  return { folder, corrupted };
}

/** Cells as text, empty where there is none. */
export async function readRows(file: string): Promise<TextRow[]> {
  const { rows, columns } = await readTable(file, { projectDir: path.dirname(file) });
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries([...columns].map(([name, cells]) => [name, String(cells.at(row) ?? "")])),
  );
}

export function writeRows(file: string, columns: readonly string[], rows: readonly TextRow[]): void {
  const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => columns.map((column) => cell(row[column] ?? "")).join(","));
  writeFileSync(file, `${[columns.join(","), ...lines].join("\n")}\n`);
}
