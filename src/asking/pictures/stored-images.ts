/**
 * @file Where the pictures of a finished run's samples lie. A sample is named after its picture, and a run from elsewhere
 * can name any file: of such a run only pictures in a project of the user's own are shown.
 */
import { realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { isQuery } from "../../data/tables/sql.js";
import type { SamplePicture } from "../../logging/panels/picture.js";
import { tablesOf } from "../../project/settings.js";
import { isFromHere, isImported } from "../../records/origin/origin.js";
import type { RunConfig } from "../../records/run-folder.js";
import type { StoredRun } from "../stored-run.js";

/** Completes "the picture …". */
export const FROM_ELSEWHERE = "is not looked for: the run comes from elsewhere. Name its project with --project";

type ImageSource = Pick<StoredRun, "config" | "dir" | "project" | "run">;

/** Finds a sample's picture by its name, which is the path of its first image. */
export function storedImages(stored: ImageSource): (sample: { readonly id: string }) => SamplePicture {
  const { config } = stored;
  const { folders, mayShow } = placesOf(stored);
  const image = Object.values(config.inputs).find((spec) => spec.kind === "image");
  const framed = image?.framing === undefined ? {} : { framing: image.framing };
  if (folders.length === 0) return () => ({ kind: "missing", reason: FROM_ELSEWHERE });
  return ({ id }) => {
    const candidates = folders.flatMap((folder) => imageFiles(config, folder, id));
    const shown = candidates.filter(mayShow);
    const found = shown.find(isFile) ?? shown[0];
    return found === undefined ? { kind: "missing", reason: FROM_ELSEWHERE } : { kind: "file", path: found, ...framed };
  };
}

interface Places {
  readonly folders: readonly string[];
  /** Whether a file that was found may be shown. */
  readonly mayShow: (path: string) => boolean;
}

function placesOf({ config, dir, project, run }: ImageSource): Places {
  if (isFromHere(run, dir)) {
    // the user's own project is where its pictures are, should it have been moved
    const folders = [...(project === null ? [] : [project.dir]), config.projectDir];
    return { folders, mayShow: () => true };
  }
  if (project === null) return { folders: [], mayShow: () => false };
  // links in a folder that the user names are the user's
  if (project.isNamed) return { folders: [project.dir], mayShow: (path) => isWithin(project.dir, path) };
  // a folder that one stands in may have come with the store; what one imported must be named a project for
  if (isImported(dir)) return { folders: [], mayShow: () => false };
  return { folders: [project.dir], mayShow: (path) => isReallyWithin(project.dir, path) };
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(resolve(folder), path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The same where links are followed. */
function isReallyWithin(folder: string, path: string): boolean {
  try {
    return isWithin(realpathSync(folder), realpathSync(path));
  } catch {
    // what is not there is told as gone
    return isWithin(folder, path);
  }
}

/** A pipe or a device of this name would be read for ever. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Where a sample's image may be: an id may begin with its table and end with the number of its row. */
function imageFiles({ settings }: RunConfig, projectDir: string, id: string): string[] {
  const tables = tablesOf(settings.data);
  const prefix = tables.find((table) => id.startsWith(`${table}:`));
  const path = prefix === undefined ? id : id.slice(prefix.length + 1);
  const folders = (prefix === undefined ? tables : [prefix]).map((table) => tableFolder(projectDir, table));
  const paths = [path, path.replace(/#\d+$/, "")];
  return paths.flatMap((relativePath) => folders.map((folder) => resolve(folder, relativePath)));
}

/** Image paths are relative to the table's file; those of a query to the project. */
export function tableFolder(projectDir: string, table: string): string {
  return isQuery(table) ? projectDir : dirname(resolve(projectDir, table));
}
