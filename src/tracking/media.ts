/** @file What a tracked run keeps besides numbers: pictures as they are drawn, files and tables in its folder. */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { UsageError } from "../errors.js";
import type { EncodedImage } from "../logging/tensorboard/index.js";
import { assertRecord } from "./curves.js";
import { writeJson } from "../records/run-folder.js";

/** Samples of 8 bits, row by row. */
export interface RawImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: RGB, 4: with alpha. */
  readonly channels: 1 | 3 | 4;
}

/** A file, an encoded picture (PNG, JPEG, WebP, TIFF, …), or samples. */
export type LoggedImage = string | Uint8Array | RawImage;

/**
 * As TensorBoard shows it: PNG and JPEG stay as they are.
 * @throws UsageError for what is no picture
 */
export async function encodeImage(tag: string, image: LoggedImage): Promise<EncodedImage> {
  const { default: sharp } = await import("sharp");
  try {
    if (typeof image === "object" && image !== null && "channels" in image) {
      const { data, width, height, channels } = image;
      const png = await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
      return { png, width, height };
    }
    const bytes = typeof image === "string" ? readFileSync(image) : image;
    const { format, width, height, orientation = 1 } = await sharp(bytes).metadata();
    if (format === "png") return { png: bytes, width, height };
    // TensorBoard does not turn what a camera held upright
    if (format === "jpeg" && orientation === 1) return { jpeg: bytes, width, height };
    const { data, info } = await sharp(bytes).autoOrient().png().toBuffer({ resolveWithObject: true });
    return { png: data, width: info.width, height: info.height };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The image "${tag}" cannot be read: ${reason}. Give a path, encoded bytes, or { data, width, height, channels }.`,
      { tag },
      { cause: error },
    );
  }
}

/** Rows under columns. */
export interface LoggedTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** @throws UsageError */
export function checkTable(name: string, table: LoggedTable): void {
  assertRecord("table(name, table)", table);
  const { columns, rows } = table;
  const wrong = Array.isArray(columns) && Array.isArray(rows) ? rows.findIndex((row) => !fits(row, columns)) : -2;
  if (wrong === -1) return;
  const what = wrong === -2 ? "it has no list of columns and of rows" : `row ${wrong + 1} has other cells than columns`;
  throw new UsageError(`The table "${name}" is not { columns, rows }: ${what}.`, { name });
}

function fits(row: unknown, columns: readonly string[]): boolean {
  return Array.isArray(row) && row.length === columns.length;
}

/** Writes `tables/<name>.json`, with the step in its name where there is one. */
export function writeTable(runDir: string, name: string, table: LoggedTable, step: number | undefined): void {
  const file = pathWithin(runDir, "tables", `${name}${step === undefined ? "" : `-${step}`}.json`);
  mkdirSync(dirname(file), { recursive: true });
  // as a text: JSON has no bigint
  const rows = table.rows.map((row) => row.map((cell) => (typeof cell === "bigint" ? String(cell) : cell)));
  writeJson(file, { columns: table.columns, rows });
}

/**
 * Copies a file or folder into the run's, in the place of what had the name; links are followed.
 * @param name with `/` between its parts
 * @returns the path of the copy
 * @throws UsageError where the source is not there, or the name leads elsewhere
 */
export function copyInto(runDir: string, folder: string, source: string, name: string): string {
  if (typeof source !== "string" || source === "") throw new UsageError("Name a file or folder to be copied.");
  const from = resolve(source);
  if (!existsSync(from)) throw new UsageError(`There is no file or folder ${from}.`, { path: from });
  if (isWithin(from, runDir)) {
    throw new UsageError(`${from} holds the run itself and cannot be copied into it. Name a part of it.`, {
      path: from,
    });
  }
  const target = pathWithin(runDir, folder, name);
  mkdirSync(dirname(target), { recursive: true });
  // a reader never meets half a checkpoint
  const writing = `${target}.writing-${process.pid}`;
  cpSync(from, writing, { recursive: true, dereference: true });
  rmSync(target, { recursive: true, force: true });
  renameSync(writing, target);
  return target;
}

/** The name under which a source is kept where none is given. */
export function nameOf(source: string): string {
  return typeof source === "string" ? basename(resolve(source)) : "";
}

function pathWithin(runDir: string, folder: string, name: string): string {
  const root = join(runDir, folder);
  const path = join(root, name);
  if (name !== "" && path !== root && isWithin(root, path) && !/[\p{Cc}\\:]/u.test(name) && isShort(name)) return path;
  throw new UsageError(
    `${JSON.stringify(name.slice(0, 60))} is no name of a file within the run. Leave out "..", ":" and "\\", and give each part 200 bytes at most.`,
    {
      name,
    },
  );
}

/** Whether file systems take its parts: they mostly hold 255 bytes, and a copy being written has more. */
function isShort(name: string): boolean {
  return name.split("/").every((part) => Buffer.byteLength(part) <= 200);
}

function isWithin(dir: string, path: string): boolean {
  const within = relative(dir, path);
  return within !== ".." && !within.startsWith(`..${sep}`) && !isAbsolute(within);
}
