/** @file A folder with a folder of pictures for each class → a table of labels. */
import { isPicture } from "../data/inputs/image-paths.js";
import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { UsageError } from "../errors.js";

/** A picture, by its path, and what the folders around it say. */
export interface ClassifiedPicture {
  readonly path: string;
  readonly label: string;
  readonly split: "train" | "valid" | "test" | null;
}

const SPLIT_FOLDERS: ReadonlyMap<string, "train" | "valid" | "test"> = new Map([
  ["train", "train"],
  ["valid", "valid"],
  ["val", "valid"],
  ["validation", "valid"],
  ["test", "test"],
]);
/** Folders below that of a class that are looked into. */
const DEEPEST = 4;
/** Of the training pictures of a class, every so manieth validates where no folder does. */
const VALID_EVERY = 7;

/**
 * Pictures of `dir/CLASS/…` or `dir/SPLIT/CLASS/…`, in the order of their paths; none where there are no folders with
 * pictures.
 */
export async function classFolders(dir: string): Promise<ClassifiedPicture[]> {
  const folders = await foldersIn(dir);
  const splits = folders.map((name) => SPLIT_FOLDERS.get(name.toLowerCase()));
  if (!splits.includes("train") || splits.includes(undefined)) return picturesOf(dir, folders, null);
  const pictures: ClassifiedPicture[] = [];
  for (const [i, name] of folders.entries()) {
    const inner = join(dir, name);
    pictures.push(...(await picturesOf(inner, await foldersIn(inner), splits[i] ?? null)));
  }
  return splits.includes("valid") ? pictures : withValid(pictures);
}

async function foldersIn(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((name) => !name.startsWith(".") && name !== "node_modules").sort();
  const found = await Promise.all(names.map((name) => stat(join(dir, name)).catch(() => null)));
  return names.filter((_, i) => found[i]?.isDirectory() === true);
}

async function picturesOf(
  dir: string,
  classes: readonly string[],
  split: ClassifiedPicture["split"],
): Promise<ClassifiedPicture[]> {
  const pictures: ClassifiedPicture[] = [];
  for (const label of classes) {
    for (const path of await picturesUnder(join(dir, label), DEEPEST))
      pictures.push({ path, label: label.trim(), split });
  }
  return pictures;
}

async function picturesUnder(dir: string, depth: number): Promise<string[]> {
  const own = (await readdir(dir)).filter((name) => isPicture(name) && !name.startsWith("."));
  const paths = own.sort().map((name) => join(dir, name));
  if (depth === 0) return paths;
  for (const name of await foldersIn(dir)) paths.push(...(await picturesUnder(join(dir, name), depth - 1)));
  return paths;
}

/** Some of the training pictures of each class validate: thresholds and the best epoch are chosen by them. */
function withValid(pictures: readonly ClassifiedPicture[]): ClassifiedPicture[] {
  const seen = new Map<string, number>();
  return pictures.map((picture) => {
    if (picture.split !== "train") return picture;
    const number = (seen.get(picture.label) ?? 0) + 1;
    seen.set(picture.label, number);
    return number % VALID_EVERY === 0 ? { ...picture, split: "valid" } : picture;
  });
}

/**
 * Columns of a table in a project's folder.
 * @throws UsageError if pictures lie outside of the project, or are of one class alone
 */
export function classColumns(
  dir: string,
  pictures: readonly ClassifiedPicture[],
  projectDir: string,
): ReadonlyMap<string, readonly string[]> {
  const classes = new Set(pictures.map(({ label }) => label));
  if (classes.size < 2) {
    throw new UsageError(
      `${dir} has pictures of one class alone: ${[...classes].join("")}. Put those of each class into a folder of its own.`,
      { dir, classes: [...classes] },
    );
  }
  const paths = pictures.map(({ path }) => relative(projectDir, path).split(sep).join("/"));
  if (paths.some((path) => path.startsWith("../") || resolve(path) === path)) {
    throw new UsageError(
      `${dir} lies outside of the project's folder ${resolve(projectDir)}, and a table names only pictures in it. Name a folder above the pictures with --project, or link them here: ln -s ${dir} .`,
      { dir, project: resolve(projectDir) },
    );
  }
  const splits = pictures.map(({ split }) => split ?? "");
  return new Map([
    ["img", paths],
    ["label", pictures.map(({ label }) => label)],
    ...(splits.includes("train") ? [["split", splits] as const] : []),
  ]);
}
