/** @file Modules that run as programs of their own, in threads or processes. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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
  // tests say so where what is compiled is up to date (test/support/compiled.mjs)
  const isSource = fileURLToPath(import.meta.url).endsWith(".ts") && process.env.DNN_COOL_COMPILED_ENTRIES !== "1";
  // not looked for beside this code, which may have been bundled
  if (!isSource) return { script: packageFile(`dist/${path}.js`), args: [] };
  const jiti = dirname(createRequire(import.meta.url).resolve("jiti/package.json"));
  return { script: join(jiti, "lib", "jiti-cli.mjs"), args: [packageFile(`src/${path}.ts`)] };
}
