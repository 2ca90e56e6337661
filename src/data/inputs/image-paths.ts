/** @file Pictures that a folder or a pattern names. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../errors.js";

const PICTURE = /\.(jpe?g|png|webp|tiff?)$/i;
const PATTERN = /[*?[]/;

/** Whether a file is a picture, as its name says: the one place that says which names do. */
export const isPicture = (name: string): boolean => PICTURE.test(name);

/**
 * Files as they are; of a folder all pictures in it and below, by name; of a pattern (`*`, `?`, `[…]`, `**`) that is no
 * file what matches it.
 * @throws DataError where a folder or a pattern has no pictures
 */
export async function imagePaths(inputs: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const paths: string[] = [];
  for (const input of inputs) {
    const found = isFolder(input) ? picturesBelow(input) : await matching(input, signal);
    if (found.length === 0) {
      throw new DataError(`There are no pictures in ${input}: a picture ends with .jpg, .png, .webp or .tif.`, {
        input,
      });
    }
    for (const path of found) paths.push(path);
  }
  return paths;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function picturesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(isPicture)
    .map((name) => join(folder, name))
    .filter((path) => !isFolder(path))
    .toSorted();
}

/** A shell has no pattern left unless it matches nothing, or is quoted where there are too many files for a command. */
async function matching(input: string, signal: AbortSignal | undefined): Promise<string[]> {
  if (!PATTERN.test(input) || statSync(input, { throwIfNoEntry: false }) !== undefined) return [input];
  const { withDuckDB } = await import("../tables/duckdb.js");
  const files = await withDuckDB(async (connection) => {
    const result = await connection.runAndReadAll("SELECT file FROM glob($pattern) ORDER BY file", { pattern: input });
    return result.getRows().map(([file]) => String(file));
  }, signal);
  return files.filter(isPicture);
}
