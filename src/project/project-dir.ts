/** @file Where a project is. Light: commands that only read the store need no more of a project than its folder. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../errors.js";

/** Names of a project's configuration, the first one found wins. */
export const CONFIG_FILES = ["cool.config.ts", "cool.config.mts", "cool.config.js", "cool.config.mjs"];

/**
 * The folder with a `cool.config.*`: `from` itself or the nearest one above it.
 * @throws ConfigError if there is none
 */
export function findProjectDir(from: string): string {
  const start = resolve(from);
  for (let dir = start; ; dir = dirname(dir)) {
    if (configFileIn(dir) !== undefined) return dir;
    if (dir === dirname(dir)) break;
  }
  throw new ConfigError(
    `No ${CONFIG_FILES[0]} in ${start} or above it. Go to a project's folder, name it with --project, or write a ${CONFIG_FILES[0]} (see the README).`,
    { dir: start },
  );
}

/** Path of the folder's configuration. */
export function configFileIn(dir: string): string | undefined {
  return CONFIG_FILES.map((name) => join(dir, name)).find((file) => existsSync(file));
}
