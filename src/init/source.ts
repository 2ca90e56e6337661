/** @file What a project is made from: a table, a folder, or a template. */

import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isPicture } from "../data/inputs/image-paths.js";
import { isQuery } from "../data/tables/sql.js";
import { readTable, type Table } from "../data/tables/table.js";
import { UsageError } from "../errors.js";
import { shellWord } from "../platform/shell-word.js";
import { classColumns, classFolders } from "./class-folders.js";
import { masksIn } from "./masks.js";
import type { PictureFacts } from "./pictures.js";
import { configPath, type NewFile } from "./project-files.js";
import type { OpenedTable } from "./proposal.js";
import { PICTURE_SIDE, type Template, templateData } from "./templates.js";

/** A table, and the files that come with it where init makes it. */
export interface OpenedSource extends OpenedTable {
  readonly files: readonly NewFile[];
}

export interface SourceOptions {
  /** A table or a folder, as it was typed; without one the project's folder. */
  readonly path?: string | undefined;
  readonly template?: Template | undefined;
  readonly projectDir: string;
}

const LABELS = "labels.csv";

/**
 * @throws UsageError if there is nothing to begin with, or too much; DataError for a table that cannot be read
 */
export async function openSource({ path, template, projectDir }: SourceOptions): Promise<OpenedSource> {
  if (template !== undefined) {
    if (path !== undefined) {
      throw new UsageError(`--template makes data of its own: leave out ${path}, or --template.`, { path, template });
    }
    return openTemplate(template, projectDir);
  }
  if (path !== undefined && isQuery(path)) {
    throw new UsageError(
      "cool init reads a file or a folder. Write what the query finds into a table first; the configuration's data.table may be a query.",
      { path },
    );
  }
  const place = resolve(path ?? projectDir);
  const found = await stat(place).catch(() => null);
  if (found?.isDirectory() === true || path === undefined) return openFolder(place, path, projectDir);
  return openTable(place, path, projectDir);
}

async function openTable(file: string, typed: string, projectDir: string): Promise<OpenedSource> {
  const source = configPath(file, typed, projectDir);
  const table = await readTable(file, { projectDir });
  const masks = await masksIn(table, projectDir);
  return { table: { ...table, file: typed }, source, projectDir, masks, files: [] };
}

const TABLE_FILE = /\.(csv|tsv|parquet|pq|jsonl|ndjson|csv\.gz|tsv\.gz)$/i;

/** The one table in a folder, or the pictures in its folders. */
async function openFolder(dir: string, typed: string | undefined, projectDir: string): Promise<OpenedSource> {
  const name = typed ?? dir;
  const names = await readdir(dir).catch((cause: Error) => {
    throw new UsageError(`The folder ${name} cannot be read: ${cause.message}.`, { dir }, { cause });
  });
  const tables = names.filter((file) => TABLE_FILE.test(file)).sort();
  const [first] = tables;
  if (tables.length > 1) {
    throw new UsageError(
      `${name} has several tables: ${tables.slice(0, 8).join(", ")}. Name the one with the labels: cool init ${shellWord(join(typed ?? "", first ?? ""))}`,
      { dir, tables },
    );
  }
  if (first !== undefined) return openTable(join(dir, first), join(typed ?? "", first), projectDir);
  const pictures = await classFolders(dir);
  if (pictures.length === 0) throw nothingIn(name, names);
  const columns = classColumns(name, pictures, projectDir);
  return madeTable(columns, projectDir);
}

function nothingIn(dir: string, names: readonly string[]): UsageError {
  const isFlat = names.some((name) => isPicture(name));
  const what = isFlat
    ? "has pictures, but neither a table nor a folder for each class"
    : "has no table and no folders of pictures";
  return new UsageError(
    `${dir} ${what}. Name a table (cool init labels.csv), a folder with a folder of pictures for each class (cool init photos), or begin with made-up data: cool init --template images (or tokens, table).`,
    { dir },
  );
}

async function openTemplate(template: Template, projectDir: string): Promise<OpenedSource> {
  const { columns, files } = await templateData(template);
  const made = madeTable(columns, projectDir);
  return {
    ...made,
    files: [...made.files, ...files],
    pictures: template === "images" ? drawn(made.table.rows) : undefined,
  };
}

/** The pictures of the template are not written yet. */
function drawn(rows: number): PictureFacts {
  const sizes = Array.from({ length: rows }, (_, row) => ({ row, width: PICTURE_SIDE, height: PICTURE_SIDE }));
  return { looked: rows, bad: null, sizes, isGrey: false };
}

/** A table that is written with the project. */
function madeTable(columns: ReadonlyMap<string, readonly string[]>, projectDir: string): OpenedSource {
  const [first = []] = columns.values();
  const table: Table = { rows: first.length, columns, file: LABELS, baseDir: resolve(projectDir), firstLine: 2 };
  return { table, source: LABELS, projectDir, files: [{ path: LABELS, content: csv(columns), where: "refuse" }] };
}

function csv(columns: ReadonlyMap<string, readonly string[]>): string {
  const cells = [...columns.values()];
  const line = (texts: readonly string[]) => `${texts.map(csvCell).join(",")}\n`;
  const rows = (cells[0] ?? []).map((_, row) => line(cells.map((column) => column[row] ?? "")));
  return line([...columns.keys()]) + rows.join("");
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
