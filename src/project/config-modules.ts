/**
 * @file The modules that a configuration is made of: every file that it imports, directly or through another, wherever
 * it lies, and which version of each package. What was loaded is noted while it is; the text of the modules names those
 * that are imported later.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packageFile } from "../platform/package-file.js";
import { createJiti, type Jiti, type JitiOptions } from "jiti";

/** A configuration that has been run. */
export interface ImportedConfig {
  /** What it exports by default. */
  readonly exported: unknown;
  /** Files of its modules, and the package.json of each package that they import. Absolute, each once, sorted. */
  readonly modules: readonly string[];
}

/** Runs a configuration and notes what it imports. */
export async function importNoting(
  file: string,
  virtualModules: JitiOptions["virtualModules"],
): Promise<ImportedConfig> {
  const noted = new Set([file]);
  const options = { moduleCache: false, fsCache: false } as const;
  const plain = createJiti(import.meta.url, options);
  const jiti = createJiti(import.meta.url, {
    ...options,
    ...(virtualModules === undefined ? {} : { virtualModules }),
    transform: (module) => {
      if (module.filename !== undefined) noted.add(module.filename);
      return { code: plain.transform(module) };
    },
  });
  const { cache } = createRequire(import.meta.url);
  const before = new Set(Object.keys(cache));
  const exported = await jiti.import(file, { default: true });
  // CommonJS and JSON, which Node loads without a transformation; packages load more of their own than the project asked
  for (const path of Object.keys(cache)) if (!before.has(path) && !path.includes(INSTALLED)) noted.add(path);
  return { exported, modules: withImports(noted, plain, new Set(Object.keys(virtualModules ?? {}))) };
}

const CODE = new Set([".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"]);
const IMPORT = /\b(?:from|import|require)\s*\(?\s*(?:\/\*.*?\*\/\s*)?(["'`])([^"'`\n$]+)\1/g;

/** Adds what the modules import by name. */
function withImports(noted: ReadonlySet<string>, jiti: Jiti, virtual: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  const waiting = [...noted];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const path = realPath(file);
    const own = path === null ? null : ownFile(path);
    if (own === null || found.has(own)) continue;
    found.add(own);
    if (own !== path || !CODE.has(extname(own))) continue;
    for (const [, , specifier = ""] of readFileSync(own, "utf8").matchAll(IMPORT)) {
      const imported = virtual.has(specifier) ? null : resolved(specifier, own, jiti);
      if (imported !== null) waiting.push(imported);
    }
  }
  return [...found].sort();
}

/** null for modules of Node, and for what only looks like an import. */
function resolved(specifier: string, from: string, jiti: Jiti): string | null {
  try {
    const url = jiti.esmResolve(specifier, { try: true, parentURL: pathToFileURL(from) });
    return url?.startsWith("file:") === true ? fileURLToPath(url) : null;
  } catch {
    return null;
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

const INSTALLED = `${sep}node_modules${sep}`;
/** Folders of this package's own code, which is not the user's: its version is on record. */
const OURS = ["src", "dist"].map((folder) => `${packageFile(folder)}${sep}`);

/** The file itself; of an installed package its package.json, which has the version; null for this package's own. */
function ownFile(path: string): string | null {
  if (OURS.some((folder) => path.startsWith(folder))) return null;
  if (!path.includes(INSTALLED)) return path;
  const folder = packageFolder(dirname(path));
  return folder === null ? null : join(folder, "package.json");
}

/** The nearest folder upwards whose package.json has a name and a version: others only say how files are read. */
function packageFolder(dir: string): string | null {
  const manifest = join(dir, "package.json");
  if (existsSync(manifest) && isNamed(manifest)) return dir;
  const above = dirname(dir);
  return above === dir ? null : packageFolder(above);
}

function isNamed(manifest: string): boolean {
  try {
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as Readonly<Record<string, unknown>>;
    return typeof name === "string" && typeof version === "string";
  } catch {
    return false;
  }
}
