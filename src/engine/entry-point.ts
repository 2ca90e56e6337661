/** @file Modules of the engine that run as programs of their own, in threads or processes. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What to start with node: a script and its arguments. */
export interface EntryPoint {
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * A module as a program, compiled, or through jiti where the source itself runs.
 * @param base `import.meta.url` of a module in the same folder
 * @param name of its file, without the ending
 */
export function entryPoint(base: string, name: string): EntryPoint {
  const here = fileURLToPath(base);
  const isSource = here.endsWith(".ts");
  const script = join(dirname(here), `${name}.${isSource ? "ts" : "js"}`);
  if (!isSource) return { script, args: [] };
  const jiti = dirname(createRequire(base).resolve("jiti/package.json"));
  return { script: join(jiti, "lib", "jiti-cli.mjs"), args: [script] };
}
