/** @file Packages that not every user needs: looked for in the user's project, else beside this one. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface InstalledPackage {
  readonly version: string;
  /** The file that the package is loaded by. */
  readonly entry: string;
}

/**
 * Where packages are looked for, in this order.
 * @param projectDir null: there is no project
 */
export function packageFolders(projectDir: string | null): string[] {
  const own = dirname(fileURLToPath(import.meta.url));
  return projectDir === null ? [own] : [projectDir, own];
}

/**
 * Loads a package.
 * @param projectDir null: there is no project
 * @param unloadable the error for what the package throws while it loads, also where it lacks a package of its own
 * @returns null where it is not installed
 */
export function loadOptionalPackage(
  name: string,
  projectDir: string | null,
  unloadable: (cause: unknown) => Error,
): unknown {
  for (const folder of packageFolders(projectDir)) {
    try {
      return createRequire(join(folder, "_"))(name);
    } catch (error) {
      if (!isAbsent(error, name)) throw unloadable(error);
    }
  }
  return null;
}

/**
 * A package that is installed, which is not loaded: what it is loaded by may have to be seen to first.
 * @param projectDir null: there is no project
 * @returns null where it is not installed
 */
export function findPackage(name: string, projectDir: string | null): InstalledPackage | null {
  const manifest = findManifest(name, packageFolders(projectDir));
  if (manifest === null) return null;
  const { version, main } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string; main: string };
  return { version, entry: join(dirname(manifest), main) };
}

/**
 * The `package.json` of a package, in the folders that Node.js looks in: many packages do not export it.
 * @param folders from which the package is looked for, in this order
 * @returns null where it is not installed
 */
export function findManifest(name: string, folders: readonly string[]): string | null {
  const files = folders
    .flatMap((folder) => createRequire(join(folder, "_")).resolve.paths(name) ?? [])
    .map((modules) => join(modules, name, "package.json"));
  return files.find((file) => existsSync(file)) ?? null;
}

function isAbsent(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "MODULE_NOT_FOUND" &&
    error.message.includes(`'${name}'`)
  );
}
