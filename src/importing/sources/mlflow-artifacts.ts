/** @file Files of MLflow's runs: only those within the folder that the user names, wherever the store says they are. */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf } from "../../records/run-files.js";
import type { RunSink } from "../shape.js";

/**
 * @param root the folder that the user has named
 * @param uri where the store says that they are
 * @param places where they mostly are, below the root, as the store may have been moved
 */
export function tellArtifacts(sink: RunSink, root: string, uri: string | null, places: readonly string[]): void {
  const told = uri === null ? null : localPath(uri, root);
  const folders = [...(told === null ? [] : [told]), ...places.map((place) => join(root, place))];
  const folder = folders.find((path) => isWithin(root, path));
  if (folder === undefined) {
    const isElsewhere = folders.some((path) => existsSync(path)) || (uri !== null && told === null);
    if (isElsewhere) sink.leave("folder of files", `it lies outside of ${root}: ${uri}`);
    return;
  }
  const files = filesOf(folder, () => sink.leave("files", "links and devices are not followed"));
  for (const { path, bytes } of files) sink.file(folder, path, bytes);
}

function localPath(uri: string, root: string): string | null {
  try {
    if (uri.startsWith("file:")) return fileURLToPath(new URL(uri));
  } catch {
    return null;
  }
  if (/^[a-z][\w+.-]+:/i.test(uri)) return null;
  return isAbsolute(uri) ? uri : join(root, uri);
}

/** Whether it is a folder below the root, also behind links. */
function isWithin(root: string, path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  const within = relative(realpathSync(root), realpathSync(path));
  return within !== "" && within !== ".." && !within.startsWith(`..${sep}`) && !isAbsolute(within);
}
