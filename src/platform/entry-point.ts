/** @file Modules that run as programs of their own, in threads or processes. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packageFile } from "./package-file.js";

/** What to start with node: a script and its arguments. */
export interface EntryPoint {
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * A module as a program, compiled, or through jiti where the source itself runs.
 * @param path of the module below the sources, without its ending: `engine/batches/picture-entry`
 */
export function entryPoint(path: string): EntryPoint {
  if (startsCompiled()) return { script: compiled(path), args: [] };
  const jiti = dirname(createRequire(import.meta.url).resolve("jiti/package.json"));
  return { script: join(jiti, "lib", "jiti-cli.mjs"), args: [packageFile(`src/${path}.ts`)] };
}

/**
 * URL of a module that such a program imports.
 * @param path as of {@link entryPoint}
 */
export function entryModule(path: string): string {
  return pathToFileURL(startsCompiled() ? compiled(path) : packageFile(`src/${path}.ts`)).href;
}

function startsCompiled(): boolean {
  // tests say so where what is compiled is up to date (test/support/compiled.mjs)
  return !fileURLToPath(import.meta.url).endsWith(".ts") || process.env.DNN_COOL_COMPILED_ENTRIES === "1";
}

/** Not looked for beside this code, which may have been bundled. */
function compiled(path: string): string {
  return packageFile(`dist/${path}.js`);
}
