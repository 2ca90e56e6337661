/**
 * @file Which files decide a run: the code of the project's folder, and every module of its configuration wherever it
 * lies, outside of the folder, in a repository within it, or under .gitignore.
 */
import { createHash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, isAbsolute, join, relative, sep } from "node:path";
import { realPath, STORE_FILE } from "./git.js";

/** A source file as it was. */
export interface SourceFile {
  /** Relative to the project, with `/` between its parts; a module outside of it begins with `../`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const EXTENSIONS = new Set([
  ...[".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".py", ".sql", ".sh"],
  ...[".json", ".yaml", ".yml", ".toml"],
]);
const NO_SOURCE = new Set(["node_modules", "dist", "build", "coverage", "__pycache__"]);
const LARGEST_FILE_BYTES = 4 << 20;
const MOST_FILES = 5000;
const DEEPEST = 12;

/** Says what tools and editors do, and not what the network is; packages that are imported are named by version. */
const TOOLING =
  /^(package(-lock)?\.json|npm-shrinkwrap\.json|pnpm-(lock|workspace)\.yaml|bun\.lock|deno\.jsonc?|[tj]sconfig(\.[\w.-]+)?\.json|biome\.jsonc?|turbo\.json|nx\.json|lerna\.json)$/;

/** Whether a file that git or a run names is part of a run's source, and not of its tooling. */
export function isSourceName(path: string): boolean {
  return !TOOLING.test(basename(path)) || path.includes("node_modules/");
}

/** Whether a module's own text says what it does: of an installed package the version is enough. */
export function isTextOfOurs(path: string): boolean {
  return !path.split(sep).includes("node_modules");
}

/** Whether a source file lies outside of the project's folder. */
export function isFromOutside(path: string): boolean {
  return path.startsWith("../") || path.includes("node_modules/");
}

/**
 * Code and settings of a project by path: not its data, dependencies, builds or hidden folders, unless imported.
 * @param storeDir where runs are kept, which is no source
 * @param modules of the configuration, wherever they lie
 */
export function sourceFiles(projectDir: string, storeDir: string, modules: readonly string[] = []): SourceFile[] {
  // modules are named as links resolve, which the project's folder need not be
  const real = realPath(projectDir);
  const imported = modules.map((path) => {
    const within = relative(real, path);
    return isFromOutside(within.split(sep).join("/")) || isAbsolute(within) ? path : join(projectDir, within);
  });
  const found = new Set([...filesBelow(projectDir, storeDir), ...imported]);
  return [...found].flatMap((path) => sourceFile(projectDir, path) ?? []).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function filesBelow(projectDir: string, storeDir: string): string[] {
  const found: string[] = [];
  const walk = (dir: string, depth: number): void => {
    const entries = entriesOf(dir);
    // another run store, or a run that was exported into the project
    if (depth > 0 && entries.some(({ name }) => name === STORE_FILE)) return;
    for (const entry of entries) {
      if (found.length >= MOST_FILES) return;
      const path = join(dir, entry.name);
      if (entry.isDirectory() && depth < DEEPEST && isSourceFolder(entry.name) && path !== storeDir) {
        walk(path, depth + 1);
      } else if (entry.isFile() && isSource(path)) found.push(path);
    }
  };
  walk(projectDir, 0);
  return found;
}

function isSource(path: string): boolean {
  return EXTENSIONS.has(extname(path)) && isSourceName(basename(path)) && lstatSync(path).size <= LARGEST_FILE_BYTES;
}

/** null for a module that is gone since it was imported. */
function sourceFile(projectDir: string, path: string): SourceFile | null {
  try {
    const content = readFileSync(path);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { path: relative(projectDir, path).split(sep).join("/"), bytes: content.length, sha256 };
  } catch {
    return null;
  }
}

function isSourceFolder(name: string): boolean {
  return !name.startsWith(".") && !NO_SOURCE.has(name);
}

/** A folder that may not be read holds no source of ours. */
function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}
