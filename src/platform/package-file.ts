/** @file Files that the package ships beside its code. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a file of the running package, e.g. `assets/fonts/a.ttf`; this code may be source, compiled or bundled. */
export function packageFile(path: string): string {
  root ??= rootOf(dirname(fileURLToPath(import.meta.url)));
  return join(root, path);
}

let root: string | undefined;

function rootOf(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : rootOf(dirname(folder));
}
